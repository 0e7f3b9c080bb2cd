# SPDX-License-Identifier: Apache-2.0
"""Each gateway's feed: its rows, where it stands, and snapshots in parts.

The law of the module: a change that changes something moves ``rev`` by one, and a row
carries as its ``ver`` the revision that wrote it. A feed that a gateway says it is
ahead of (this platform was restored from a backup) goes on in an epoch above the
gateway's. What the rows add up to is kept beside them and moved by what changed.
Where nobody has written a feed yet there is none, and nothing is sent: an empty
snapshot would empty a site.
Source: docs/sync-contract.md, sections 4 and 5.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cloud_sync.feed import MAX_ROWS, NO_FEED, FeedCursor, add
from cloud_sync.platform import feed_head, site_key_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloud_sync.platform.database import Row, Work

#: JSON of one part: base64 adds a third, and 64 KiB must hold it.
PART_BYTES = 45 * 1024
#: … and a part that is read at one go must not keep a gateway's doors waiting: so
#: much is read in two milliseconds. A feed of more than ``MANY_PARTS`` has larger ones.
QUICK_BYTES, MANY_PARTS = 12 * 1024, 3000
#: What a part's own fields take; 400 at most.
HEAD_BYTES = 512
#: A row's JSON: the longest in use has 2 KiB, and a part must hold several.
ROW_BYTES = 8 * 1024
#: A feed epoch's counter has four digits.
LAST_COUNTER = 9999
_PUT = """
INSERT INTO feed_row (gateway, kind, id, ver, body) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (gateway, kind, id) DO UPDATE SET ver = excluded.ver, body = excluded.body
"""
_REMOVE = "DELETE FROM feed_row WHERE gateway = ?1 AND kind = ?2 AND id = ?3"
_SET = """
INSERT INTO feed (gateway, epoch, rev, changed_ms) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (gateway) DO UPDATE SET
    epoch = excluded.epoch, rev = excluded.rev, changed_ms = excluded.changed_ms
"""

#: No kind has such a name.
EVERY_KIND = "*"
#: Rows that whoever replaces every kind does not mean.
SEALED_KIND = "key"
#: A row's kind and id.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Rows to write (canonical bodies by key), and keys to remove.

    ``replaces``: the kinds of which every row goes that is not among those to write;
    ``EVERY_KIND`` for all.
    """

    put: dict[Key, str]
    remove: Collection[Key] = ()
    replaces: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a change, and how many rows there are now.

    With nothing written and nothing removed the feed stays where it was.
    """

    cursor: FeedCursor
    written: int
    unchanged: int
    removed: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A whole feed: ``slices`` of rows' JSON, joined by commas, each for one part."""

    cursor: FeedCursor
    count: int
    hash: str
    slices: tuple[str, ...]


class FeedError(Exception):
    """A change that a feed cannot take; the text says what to do."""


async def cursor(work: Work, gateway: str) -> FeedCursor:
    """Return where a gateway's feed stands; ``NO_FEED`` if there is none."""
    sql = "SELECT epoch, rev FROM feed WHERE gateway = ?1"
    found = await work.fetch(sql, gateway)
    return FeedCursor(epoch=found[0][0], rev=found[0][1]) if found else NO_FEED


async def cursors(work: Work) -> dict[str, FeedCursor]:
    """Return where every feed stands that there is."""
    found = await work.fetch("SELECT gateway, epoch, rev FROM feed")
    return {gateway: FeedCursor(epoch=epoch, rev=rev) for gateway, epoch, rev in found}


async def heed(work: Work, gateway: str, held: FeedCursor, now_ms: int) -> FeedCursor:
    """Note what a gateway holds; return where its feed stands, now not behind that."""
    await work.execute(
        "UPDATE gateway SET feed_epoch = ?2, feed_rev = ?3 WHERE gateway = ?1",
        gateway,
        held.epoch,
        held.rev,
    )
    now = await cursor(work, gateway)
    if now in (NO_FEED, held) or _is_news(now, held):
        return now
    above = _above(held, now)
    await work.execute(_SET, gateway, above.epoch, above.rev, now_ms)
    await feed_head.forget(work, gateway, above.rev)
    return above


