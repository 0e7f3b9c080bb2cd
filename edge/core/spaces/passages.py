# SPDX-License-Identifier: Apache-2.0
"""What a door's events say of people who passed it.

The law of the module: an entry counts only if the door opened; an opening that
nobody's card and no volunteer accounts for is somebody's exit where the exit button
was pressed, or where people leave by a handle that nobody sees. One opening is one
exit. It learns from events alone and asks no door.
Source: ARCHITECTURE.md, rulings on who is taken, inside and gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.access.rescans import AGAIN_S
from edge.core.event import NOBODY, Event, EventKind, Person
from edge.core.plan import DAY_MS, Direction
from edge.core.spaces.stay import dump_person, load_person

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.erasing.names import Names
    from edge.core.plan import DoorPlan, SitePlan

#: Grants whose release still runs; a site has some doors of some seconds each.
MAX_GRANTS = 256
#: Volunteers' entries that wait for one door to open.
MAX_BY_HAND = 8
#: Entries by hand that may still be corrected.
MAX_CAME = 32
#: A release may be used so much longer than it was ordered for.
SLACK_MS = 1_000
#: A press is told once a release, which further presses prolong.
ASKED_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """So many persons came in, or left; ``event`` is what says so.

    ``scans``: as so many they leave again; a party may come in with one. ``end_ms``
    is the end of a booking or ticket, 0 without one. ``guests`` of the persons came in
    by a right of their own: the first of two. ``is_by_handle``: somebody left whom no
    reader saw, so that it may have been anybody.
    """

    space_id: str
    is_entry: bool
    persons: int
    event: Event
    scans: int = 1
    person: Person = NOBODY
    end_ms: int = 0
    guests: int = 0
    is_by_handle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    door_id: str
    is_entry: bool
    persons: int
    guests: int
    person: Person
    end_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByHand:
    persons: int
    booking: str
    until_ms: int
    cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    """What an opening of one door may mean, until when (UTC ms, lower bound)."""

    is_open: bool = False
    asked_until_ms: int = 0
    granted_until_ms: int = 0
    by_hand: tuple[_ByHand, ...] = ()


_SHUT = _Leaf()


class Passages:
    """Grants and requests at every door that wait for their opening."""

    def __init__(self, site: SitePlan) -> None:
        self._site = site
        self._grants: dict[int, _Grant] = {}
        self._leaves: dict[str, _Leaf] = {}
        #: By the seq of an entry by hand: how many came in by it.
        self._came: dict[int, int] = {}

    def follow(self, event: Event) -> tuple[Passage, ...]:
        """Take an event into account and return who passed by it."""
        match event.kind:
            case EventKind.ACCESS_GRANTED:
                return self._granted(event)
            case EventKind.ACCESS_TAKEN:
                grant = self._grants.pop(_number(event, "cause"), None)
                return () if grant is None else (self._used(grant, event),)
            case EventKind.ACCESS_NOT_TAKEN:
                self._grants.pop(_number(event, "cause"), None)
            case EventKind.STARTED:
                self._leaves.clear()  # every release ended with the boot
            case _ if event.subject in self._site.doors:
                return self._at_door(event, self._site.doors[event.subject])
            case _:
                pass
        return ()

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._grants = {seq + shift: grant for seq, grant in self._grants.items()}
        self._came = {seq + shift: persons for seq, persons in self._came.items()}
        for door_id, leaf in tuple(self._leaves.items()):
            moved = (replace(w, cause=w.cause + shift) for w in leaf.by_hand)
            self._leaves[door_id] = replace(leaf, by_hand=tuple(moved))

    def forget(self, names: Names) -> None:
        """Let those who wait by hand at a door wait without their booking."""
        for door_id, leaf in tuple(self._leaves.items()):
            by_hand = tuple(
                replace(each, booking="") if each.booking in names.bookings else each
                for each in leaf.by_hand
            )
            self._leaves[door_id] = replace(leaf, by_hand=by_hand)

    def dump(self) -> dict[str, list[list[Any]]]:
        """Return the state as JSON values."""
        return {
            "passage_grants": [
                [
                    *(seq, g.door_id, int(g.is_entry), g.persons, g.end_ms),
                    *dump_person(g.person),
                    g.guests,
                ]
                for seq, g in self._grants.items()
            ],
            "passage_leaves": [
                [door_id, int(leaf.is_open), leaf.asked_until_ms, leaf.granted_until_ms]
                + [[w.persons, w.booking, w.until_ms, w.cause] for w in leaf.by_hand]
                for door_id, leaf in sorted(self._leaves.items())
                if leaf != _SHUT
            ],
            "passage_came": [[seq, persons] for seq, persons in self._came.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; what is not there is nothing."""
        self._grants = {
            seq: _Grant(
                door_id=door_id,
                is_entry=bool(is_entry),
                persons=persons,
                end_ms=end_ms,
                person=load_person(told[:3]),
                guests=sum(told[3:]),  # an older version tells none
            )
            for seq, door_id, is_entry, persons, end_ms, *told in state.get(
                "passage_grants", ()
            )
            if door_id in self._site.doors
        }
        self._leaves = {
            door_id: _Leaf(
                is_open=bool(is_open),
                asked_until_ms=asked_ms,
                granted_until_ms=granted_ms,
                by_hand=tuple(
                    _ByHand(
                        persons=persons,
                        booking=booking,
                        until_ms=until_ms,
                        cause=sum(cause),  # an older version tells none
                    )
                    for persons, booking, until_ms, *cause in by_hand
                ),
            )
            for door_id, is_open, asked_ms, granted_ms, *by_hand in state.get(
                "passage_leaves", ()
            )
        }
        self._came = dict(state.get("passage_came", ()))

    def _granted(self, event: Event) -> tuple[Passage, ...]:
        point = self._site.access_points.get(event.subject)
        if point is None or point.door_id not in self._site.doors:
            return ()  # a compartment's grant lets nobody in
        is_booked = event.person.booking or event.person.ticket
        grant = _Grant(
            door_id=point.door_id,
            is_entry=point.direction is Direction.IN,
            persons=_number(event, "persons", 1),
            guests=_number(event, "pair"),
            person=event.person,
            end_ms=_number(event, "end") if is_booked else 0,
        )
        if event.fact("free") is not None:
            return (self._used(grant, event),)  # a free door has no release to wait for
        if len(self._grants) >= MAX_GRANTS:
            del self._grants[min(self._grants)]
        self._grants[event.seq] = grant
        plan = self._site.doors[point.door_id]
        # The same card may open again soon, without an event of its own.
        again_ms = round((plan.extended_release_s + AGAIN_S) * 1000) + SLACK_MS
        until_ms = event.moment.earliest_ms + again_ms
        self._change(point.door_id, granted_until_ms=until_ms)
        return ()

    def _used(self, grant: _Grant, event: Event) -> Passage:
        return Passage(
            space_id=self._site.doors[grant.door_id].space_id,
            is_entry=grant.is_entry,
            persons=grant.persons,
            guests=grant.guests,
            event=event,
            person=grant.person,
            end_ms=grant.end_ms,
        )

    def _at_door(self, event: Event, plan: DoorPlan) -> tuple[Passage, ...]:
        match event.kind:
            case EventKind.REQUEST_TO_EXIT:
                if not plan.has_contact:
                    return (_exit(event, plan),)
                until_ms = event.moment.earliest_ms + ASKED_MS
                self._change(plan.door_id, asked_until_ms=until_ms)
            case EventKind.DOOR_CLOSED:
                self._change(plan.door_id, is_open=False)
            case EventKind.DOOR_OPENED:
                return self._opened(event, plan)
            case EventKind.MANUAL_ENTRY:
                return self._by_hand(event, plan)
            case EventKind.ENTRY_CORRECTED:
                return self._corrected(event, plan)
            case _:
                pass
        return ()

    def _by_hand(self, event: Event, plan: DoorPlan) -> tuple[Passage, ...]:
        leaf = self._leaves.get(plan.door_id, _SHUT)
        is_extended = event.fact("extended") is not None
        release_s = plan.extended_release_s if is_extended else plan.release_s
        release_ms = round(release_s * 1000) + SLACK_MS
        waiting = _ByHand(
            persons=_number(event, "count", 1),
            booking=event.person.booking or "",
            until_ms=event.moment.earliest_ms + release_ms,
            cause=event.seq,
        )
        is_free = event.fact("free") is not None
        if is_free or leaf.is_open or not plan.has_contact:
            return self._come((waiting,), event, plan)
        by_hand = (*leaf.by_hand, waiting)[-MAX_BY_HAND:]
        self._leaves[plan.door_id] = replace(leaf, by_hand=by_hand)
        return ()

    def _opened(self, event: Event, plan: DoorPlan) -> tuple[Passage, ...]:
        leaf = self._leaves.get(plan.door_id, _SHUT)
        now_ms = event.moment.earliest_ms
        self._leaves[plan.door_id] = _Leaf(
            is_open=True, granted_until_ms=leaf.granted_until_ms
        )
        if any(grant.door_id == plan.door_id for grant in self._grants.values()):
            return ()  # somebody's card accounts for it
        by_hand = [each for each in leaf.by_hand if now_ms < each.until_ms]
        if by_hand:
            return self._come(by_hand, event, plan)
        is_free = event.fact("free") is not None
        is_again = now_ms < leaf.granted_until_ms
        is_by_handle = not plan.senses_exit and not is_free and not is_again
        is_asked = now_ms < leaf.asked_until_ms
        return (_exit(event, plan),) if is_asked or is_by_handle else ()

    def _come(
        self, by_hand: Iterable[_ByHand], event: Event, plan: DoorPlan
    ) -> tuple[Passage, ...]:
        """Let those in who were let in by hand; one may have been taken back."""
        for each in by_hand:
            self._came[each.cause] = each.persons
            while len(self._came) > MAX_CAME:
                del self._came[min(self._came)]
        return tuple(_entry(each, event, plan) for each in by_hand if each.persons)

    def _corrected(self, event: Event, plan: DoorPlan) -> tuple[Passage, ...]:
        """Correct who came in by hand, or is about to; who never came counts not."""
        cause, persons = _number(event, "cause"), _number(event, "persons")
        leaf = self._leaves.get(plan.door_id, _SHUT)
        waiting = tuple(
            replace(each, persons=persons) if each.cause == cause else each
            for each in leaf.by_hand
        )
        if waiting != leaf.by_hand:
            self._leaves[plan.door_id] = replace(leaf, by_hand=waiting)
        if cause not in self._came:
            return ()
        more = persons - self._came[cause]
        self._came[cause] = persons
        if more < 0:
            one = Passage(
                space_id=plan.space_id, is_entry=False, persons=1, event=event
            )
            return (one,) * -more
        came = _ByHand(persons=more, booking="", until_ms=0)
        return (_entry(came, event, plan),) if more else ()

    def _change(self, door_id: str, **changes: Any) -> None:
        leaf = self._leaves.get(door_id, _SHUT)
        self._leaves[door_id] = replace(leaf, **changes)


def _entry(by_hand: _ByHand, event: Event, plan: DoorPlan) -> Passage:
    return Passage(
        space_id=plan.space_id,
        is_entry=True,
        persons=by_hand.persons,
        event=event,
        scans=by_hand.persons,
        person=Person(booking=by_hand.booking or None),
        end_ms=event.moment.earliest_ms + DAY_MS if by_hand.booking else 0,
    )


def _exit(event: Event, plan: DoorPlan) -> Passage:
    return Passage(
        space_id=plan.space_id,
        is_entry=False,
        persons=1,
        event=event,
        is_by_handle=True,
    )


def _number(event: Event, name: str, default: int = 0) -> int:
    value = event.fact(name)
    return value if isinstance(value, int) else default
