# SPDX-License-Identifier: Apache-2.0
"""Volunteers' hours and points, by month.

The law of the module: minutes are the truth and a point is a full hour of a month; a
shift belongs to the month in which it began. What a social worker has not confirmed
is provisional and told apart; what was corrected or confirmed last counts.
Source: edge/core/duty/shift.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.reports.table import Table
from edge.core.duty.shift import POINT_MIN, ShiftState, month_of
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span, Stored

KINDS = (
    EventKind.DUTY_STARTED,
    EventKind.DUTY_ENDED,
    EventKind.DUTY_CORRECTED,
    EventKind.DUTY_CONFIRMED,
)
#: A social worker settles a month's shifts within the year.
SETTLED_WITHIN_MS = 366 * DAY_MS
#: Whoever was erased keeps no name, and his hours stay hours of the place.
ERASED = "(erased)"


@dataclass(slots=True)
class _Shift:
    holder: str
    month: str
    minutes: int = 0
    state: ShiftState = ShiftState.RUNNING


@dataclass(slots=True)
class _Month:
    shifts: int = 0
    minutes: int = 0
    confirmed_min: int = 0
    to_confirm: int = 0
    running: int = 0


async def hours(work: Work, span: Span) -> Table:
    """Return the shifts that began in the span, by month and holder."""
    until_ms = span.to_ms + SETTLED_WITHIN_MS
    found = await events(work, span, KINDS, to_ms=until_ms, with_people=True)
    months: dict[tuple[str, str], _Month] = defaultdict(_Month)
    for shift in _shifts(found, span).values():
        month = months[shift.month, shift.holder]
        month.shifts += 1
        month.minutes += shift.minutes
        month.to_confirm += shift.state is ShiftState.TO_CONFIRM
        month.running += shift.state is ShiftState.RUNNING
        if shift.state is ShiftState.CONFIRMED:
            month.confirmed_min += shift.minutes
    return Table(
        columns=(
            *("month", "holder", "shifts", "minutes", "points"),
            *("confirmed_min", "to_confirm", "running"),
        ),
        rows=[
            (
                *key,
                each.shifts,
                each.minutes,
                each.minutes // POINT_MIN,
                each.confirmed_min,
                each.to_confirm,
                each.running,
            )
            for key, each in sorted(months.items())
        ],
        note="Minutes that are not confirmed are provisional.",
    )


def _shifts(found: list[Stored], span: Span) -> dict[tuple[str, int], _Shift]:
    """Return the shifts by gateway and the place of their beginning."""
    shifts: dict[tuple[str, int], _Shift] = {}
    for each in found:
        if each.kind == EventKind.DUTY_STARTED:
            if each.lo < span.to_ms:
                month = month_of(each.lo, span.utc_offset_ms)
                begun = _Shift(holder=each.holder or ERASED, month=month)
                shifts[each.gateway, each.place] = begun
            continue
        shift = shifts.get((each.gateway, each.cause()))
        if shift is not None:
            shift.minutes, shift.state = each.number("minutes"), _state(each)
    return shifts


def _state(event: Stored) -> ShiftState:
    match event.kind:
        case EventKind.DUTY_CONFIRMED:
            return ShiftState.CONFIRMED
        case EventKind.DUTY_CORRECTED:
            return ShiftState.CORRECTED
        case _ if event.number("to_confirm"):
            return ShiftState.TO_CONFIRM
        case _:
            return ShiftState.PROVISIONAL
