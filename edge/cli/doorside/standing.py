# SPDX-License-Identifier: Apache-2.0
"""What stands at an access point while nobody holds anything out.

The law of the module: it reads what stands and decides nothing. A way out is shown
only where fire has opened it, or as a rehearsal by its name; what is real goes before
what is rehearsed. Whether a place is booked is looked up now and then, never counted in
people: a lamp tells nobody that a room is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import Indicate, Indication
from edge.core.doors.door import DoorMode, DoorPhase
from edge.core.emergency.drill_plan import DRILLS_OF_DOORS
from edge.core.moment import UNBOUNDED_MS, ClockVerdict
from edge.core.plan import Direction

if TYPE_CHECKING:
    from edge.core.controller import Controller
    from edge.core.house import House
    from edge.core.moment import Moment


#: How old a look at a room's bookings may be.
LOOK_AGAIN_S = 5.0


class Standing:
    """What lasts at each access point of a site."""

    def __init__(self, controller: Controller, *, is_lost: bool = False) -> None:
        self._controller = controller
        self._is_lost = is_lost
        self._plan = controller.site
        #: Of each room: what its lamps show, and until when that is believed.
        self._use: dict[str, tuple[Indication, float]] = {}

    def at(self, point: str, door_id: str | None, now: Moment) -> Indicate:
        """Return what lasts at an access point of a door; None: at a bank or a desk."""
        lasting = Indication.READY
        if door_id is not None:
            lasting = _of_door(door_id, self._controller)
        is_way_in = self._plan.access_points[point].direction is Direction.IN
        if lasting is Indication.READY and is_way_in:
            if self._is_lost:
                lasting = Indication.OUT_OF_ORDER
            elif door_id is not None and self._admits(door_id):
                lasting = self._use_of(self._plan.doors[door_id].space_id, now)
        return Indicate(access_point=point, indication=lasting)

    def _admits(self, door_id: str) -> bool:
        """Say whether a door lets people in at all: one out of use invites nobody."""
        return self._controller.doors.mode(door_id) is not DoorMode.BLOCKED

    def _use_of(self, space_id: str, now: Moment) -> Indication:
        use, until_s = self._use.get(space_id, (Indication.READY, 0.0))
        if now.monotonic_s >= until_s:
            use = use_of(space_id, self._controller.house, now)
            self._use[space_id] = use, now.monotonic_s + LOOK_AGAIN_S
        return use


def use_of(space_id: str, house: House, now: Moment) -> Indication:
    """Return FREE or BOOKED for a room as its list and its hours have it now.

    READY where neither is sure: it is closed or full, nobody knows the time, or the
    platform has sent no list.
    """
    plan = house.rolls.spaces.get(space_id)
    if plan is None or now.latest_ms >= UNBOUNDED_MS or not house.rolls.cursor.epoch:
        return Indication.READY
    presence = house.spaces.presence
    taken = presence.persons(space_id) + presence.awaited(space_id, now)
    has_room = not plan.capacity or taken < plan.capacity
    booked = house.rolls.booked(space_id, now.earliest_ms, now.earliest_ms + 1)
    is_booked = next(iter(booked), None) is not None
    # In a room for many that anybody may enter, a booking takes a place, not the room.
    if is_booked and not (plan.allows_walk_in and has_room):
        return Indication.BOOKED
    is_open = plan.hours is None or plan.hours.against(now) is ClockVerdict.INSIDE
    return Indication.FREE if is_open and has_room else Indication.READY


def _of_door(door_id: str, controller: Controller) -> Indication:
    doors = controller.doors
    mode = doors.mode(door_id)
    if controller.emergency.is_fire and mode is DoorMode.LOCKED_OPEN:
        return Indication.EVACUATE
    if mode is DoorMode.LOCKED_DOWN:
        return Indication.LOCKED_DOWN
    if not doors.strike_is_sound(door_id):
        return Indication.OUT_OF_ORDER
    drill = controller.emergency.drills.running
    if drill is None:
        return Indication.READY
    is_escape = controller.site.doors[door_id].is_escape
    is_way_out = is_escape and drill.kind in DRILLS_OF_DOORS
    return Indication.DRILL_EVACUATE if is_way_out else Indication.DRILL


def is_left_open(door_id: str, controller: Controller) -> bool:
    """Say whether somebody should shut the leaf."""
    door = controller.doors.standing()[door_id]
    if door.is_free:
        return False
    return door.phase is DoorPhase.OPEN_TOO_LONG or (door.is_open and door.is_warned)
