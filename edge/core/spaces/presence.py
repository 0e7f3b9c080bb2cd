# SPDX-License-Identifier: Apache-2.0
"""Who is inside, as far as the site can know.

The law of the module: it learns from events alone, says what it knows and decides
nothing; a replay of the journal gives the same rooms. What it cannot know it calls
soft, and nobody is refused on a soft knowledge.
Source: docs/spaces.md; ARCHITECTURE.md, rulings on walk-ins and on who is inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.event import Event, EventKind
from edge.core.moment import ClockVerdict
from edge.core.plan import DAY_MS
from edge.core.spaces.passages import Passage, Passages
from edge.core.spaces.room import Room
from edge.core.spaces.stay import (
    Ending,
    Stay,
    dump_moment,
    dump_person,
    leaves,
    load_moment,
    load_person,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.erasing.names import Names
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.plan import SitePlan

#: Bookings whose arrival is remembered: two weeks' of a busy site.
MAX_ARRIVED = 4_096
#: Bookings of stays that are remembered as they were found: more than are inside.
MAX_FOUND = 512
#: How long after its end an arrival is remembered: its booking may be prolonged.
MEMORY_MS = DAY_MS


class Listing(Protocol):
    """Who booked what (``edge.core.people.rolls``)."""

    def holder(self, holder_id: str) -> Cardholder | None:
        """Return a holder."""

    def bookings(self, holder_id: str) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first."""

    def booked(
        self, space_id: str, from_ms: int, to_ms: int
    ) -> Iterator[tuple[str, Booking]]:
        """Yield holder and room booking of what touches the half-open window."""


