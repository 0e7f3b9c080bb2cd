# SPDX-License-Identifier: Apache-2.0
"""A day of each journal, counted and walked: all is here, and as it was sent.

The law of the module: nothing is taken from the watermark's word. The day's events are
counted, what lies between the first and the last of them is looked for, and the chain
of hashes is computed anew from what is stored; erased people do not break it.
Source: docs/sync-contract.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.table import Table
from edge.core.chain import commitment, genesis, link

if TYPE_CHECKING:
    from cloud_sync.platform.database import Row, Work
    from cloud_sync.platform.reports.stored import Span

#: Rows read at once, some 2 MB.
PAGE_ROWS = 5_000
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
_PAGE = """
SELECT seq, core, salt, pii, com, hash FROM event
WHERE journal = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq
"""
_LAST = "SELECT last_seq FROM gateway WHERE gateway = ?1 AND epoch = ?2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What walking a stretch found; ``broken_at`` 0: every hash is as computed."""

    stored: int
    broken_at: int
    hash: bytes


async def reconciliation(work: Work, span: Span) -> Table:
    """Return a line for each journal that has events of the span (a day, usually)."""
    values = (span.from_ms, span.to_ms, span.gateway)
    rows: list[tuple[int | str, ...]] = []
    for number, gateway, epoch, hi, count, first, last in await work.fetch(
        _DAY, *values
    ):
        walk = await walked(work, number, epoch, first, last)
        told = await work.fetch(_LAST, gateway, epoch)
        waiting = max(0, told[0][0] - hi) if told else 0
        missing = last - first + 1 - walk.stored
        is_good = not missing and not walk.broken_at
        rows.append(
            (
                *(gateway, epoch, count, first, last, missing),
                walk.hash.hex(),
                f"BROKEN at {walk.broken_at}" if walk.broken_at else "whole",
                waiting,
                "yes" if is_good else "NO",
            )
        )
    return Table(
        columns=(
            *("gateway", "epoch", "count", "first", "last", "missing"),
            *("hash", "chain", "waiting", "good"),
        ),
        rows=rows,
        note="waiting: events that the gateway's last hello told of, not yet here.",
    )


async def walked(work: Work, journal: int, epoch: str, first: int, last: int) -> Walk:
    """Compute the chain anew from ``first`` to ``last`` as they are stored."""
    previous = genesis(epoch)
    if first > 1:
        before = await work.fetch(_PAGE, journal, first - 1, first - 1)
        previous = bytes(before[0][5]) if before else b""
    stored = broken_at = 0
    for start in range(first, last + 1, PAGE_ROWS):
        end = min(last, start + PAGE_ROWS - 1)
        for row in await work.fetch(_PAGE, journal, start, end):
            stored += 1
            held = bytes(row[5])
            if not broken_at and held != _computed(previous, row):
                broken_at = row[0]
            previous = held
    return Walk(stored=stored, broken_at=broken_at, hash=previous)


def _computed(previous: bytes, row: Row) -> bytes:
    _, core, salt, pii, com, _ = row
    sealed = bytes(com) if com is not None else commitment(bytes(salt), pii)
    return link(previous, core, sealed)
