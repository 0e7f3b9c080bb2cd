# SPDX-License-Identifier: Apache-2.0
"""Alarms that came ahead of their turn, and the events that they turn out to be.

The law of the module: whoever comes here holds the gateway's row
(:func:`cloud_sync.platform.registry.hear`), or a word and its event would pass each
other unseen in two transactions. An early word is stored once and never written again
but for its joining; the journal's event is the truth, and one that differs is an alarm
about the gateway. A journal that began a new epoch brings the event under another
number: its hash, standing alone, has 16 random bytes in it and tells which it is.
Source: docs/sync-contract.md, section 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.contradictions import AlarmKind, raise_alarm
from cloud_sync.platform.told_beside import ALONE
from edge.core.chain import commitment, link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.items import Entry
    from cloud_sync.platform.told_beside import Early

_STORE = """
INSERT INTO early (gateway, epoch, seq, kind, at, lo, core, item, heard_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
ON CONFLICT (gateway, epoch, seq) DO NOTHING
"""
_HELD = "SELECT item FROM early WHERE gateway = ?1 AND epoch = ?2 AND seq = ?3"
_EVENT = """
SELECT e.core, e.salt, e.pii, e.com FROM event AS e
JOIN journal AS j ON j.id = e.journal
WHERE j.gateway = ?1 AND j.epoch = ?2 AND e.seq = ?3
"""
_WAITING = "SELECT epoch, seq, item FROM early WHERE gateway = ?1 AND joined_ms = 0"
_JOIN = """
UPDATE early SET joined_ms = ?4, differs = ?5
WHERE gateway = ?1 AND epoch = ?2 AND seq = ?3
"""


async def take(work: Work, gateway: str, told: Early, now_ms: int) -> None:
    """Store an early word once, and join it if the journal was faster."""
    key = (gateway, told.epoch, told.seq)
    values = (told.kind, told.at, told.lo, told.core, told.item, now_ms)
    await work.execute(_STORE, *key, *values)
    [(held,)] = await work.fetch(_HELD, *key)
    if bytes(held) != told.item:
        await raise_alarm(work, key, AlarmKind.EARLY, bytes(held), told.item, now_ms)
        return
    for core, salt, pii, com in await work.fetch(_EVENT, *key):
        await _join(work, key, told.item, _alone(core, salt, pii, com), now_ms)


async def join(
    work: Work, gateway: str, epoch: str, fresh: Sequence[Entry], now_ms: int
) -> None:
    """Join what waits with events that have just been stored."""
    waiting = await work.fetch(_WAITING, gateway)
    if not waiting or not fresh:
        return
    first, last = fresh[0].seq, fresh[-1].seq
    hashes: set[bytes] | None = None
    for of_epoch, seq, item in waiting:
        key = (gateway, of_epoch, seq)
        if of_epoch != epoch:
            hashes = hashes or {_of(entry) for entry in fresh}
            if bytes(item) in hashes:
                await _join(work, key, bytes(item), bytes(item), now_ms)
        elif first <= seq <= last:
            event = _of(fresh[seq - first])
            await _join(work, key, bytes(item), event, now_ms)


async def _join(
    work: Work, key: tuple[str, str, int], item: bytes, event: bytes, now_ms: int
) -> None:
    differs = item != event
    if differs:
        await raise_alarm(work, key, AlarmKind.EARLY, event, item, now_ms)
    await work.execute(_JOIN, *key, now_ms, int(differs))


def _of(entry: Entry) -> bytes:
    return _alone(entry.core, entry.salt, entry.pii, entry.com)


def _alone(core: str, salt: bytes | None, pii: str | None, com: bytes | None) -> bytes:
    """Return an event's hash, standing alone."""
    if salt is None or pii is None:
        return link(ALONE, core, bytes(com or b""))
    return link(ALONE, core, commitment(bytes(salt), pii))
