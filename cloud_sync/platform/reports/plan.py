# SPDX-License-Identifier: Apache-2.0
"""Planned shifts, with the shifts by which their volunteers took them up.

The law of the module: what was planned and what was done stand beside each other; who
came late or not at all is not judged here. A shift belongs to the plan that its event
names.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_sync.platform.plans import newest
from cloud_sync.platform.reports.shifts import shifts
from cloud_sync.platform.reports.table import Cell, Table, local_time
from edge.core.duty.planned import EARLY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.plans import Plan
    from cloud_sync.platform.reports.stored import Span


async def planned(work: Work, span: Span) -> Table:
    """Return the planned shifts that begin in the span, the earliest first."""
    taken: dict[tuple[str, str], list[str]] = defaultdict(list)
    early = replace(span, from_ms=span.from_ms - EARLY_MS)
    for shift in await shifts(work, early):
        if shift.plan:
            taken[shift.gateway, shift.plan].append(shift.name)
    known = await newest(work, span.gateway)
    return Table(
        columns=(
            *("gateway", "plan", "holder", "from", "to", "space", "task", "state"),
            *("version", "by", "changed", "reason", "shifts"),
        ),
        rows=[
            _row(each, " ".join(taken[key]), span.utc_offset_ms)
            for key, each in known.items()
            if span.from_ms <= each.from_ms < span.to_ms
        ],
        note="shifts: those by which it was taken up; `duty` has their minutes.",
    )


def _row(plan: Plan, taken: str, offset_ms: int) -> tuple[Cell, ...]:
    return (
        *(plan.gateway, plan.name, plan.holder),
        *(local_time(at, offset_ms)[:-3] for at in (plan.from_ms, plan.to_ms)),
        *(plan.space, plan.task, "OFF" if plan.is_off else "PLANNED"),
        *(plan.number, plan.by, local_time(plan.at_ms, offset_ms)),
        *(plan.reason, taken),
    )
