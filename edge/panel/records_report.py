# SPDX-License-Identifier: Apache-2.0
"""Days and rows of the journal as the gateway tells them, as values.

The law of the module: as ``edge.panel.report``: it never raises, what is missing or
has the wrong shape is not known, and only the fields named here are ever read. No row
carries a name but the first letter of who acted, which exports show.
Source: the verbs ``today``, ``records``, ``export-rows`` and ``box``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from edge.panel.report import read_event

if TYPE_CHECKING:
    from edge.panel.report import EventReport

HOURS = 24
#: Points of a day's curve: one each quarter of an hour.
QUARTERS = 96
WEEK = 7
MAX_ROWS = 200
#: More people than any site has at once.
MAX_COUNT = 100_000
MAX_REASONS = 16
MAX_LINES = 64
MAX_TEXT = 160
#: A name's head with its mask, and a sealed bag's number.
MAX_BY, MAX_BAG = 2, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """One row of the log; ``event`` as any page may show it.

    ``tail``: the last signs of a booking. ``way``: what was held out. ``what`` tells
    sorts of one kind apart. ``by``: the first letter of who acted. ``bag``: a sealed
    bag's number. ``whom``: for whom a medicine box was opened.
    """

    place: int
    event: EventReport
    tail: str
    way: str
    what: str
    persons: int | None
    is_failed: bool
    by: str
    bag: str = ""
    whom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """One day in numbers; ``inside`` is a count for each quarter that has begun."""

    came: int
    by_hour: tuple[int, ...]
    inside: tuple[int, ...]
    by_hand: int
    refused: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDay:
    """A day of the week: how many came, and to a manager in which hours."""

    day: date
    came: int
    by_hour: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayReport:
    """Today, how many are in now, and the week with today as its last day."""

    now: int
    today: DayReport
    week: tuple[PastDay, ...]


def read_today(answer: dict[str, Any]) -> TodayReport | None:
    """Read how the day went; None if the gateway did not say."""
    today = answer.get("today")
    if not isinstance(today, dict):
        return None
    reasons = today.get("reasons")
    told = reasons if isinstance(reasons, dict) else {}
    return TodayReport(
        now=_count(answer.get("now")),
        today=DayReport(
            came=_count(today.get("came")),
            by_hour=_counts(today.get("by_hour"), HOURS),
            inside=_counts(today.get("inside"), QUARTERS),
            by_hand=_count(today.get("by_hand")),
            refused=_count(today.get("refused")),
            reasons={str(k): _count(v) for k, v in list(told.items())[:MAX_REASONS]},
        ),
        week=tuple(
            past
            for each in _list(answer.get("week"))[-WEEK:]
            if (past := _past(each)) is not None
        ),
    )


def read_rows(answer: dict[str, Any]) -> tuple[RowReport, ...]:
    """Read rows; what is no event is left out."""
    rows = _list(answer.get("rows"))[:MAX_ROWS]
    return tuple(row for each in rows if (row := _row(each)) is not None)


def read_place(answer: dict[str, Any], name: str) -> int:
    """Read where more rows are, 0 for nowhere."""
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value < 1 << 52 else 0


def read_days(answer: dict[str, Any]) -> tuple[date, date] | None:
    """Read which days an export is of."""
    days = [_date(each) for each in _list(answer.get("days"))]
    if len(days) != 2 or days[0] is None or days[1] is None:
        return None
    return days[0], days[1]


def read_numbers(answer: dict[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """Read the box's numbers by their names; what is not told is not there."""
    found = {name: answer.get(name) for name in names}
    return {
        name: _text(str(value), MAX_TEXT)
        for name, value in found.items()
        if isinstance(value, int | str) and value != ""
    }


def read_lines(value: Any) -> tuple[str, ...]:
    """Read texts for the installer."""
    return tuple(_text(each, MAX_TEXT) for each in _list(value)[:MAX_LINES])


def read_wires(value: Any) -> dict[str, str]:
    """Read how each device is wired."""
    table = value if isinstance(value, dict) else {}
    return {
        _text(name, 40): _text(wire, MAX_TEXT)
        for name, wire in list(table.items())[: 2 * MAX_LINES]
    }


def _row(value: Any) -> RowReport | None:
    event = read_event(value)
    if event is None:
        return None
    persons = value.get("persons")
    return RowReport(
        place=read_place(value, "place"),
        event=event,
        tail=_text(value.get("tail"), 4),
        way=_text(value.get("kind"), 16),
        what=_text(value.get("what"), 32),
        persons=_count(persons) if isinstance(persons, int) else None,
        is_failed=value.get("passed") == 0,
        by=_text(value.get("by"), MAX_BY),
        bag=_text(value.get("bag"), MAX_BAG),
        whom=_text(value.get("whom"), 16),
    )


def _past(value: Any) -> PastDay | None:
    table = value if isinstance(value, dict) else {}
    day = _date(table.get("day"))
    if day is None:
        return None
    by_hour = _counts(table.get("by_hour"), HOURS)
    return PastDay(day=day, came=_count(table.get("came")), by_hour=by_hour)


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _counts(value: Any, most: int) -> tuple[int, ...]:
    return tuple(_count(each) for each in _list(value)[:most])


def _count(value: Any) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return min(max(0, value), MAX_COUNT) if is_whole else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        return ""
    return value[:longest].encode("utf-8", "replace").decode("utf-8")
