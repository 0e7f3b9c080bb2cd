# SPDX-License-Identifier: Apache-2.0
"""Everything by which one person is named here.

The law of the module: values alone; no token, and nothing that outlives the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """A holder's id, and the bookings that were ever his, as far as we know."""

    holder: str
    bookings: frozenset[str] = frozenset()


class Forgetting(Protocol):
    """A part of the standing that knows people by name."""

    def forget(self, names: Names) -> None:
        """Know nothing of this person any more."""
