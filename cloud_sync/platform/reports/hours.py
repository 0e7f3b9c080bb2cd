# SPDX-License-Identifier: Apache-2.0
"""Volunteers' hours and points, by month.

The law of the module: minutes are the truth and a point is a full hour of a month; a
shift belongs to the month in which it began. What a social worker has not confirmed
is provisional and told apart; what was corrected or confirmed last counts.
Source: cloud_sync/platform/reports/shifts.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.shifts import shifts
from cloud_sync.platform.reports.table import Table
from edge.core.duty.shift import POINT_MIN, ShiftState

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span


@dataclass(slots=True)
class _Month:
    shifts: int = 0
    minutes: int = 0
    confirmed_min: int = 0
    to_confirm: int = 0
    running: int = 0


async def hours(work: Work, span: Span) -> Table:
    """Return the shifts that began in the span, by month and holder."""
    months: dict[tuple[str, str], _Month] = defaultdict(_Month)
    for shift in await shifts(work, span):
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
            *("confirmed_min", "confirmed_points", "provisional_min"),
            *("to_confirm", "running"),
        ),
        rows=[
            (
                *key,
                each.shifts,
                each.minutes,
                each.minutes // POINT_MIN,
                each.confirmed_min,
                each.confirmed_min // POINT_MIN,
                each.minutes - each.confirmed_min,
                each.to_confirm,
                each.running,
            )
            for key, each in sorted(months.items())
        ],
        note="Minutes that are not confirmed are provisional.",
    )
