# SPDX-License-Identifier: Apache-2.0
"""What a volunteer is thanked for at the tablet where the shift just ended.

The law of the module: kept for some minutes, for that tablet, one at a time; a restart
forgets it. It names nobody to the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.accounts.people import Session

#: So long the page may be looked at, and loaded again.
KEPT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """A shift that ended at a tablet: whose, its number, and who he was in events."""

    holder: str
    actor: str
    seq: int
    until_s: float


class Farewells:
    """The last one of each tablet."""

    def __init__(self) -> None:
        self._by_tablet: dict[str, Farewell] = {}

    def keep(self, turn: Session, seq: int, now_s: float) -> None:
        """Keep that the shift of a turn ends."""
        self._by_tablet[turn.tablet] = Farewell(
            holder=turn.holder, actor=turn.actor, seq=seq, until_s=now_s + KEPT_S
        )

    def of(self, tablet: str, now_s: float) -> Farewell | None:
        """Return what a tablet may still show."""
        kept = self._by_tablet.get(tablet)
        if kept is not None and now_s >= kept.until_s:
            del self._by_tablet[tablet]
            return None
        return kept
