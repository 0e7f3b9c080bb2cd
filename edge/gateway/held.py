# SPDX-License-Identifier: Apache-2.0
"""An opening that waits for its grant's commit.

The law of the module: how long a wish may wait, and what may be carried out late, is
said here and nowhere else (law 2: a door and first aid, never a locker).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.command import OpenCompartment, Release

#: How long a booked person may be kept outside by a slow disk (law 2).
COMMIT_PATIENCE_S = 0.25


@dataclass(frozen=True, slots=True)
class Held:
    """An opening that waits for its grant's commit, and since when."""

    wish: Release | OpenCompartment
    since_s: float

    @property
    def may_be_late(self) -> bool:
        """Whether it opens without its commit rather than keep somebody outside."""
        return isinstance(self.wish, Release) or self.wish.is_first_aid

    @property
    def due_s(self) -> float:
        """When it leaves without its commit."""
        return self.since_s + COMMIT_PATIENCE_S
