# SPDX-License-Identifier: Apache-2.0
"""Drills with the times of their stages.

The law of the module: what the gateway measured is told as it measured it; a drill of
which no end was stored runs, or its end is still to come.
Source: docs/emergency.md.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.reports.table import Cell, Table, local_time
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span, Stored

KINDS = (EventKind.DRILL_STARTED, EventKind.DRILL_MARKED, EventKind.DRILL_ENDED)


async def drills(work: Work, span: Span) -> Table:
    """Return the drills that began in the span."""
    found = await events(work, span, KINDS, to_ms=span.to_ms + 7 * DAY_MS)
    marks: dict[tuple[str, int], list[Stored]] = defaultdict(list)
    ends: dict[tuple[str, int], Stored] = {}
    for each in found:
        if each.kind == EventKind.DRILL_MARKED:
            marks[each.gateway, each.cause()].append(each)
        elif each.kind == EventKind.DRILL_ENDED:
            ends[each.gateway, each.cause()] = each
    rows: list[tuple[Cell, ...]] = []
    for begun in found:
        if begun.kind == EventKind.DRILL_STARTED and begun.lo < span.to_ms:
            key = (begun.gateway, begun.place)
            began = local_time(begun.lo, span.utc_offset_ms)
            told = (began, begun.gateway, begun.text("drill"))
            rows.append((*told, _stages(marks[key]), *_ending(ends.get(key))))
    return Table(
        columns=(
            *("began", "gateway", "drill", "stages", "outcome", "duration_s"),
            *("missing", "previous_s", "best_s", "action", "owner"),
        ),
        rows=sorted(rows, key=lambda row: row[:2]),
        note="Stages are seconds after the beginning; ! is later than the mark.",
    )


def _stages(marks: list[Stored]) -> str:
    return " ".join(
        f"{mark.text('stage')}={mark.number('after_s')}"
        + "!" * (mark.number("is_late") > 0)
        for mark in marks
    )


def _ending(end: Stored | None) -> tuple[Cell, ...]:
    if end is None:
        return ("running", "", "", "", "", "", "")
    compared = (end.text("previous_s"), end.text("best_s"))
    told = (end.text("outcome"), end.number("duration_s"), end.text("missing"))
    return (*told, *compared, end.text("action"), end.text("owner"))
