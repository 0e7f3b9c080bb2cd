# SPDX-License-Identifier: Apache-2.0
"""Alarms of sites: what somebody had to hear of at once, told early or in its turn.

The law of the module: each is shown once. An early word shows until the journal brings
its event, which is the truth from then on; nobody's name is read.
Source: docs/sync-contract.md, section 11; ``cloud_sync/urgent.py`` for the kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.reports.table import Table, local_time
from cloud_sync.urgent import URGENT

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span

_KINDS = ", ".join(f"'{kind}'" for kind in URGENT)
_STORED = f"""
SELECT e.lo, j.gateway, j.epoch, e.seq, e.kind, e.at, e.stored_ms,
    coalesce(a.heard_ms, e.stored_ms), coalesce(a.differs, 0)
FROM event AS e JOIN journal AS j ON j.id = e.journal
LEFT JOIN early AS a ON a.gateway = j.gateway AND a.epoch = j.epoch AND a.seq = e.seq
WHERE e.kind IN ({_KINDS})
    AND e.lo >= ?1 AND e.lo < ?2 AND (?3 = '' OR j.gateway = ?3)
"""  # noqa: S608  our own words
_EARLY = """
SELECT lo, gateway, epoch, seq, kind, at, heard_ms FROM early
WHERE joined_ms = 0 AND lo >= ?1 AND lo < ?2 AND (?3 = '' OR gateway = ?3)
"""


async def urgent(work: Work, span: Span) -> Table:
    """Return every alarm of the span, in the order of their own time."""
    values = (span.from_ms, span.to_ms, span.gateway)
    rows = [
        (
            *(lo, gateway, str(kind), at, f"{epoch}:{seq}", min(heard_ms, stored_ms)),
            "DIFFERS from what was told early" if differs else "stored",
        )
        for (
            *(lo, gateway, epoch, seq, kind, at, stored_ms, heard_ms, differs),
        ) in await work.fetch(_STORED, *values)
    ]
    rows += [
        (lo, gateway, kind, at, f"{epoch}:{seq}", heard_ms, "told early")
        for lo, gateway, epoch, seq, kind, at, heard_ms in await work.fetch(
            _EARLY, *values
        )
    ]
    return Table(
        columns=("time", "gateway", "kind", "at", "event", "heard", "state"),
        rows=[
            (
                local_time(lo, span.utc_offset_ms),
                *told,
                local_time(heard_ms, span.utc_offset_ms),
                state,
            )
            for lo, *told, heard_ms, state in sorted(rows)
        ],
        note="told early: the journal's own event has not come yet.",
    )
