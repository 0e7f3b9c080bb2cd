# SPDX-License-Identifier: Apache-2.0
"""The plan of shifts as pages show it: by day, on a line, and what nobody took up.

The law of the module: a JSON edge and its view, pure; it never raises, what has the
wrong shape is not known, and only the fields named here are read. A shift that began
yesterday and goes on stands under today.
Source: the verb ``plan`` of the control socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.panel import hours
from edge.panel.calendar import DAY_MS, time_of_day
from edge.panel.fields import rows, text, time_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.panel.words import Phrase, Words

#: Shifts of one answer, and days of a plan; the gateway tells fewer.
MAX_ROWS, MAX_DAYS = 300, 8
MAX_TASK = 64
#: What is open, shown at once; the rest are counted.
MAX_OPEN = 3
#: The next shifts of one's own.
MAX_OWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A planned shift; ``who`` is masked, except of one that nobody took up."""

    who: str
    day: Phrase
    begins: str
    ends: str
    space: str
    task: str
    is_own: bool
    #: It has begun, nobody is there, and it is not over.
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDay:
    """A day and who is to be there."""

    day: Phrase
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPlan:
    """Today and the next seven days; ``open`` is told to managers alone."""

    days: tuple[PlanDay, ...] = ()
    open: tuple[PlanRow, ...] = ()

    @property
    def today(self) -> tuple[PlanRow, ...]:
        """Who is to be there today."""
        return self.days[0].rows if self.days else ()

    @property
    def own(self) -> tuple[PlanRow, ...]:
        """The next shifts of whose turn it is."""
        mine = [row for day in self.days for row in day.rows if row.is_own]
        return tuple(mine[:MAX_OWN])

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is planned."""
        return not any(day.rows for day in self.days)


def read_plan(answer: dict[str, Any], words: Words, offset_hours: int) -> WeekPlan:
    """Read an answer to ``plan``."""
    today_ms = time_ms(answer.get("today_ms"))
    if today_ms is None:
        return WeekPlan()
    by_day: list[list[PlanRow]] = [[] for _ in range(MAX_DAYS)]
    for told in rows(answer.get("shifts"), MAX_ROWS):
        from_ms = time_ms(told.get("from_ms"))
        row = _row(told, words, offset_hours)
        if row is not None and from_ms is not None:
            number = max(0, (from_ms - today_ms) // DAY_MS)
            if number < MAX_DAYS:
                by_day[number].append(row)
    begun = (_row(each, words, offset_hours) for each in rows(answer.get("open"), 50))
    return WeekPlan(
        days=tuple(
            PlanDay(
                day=hours.day(today_ms + number * DAY_MS, words, offset_hours),
                rows=tuple(here),
            )
            for number, here in enumerate(by_day)
        ),
        open=tuple(row for row in begun if row is not None),
    )


def line(planned: Sequence[PlanRow]) -> str:
    """Return who is there when, on one line; times and names need no translation."""
    return "、".join(f"{row.who} {row.begins}–{row.ends}" for row in planned)


def _row(told: dict[str, Any], words: Words, offset_hours: int) -> PlanRow | None:
    from_ms, to_ms = time_ms(told.get("from_ms")), time_ms(told.get("to_ms"))
    if from_ms is None or to_ms is None:
        return None
    return PlanRow(
        who=hours.called(text(told.get("name")), text(told.get("mark")), words),
        day=hours.day(from_ms, words, offset_hours),
        begins=time_of_day(from_ms, offset_hours) or "",
        ends=time_of_day(to_ms, offset_hours) or "",
        space=text(told.get("space")),
        task=text(told.get("task"), MAX_TASK),
        is_own=told.get("is_own") is True,
        waits=told.get("standing") == "WAITS",
    )
