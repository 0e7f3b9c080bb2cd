# SPDX-License-Identifier: Apache-2.0
"""The books of a house, kept a second time from its events alone.

The law of the module: it shares no code with the spaces; what it finds different is a
fault of theirs. Hours are counted one by one, and free minutes likewise.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.event import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable

ENTRIES = (EventKind.ACCESS_TAKEN, EventKind.ACCESS_GRANTED, EventKind.DOOR_OPENED)
CHINA = timedelta(hours=8)


@dataclass(slots=True)
class Ledger:
    """Visits, fares and free minutes as the events tell them."""

    fen: int
    free_minutes: int
    events: dict[int, Event] = field(default_factory=dict)
    started: dict[int, Event] = field(default_factory=dict)
    closed: dict[int, Event] = field(default_factory=dict)
    used_min: Counter[tuple[str, str]] = field(default_factory=Counter)

    def read(self, events: Iterable[Event]) -> None:
        """Read on, and object to what does not fit."""
        for event in events:
            assert event.seq == len(self.events) + 1, "a hole in the numbers"
            self.events[event.seq] = event
            if event.kind is EventKind.VISIT_STARTED:
                self._begin(event)
            elif event.kind is EventKind.VISIT_CLOSED:
                self._close(event)

    def open(self) -> list[Event]:
        """Return the visits that were begun and not closed."""
        return [e for seq, e in self.started.items() if seq not in self.closed]

    def _begin(self, event: Event) -> None:
        entry = self.events[number(event, "cause")]
        assert entry.kind in ENTRIES, "a visit without an entry"
        self.started[event.seq] = event
        whose = [(e.person.holder, e.person.booking) for e in self.open()]
        assert len(whose) == len(set(whose)), "two visits of one holder and booking"

    def _close(self, event: Event) -> None:
        visit = number(event, "visit")
        assert visit in self.started, "a visit ended that never began"
        assert visit not in self.closed, "a visit ended twice"
        self.closed[visit] = event
        minutes = number(event, "minutes")
        assert 0 <= minutes <= self.elapsed_min(event), "longer than it can have been"
        if event.fact("how") in ("exit", "counted", "emergency"):
            assert minutes == self.elapsed_min(event), "not until the exit"
        assert event.fact("fare_fen") == self._owed(event, minutes), "another fare"

    def entry(self, closed: Event) -> Event:
        """Return the entry with which a visit began."""
        return self.events[number(self.started[number(closed, "visit")], "cause")]

    def elapsed_min(self, closed: Event) -> int:
        """Return the minutes between a visit's entry and the event of its end."""
        begun, ended = self.entry(closed).moment, closed.moment
        if begun.boot == ended.boot:
            ms = round(ended.monotonic_s * 1000) - round(begun.monotonic_s * 1000)
        else:
            ms = ended.earliest_ms - begun.earliest_ms
        return max(0, ms // 60_000)

    def _owed(self, closed: Event, minutes: int) -> int:
        if closed.fact("how") == "emergency" or closed.fact("exempt") is not None:
            return 0
        holder, owed = closed.person.holder, 0
        begun_ms = self.entry(closed).moment.earliest_ms
        local = datetime.fromtimestamp(begun_ms / 1000, UTC) + CHINA
        key = (holder or "", f"{local:%Y-%m}")
        charged = 0
        for _ in range(minutes):
            if holder is not None and self.used_min[key] < self.free_minutes:
                self.used_min[key] += 1
                continue
            owed += self.fen if charged % 60 == 0 else 0
            charged += 1
        return owed


def number(event: Event, name: str) -> int:
    """Return a fact that is a number."""
    value = event.fact(name)
    assert isinstance(value, int), f"{event.kind} without {name}"
    return value
