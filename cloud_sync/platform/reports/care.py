# SPDX-License-Identifier: Apache-2.0
"""Care signals: who agreed to be asked after, was not seen, and was looked after.

The law of the module: of a person it tells the id and the days alone. Whoever was
erased is not listed: he can no longer be asked after by his name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.reports.table import Cell, Table, local_time
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span

#: Somebody waits so long for an answer at most; a year is more than anybody hopes.
ANSWERED_WITHIN_MS = 366 * DAY_MS


async def care(work: Work, span: Span) -> Table:
    """Return the signals of the span; one without an answer is still open."""
    kinds = (EventKind.CARE_SIGNAL, EventKind.CARE_ANSWERED)
    until_ms = span.to_ms + ANSWERED_WITHIN_MS
    found = await events(work, span, kinds, to_ms=until_ms, with_people=True)
    rows: list[list[Cell]] = []
    open_rows: dict[tuple[str, str], list[Cell]] = {}
    for each in found:
        at, who = local_time(each.lo, span.utc_offset_ms), (each.gateway, each.holder)
        if not each.holder:
            continue
        if each.kind == EventKind.CARE_ANSWERED:
            answered = open_rows.pop(who, None)
            if answered is not None:
                answered[4:] = [at, each.text("actor")]
        elif each.lo < span.to_ms:
            open_rows[who] = [at, *who, each.number("days"), "", ""]
            rows.append(open_rows[who])
    return Table(
        columns=("signalled", "gateway", "holder", "days", "answered", "by"),
        rows=sorted(tuple(row) for row in rows),
        note="A row without `answered`: somebody should look after that person.",
    )
