# SPDX-License-Identifier: Apache-2.0
"""The first of two persons, waiting at an access point for the other.

The law of the module: memory alone, by monotonic time; a restart forgets who waits.
One waits at each access point. The name kept here may be a pseudonym of a card and
never leaves the module for an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.ticket import Ticket

if TYPE_CHECKING:
    from edge.core.access.question import Question

#: The second person comes within less than this after the first.
PAIR_S = 30.0


def pair_identity(question: Question) -> str:
    """Return the name by which two scans are told to be one person's."""
    if question.holder is not None:
        return question.holder.holder_id
    if isinstance(question.ticket, Ticket):
        return f"ticket {question.ticket.ticket_id}"
    # The oldest of its tokens: the one that a new site key does not change.
    return f"card {question.credential.tokens[-1].hex()}"


class Pairs:
    """Who waits for a second person; at most one at each access point of the site."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, float]] = {}

    def first(self, access_point: str, now_s: float) -> str:
        """Return who waits there, "" for nobody."""
        identity, until_s = self._waiting.get(access_point, ("", 0.0))
        return identity if now_s < until_s else ""

    def wait(
        self,
        access_point: str,
        identity: str,
        now_s: float,
        *,
        patience_s: float = PAIR_S,
    ) -> None:
        """Let somebody wait; shown again, the time begins anew."""
        self._waiting[access_point] = (identity, now_s + patience_s)

    def end(self, access_point: str) -> None:
        """Forget who waits: two came in, or the door's mode changed."""
        self._waiting.pop(access_point, None)

    def deadline(self) -> float | None:
        """Return when the next one has waited long enough."""
        return min((until_s for _, until_s in self._waiting.values()), default=None)

    def expire(self, now_s: float) -> list[str]:
        """Forget those who waited long enough; return their access points."""
        over = [
            name for name, (_, until_s) in self._waiting.items() if until_s <= now_s
        ]
        for access_point in over:
            del self._waiting[access_point]
        return over
