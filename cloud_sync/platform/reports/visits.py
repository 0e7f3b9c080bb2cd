# SPDX-License-Identifier: Apache-2.0
"""Visits of each space and hour, without names.

The law of the module: no personal part is read. A visit counts in the hour in which it
began, once it began; its minutes and fare are known when it is over.
Source: docs/spaces.md.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.reports.table import Table, local_time
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span

#: A booking has 31 days at most, and a visit ends with it.
LONGEST_MS = 32 * DAY_MS


@dataclass(slots=True)
class _Hour:
    visits: int = 0
    persons: int = 0
    running: int = 0
    minutes: int = 0
    fare_fen: int = 0


async def visits(work: Work, span: Span) -> Table:
    """Return the visits that began in the span."""
    kinds = (EventKind.VISIT_STARTED, EventKind.VISIT_CLOSED)
    found = await events(work, span, kinds, to_ms=span.to_ms + LONGEST_MS)
    closed = {
        (each.gateway, each.cause("visit")): each
        for each in found
        if each.kind == EventKind.VISIT_CLOSED
    }
    hours: dict[tuple[str, str, str], _Hour] = defaultdict(_Hour)
    for begun in found:
        if begun.kind != EventKind.VISIT_STARTED or begun.lo >= span.to_ms:
            continue
        began = local_time(begun.lo, span.utc_offset_ms)[:13] + ":00"
        hour = hours[began, begun.gateway, begun.at]
        end = closed.get((begun.gateway, begun.place))
        hour.visits += 1
        hour.persons += (end or begun).number("persons")
        hour.running += end is None
        hour.minutes += end.number("minutes") if end else 0
        hour.fare_fen += end.number("fare_fen") if end else 0
    columns = ("hour", "gateway", "space", "visits", "persons", "running", "minutes")
    return Table(
        columns=(*columns, "fare_fen"),
        rows=[
            (*key, each.visits, each.persons, each.running, each.minutes, each.fare_fen)
            for key, each in sorted(hours.items())
        ],
        note="People who were let in without a card or code are not visits.",
    )
