# SPDX-License-Identifier: Apache-2.0
"""What the gateway says over the control socket, as values.

The law of the module: this is the panel's JSON edge. It never raises: what is missing
or has the wrong shape becomes "not known". Only the fields named here are ever read,
so no name, token or free text of an event can reach a page; of a device's own words
so many do as an installer can be read on the telephone.
Source: the ``status`` and ``watch`` verbs of the control socket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from edge.panel.board import Board, read_board
from edge.panel.fields import number as _number
from edge.panel.fields import table as _table
from edge.panel.fields import text as _text
from edge.panel.fields import time_ms as _time
from edge.panel.fields import whole as _whole

#: More doors and devices than a site has; what is over is not shown.
MAX_DOORS = 32
MAX_DAYS = 14
MAX_DEVICES = 128
#: Parts of the box itself that may need a look.
PARTS = ("network", "storage", "disk", "power")
#: Emergencies that may stand at once.
MAX_STANDING = 8
#: What a manager may have read at the door.
MAX_NOTICE = 60
#: Longest sentence of a door; a screen has room for no more.
MAX_SIGN = 160
#: Longest text of a device's fault: the port's path and what is plugged in instead.
MAX_WHY = 240
#: Where a site does not say: the one time zone of the country it was made for.
DEFAULT_OFFSET_HOURS = 8
_OFFSETS = range(-12, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReport:
    """What a door says at its entrance: ``cue`` as its reader shows it, and its words.

    They are the words of the street: the gateway puts nothing of a person into them.
    """

    cue: str = ""
    language: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorReport:
    """One door: ``mode`` and ``phase`` as the gateway's door machine names them.

    ``slow_s``: how long it lets in whoever needs more time, if known. ``until_ms``:
    when one that stands free is locked by itself, None: it is not.
    """

    id: str
    name: str
    mode: str
    phase: str
    slow_s: int | None = None
    sign: SignReport = SignReport()
    until_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """One device; ``since_ms`` is the UTC time of its last change, if known.

    ``state``, ``trouble`` and ``why`` say how the gateway's supervision sees it;
    ``test_why`` what speaks against it since the last self-test, empty if nothing.
    ``good_ms``: when it last answered, over starts too. ``can_be_heard``: it can beep.
    ``opens_doors``: locks hang on it.
    """

    id: str
    name: str
    driver: str
    is_online: bool
    since_ms: int | None
    state: str
    trouble: str
    why: str
    test_why: str
    good_ms: int | None
    can_be_heard: bool
    opens_doors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """A part of the box itself: whether it is good, None if not known, and was last."""

    is_good: bool | None = None
    good_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """A day as ``M-D`` at the site, and how it compares with the platform's."""

    day: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """How the gateway stands; times are UTC milliseconds since 1970.

    ``settings_fault``: file, line and what is wrong there, while older settings hold.
    """

    site: str
    offset_hours: int
    uptime_s: int
    is_fire: bool
    standing: tuple[str, ...]
    last_drill_ms: int | None
    care: int
    is_lost: bool
    settings_fault: str
    doors: tuple[DoorReport, ...]
    devices: tuple[DeviceReport, ...]
    access_points: dict[str, str]
    banks: dict[str, str]
    spaces: dict[str, str]
    waiting: int
    oldest_ms: int | None
    days: tuple[DayReport, ...]
    is_storage_faulty: bool
    is_connected: bool
    has_roster: bool
    confirmed_ms: int | None
    clock_ms: int | None
    is_clock_known: bool
    door_notice: str = ""
    closing_ms: int | None = None
    parts: dict[str, PartReport] = field(default_factory=dict)
    pins_lost: int = 0
    is_set_aside: bool = False
    board: Board = field(default_factory=Board)

    def part(self, name: str) -> PartReport:
        """Return a part of the box; one that nobody told of is not known."""
        return self.parts.get(name, PartReport())

    def place_name(self, at: str) -> str:
        """Return the name of a door or bank, or of an access point's; empty if none."""
        place = self.access_points.get(at, at)
        names = self.banks | {door.id: door.name for door in self.doors}
        return names.get(place, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """One committed event, cut down to what a page may show."""

    kind: str
    at: str
    earliest_ms: int | None
    reason: str
    next_step: str
    count: int | None
    number: int | None
    space: str
    from_ms: int | None
    to_ms: int | None
    end_ms: int | None


def parse(line: bytes) -> dict[str, Any]:
    """Return the object of one line; an empty one for anything else."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_status(value: Any) -> StatusReport | None:
    """Read a status object; None if it has no doors, which every status has."""
    status = _table(value)
    if not isinstance(status.get("doors"), dict):
        return None
    events, roster = _table(status.get("events")), _table(status.get("roster"))
    site, clock = _table(status.get("site")), _table(status.get("clock"))
    offset = _whole(site.get("utc_offset_hours"))
    if offset is None or offset not in _OFFSETS:
        offset = DEFAULT_OFFSET_HOURS
    return StatusReport(
        site=_text(site.get("name")),
        offset_hours=offset,
        uptime_s=int(_number(status.get("uptime_s"))),
        is_fire=status.get("fire") is True,
        standing=_states(status.get("standing")),
        last_drill_ms=_time(status.get("last_drill_ms")),
        care=max(0, _whole(status.get("care")) or 0),
        is_lost=bool(status.get("lost")),
        settings_fault=_first(status.get("settings_faults")),
        doors=_doors(_table(status.get("doors")), _table(status.get("signs"))),
        devices=_devices(_table(status.get("devices"))),
        access_points={
            _text(name): _text(_table(point).get("door") or _table(point).get("bank"))
            for name, point in _table(status.get("access_points")).items()
        },
        banks=_names(_table(status.get("banks"))),
        spaces=_names(_table(status.get("spaces"))),
        waiting=max(0, _whole(events.get("waiting")) or 0),
        oldest_ms=_time(events.get("oldest_ms")),
        days=_days(status.get("days")),
        is_storage_faulty=events.get("storage_fault") is True,
        is_connected=_table(status.get("platform")).get("connected") is True,
        has_roster=bool(roster.get("epoch")),
        confirmed_ms=_time(roster.get("confirmed_ms")),
        clock_ms=_time(clock.get("earliest_ms")),
        is_clock_known=clock.get("known") is not False,
        door_notice=_text(_table(status.get("panel")).get("notice"), MAX_NOTICE),
        closing_ms=_time(status.get("closing_ms")),
        parts=_parts(_table(status.get("parts"))),
        pins_lost=max(0, _whole(_table(status.get("panel")).get("pins_lost")) or 0),
        is_set_aside=_table(status.get("panel")).get("set_aside") is True,
        board=read_board(status),
    )


def read_event(value: Any) -> EventReport | None:
    """Read an event object; None if it has no kind."""
    event = _table(value)
    if not isinstance(event.get("k"), str):
        return None
    return EventReport(
        kind=_text(event.get("k")),
        at=_text(event.get("at")),
        earliest_ms=_time(event.get("lo")),
        reason=_text(event.get("reason")),
        next_step=_text(event.get("next_step")),
        count=_whole(event.get("count")),
        number=_whole(event.get("number")),
        space=_text(event.get("space")),
        from_ms=_time(event.get("from_ms")),
        to_ms=_time(event.get("to_ms")),
        end_ms=_time(event.get("end")),
    )


def _doors(table: dict[str, Any], signs: dict[str, Any]) -> tuple[DoorReport, ...]:
    return tuple(
        DoorReport(
            id=str(name),
            name=_text(_table(door).get("name")) or _text(name),
            mode=_text(_table(door).get("mode")),
            phase=_text(_table(door).get("phase")),
            slow_s=round(_number(_table(door).get("slow_s"))) or None,
            sign=_sign(_table(signs.get(name))),
            until_ms=_time(_table(door).get("until_ms")),
        )
        for name, door in list(table.items())[:MAX_DOORS]
    )


def _sign(sign: dict[str, Any]) -> SignReport:
    return SignReport(
        cue=_text(sign.get("cue")),
        language=_text(sign.get("language")),
        text=_text(sign.get("text"), MAX_SIGN),
    )


def _devices(table: dict[str, Any]) -> tuple[DeviceReport, ...]:
    return tuple(
        _device(name, _table(device))
        for name, device in list(table.items())[:MAX_DEVICES]
    )


def _device(name: str, device: dict[str, Any]) -> DeviceReport:
    fault, tested = _table(device.get("fault")), _table(device.get("self_test"))
    return DeviceReport(
        id=_text(name),
        name=_text(device.get("name")) or _text(name),
        driver=_text(device.get("driver")),
        is_online=device.get("online") is True,
        since_ms=_time(device.get("since_ms")),
        state=_text(device.get("state")),
        trouble=_text(fault.get("kind")),
        why=_text(fault.get("why"), MAX_WHY),
        test_why=_text(tested.get("why"), MAX_WHY),
        good_ms=_time(device.get("good_ms", device.get("since_ms"))),
        can_be_heard=device.get("shows") is True,
        opens_doors=device.get("opens") is True,
    )


def _parts(table: dict[str, Any]) -> dict[str, PartReport]:
    told = ((name, _table(table.get(name))) for name in PARTS)
    return {
        name: PartReport(
            is_good=part["good"] if isinstance(part.get("good"), bool) else None,
            good_ms=_time(part.get("good_ms")),
        )
        for name, part in told
    }


def _days(value: Any) -> tuple[DayReport, ...]:
    told = (_table(each) for each in (value if isinstance(value, list) else ()))
    return tuple(
        DayReport(day=_text(each.get("day"))[5:], state=_text(each.get("state")))
        for each in list(told)[:MAX_DAYS]
    )


def _states(value: Any) -> tuple[str, ...]:
    several = value if isinstance(value, list) else []
    return tuple(_text(each) for each in several[:MAX_STANDING])


def _names(table: dict[str, Any]) -> dict[str, str]:
    """Return names by identifier; a bare text or an object with a ``name``."""
    named = {key: _table(v).get("name", v) for key, v in table.items()}
    return {_text(key): _text(value) for key, value in named.items()}


def _first(value: Any) -> str:
    """Return the first text of a list; the others come once it is mended."""
    return _text(value[0], MAX_WHY) if isinstance(value, list) and value else ""
