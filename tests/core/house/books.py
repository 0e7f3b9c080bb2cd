# SPDX-License-Identifier: Apache-2.0
"""The place's books, kept from events alone: visits, money, shifts, things in lockers.

The law of the module: it works every sum out anew, by the plan and by nothing else.
"""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import TYPE_CHECKING

from edge.core.event import EventKind
from tests.core.house.plan import FREE_MIN, HOUR_FEN, MEDICINE, VISIT_FEN

if TYPE_CHECKING:
    from edge.core.event import Event, Person

K = EventKind
LONGEST_MIN = 720


class Books:
    """Raises AssertionError where a line does not follow from those before."""

    def __init__(self) -> None:
        self.visits: dict[int, Event] = {}
        self.shifts: dict[str | None, Event] = {}
        self.rented: dict[int, Person] = {}
        self.calls: set[str] = set()
        self.stove: Event | None = None
        self._burns_after = 0
        self._free_used: Counter[tuple[str, int]] = Counter()
        self._entries: set[int] = set()

    def follow(self, event: Event, standing: set[str]) -> None:
        """Check one event."""
        self._visit(event)
        self._shift(event)
        self._locker(event)
        self._stove(event, standing)
        match event.kind:
            case K.CALL_RAISED:
                self.calls.add(event.subject)
            case K.CALL_ANSWERED:
                assert event.subject in self.calls, f"nobody rang: {event}"
                self.calls.remove(event.subject)
            case K.CARE_SIGNAL:
                assert event.person.holder == "holder-zhao", "nobody else agreed"
                assert {name for name, _ in event.facts} == {"days"}, f"{event}"
            case _:
                pass

    def _visit(self, event: Event) -> None:
        match event.kind:
            case K.VISIT_STARTED:
                assert (
                    event.person.holder or event.person.booking or event.person.ticket
                )
                self.visits[event.seq] = event
            case K.VISIT_CLOSED:
                begun = self.visits.pop(int(event.fact("visit") or 0), None)
                assert begun is not None, f"closed twice, or never begun: {event}"
                assert begun.subject == event.subject, f"{event}"
                self._fare(event)
            case _:
                pass

    def _fare(self, event: Event) -> None:
        minutes = int(event.fact("minutes") or 0)
        fen = event.fact("fare_fen")
        assert minutes >= 0, f"{event}"
        if event.fact("exempt") is not None or event.fact("how") == "emergency":
            assert fen == 0, f"{event}"
        elif event.subject == "hall":
            assert fen == VISIT_FEN, f"{event}"
        elif event.subject == "kitchen" and event.person.holder is None:
            assert fen == ceil(minutes / 60) * HOUR_FEN, f"{event}"
        elif event.subject == "kitchen":
            key = (event.person.holder or "", int(event.fact("month") or 0))
            free = min(minutes, FREE_MIN - self._free_used[key])
            self._free_used[key] += free
            assert event.fact("free_min") == free, f"{event}"
            assert fen == ceil((minutes - free) / 60) * HOUR_FEN, f"{event}"
        else:
            assert fen == 0, f"{event}"

    def _shift(self, event: Event) -> None:
        holder = event.person.holder
        match event.kind:
            case K.DUTY_STARTED:
                assert holder not in self.shifts, f"twice: {event}"
                self.shifts[holder] = event
            case K.DUTY_ENDED:
                begun = self.shifts.pop(holder, None)
                assert begun is not None, f"no shift runs: {event}"
                assert event.fact("cause") == begun.seq, f"{event}"
                minutes = int(event.fact("minutes") or 0)
                assert 0 <= minutes <= LONGEST_MIN, f"{event}"
                one_boot = begun.moment.boot == event.moment.boot
                if one_boot and event.fact("to_confirm") is None:
                    lasted_s = event.moment.monotonic_s - begun.moment.monotonic_s
                    assert minutes == min(LONGEST_MIN, int(lasted_s // 60)), f"{event}"
            case K.DUTY_CORRECTED:
                assert event.fact("actor") != event.fact("second"), f"{event}"
            case _:
                pass

    def _locker(self, event: Event) -> None:
        number = int(event.fact("number") or 0)
        match event.kind:
            case K.RENTAL_STARTED:
                moved = event.fact("moved_from")
                if moved is not None:
                    gone = self.rented.pop(int(moved))
                    assert gone == event.person, f"another's: {event}"
                assert number not in self.rented, f"two holders in one: {event}"
                assert number != MEDICINE, f"{event}"
                is_named = event.person.booking is not None
                twice = is_named and event.person in self.rented.values()
                assert not twice, f"one booking, two compartments: {event}"
                self.rented[number] = event.person
            case K.RENTAL_ENDED:
                assert self.rented.get(number) == event.person, f"another's: {event}"
                del self.rented[number]
            case K.ACCESS_GRANTED if number and event.fact("kind") != "PANEL":
                assert self.rented.get(number) == event.person, f"another's: {event}"
            case _:
                pass

    def _stove(self, event: Event, standing: set[str]) -> None:
        """A stove comes on by somebody who came in, or by hand; never by itself."""
        match event.kind:
            case K.APPLIANCE_ON:
                assert self.stove is None, f"on twice: {event}"
                assert not standing & {"FIRE", "LOCK_DOWN"}, f"{event}"
                cause = int(event.fact("cause") or 0)
                by_hand = event.fact("actor") is not None
                assert by_hand or cause > self._burns_after, f"by itself: {event}"
                assert event.person.booking is not None, f"{event}"
                self.stove = event
            case K.APPLIANCE_OFF:
                assert self.stove is not None, f"off twice: {event}"
                assert event.fact("cause") == self.stove.seq, f"{event}"
                self.stove, self._burns_after = None, event.seq
            case K.STARTED:
                self._burns_after = event.seq
            case K.EMERGENCY_STARTED if event.fact("state") in ("FIRE", "LOCK_DOWN"):
                self._burns_after = event.seq
            case _:
                pass
