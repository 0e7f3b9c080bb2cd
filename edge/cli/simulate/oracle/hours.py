# SPDX-License-Identifier: Apache-2.0
"""Weekly hours counted a second way: instant by instant, with no openings in between.

The law of the module: plain data in, and of an interval of time one word: whether all
of it, some of it or none of it lies in the hours. A window belongs to the local day
on which it begins; a holiday replaces the windows of its own date alone.
Source: ARCHITECTURE.md, "Time is an interval"; docs/decision.md.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.schedule import Schedule

_MINUTE_MS = 60_000
_DAY_MS = 1_440 * _MINUTE_MS
#: 1 January 1970 was a Thursday, the fourth day of a week from Monday.
_THURSDAY = 3
#: No interval longer than this is looked through: it holds something of everything.
_LONGEST_MS = 30 * _DAY_MS


class Lies(StrEnum):
    """How an interval lies to a set of instants."""

    INSIDE = "INSIDE"
    OUTSIDE = "OUTSIDE"
    PARTLY = "PARTLY"


def open_at(hours: Schedule, utc_ms: int) -> bool:
    """Say whether one instant lies in the hours."""
    local_ms = utc_ms + hours.utc_offset_ms
    today, of_day_ms = divmod(local_ms, _DAY_MS)
    for days_ago in (0, 1, 2):
        minute = of_day_ms / _MINUTE_MS + 1_440 * days_ago
        for start, end in _windows(hours, today - days_ago):
            if start <= minute < end:
                return True
    return False


def lies(hours: Schedule, lo_ms: int, hi_ms: int) -> Lies:
    """Say how ``[lo_ms, hi_ms]`` lies to the hours."""
    if hi_ms - lo_ms > _LONGEST_MS:
        return Lies.PARTLY if _ever(hours) else Lies.OUTSIDE
    instants = {lo_ms, hi_ms, *_edges(hours, lo_ms, hi_ms)}
    answers = {open_at(hours, instant) for instant in instants}
    if len(answers) == 2:
        return Lies.PARTLY
    return Lies.INSIDE if answers.pop() else Lies.OUTSIDE


def next_opening_ms(hours: Schedule, utc_ms: int, within_ms: int) -> int | None:
    """Return when an opening next begins within a time, None if none does."""
    edges = sorted({utc_ms, *_edges(hours, utc_ms, utc_ms + within_ms)})
    for before, after in pairwise(edges):
        if open_at(hours, after) and not open_at(hours, before):
            return after
    return None


def has_opened_since(hours: Schedule, from_ms: int, utc_ms: int) -> bool:
    """Say whether some instant of ``[from_ms, utc_ms]`` lies in the hours."""
    return lies(hours, from_ms, utc_ms) is not Lies.OUTSIDE


def _edges(hours: Schedule, lo_ms: int, hi_ms: int) -> list[int]:
    """Return every instant within at which the answer may change."""
    first = (lo_ms + hours.utc_offset_ms) // _DAY_MS - 2
    last = (hi_ms + hours.utc_offset_ms) // _DAY_MS
    found = []
    for day in range(first, last + 1):
        midnight_ms = day * _DAY_MS - hours.utc_offset_ms
        for window in _windows(hours, day):
            found += [midnight_ms + minute * _MINUTE_MS for minute in window]
    return [edge for edge in found if lo_ms <= edge <= hi_ms]


def _windows(hours: Schedule, day: int) -> tuple[tuple[int, int], ...]:
    if day in hours.holidays:
        return hours.holidays[day]
    return hours.week[(day + _THURSDAY) % 7]


def _ever(hours: Schedule) -> bool:
    return any(hours.week) or any(hours.holidays.values())
