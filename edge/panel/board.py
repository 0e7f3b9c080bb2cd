# SPDX-License-Identifier: Apache-2.0
"""What the gateway says of rooms, bells, who waits, and notices, as values.

The law of the module: of :mod:`edge.panel.report`, whose edge this is a part of: it
never raises, and only the fields named here are ever read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: More than a site has; what is over is not shown.
MAX_ROOMS, MAX_CALLS, MAX_NOTICES, MAX_TIMES = 16, 32, 3, 3
MAX_PERSONS = 100_000
MAX_NAME, MAX_TITLE = 64, 80
LAST_MS = 253_402_300_799_999
LEVELS = frozenset({"INFO", "WARNING", "URGENT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomReport:
    """One room: people inside, its capacity (0: no limit), places left (None: same).

    ``next``: bookings as (from, to) in UTC ms; ``doors`` lead there.
    """

    space: str
    inside: int
    capacity: int
    free: int | None
    next: tuple[tuple[int, int], ...]
    doors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReport:
    """A notice of the platform, the urgent first."""

    title: str
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """``calls``: by door, how often somebody rang; ``awaiting``: access points."""

    rooms: tuple[RoomReport, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    awaiting: tuple[str, ...] = ()
    notices: tuple[NoticeReport, ...] = ()

    def room_of(self, door: str) -> RoomReport | None:
        """Return the room that a door leads to."""
        return next((room for room in self.rooms if door in room.doors), None)


def read_board(status: dict[str, Any]) -> Board:
    """Read what a status says of it; an older gateway says nothing."""
    rooms, calls = _table(status.get("rooms")), _table(status.get("calls"))
    return Board(
        rooms=tuple(
            _room(str(name)[:MAX_NAME], _table(room))
            for name, room in list(rooms.items())[:MAX_ROOMS]
        ),
        calls=tuple(
            (str(door), _count(rings, 1))
            for door, rings in list(calls.items())[:MAX_CALLS]
        ),
        awaiting=_names(status.get("awaiting")),
        notices=tuple(
            NoticeReport(title=_text(each.get("title")), level=_level(each))
            for each in map(_table, _list(status.get("notices"))[:MAX_NOTICES])
            if _text(each.get("title"))
        ),
    )


def _room(space: str, room: dict[str, Any]) -> RoomReport:
    free = room.get("free")
    return RoomReport(
        space=space,
        inside=_count(room.get("inside")),
        capacity=_count(room.get("capacity")),
        free=None if free is None else _count(free),
        next=tuple(
            (each[0], each[1])
            for each in _list(room.get("next"))[:MAX_TIMES]
            if isinstance(each, list) and len(each) == 2 and all(map(_is_time, each))
        ),
        doors=_names(room.get("doors")),
    )


def _level(notice: dict[str, Any]) -> str:
    level = notice.get("level")
    return level if isinstance(level, str) and level in LEVELS else "INFO"


def _names(value: Any) -> tuple[str, ...]:
    names = [each for each in _list(value) if isinstance(each, str)]
    return tuple(names[:MAX_CALLS])


def _is_time(value: Any) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return is_whole and 0 <= value <= LAST_MS


def _count(value: Any, default: int = 0) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return min(value, MAX_PERSONS) if is_whole and value >= 0 else default


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return value[:MAX_TITLE].encode("utf-8", "replace").decode("utf-8")


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
