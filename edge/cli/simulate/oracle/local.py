# SPDX-License-Identifier: Apache-2.0
"""What was settled at the site itself: people, revocations, bound cards, cash.

The law of the module: made of events, but for a bound card's token, which no event
holds and which comes from its scan.
Source: ARCHITECTURE.md, "Two scopes"; docs/sync-contract.md, "Money".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.chronicle import Told


class Local:
    """The local scope as the events that count tell it."""

    def __init__(self) -> None:
        #: Tokens bound here; whoever's binding was lost in a power cut is unsure.
        self.bound: dict[bytes, str] = {}
        self.clear()

    def clear(self) -> None:
        """Begin anew; bound cards come from scans, which do not come again."""
        self.revoked: set[str] = set()
        #: Whom somebody put on the local roster at some time: his rights are unsure.
        self.held: set[str] = set()
        #: By booking: what was due when cash was noted; None: nobody said.
        self.cash: dict[str, int | None] = {}

    def bind(self, token: bytes, holder: str) -> None:
        """Learn of a card that is a holder's from now on."""
        self.bound[token] = holder

    def take(self, told: Told) -> None:
        """Take the next event."""
        event, who = told.event, told.event.person
        match event.kind:
            case EventKind.LOCAL_CHANGED if who.holder:
                self._changed(who.holder, str(event.fact("what")))
            case EventKind.CASH_NOTED if who.booking:
                due = event.fact("due")
                self.cash[who.booking] = due if isinstance(due, int) else None
            case EventKind.MANUAL_ENTRY if who.booking and event.fact("cash_fen"):
                self.cash[who.booking] = None
            case _:
                pass

    def _changed(self, holder: str, what: str) -> None:
        match what:
            case "revoked":
                self.revoked.add(holder)
            case "restored":
                self.revoked.discard(holder)
            case _:
                self.held.add(holder)
