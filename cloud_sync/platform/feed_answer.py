# SPDX-License-Identifier: Apache-2.0
"""Which answer a pull gets: nothing newer, what changed, everything, or where it is.

The law of the module: changes only for a gateway that reads them, holds this very
epoch and stands above the floor, and only where they are fewer than the rows; whoever
is in doubt holds nothing and gets everything. One state of the database answers.
Source: docs/sync-contract.md, sections 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform import feed_head, feeds

if TYPE_CHECKING:
    from cloud_sync.feed import FeedCursor
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.feed_head import Head
    from cloud_sync.platform.feeds import Snapshot
    from cloud_sync.platform.uplink import Pull

#: How long a snapshot may be fetched after it was offered.
OFFER_MS = 600_000
_READS = """
INSERT INTO feed_reader (gateway, reads_changes) VALUES (?1, ?2)
ON CONFLICT (gateway) DO UPDATE SET reads_changes = excluded.reads_changes
"""
_OFFER = """
INSERT INTO feed_reader (gateway, reads_changes, pull, until_ms)
VALUES (?1, 0, ?2, ?3)
ON CONFLICT (gateway) DO UPDATE SET
    pull = excluded.pull, until_ms = excluded.until_ms
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What is held is the newest; ``hash`` is what it adds up to, '' for no feed."""

    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed from ``since`` to the feed's head, cut for parts."""

    cursor: FeedCursor
    since: int
    count: int
    head: Head
    slices: tuple[str, ...]


Answer = Current | Changes | feeds.Snapshot


async def note_reader(work: Work, gateway: str, *, reads_changes: bool) -> None:
    """Note what a gateway said in its hello that it reads."""
    await work.execute(_READS, gateway, int(reads_changes))


async def offer(work: Work, gateway: str, pull: str, now_ms: int) -> None:
    """Let the snapshot of a pull be fetched for a while."""
    await work.execute(_OFFER, gateway, pull, now_ms + OFFER_MS)


async def offered(work: Work, gateway: str, pull: str, now_ms: int) -> Snapshot | None:
    """Return the snapshot of a pull that may be fetched; None for any other."""
    sql = "SELECT pull, until_ms FROM feed_reader WHERE gateway = ?1"
    for told, until_ms in await work.fetch(sql, gateway):
        if pull and told == pull and now_ms < until_ms:
            return await feeds.snapshot(work, gateway)
    return None


async def answer(work: Work, gateway: str, pull: Pull) -> Answer:
    """Return what a pull is answered with."""
    now, held = await feeds.cursor(work, gateway), pull.held
    if now.age <= held.age:
        # In another epoch of the same place nobody can say what is held there.
        is_same = bool(now.epoch) and now == held
        head = await feed_head.of(work, gateway) if is_same else None
        return Current(hash=head.hash if head is not None else "")
    if now.epoch == held.epoch and await _reads_changes(work, gateway):
        changes = await _changes(work, gateway, held.rev, now)
        if changes is not None:
            return changes
    return await feeds.snapshot(work, gateway)


async def _reads_changes(work: Work, gateway: str) -> bool:
    sql = "SELECT reads_changes FROM feed_reader WHERE gateway = ?1"
    return any(reads for (reads,) in await work.fetch(sql, gateway))


async def _changes(
    work: Work, gateway: str, since: int, now: FeedCursor
) -> Changes | None:
    head = await feed_head.of(work, gateway)
    if since < head.floor:
        return None
    written = await work.fetch(
        "SELECT kind, id, ver, body FROM feed_row WHERE gateway = ?1 AND ver > ?2"
        " ORDER BY kind, id",
        gateway,
        since,
    )
    gone = await work.fetch(
        "SELECT kind, id, ver FROM feed_gone WHERE gateway = ?1 AND ver > ?2"
        " ORDER BY kind, id",
        gateway,
        since,
    )
    count = len(written) + len(gone)
    if count > max(head.count, 1):
        return None
    texts = [feed_head.row_text(*row) for row in written]
    texts += [feed_head.gone_text(*row) for row in gone]
    return Changes(
        cursor=now, since=since, count=count, head=head, slices=feeds.cut(texts)
    )
