# SPDX-License-Identifier: Apache-2.0
"""A snapshot of the feed is in force whole or not at all, in memory and on disk."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.feed import NO_FEED, FeedCursor, FeedRow
from cloud_sync.outputs import SnapshotComplete
from cloud_sync.ports import PortFaultError
from edge.cli.roster_feed import SLICE_ROWS, RosterFeed
from edge.core.event import EventKind
from edge.core.roster import Cursor
from edge.storage.connection import open_aiosqlite, open_inline
from edge.storage.roster import RosterStore
from tests.edge.stage import Stage, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from edge.storage.connection import Connection

EPOCH = "0001-0a1b2c3d"
#: No person has this token in the stage's own roster.
TOKEN = "f0" * 16


def row(kind: str, row_id: str, **body: object) -> FeedRow:
    text = json.dumps(body)
    digest = sha256(text.encode()).digest()
    return FeedRow(kind=kind, id=row_id, ver=1, body=text, digest=digest)


def holder(row_id: str, token: str = TOKEN) -> FeedRow:
    return row(
        "holder",
        row_id,
        enabled=1,
        extended=0,
        language="zh-CN",
        roles=["resident"],
        credentials=[f"CARD:{token}"],
    )


def many(count: int) -> list[FeedRow]:
    return [holder(f"h-{n}", f"{n:032x}") for n in range(count)]


BAD = [
    (holder("h-9", "f0"), "holder h-9: credentials: expected 16 hex bytes"),
    (row("booking", "b-9", state="MAYBE"), "booking b-9: state: expected CONFIRMED"),
    (row("revocation", "r-9", token=7, reason="LOST"), "revocation r-9: token"),
]


class Disk:
    """A connection that fails while it is broken."""

    def __init__(self, connection: Connection) -> None:
        self.is_broken = False
        self._connection = connection

    def _sound(self) -> Connection:
        if self.is_broken:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> Any:
        return await self._sound().execute(sql, parameters)

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> Any:
        return await self._sound().executemany(sql, parameters)

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Iterable[Any]:
        return await self._sound().execute_fetchall(sql, parameters)

    async def commit(self) -> None:
        await self._sound().commit()


class Site:
    """A stage whose roster comes by the feed, over a file of its own."""

    def __init__(
        self, stage: Stage, feed: RosterFeed, store: RosterStore, disk: Disk
    ) -> None:
        self.stage = stage
        self.disk = disk
        self.feed = feed
        self.store = store

    def knows(self, token: str = TOKEN) -> bool:
        """Say whether the rules know a token."""
        return self.stage.controller.roster.find(bytes.fromhex(token)) is not None

    async def stage_rows(self, rows: Sequence[FeedRow], name: str = "s1") -> None:
        """Let rows arrive, a few at a time."""
        for start in range(0, len(rows), 40):
            await self.feed.stage(name, rows[start : start + 40])

    async def take(
        self, rows: Sequence[FeedRow], rev: int = 1, name: str = "s1"
    ) -> None:
        """Let a whole snapshot arrive."""
        await self.stage_rows(rows, name)
        await self.feed.complete(complete(len(rows), rev, name))
        await settle()

    def told(self, kind: EventKind) -> list[str]:
        """Return why, of each event of a kind."""
        stored = self.stage.journal.stored
        return [str(e.fact("why")) for e in stored if e.kind is kind]


def complete(count: int, rev: int = 1, name: str = "s1") -> SnapshotComplete:
    cursor = FeedCursor(epoch=EPOCH, rev=rev)
    return SnapshotComplete(snapshot=name, cursor=cursor, hash=bytes(32), count=count)


@asynccontextmanager
async def running(path: Path, stage: Stage) -> AsyncIterator[Site]:
    """Run a site on the file until the block ends."""
    async with open_aiosqlite(path) as connection:
        disk = Disk(connection)
        store = await RosterStore.open(disk)
        feed = await RosterFeed.open(store, stage.gateway)
        await settle()
        yield Site(stage, feed, store, disk)


@asynccontextmanager
async def second_run(path: Path, first: Stage) -> AsyncIterator[Site]:
    """Run the site again, on the same clock and file."""
    stage = Stage(first.clock, is_prompt=True)
    try:
        async with running(path, stage) as site:
            yield site
    finally:
        stage.gateway.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roster.db"


@pytest.fixture
async def fed(path: Path, prompt_stage: Stage) -> AsyncIterator[Site]:
    async with running(path, prompt_stage) as opened:
        yield opened


async def test_a_snapshot_is_in_force_once_it_is_complete(fed: Site) -> None:
    assert fed.feed.cursor == NO_FEED
    await fed.stage_rows([holder("guest")])
    assert not fed.knows()
    await fed.feed.complete(complete(1))
    assert fed.knows()
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=1)
    assert fed.stage.controller.roster.cursor == Cursor(EPOCH, 1)
    assert fed.feed.confirmed_ms == fed.stage.clock.moment().earliest_ms
    await settle()
    assert fed.stage.kinds() == [EventKind.ROSTER_APPLIED]


async def test_a_newer_snapshot_replaces_all_of_the_older(fed: Site) -> None:
    await fed.take([holder("guest"), *many(3 * SLICE_ROWS)])
    assert fed.stage.controller.roster.credentials == 3 * SLICE_ROWS + 1
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2
    assert not fed.knows()
    assert fed.store.cursor.count == 2


@pytest.mark.parametrize(("bad", "why"), BAD)
@pytest.mark.parametrize("place", [0, 1, 2 * SLICE_ROWS])
async def test_one_bad_row_refuses_its_whole_snapshot(
    fed: Site, bad: FeedRow, why: str, place: int
) -> None:
    await fed.take([holder("guest")])
    before = fed.stage.controller.roster
    rows = many(2 * SLICE_ROWS)
    rows.insert(place, bad)
    await fed.take(rows, rev=2, name="s2")
    assert fed.stage.controller.roster is before
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=1)
    assert fed.store.cursor.rev == 1
    [told] = fed.told(EventKind.ROSTER_REFUSED)
    assert told.startswith(why)
    assert "f0f0" not in told
    # What was staged is gone, and the next snapshot starts with a clean sheet.
    assert [r.id async for chunk in fed.store.rows() for r in chunk] == ["guest"]
    await fed.take(many(3), rev=3, name="s3")
    assert fed.stage.controller.roster.credentials == 3


async def test_a_refused_snapshot_is_not_in_force_after_a_restart(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest")])
        await site.take([BAD[0][0]], rev=2, name="s2")
    async with running(path, prompt_stage) as site:
        assert site.knows()
        assert site.feed.cursor.rev == 1


async def test_the_last_good_copy_is_in_force_again_after_a_restart(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3 * SLICE_ROWS)], rev=7)
        confirmed_ms = site.feed.confirmed_ms
        await site.stage_rows(many(5), name="never completed")
    second = Stage(prompt_stage.clock, is_prompt=True)
    async with running(path, second) as site:
        assert site.knows()
        assert second.controller.roster.credentials == 3 * SLICE_ROWS + 1
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)
        assert site.feed.confirmed_ms == confirmed_ms
        assert second.kinds() == [EventKind.ROSTER_APPLIED]
    second.gateway.close()


async def test_a_copy_that_cannot_be_used_any_more_is_asked_for_again(
    path: Path, prompt_stage: Stage
) -> None:
    """Else the platform, hearing the old cursor, would find nothing newer to send."""
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest")], rev=7)
    async with open_inline(path) as connection:
        await connection.execute("UPDATE entry SET body = '{}'")
        await connection.execute("DELETE FROM image")
    second = Stage(prompt_stage.clock, is_prompt=True)
    async with running(path, second) as site:
        [why] = site.told(EventKind.ROSTER_REFUSED)
        assert why.startswith("holder guest: ")
        assert site.feed.cursor == NO_FEED
        await site.take([holder("guest")], rev=7, name="again")
        assert site.knows()
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)
    second.gateway.close()


async def test_a_start_takes_the_image_and_reads_no_row(
    path: Path, prompt_stage: Stage
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(3 * SLICE_ROWS)], rev=7)
    async with open_inline(path) as connection:
        await connection.execute("UPDATE entry SET body = '{}'")
    async with second_run(path, prompt_stage) as site:
        assert site.knows()
        assert site.stage.controller.roster.credentials == 3 * SLICE_ROWS + 1
        assert site.feed.cursor == FeedCursor(epoch=EPOCH, rev=7)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM image",
        "DELETE FROM image WHERE part = (SELECT max(part) FROM image)",
        "UPDATE image SET body = zeroblob(length(body)) WHERE part = 6",
        "UPDATE current SET rev = 8",
        "UPDATE current SET hash = 'another'",
    ],
)
async def test_an_image_that_does_not_fit_is_made_anew_of_the_rows(
    path: Path, prompt_stage: Stage, damage: str
) -> None:
    async with running(path, prompt_stage) as site:
        await site.take([holder("guest"), *many(10)], rev=7)
    async with open_inline(path) as connection:
        await connection.execute(damage)
    async with second_run(path, prompt_stage) as site:
        assert site.knows()
    async with open_inline(path) as connection:
        await connection.execute("DELETE FROM entry")
    async with second_run(path, prompt_stage) as site:
        assert site.knows()


@pytest.mark.parametrize("turns", [1, 3, 10, 100, 1000])
async def test_a_lost_connection_parts_file_and_rules_nowhere(
    fed: Site, turns: int
) -> None:
    """Else the rules would keep the old roster, and the platform hear of the new."""
    await fed.take([holder("guest")])
    await fed.stage_rows(many(3), name="s2")
    completing = asyncio.ensure_future(fed.feed.complete(complete(3, 2, "s2")))
    for _ in range(turns):
        await asyncio.to_thread(time.sleep, 0.0002)  # the stage's own clock stands
    completing.cancel()
    await asyncio.wait([completing])
    for _ in range(300):  # a promotion that was begun ends by itself
        await asyncio.to_thread(time.sleep, 0.001)
    assert fed.store.cursor.rev == fed.feed.cursor.rev
    assert fed.stage.controller.roster.cursor == Cursor(EPOCH, fed.feed.cursor.rev)
    assert fed.knows() is (fed.feed.cursor.rev == 1)


async def test_a_disk_that_keeps_no_image_keeps_nobody_out(fed: Site) -> None:
    kept = fed.store.keep_image

    async def fails(parts: Iterable[bytes]) -> None:
        fed.disk.is_broken = True
        try:
            await kept(parts)
        finally:
            fed.disk.is_broken = False

    fed.store.keep_image = fails  # type: ignore[method-assign]
    await fed.take([holder("guest")])
    assert fed.knows()
    assert [part async for part in fed.store.image()] == []


async def test_an_empty_snapshot_empties_the_roster(fed: Site) -> None:
    await fed.take([holder("guest")])
    await fed.take([], rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 0
    assert fed.feed.cursor == FeedCursor(epoch=EPOCH, rev=2)
    assert fed.store.cursor.count == 0


async def test_a_snapshot_that_was_dropped_leaves_nothing(fed: Site) -> None:
    await fed.take([holder("guest")])
    await fed.stage_rows([BAD[0][0], *many(4)], name="s2")
    await fed.feed.drop("s2")
    await fed.feed.drop("never heard of")
    assert fed.knows()
    assert [r.id async for chunk in fed.store.rows() for r in chunk] == ["guest"]
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2


async def test_rows_of_an_abandoned_snapshot_never_mix_with_the_next(
    fed: Site,
) -> None:
    await fed.stage_rows([holder("guest")], name="s1")
    await fed.take(many(2), rev=2, name="s2")
    assert fed.stage.controller.roster.credentials == 2
    assert not fed.knows()


async def test_a_row_that_comes_twice_refuses_the_snapshot(fed: Site) -> None:
    """It is refused, not tried again for ever: the platform's sums say two rows."""
    await fed.take([holder("guest")])
    await fed.take([holder("h-2"), holder("h-2")], rev=2, name="s2")
    assert fed.feed.cursor.rev == 1
    assert fed.knows()
    [told] = fed.told(EventKind.ROSTER_REFUSED)
    assert told.endswith("staged for s2, not 2")


