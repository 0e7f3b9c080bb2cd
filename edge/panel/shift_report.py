# SPDX-License-Identifier: Apache-2.0
"""What the gateway says of shifts and notices, as values.

The law of the module: a JSON edge like :mod:`edge.panel.report`. It never raises; what
is missing or has the wrong shape is not known; only the fields named here are read.
Source: the verbs ``hours``, ``roster``, ``shift``, ``farewell`` and ``notices`` of the
control socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge.panel.fields import MAX_NAME, count, table, text, time_ms, whole

#: Shifts and people of one answer; the gateway tells fewer.
MAX_ROWS = 400
MAX_WORDS = 12
#: The longest name of somebody on the roster, and text of a notice.
MAX_ID = 64
MAX_NOTICE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WordReport:
    """What somebody said of a shift: ``minutes`` in place of ``was``."""

    kind: str
    at_ms: int | None
    minutes: int
    was: int
    who: str
    second: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftReport:
    """One shift, times in UTC ms; ``asked``: minutes its volunteer says, or None."""

    seq: int
    holder: str
    name: str
    mark: str
    from_ms: int
    to_ms: int
    minutes: int
    state: str
    why: str
    task: str
    asked: int | None
    began_by: str
    ended_by: str
    words: tuple[WordReport, ...]

    @property
    def is_over(self) -> bool:
        """Say whether it has ended."""
        return self.state != "RUNNING"

    @property
    def is_open(self) -> bool:
        """Say whether two persons should look at it."""
        return self.state == "TO_CONFIRM" or self.asked is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthReport:
    """A month (``YYYY-MM``) of somebody: all minutes, and the confirmed ones."""

    month: str
    minutes: int
    confirmed: int
    shifts: tuple[ShiftReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursReport:
    """Somebody's hours; ``asks``: the shifts whose end is to be asked for.

    ``ever``: all minutes that were confirmed, None where star levels are off.
    """

    has_card: bool
    name: str
    mark: str
    this: str
    months: tuple[MonthReport, ...]
    asks: tuple[ShiftReport, ...]
    ever: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReport:
    """Somebody on the roster; ``mark`` stands where nobody gave him a name."""

    holder: str
    name: str
    mark: str
    since_ms: int | None
    may_begin: bool
    is_on_duty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterReport:
    """Who is there, the shifts of a week, and those that wait for two persons."""

    monday_ms: int | None
    month: str
    on_duty: tuple[PersonReport, ...]
    shifts: tuple[ShiftReport, ...]
    waiting: tuple[ShiftReport, ...]
    people: tuple[PersonReport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeReport:
    """A notice of the platform; ``is_now``: it is shown already."""

    title: str
    text: str
    level: str
    from_ms: int | None
    to_ms: int | None
    is_now: bool


def read_hours(answer: dict[str, Any]) -> HoursReport:
    """Read an answer to ``hours``."""
    return HoursReport(
        has_card=answer.get("has_card") is True,
        name=text(answer.get("name")),
        mark=text(answer.get("mark")),
        this=text(answer.get("this")),
        months=tuple(_month(each) for each in _rows(answer.get("months"))),
        asks=_shifts(answer.get("asks")),
        ever=count(answer.get("ever")),
    )


def read_roster(answer: dict[str, Any]) -> RosterReport:
    """Read an answer to ``roster``."""
    return RosterReport(
        monday_ms=time_ms(answer.get("monday_ms")),
        month=text(answer.get("month")),
        on_duty=tuple(_person(each) for each in _rows(answer.get("on_duty"))),
        shifts=_shifts(answer.get("shifts")),
        waiting=_shifts(answer.get("waiting")),
        people=tuple(_person(each) for each in _rows(answer.get("people"))),
    )


def read_shift(value: Any) -> ShiftReport | None:
    """Read a shift; None if it has no number or no beginning."""
    shift = table(value)
    seq, from_ms = whole(shift.get("seq")), time_ms(shift.get("from_ms"))
    if seq is None or from_ms is None:
        return None
    asked = whole(shift.get("asked"))
    to_ms = time_ms(shift.get("to_ms"))
    return ShiftReport(
        seq=seq,
        holder=text(shift.get("holder"), MAX_ID),
        name=text(shift.get("name")),
        mark=text(shift.get("mark")),
        from_ms=from_ms,
        to_ms=from_ms if to_ms is None else to_ms,
        minutes=_count(shift.get("minutes")),
        state=text(shift.get("state")),
        why=text(shift.get("why")),
        task=text(shift.get("task"), MAX_ID),
        asked=asked if asked is not None and asked >= 0 else None,
        began_by=text(shift.get("began_by")),
        ended_by=text(shift.get("ended_by")),
        words=tuple(_word(each) for each in _rows(shift.get("words"))[-MAX_WORDS:]),
    )


def read_notices(value: Any) -> tuple[NoticeReport, ...]:
    """Read the notices of an answer."""
    return tuple(
        NoticeReport(
            title=text(each.get("title"), MAX_ID),
            text=text(each.get("text"), MAX_NOTICE),
            level=text(each.get("level")),
            from_ms=time_ms(each.get("from_ms")),
            to_ms=time_ms(each.get("to_ms")),
            is_now=each.get("is_now") is True,
        )
        for each in _rows(value)
    )


def count_of(answer: dict[str, Any], name: str) -> int:
    """Return a count of an answer, 0 for none."""
    return _count(answer.get(name))


def _month(value: dict[str, Any]) -> MonthReport:
    return MonthReport(
        month=text(value.get("month")),
        minutes=_count(value.get("minutes")),
        confirmed=_count(value.get("confirmed")),
        shifts=_shifts(value.get("shifts")),
    )


def _shifts(value: Any) -> tuple[ShiftReport, ...]:
    told = (read_shift(each) for each in _rows(value))
    return tuple(each for each in told if each is not None)


def _word(value: dict[str, Any]) -> WordReport:
    return WordReport(
        kind=text(value.get("kind")),
        at_ms=time_ms(value.get("at_ms")),
        minutes=_count(value.get("minutes")),
        was=_count(value.get("was")),
        who=text(value.get("who")),
        second=text(value.get("second")),
        reason=text(value.get("reason"), MAX_ID),
    )


def _person(value: dict[str, Any]) -> PersonReport:
    return PersonReport(
        holder=text(value.get("holder"), MAX_ID),
        name=text(value.get("name"), MAX_NAME),
        mark=text(value.get("mark")),
        since_ms=time_ms(value.get("since_ms")),
        may_begin=value.get("may_begin") is True,
        is_on_duty=value.get("is_on_duty") is True,
    )


def _rows(value: Any) -> list[dict[str, Any]]:
    rows = value if isinstance(value, list) else []
    return [each for each in rows[:MAX_ROWS] if isinstance(each, dict)]


def _count(value: Any) -> int:
    return max(0, whole(value) or 0)
