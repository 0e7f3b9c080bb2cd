# SPDX-License-Identifier: Apache-2.0
"""The medicine boxes: opened, counted, used, expiring.

The law of the module: no personal part is read; who needed a plaster is nobody's
business; for a resident, a volunteer or a drill is all that is told of it. Who counted
or noted something did so by his office and is told.
Source: docs/lockers.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.reports.table import Table, local_time
from edge.core.event import EventKind

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span

_WORDS = {
    EventKind.MEDICINE_BOX_OPENED: "opened",
    EventKind.MEDICINE_STOCKED: "counted",
    EventKind.MEDICINE_USED: "used",
    EventKind.MEDICINE_EXPIRING: "expires",
}


async def medicine(work: Work, span: Span) -> Table:
    """Return what happened at the boxes in the span."""
    found = await events(work, span, tuple(_WORDS))
    rows = [
        (
            local_time(each.lo, span.utc_offset_ms),
            each.gateway,
            each.at,
            _WORDS[EventKind(each.kind)],
            each.text("whom"),
            each.text("item"),
            each.text("count"),
            each.text("left"),
            _until(each.number("expires"), span.utc_offset_ms),
            each.text("actor"),
        )
        for each in found
    ]
    columns = ("at", "gateway", "bank", "what", "for_whom", "item", "count", "left")
    return Table(columns=(*columns, "good_until", "by"), rows=sorted(rows))


def _until(expires_ms: int, utc_offset_ms: int) -> str:
    return local_time(expires_ms, utc_offset_ms)[:10] if expires_ms else ""
