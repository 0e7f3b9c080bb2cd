# SPDX-License-Identifier: Apache-2.0
"""The rooms on the duty page, and what the platform wants to be read.

The law of the module: pure; people are counted and never named, bookings are times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.calendar import time_of_day
from edge.panel.view import Notice, RoomRow, Shape, Tone
from edge.panel.words import Phrase

if TYPE_CHECKING:
    from edge.panel.board import RoomReport
    from edge.panel.report import StatusReport
    from edge.panel.standing import Standing
    from edge.panel.words import Words

_LEVELS = {
    "URGENT": (Tone.BAD, Shape.ALERT),
    "WARNING": (Tone.WARN, Shape.ALERT),
    "INFO": (Tone.INFO, Shape.CARD),
}


def rooms(standing: Standing, words: Words) -> tuple[RoomRow, ...]:
    """Return the rooms as they are known now; none while the gateway is away."""
    report = standing.report
    if report is None or not standing.is_live:
        return ()
    return tuple(_row(room, report, words) for room in report.board.rooms)


def notices(standing: Standing) -> tuple[Notice, ...]:
    """Return the platform's notices in its own words, the urgent first."""
    report = standing.report
    found = () if report is None else report.board.notices
    return tuple(
        Notice(
            tone=_LEVELS[each.level][0],
            shape=_LEVELS[each.level][1],
            title=Phrase(each.title, ""),
        )
        for each in found
    )


def has_room(standing: Standing, door: str) -> bool:
    """Say whether somebody without a booking may still come in by a door."""
    report = standing.report
    room = report.board.room_of(door) if report is not None else None
    return room is not None and (room.free is None or room.free > 0)


def _row(room: RoomReport, report: StatusReport, words: Words) -> RoomRow:
    offset = report.offset_hours
    spans = (
        (time_of_day(begin, offset), time_of_day(end, offset))
        for begin, end in room.next
    )
    capacity = room.capacity or None
    free = None
    if room.free is not None:
        key = "rooms.free" if room.free else "rooms.full"
        free = words.say(key, count=room.free)
    return RoomRow(
        id=room.space,
        name=report.spaces.get(room.space) or room.space,
        inside=words.say("rooms.inside", count=room.inside, capacity=capacity),
        free=free,
        times=" ".join(f"{begin}–{end}" for begin, end in spans if begin and end),
    )
