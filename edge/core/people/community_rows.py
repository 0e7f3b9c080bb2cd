# SPDX-License-Identifier: Apache-2.0
"""What the platform tells of a neighbourhood: grids, whom to call, offices, notices.

And what it says of a place: the terms of a space and its hours. The law of the module:
none of it opens anything. Terms and hours only ever narrow what the site's own file
allows (:mod:`edge.core.people.terms`); all else is for people to read.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from edge.core.plan import EntryRule
from edge.core.schedule import read_hours

if TYPE_CHECKING:
    from edge.core.people.row_body import Body
    from edge.core.schedule import Window

MAX_ORDER = 10_000
MAX_CAPACITY = 5_000
MAX_CLOSED = 64
MAX_SPACES = 64
LATEST_MS = 1 << 52
LEVELS = ("INFO", "WARNING", "URGENT")
_PHONE = re.compile(r"[0-9+*#() -]{3,32}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A micro-grid (网格): some streets that somebody looks after."""

    grid_id: str
    name: str
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to call for a grid, "" for all; ``order`` is the order of calling."""

    contact_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    role: str
    grid: str = ""
    order: int = 0
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A public office that people are sent to."""

    office_id: str
    name: str
    phone: str
    address: str
    hours: str = ""
    grid: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is to be read from one moment to another (UTC ms), in these spaces or all.

    ``level``: how it is shown; an urgent one stands first.
    """

    notice_id: str
    title: str
    text: str
    from_ms: int
    to_ms: int
    level: str = LEVELS[0]
    spaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceRow:
    """What a space is called, and narrower terms; 0 and "" leave the site file's."""

    space_id: str
    name: str
    capacity: int = 0
    entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """Hours of a space inside those of the site file; ``closed`` are local days.

    Days count from 1 January 1970; no ``week``: as the site file says.
    """

    schedule_id: str
    space_id: str
    week: tuple[tuple[Window, ...], ...] | None = None
    closed: tuple[int, ...] = ()


CommunityRow = Grid | Contact | Office | Notice | SpaceRow | ScheduleRow


def read_grid(row_id: str, fields: Body) -> Grid:
    """Read a ``grid``."""
    return Grid(grid_id=row_id, name=fields.text("name"), order=_order(fields))


def read_contact(row_id: str, fields: Body) -> Contact:
    """Read a ``contact``."""
    return Contact(
        contact_id=row_id,
        name=fields.text("name"),
        phone=_phone(fields),
        role=fields.text("role"),
        grid=fields.text("grid", ""),
        order=_order(fields),
        hours=_told_hours(fields),
    )


def read_office(row_id: str, fields: Body) -> Office:
    """Read an ``office``."""
    return Office(
        office_id=row_id,
        name=fields.text("name"),
        phone=_phone(fields),
        address=fields.long_text("address"),
        hours=_told_hours(fields),
        grid=fields.text("grid", ""),
        order=_order(fields),
    )


def read_notice(row_id: str, fields: Body) -> Notice:
    """Read a ``notice``."""
    from_ms = fields.number("from", 0, LATEST_MS - 1)
    level = fields.text("level", LEVELS[0])
    if level not in LEVELS:
        raise fields.wrong("level", f"one of {', '.join(LEVELS)}")
    return Notice(
        notice_id=row_id,
        title=fields.text("title"),
        text=fields.long_text("text"),
        from_ms=from_ms,
        to_ms=fields.number("to", from_ms + 1, LATEST_MS),
        level=level,
        spaces=fields.texts("spaces", MAX_SPACES) if "spaces" in fields else (),
    )


def read_space(row_id: str, fields: Body) -> SpaceRow:
    """Read a ``space``; its id is the site file's."""
    entry = fields.text("entry", "")
    if entry and entry not in tuple(EntryRule):
        raise fields.wrong("entry", f"one of {', '.join(EntryRule)}")
    return SpaceRow(
        space_id=row_id,
        name=fields.text("name"),
        capacity=fields.number("capacity", 0, MAX_CAPACITY, 0),
        entry=entry,
    )


def read_schedule(row_id: str, fields: Body) -> ScheduleRow:
    """Read a ``schedule``."""
    week = None
    if not fields.is_word("hours", ""):
        try:
            week = read_hours(fields.long_text("hours"))
        except ValueError as flaw:
            raise fields.wrong(
                "hours", "hours such as mon-fri 08:00-22:00, or an empty text"
            ) from flaw
    closed = fields.texts("closed", MAX_CLOSED) if "closed" in fields else ()
    try:
        if not all(map(_DAY.fullmatch, closed)):
            raise ValueError("a day of another form")  # noqa: TRY301
        days = tuple((date.fromisoformat(each) - _EPOCH_DAY).days for each in closed)
    except ValueError as flaw:
        raise fields.wrong("closed", "a list of days such as 2026-02-17") from flaw
    return ScheduleRow(
        schedule_id=row_id, space_id=fields.text("space"), week=week, closed=days
    )


def _order(fields: Body) -> int:
    return fields.number("order", 0, MAX_ORDER, 0)


def _phone(fields: Body) -> str:
    phone = fields.text("phone")
    if not _PHONE.fullmatch(phone):
        raise fields.wrong("phone", "3 to 32 of 0-9, +, *, #, (, ), -, space")
    return phone


def _told_hours(fields: Body) -> str:
    """Return hours as they are shown to people, in their own words."""
    if "hours" not in fields or fields.is_word("hours", ""):
        return ""
    return fields.long_text("hours")