class Presence:
    """Every space's people."""

    def __init__(self, site: SitePlan, rolls: Listing) -> None:
        self._site = site
        self._rolls = rolls
        self._passages = Passages(site)
        self._rooms = {
            space_id: Room(has_exit_reader=plan.has_exit_reader)
            for space_id, plan in site.spaces.items()
        }
        #: By booking: how many came, and when that may be forgotten (UTC ms).
        self._arrived: dict[str, tuple[int, int]] = {}
        #: Bookings of stays as the roster has them: every settling asks for each.
        #: Emptied by another roster, by a snapshot, and once it is full.
        self._found: dict[tuple[str, str, str | None, int], Booking | None] = {}

    def persons(self, space_id: str) -> int:
        """Return how many people count as inside."""
        return self._rooms[space_id].persons

    def is_inside(self, space_id: str, holder_id: str) -> bool:
        """Say whether the holder came in and did not leave, as readers saw it.

        False where only a soft knowledge is left (an exit by the handle may be his).
        """
        return any(
            stay.person.holder == holder_id and stay.persons > 0 and not stay.is_soft
            for stay in self._rooms[space_id].stays
        )

    def inside_of(self, space_id: str, booking_id: str) -> int:
        """Return how many of a booking's party came in and surely did not leave."""
        return sum(
            max(0, stay.persons - stay.away)
            for stay in self._rooms[space_id].stays
            if stay.person.booking == booking_id
        )

    def is_expected_inside(self, space_id: str, now: Moment) -> bool:
        """Say whether somebody may be inside who could come out by the handle.

        Somebody is, or the space is perhaps open.
        """
        hours = self._site.spaces[space_id].hours
        if self.persons(space_id) > 0 or hours is None:
            return True
        return hours.against(now) is not ClockVerdict.BEFORE

    def awaited(self, space_id: str, now: Moment) -> int:
        """Return for how many booked persons, not inside yet, places are kept.

        From their lead time until surely past the no-show time of their booking.
        """
        plan = self._site.spaces[space_id]
        latest_ms = min(now.latest_ms, now.earliest_ms + DAY_MS)
        from_ms = now.earliest_ms - plan.no_show_ms
        booked = self._rolls.booked(space_id, from_ms, latest_ms + plan.lead_ms + 1)
        return sum(
            max(0, booking.party - self.arrived(booking.booking_id))
            for _, booking in booked
            if now.earliest_ms < min(booking.from_ms + plan.no_show_ms, booking.to_ms)
        )

    def arrived(self, booking_id: str) -> int:
        """Return how many persons came in under a booking."""
        return self._arrived.get(booking_id, (0, 0))[0]

    def stays(self, space_id: str) -> tuple[Stay, ...]:
        """Return the stays of a space, the first to begin first."""
        return tuple(self._rooms[space_id].stays)

    def booking(self, space_id: str, stay: Stay) -> Booking | None:
        """Return a stay's booking as it is known now, if it still is one there."""
        booking_id, holder_id = stay.person.booking, stay.person.holder
        if booking_id is None:
            return None
        sought_ms = stay.seen_ms if holder_id is None else 0
        key = (space_id, booking_id, holder_id, sought_ms)
        if key not in self._found:
            if len(self._found) >= MAX_FOUND:
                self._found.clear()
            self._found[key] = self._find(*key)
        return self._found[key]

    def booked_until_ms(self, space_id: str, stay: Stay) -> int:
        """Return when a stay's booking or ticket ends, 0 without one."""
        booking = self.booking(space_id, stay)
        return booking.to_ms if booking is not None else stay.end_ms

    def persons_after(self, space_id: str, until_ms: int) -> int:
        """Return the count without those nameless whose time is over by then."""
        room = self._rooms[space_id]
        left = replace(room, stays=list(room.stays))
        self._dismiss(left, space_id, until_ms)
        return left.persons

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        for passage in self._passages.follow(event):
            self._pass(passage)
        match event.kind:
            case EventKind.VISIT_STARTED if event.subject in self._rooms:
                cause = int(event.fact("cause") or 0)
                self._rooms[event.subject].begin_visit(cause, event.seq)
            case EventKind.VISIT_CLOSED if event.subject in self._rooms:
                visit, how = int(event.fact("visit") or 0), str(event.fact("how"))
                self._rooms[event.subject].end_visit(visit, Ending(how))
            case EventKind.OCCUPANCY_SET if event.subject in self._rooms:
                self._set(event)
            case EventKind.ROSTER_APPLIED:
                self._found.clear()
            case _:
                pass

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._passages.renumber(shift)
        for room in self._rooms.values():
            room.renumber(shift)

    def forget(self, names: Names) -> None:
        """Forget which of a person's bookings anybody came by."""
        self._found.clear()
        self._passages.forget(names)
        for booking in names.bookings:
            self._arrived.pop(booking, None)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return self._passages.dump() | {
            "rooms": {
                space_id: [room.gone, *map(_dump_stay, room.stays)]
                for space_id, room in self._rooms.items()
                if room.stays
            },
            "arrived": [[name, *told] for name, told in self._arrived.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; spaces no longer there go."""
        self._passages.load(state)
        self._found.clear()
        for space_id, (gone, *stays) in state.get("rooms", {}).items():
            if space_id in self._rooms:
                self._rooms[space_id].gone = gone
                self._rooms[space_id].stays = [_load_stay(each) for each in stays]
        self._arrived = {
            name: (persons, until_ms)
            for name, persons, until_ms in state.get("arrived", ())
        }

    def _find(
        self, space_id: str, booking_id: str, holder_id: str | None, seen_ms: int
    ) -> Booking | None:
        if holder_id is not None:
            booked = iter(self._rolls.bookings(holder_id))
        else:
            window = (seen_ms - DAY_MS, seen_ms + DAY_MS)
            booked = (each for _, each in self._rolls.booked(space_id, *window))
        return next(
            (b for b in booked if (b.booking_id, b.space_id) == (booking_id, space_id)),
            None,
        )

    def _pass(self, passage: Passage) -> None:
        room = self._rooms[passage.space_id]
        if not passage.is_entry:
            room.leave(passage)
            return
        room.enter(passage)
        booking_id = passage.person.booking
        if booking_id is not None:
            now_ms = passage.event.moment.earliest_ms
            self._forget(now_ms)
            until_ms = max(passage.end_ms, now_ms) + MEMORY_MS
            persons = self.arrived(booking_id) + passage.persons
            self._arrived[booking_id] = (persons, until_ms)

    def _forget(self, now_ms: int) -> None:
        self._arrived = {n: t for n, t in self._arrived.items() if now_ms < t[1]}
        if len(self._arrived) >= MAX_ARRIVED:
            del self._arrived[min(self._arrived, key=lambda n: self._arrived[n][1])]

    def _set(self, event: Event) -> None:
        room = self._rooms[event.subject]
        until_ms = event.fact("until")
        if not isinstance(until_ms, int):
            room.count(int(event.fact("persons") or 0), event)
            return
        self._dismiss(room, event.subject, until_ms)

    def _dismiss(self, room: Room, space_id: str, until_ms: int) -> None:
        plan = self._site.spaces[space_id]
        room.dismiss(lambda stay: leaves(self._site, plan, stay, 0)[0] <= until_ms)


def _dump_stay(stay: Stay) -> list[Any]:
    numbers = (stay.persons, stay.entries, stay.peak, stay.seen_ms, stay.end_ms)
    told = (stay.cause, stay.visit, int(stay.is_soft), stay.how.value, stay.away)
    return [dump_person(stay.person), dump_moment(stay.since), *numbers, *told]


def _load_stay(told: list[Any]) -> Stay:
    person, since, persons, entries, peak, seen_ms, end_ms, *more = told
    cause, visit, is_soft, how, *away = more
    return Stay(
        person=load_person(person),
        since=load_moment(since),
        persons=persons,
        entries=entries,
        peak=peak,
        seen_ms=seen_ms,
        end_ms=end_ms,
        cause=cause,
        visit=visit,
        is_soft=bool(is_soft),
        how=Ending(how),
        # A snapshot of an older version does not know how many.
        away=away[0] if away else min(persons, is_soft),
    )
