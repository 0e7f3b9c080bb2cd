# SPDX-License-Identifier: Apache-2.0
"""A stretch of a journal walked: its chain of hashes computed anew.

The law of the module: what is stored is read and nothing is taken from anybody's word;
erased people do not break it.
Source: docs/sync-contract.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.chain import commitment, genesis, link

if TYPE_CHECKING:
    from cloud_sync.platform.database import Row, Work

#: Rows read and hashed at once: some 2 MB, and 20 ms of the loop.
PAGE_ROWS = 5_000
_PAGE = """
SELECT seq, core, salt, pii, com, hash FROM event
WHERE journal = ?1 AND seq >= ?2 AND seq <= ?3 ORDER BY seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What walking a stretch found; ``broken_at`` 0: every hash is as computed."""

    stored: int
    broken_at: int
    hash: bytes


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
