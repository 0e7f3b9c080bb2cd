# SPDX-License-Identifier: Apache-2.0
"""A gateway's day compared with what is stored here.

The law of the module: the gateway names a stretch of numbers, and that stretch is
counted and its chain computed anew from what is stored; no clock is asked, so that
nobody can disagree about which events belong to a day. The walk reads and holds up
nobody; what it found is written after it.
Source: docs/sync-contract.md, section 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.messages import DayVerdict
from cloud_sync.platform.contradictions import AlarmKind, raise_alarm
from cloud_sync.platform.walk import walked

if TYPE_CHECKING:
    from cloud_sync.envelope import DayStretch
    from cloud_sync.platform.database import Work

_JOURNAL = "SELECT id, hi FROM journal WHERE gateway = ?1 AND epoch = ?2"
_TELL = """
INSERT INTO day_told
    (gateway, epoch, first_seq, last_seq, day, hash, told_ms, verdict, held, why)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (gateway, epoch, first_seq, last_seq) DO UPDATE SET
    day = excluded.day, hash = excluded.hash, told_ms = excluded.told_ms,
    verdict = excluded.verdict, held = excluded.held, why = excluded.why
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How a day compares: ``held`` events of it are here, with ``hash`` at the end."""

    verdict: DayVerdict
    held: int = 0
    hash: bytes = b""
    why: str = ""


async def compare(work: Work, gateway: str, day: DayStretch) -> Compared:
    """Count and walk what is stored of a day."""
    rows = await work.fetch(_JOURNAL, gateway, day.epoch)
    hi = rows[0][1] if rows else 0
    if hi < day.last and await _is_growing(work, gateway, day.epoch):
        return Compared(verdict=DayVerdict.LATER, why=f"stored up to {hi} so far")
    if not rows:
        return Compared(verdict=DayVerdict.DIFFERS, why="MISSING")
    walk = await walked(work, rows[0][0], day.epoch, day.first, day.last)
    why = ""
    if walk.stored != day.count:
        why = "MISSING"
    elif walk.hash != day.hash:
        why = "HASH"
    elif walk.broken_at:
        why = f"CHAIN at {walk.broken_at}"
    verdict = DayVerdict.DIFFERS if why else DayVerdict.AGREED
    held = walk.hash if walk.stored else b""
    return Compared(verdict=verdict, held=walk.stored, hash=held, why=why)


async def note(
    work: Work, gateway: str, day: DayStretch, compared: Compared, now_ms: int
) -> None:
    """Keep how a day compared; a difference is an alarm."""
    key = (gateway, day.epoch, day.first, day.last)
    found = (compared.verdict.value, compared.held, compared.why)
    await work.execute(_TELL, *key, day.day, day.hash, now_ms, *found)
    if compared.verdict is DayVerdict.DIFFERS:
        at = (gateway, day.epoch, day.last)
        offered = (compared.hash, day.hash)
        await raise_alarm(work, at, AlarmKind.DAY, *offered, now_ms)


async def _is_growing(work: Work, gateway: str, epoch: str) -> bool:
    """Say whether a gateway's journal is still of that epoch: more of it may come."""
    sql = "SELECT epoch FROM gateway WHERE gateway = ?1"
    return bool([1 for (newest,) in await work.fetch(sql, gateway) if newest == epoch])