async def change(work: Work, gateway: str, wanted: Change, now_ms: int) -> Changed:
    """Write and remove rows in one new revision; none if nothing would change."""
    reported = await hold(work, gateway)
    now = await cursor(work, gateway)
    sql = "SELECT kind, id, ver, body FROM feed_row WHERE gateway = ?1"
    found = await work.fetch(sql, gateway)
    held = {(kind, name): body for kind, name, _, body in found}
    written = {key: body for key, body in wanted.put.items() if held.get(key) != body}
    why = await site_key_rows.flaw(work, gateway, written)
    if why:
        raise FeedError(f"{gateway}: {why}; nothing was changed")
    is_all = EVERY_KIND in wanted.replaces
    gone = {key for key in held if is_all or key[0] in wanted.replaces}
    # Sealed keys come from the keyring, not from files of bookings.
    gone = {key for key in gone if key[0] != SEALED_KIND}
    gone |= set(wanted.remove)
    removed = (gone & held.keys()) - wanted.put.keys()
    count = len(held.keys() | written.keys()) - len(removed)
    if count > MAX_ROWS:
        raise FeedError(f"{gateway}: {count} rows, a feed has at most {MAX_ROWS}")
    if written or removed:
        is_first = now == NO_FEED
        before = await feed_head.of(work, gateway, found)
        now = _above(reported, now) if is_first else _next(now)
        put = [(gateway, *key, now.rev, body) for key, body in written.items()]
        await work.executemany(_PUT, put)
        await work.executemany(_REMOVE, [(gateway, *key) for key in sorted(removed)])
        await work.execute(_SET, gateway, now.epoch, now.rev, now_ms)
        old = [each for each in found if _key(each) in written or _key(each) in removed]
        new = [(*key, now.rev, body) for key, body in written.items()]
        moved = before.moved(old, new, floor=now.rev if is_first else before.floor)
        await feed_head.keep(work, gateway, moved)
        await feed_head.remember(work, gateway, removed, written, now.rev)
    return Changed(
        cursor=now,
        written=len(written),
        unchanged=len(wanted.put) - len(written),
        removed=len(removed),
        rows=count,
    )


async def rows(work: Work, gateway: str) -> Sequence[Row]:
    """Return a feed's rows as ``(kind, id, ver, body)``, in the order of their keys."""
    return await work.fetch(
        "SELECT kind, id, ver, body FROM feed_row WHERE gateway = ?1 ORDER BY kind, id",
        gateway,
    )


async def snapshot(work: Work, gateway: str) -> Snapshot:
    """Return a gateway's whole feed, cut so that each slice fits a part."""
    now = await cursor(work, gateway)
    texts = [row_text(*row) for row in await rows(work, gateway)]
    total = add(0, (sha256(text.encode()).digest() for text in texts))
    return Snapshot(
        cursor=now, count=len(texts), hash=f"{total:064x}", slices=cut(texts)
    )


row_text = feed_head.row_text


def cut(texts: Sequence[str]) -> tuple[str, ...]:
    """Join rows into slices; a feed without rows has one, which is empty."""
    length = sum(len(text.encode()) + 1 for text in texts)
    wanted = max(QUICK_BYTES, length // MANY_PARTS + ROW_BYTES)
    room, used = min(PART_BYTES, wanted) - HEAD_BYTES, 0
    slices: list[list[str]] = [[]]
    for text in texts:
        size = len(text.encode()) + 1
        if used + size > room and slices[-1]:
            slices.append([])
            used = 0
        slices[-1].append(text)
        used += size
    return tuple(",".join(each) for each in slices)


def _is_news(now: FeedCursor, held: FeedCursor) -> bool:
    """Say whether a gateway that holds ``held`` would take what stands at ``now``."""
    return now.age > held.age


async def hold(work: Work, gateway: str) -> FeedCursor:
    """Hold a gateway's row, so that changes follow each other; return its report.

    Whoever works out what to put from what is stored holds it before he reads.
    """
    sql = (
        "UPDATE gateway SET shard = shard WHERE gateway = ?1 "
        "RETURNING feed_epoch, feed_rev"
    )
    found = await work.fetch(sql, gateway)
    if not found:
        raise FeedError(f"no gateway {gateway}; register it first")
    return FeedCursor(epoch=found[0][0], rev=found[0][1])


def _above(held: FeedCursor, now: FeedCursor) -> FeedCursor:
    """Return the beginning of an epoch above ``held``, or the next place in the last.

    Revisions go on from ``now``: rows keep the ones that wrote them. A counter at its
    end can only stay; then the revision has to be the greater one.
    """
    counter = held.age[0] + 1 if held.epoch else 1
    rev = now.rev + 1
    if counter > LAST_COUNTER:
        counter, rev = LAST_COUNTER, max(held.rev + 1, rev)
    return FeedCursor(epoch=f"{counter:04}-{secrets.token_hex(4)}", rev=rev)


def _key(row: Row) -> Key:
    return row[0], row[1]


def _next(now: FeedCursor) -> FeedCursor:
    return FeedCursor(epoch=now.epoch, rev=now.rev + 1)
