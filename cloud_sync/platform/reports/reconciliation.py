# SPDX-License-Identifier: Apache-2.0
"""A day of each journal, counted and walked: all is here, and as it was sent.

The law of the module: nothing is taken from the watermark's word. A day is the stretch
of numbers that its gateway told; its events are counted, what is missing between the
first and the last is looked for, and the chain of hashes is computed anew from what is
stored and held against the gateway's own.
Source: docs/sync-contract.md, sections 3 and 12.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud_sync.platform.reports.table import Table
from cloud_sync.platform.walk import walked
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span

#: The kinds are stepped through first, from one to the next, so that the index on
#: kind and time serves this question too; an index on time alone would cost a quarter
#: of the speed at which events are stored.
_DAY = """
WITH RECURSIVE known (kind) AS (
    SELECT min(kind) FROM event
    UNION ALL
    SELECT (SELECT min(kind) FROM event WHERE event.kind > known.kind)
    FROM known WHERE known.kind IS NOT NULL
)
SELECT j.id, j.gateway, j.epoch, j.hi, count(*), min(e.seq), max(e.seq)
FROM known
JOIN event AS e ON e.kind = known.kind AND e.lo >= ?1 AND e.lo < ?2
JOIN journal AS j ON j.id = e.journal
WHERE ?3 = '' OR j.gateway = ?3
GROUP BY j.id, j.gateway, j.epoch, j.hi ORDER BY j.gateway, j.id
"""
_LAST = "SELECT last_seq FROM gateway WHERE gateway = ?1 AND epoch = ?2"
#: The stretches that gateways call by this day, and those of none that they did.
_TOLD = """
SELECT j.id, t.gateway, t.epoch, j.hi, t.first_seq, t.last_seq, t.hash, t.verdict, t.why
FROM day_told AS t
LEFT JOIN journal AS j ON j.gateway = t.gateway AND j.epoch = t.epoch
WHERE t.day = ?1 AND (?2 = '' OR t.gateway = ?2)
ORDER BY t.gateway, t.epoch, t.first_seq
"""
UNTOLD = "not told yet"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local day; its offset is a number


async def reconciliation(work: Work, span: Span) -> Table:
    """Return a line for each stretch that a gateway told as of the span's day.

    A journal that has events of the span by their own time and no stretch of it told
    (the day is not over, or its events are not all here) has a line by those; and so
    has each journal in a span of more than a day.
    """
    rows: list[tuple[int | str, ...]] = []
    has_told = set()
    is_day = span.to_ms - span.from_ms <= DAY_MS
    told_rows = await work.fetch(_TOLD, _day(span), span.gateway) if is_day else ()
    for row in told_rows:
        number, gateway, epoch, hi, first, last, offered, verdict, why = row
        has_told.add((gateway, epoch))
        stretch = (number, gateway, epoch, hi or 0, last - first + 1, first, last)
        told = f"{verdict}: {why}" if why else verdict
        rows.append(await _line(work, stretch, bytes(offered), told))
    values = (span.from_ms, span.to_ms, span.gateway)
    rows += [
        await _line(work, tuple(stretch), None, UNTOLD)
        for stretch in await work.fetch(_DAY, *values)
        if (stretch[1], stretch[2]) not in has_told
    ]
    return Table(
        columns=(
            *("gateway", "epoch", "count", "first", "last", "missing"),
            *("hash", "chain", "waiting", "told", "good"),
        ),
        rows=sorted(rows, key=lambda row: (row[0], row[1], row[3])),
        note=(
            "waiting: events that the gateway's last hello told of, not yet here. "
            "told: how its own count compared when it sent it."
        ),
    )


async def _line(
    work: Work, stretch: tuple[Any, ...], offered: bytes | None, told: str
) -> tuple[int | str, ...]:
    """Walk a stretch as it is stored now; ``offered`` is its gateway's hash."""
    number, gateway, epoch, hi, count, first, last = stretch
    walk = await walked(work, number or 0, epoch, first, last)
    rows = await work.fetch(_LAST, gateway, epoch)
    waiting = max(0, rows[0][0] - hi) if rows else 0
    missing = last - first + 1 - walk.stored
    is_same = offered is None or offered == walk.hash
    chain = f"BROKEN at {walk.broken_at}" if walk.broken_at else "whole"
    is_good = not missing and not walk.broken_at and is_same
    return (
        *(gateway, epoch, count, first, last, missing, walk.hash.hex()),
        chain if is_same else "ANOTHER THAN THE GATEWAY'S",
        *(waiting, told, "yes" if is_good else "NO"),
    )


def _day(span: Span) -> str:
    """Return the local date of a day."""
    local_ms = span.from_ms + span.utc_offset_ms
    return (_EPOCH + timedelta(milliseconds=local_ms)).date().isoformat()