async def test_kinds_of_a_later_version_are_passed_over(fed: Site) -> None:
    await fed.take([holder("guest"), row("locker", "l-1", size=3)])
    assert fed.knows()
    assert fed.store.cursor.count == 2


async def test_a_disk_that_fails_ends_the_connection_and_changes_nothing(
    fed: Site,
) -> None:
    await fed.take([holder("guest")])
    await fed.stage_rows(many(2), name="s2")
    fed.disk.is_broken = True
    with pytest.raises(PortFaultError, match="disk I/O error"):
        await fed.feed.complete(complete(2, rev=2, name="s2"))
    with pytest.raises(PortFaultError, match="disk I/O error"):
        await fed.feed.stage("s3", many(2))
    assert fed.knows()
    assert fed.feed.cursor.rev == 1
    fed.disk.is_broken = False
    await fed.take(many(3), rev=3, name="s4")
    assert fed.stage.controller.roster.credentials == 3


async def test_after_a_fault_no_row_is_in_memory_that_is_not_on_disk(
    fed: Site,
) -> None:
    await fed.stage_rows(many(2), name="s1")
    fed.disk.is_broken = True
    with pytest.raises(PortFaultError):
        await fed.feed.stage("s1", [holder("guest")])
    fed.disk.is_broken = False
    await fed.take(many(2), name="s1")
    assert fed.stage.controller.roster.credentials == 2
    assert fed.store.cursor.count == 2


async def test_being_told_that_nothing_is_newer_is_remembered(fed: Site) -> None:
    await fed.take([holder("guest")])
    fed.stage.clock.now_s += 600
    await fed.feed.confirm()
    assert fed.feed.confirmed_ms == fed.stage.clock.moment().earliest_ms
