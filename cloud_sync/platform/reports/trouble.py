# SPDX-License-Identifier: Apache-2.0
"""What somebody has to look at: alarms, quarantine, and messages that were refused.

The law of the module: it says what is wrong with whom, never what stood in a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.contradictions import MEANING, AlarmKind
from cloud_sync.platform.reports.table import Table, local_time

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

#: Poisoned items that are listed singly, the newest.
MAX_LISTED = 1_000
_ALARMS = "SELECT at_ms, gateway, epoch, seq, kind FROM alarm"
_POISON = """
SELECT e.stored_ms, j.gateway, j.epoch, q.seq, q.why
FROM quarantine AS q
JOIN journal AS j ON j.id = q.journal
JOIN event AS e ON e.journal = q.journal AND e.seq = q.seq
ORDER BY e.stored_ms DESC LIMIT ?1
"""
_REFUSALS = "SELECT last_ms, gateway, kind, times, why FROM refusal"


async def trouble(work: Work, utc_offset_ms: int) -> Table:
    """Return everything that was noted, in the order of time."""
    rows = [
        (at_ms, "alarm", gateway, kind, 1, f"{epoch}:{seq} {MEANING[AlarmKind(kind)]}")
        for at_ms, gateway, epoch, seq, kind in await work.fetch(_ALARMS)
    ]
    rows += [
        (at_ms, "quarantine", gateway, "POISON", 1, f"{epoch}:{seq} {why}")
        for at_ms, gateway, epoch, seq, why in await work.fetch(_POISON, MAX_LISTED)
    ]
    rows += [
        (at_ms, "refused", gateway or "?", kind, times, why)
        for at_ms, gateway, kind, times, why in await work.fetch(_REFUSALS)
    ]
    return Table(
        columns=("last", "what", "gateway", "kind", "times", "why"),
        rows=[(local_time(row[0], utc_offset_ms), *row[1:]) for row in sorted(rows)],
    )
