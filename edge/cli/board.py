# SPDX-License-Identifier: Apache-2.0
"""What a duty page shows beside doors and devices: rooms, bells, who waits, notices.

The law of the module: it reads and never waits. People are counts and bookings are
times: nobody's name, and no number by which somebody could be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.cli.community import notices_of

if TYPE_CHECKING:
    from edge.cli.runtime import Runtime
    from edge.core.house import House
    from edge.core.moment import Moment

#: Bookings told of each room, and how far ahead.
MAX_NEXT = 3
AHEAD_MS = 12 * 3_600_000
#: Notices told; the page of notices has them all.
MAX_NOTICES = 3


def board(runtime: Runtime, now: Moment) -> dict[str, Any]:
    """Return rooms, open calls, access points that wait, and notices, as JSON has it.

    ``rooms`` by space: ``inside``, ``capacity`` (0: no limit), ``free`` places for who
    has no booking (None without a limit), ``next`` bookings as [from, to] UTC ms, and
    the ``doors`` that lead there. ``calls``: by door, how often somebody rang.
    """
    house = runtime.controller.house
    doors = [(door.id, door.space) for door in runtime.settings.door]
    return {
        "rooms": {
            space_id: _room(house, space_id, now)
            | {"doors": [door for door, space in doors if space == space_id]}
            for space_id in house.rolls.spaces
        },
        "calls": {door: call.rings for door, call in house.spaces.calls.open.items()},
        "awaiting": sorted(house.entrance.awaiting(now)),
        "notices": [
            {"title": each.title, "level": each.level}
            for each in notices_of(house.rolls.roster.tables, now)[:MAX_NOTICES]
        ],
    }


def _room(house: House, space_id: str, now: Moment) -> dict[str, Any]:
    plan, presence = house.rolls.spaces[space_id], house.spaces.presence
    inside, free = presence.persons(space_id), None
    if plan.capacity:
        free = max(0, plan.capacity - inside - presence.awaited(space_id, now))
    window = now.earliest_ms, now.earliest_ms + AHEAD_MS
    booked = (each for _, each in house.rolls.booked(space_id, *window))
    times = sorted({(booking.from_ms, booking.to_ms) for booking in booked})
    return {
        "inside": inside,
        "capacity": plan.capacity,
        "free": free,
        "next": [list(span) for span in times[:MAX_NEXT]],
    }
