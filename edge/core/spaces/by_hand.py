# SPDX-License-Identifier: Apache-2.0
"""Openings by hand that may still be corrected.

The law of the module: nothing written is ever changed; a correction is an event of its
own, with its actor, and names the entry. It is taken for a minute: whoever was let in
is then somewhere inside, and what counts is a look into the room. It knows no names.
Source: docs/panel.md, "Let somebody in".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.event import Event, EventKind, Facts
from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.order import EntryCorrected
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan

#: The panel promises ten seconds; a slow hand gets a minute, so nobody is hurried.
CORRECT_MS = MINUTE_MS
#: Entries that wait for a correction: far more than hands open within a minute.
MAX_ENTRIES = 32
#: The biggest party that one order lets in.
MAX_PARTY = 500
MAX_TEXT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """So many persons at a door, as written last; ``since_ms`` is UTC."""

    door: str
    persons: int
    reason: str
    since_ms: int
    is_booked: bool = False


class ByHand:
    """The newest openings by hand, by their seq."""

    def __init__(self, site: SitePlan, out: OutcomeBuilder) -> None:
        self._site = site
        self._out = out
        self._entries: dict[int, Entry] = {}

    def open(self, now: Moment) -> dict[int, Entry]:
        """Return what may still be corrected, the oldest first."""
        begun_ms = now.earliest_ms - CORRECT_MS
        return {s: e for s, e in self._entries.items() if e.since_ms > begun_ms}

    def correct(self, order: EntryCorrected, now: Moment) -> str:
        """Write down what was right, or return why not."""
        entry = self.open(now).get(order.seq)
        if entry is None:
            return "it is too late to correct that entry: count who is in the room"
        if not 0 <= order.persons <= MAX_PARTY:
            return f"from 0 to {MAX_PARTY} people"
        if entry.is_booked and order.persons != entry.persons:
            return "these came by a booking: count who is in the room"
        reason = order.reason[:MAX_TEXT]
        if (order.persons, reason) == (entry.persons, entry.reason):
            return "that is what is written already"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("cause", order.seq),
            ("persons", order.persons),
            ("reason", reason),
            ("was", entry.persons),
        )
        self._out.event(EventKind.ENTRY_CORRECTED, entry.door, now, facts=facts)
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        if event.kind is EventKind.MANUAL_ENTRY:
            self._entries[event.seq] = Entry(
                door=event.subject,
                persons=int(event.fact("count") or 1),
                reason=str(event.fact("reason") or ""),
                since_ms=event.moment.earliest_ms,
                is_booked=event.person.booking is not None,
            )
            while len(self._entries) > MAX_ENTRIES:
                del self._entries[min(self._entries)]
        elif event.kind is EventKind.ENTRY_CORRECTED:
            seq = int(event.fact("cause") or 0)
            if seq in self._entries:
                self._entries[seq] = replace(
                    self._entries[seq],
                    persons=int(event.fact("persons") or 0),
                    reason=str(event.fact("reason") or ""),
                )

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._entries = {seq + shift: each for seq, each in self._entries.items()}

    def dump(self) -> dict[str, list[list[Any]]]:
        """Return what must survive a restart, as JSON values."""
        return {
            "by_hand": [
                [seq, e.door, e.persons, e.reason, e.since_ms, int(e.is_booked)]
                for seq, e in self._entries.items()
            ]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; doors no longer there go."""
        self._entries = {
            seq: Entry(
                door=door,
                persons=persons,
                reason=reason,
                since_ms=since_ms,
                is_booked=bool(is_booked),
            )
            for seq, door, persons, reason, since_ms, is_booked in state.get(
                "by_hand", ()
            )
            if door in self._site.doors
        }
