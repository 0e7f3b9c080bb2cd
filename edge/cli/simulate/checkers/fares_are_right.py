# SPDX-License-Identifier: Apache-2.0
"""What every visit costs is what the oracle makes of it, from its own clock.

The law of the module: a visit is told once and closed once; its minutes are the true
ones, its fare follows from the plan: nothing, once, or each hour begun after the
month's free minutes. Integers in fen.
Source: docs/spaces.md; ARCHITECTURE.md, "Entry counts only if the door opened".
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge.cli.simulate.checking import RosterAdopted, Violation
from edge.cli.simulate.oracle.book import Book, read_roster
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.fares import Month, is_exempt, month_of, price
from edge.cli.simulate.oracle.visits import Visit, visit_minutes_fit
from edge.core.event import EventKind
from edge.core.plan import Direction

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.event import Person

#: A space, and what makes several entries one visit: booking, else ticket, else holder.
Whose = tuple[str, str, str]


class FaresAreRight:
    """Prices every visit by itself."""

    name = "fares equal the oracle's"
    heeds: Kinds = Chronicle.heeds | {RosterAdopted}

    def __init__(self, ground: Ground) -> None:
        self._plan = ground.plan
        self._holders, self._first = ground.holders, ground.first
        self._book = Book()
        self._chronicle = Chronicle(self)
        self.clear()

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        if isinstance(seen, RosterAdopted):
            offset_ms = self._plan.utc_offset_ms
            self._book = read_roster(seen.roster, self._holders, offset_ms, self._first)
        self._chronicle.see(seen)

    def end(self, rest: Rest) -> None:
        """Do nothing: each visit was judged when it was closed."""

    def clear(self) -> None:
        """Begin anew behind a power cut."""
        self._visits: dict[int, Told] = {}
        #: Grants that may still be used, by number.
        self._grants: dict[int, Told] = {}
        #: Whose newest entry was when, and until when his grants said he may stay.
        self._entered: dict[Whose, Told] = {}
        self._until_ms: dict[Whose, int] = {}
        #: Whom two persons put on the local roster, and by which roles.
        self._was_local: dict[str, list[str]] = {}
        self._used_min: Counter[Month] = Counter()

    def take(self, told: Told) -> None:
        """Take the next event that counts."""
        match told.event.kind:
            case EventKind.ACCESS_GRANTED:
                self._grants[told.seq] = told
                if told.event.fact("free") is not None:
                    self._came_in(told.seq, told)
            case EventKind.ACCESS_TAKEN:
                self._came_in(told.cause or 0, told)
            case EventKind.ACCESS_NOT_TAKEN:
                self._grants.pop(told.cause or 0, None)
            case EventKind.LOCAL_CHANGED if told.event.fact("what") == "held":
                self._was_local[told.event.person.holder or ""] = _roles(told)
            case EventKind.VISIT_STARTED:
                self._visits[told.seq] = told
            case EventKind.VISIT_CLOSED:
                self._close(told)
            case _:
                pass

    def _came_in(self, grant: int, told: Told) -> None:
        granted = self._grants.pop(grant, None)
        point = self._plan.access_points.get(granted.event.subject) if granted else None
        door = self._plan.doors.get(point.door_id) if point else None
        if granted is None or door is None:
            return
        if point is not None and point.direction is Direction.OUT:
            return
        whose = _whose(door.space_id, granted.event.person)
        self._entered[whose] = told
        until_ms = granted.event.fact("end")
        if isinstance(until_ms, int):
            self._until_ms[whose] = max(until_ms, self._until_ms.get(whose, 0))

    def _close(self, told: Told) -> None:
        event = told.event
        number, minutes = event.fact("visit"), event.fact("minutes")
        began = None
        if isinstance(number, int):
            # It is a number of the epoch in which the visit was closed.
            began = self._visits.pop(number + told.seq - event.seq, None)
        if began is None:
            raise Violation(self.name, f"{told.seq} closes {number}, no open visit")
        if not isinstance(minutes, int):
            raise Violation(self.name, f"{told.seq} tells no minutes")
        plan = self._plan.spaces[event.subject]
        whose = _whose(event.subject, began.event.person)
        visit = Visit(
            began=began,
            last=self._entered.get(whose, began),
            closed=told,
            booked_until_ms=self._booked_until_ms(whose, began),
        )
        if not visit_minutes_fit(self._plan, plan, visit):
            lasted = (told.true_ms - began.true_ms) / 60_000
            what = f"{minutes} minutes ({event.fact('how')}) for {lasted:.2f}"
            raise Violation(self.name, what)
        self._price(told, began, minutes)

    def _booked_until_ms(self, whose: Whose, began: Told) -> int | None:
        """Return the end of a booking as it is known now, else as the grants told."""
        person = began.event.person
        for _, booking in self._book.bookings:
            if booking.booking_id == person.booking:
                return booking.to_ms
        if not (person.booking or person.ticket):
            return None
        return self._until_ms.get(whose)

    def _price(self, told: Told, began: Told, minutes: int) -> None:
        event = told.event
        who = event.person.holder or ""
        plan = self._plan.spaces[event.subject]
        month: Month = (event.subject, who, month_of(began, self._plan))
        holder = self._book.holders.get(who)
        is_free = event.fact("how") == "emergency"
        is_free = is_free or (holder is not None and is_exempt(holder.roles))
        # A local role ends by its time, as the box knows it: perhaps it counted still.
        is_local = is_exempt(self._was_local.get(who, ()))
        is_free = is_free or (is_local and event.fact("exempt") is not None)
        left_min = 0
        if who:
            left_min = max(0, plan.fare.free_minutes - self._used_min[month])
        owed_fen, free_min = price(plan.fare, minutes, left_min)
        if is_free:
            owed_fen, free_min = 0, 0
        if event.fact("fare_fen") != owed_fen:
            what = f"{who} pays {event.fact('fare_fen')} fen, not {owed_fen}"
            raise Violation(self.name, f"{what}, for {minutes} minutes")
        self._used_min[month] += free_min


def _roles(told: Told) -> list[str]:
    return str(told.event.fact("roles") or "").split()


def _whose(space: str, person: Person) -> Whose:
    if person.booking:
        return space, "booking", person.booking
    if person.ticket:
        return space, "ticket", person.ticket
    return space, "holder", person.holder or ""
