# SPDX-License-Identifier: Apache-2.0
"""The roster's copy: whole or not at all, and expendable where it is damaged."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import AsyncExitStack, aclosing, suppress
from typing import TYPE_CHECKING, Any, Literal

import pytest

from edge.storage.connection import Synchronous
from edge.storage.errors import LocalError
from edge.storage.quarantine import KEPT_COPIES, set_aside
from edge.storage.roster import RosterStore
from edge.storage.roster_file import open_roster
from edge.storage.roster_row import RosterRow
from tests.storage.samples import (
    FaultyConnection,
    Images,
    WatchedConnection,
    contents,
    overwrite,
    tampered,
)
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.samples import Opener

NOW_MS = 1_763_779_200_000


def feed(count: int, ver: int = 1) -> list[RosterRow]:
    body = json.dumps({"enabled": 1, "language": "zh"})
    return [RosterRow("holder", f"h{n:06}", ver, body) for n in range(count)]


async def everything(store: RosterStore, chunk_rows: int = 7) -> list[RosterRow]:
    return [row async for chunk in store.rows(chunk_rows) for row in chunk]


async def promote(store: RosterStore, sid: str, rev: int, count: int) -> None:
    await store.promote(
        sid, epoch="0001-aa", rev=rev, hash="ff" * 32, count=count, applied_ms=NOW_MS
    )
    await store.sweep()


async def apply(store: RosterStore, rows: list[RosterRow], rev: int) -> None:
    await store.stage(f"s{rev}", rows)
    await promote(store, f"s{rev}", rev, len(rows))


def entries(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        [count] = connection.execute("SELECT count(*) FROM entry").fetchone()
    connection.close()
    return int(count)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    return tmp_path / "roster.db"


async def test_an_empty_roster(opener: Opener, roster: Path) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        assert found.set_aside is None
        cursor = found.store.cursor
        assert (cursor.epoch, cursor.rev, cursor.hash, cursor.count) == ("", 0, "", 0)
        assert await everything(found.store) == []


async def test_a_snapshot_is_visible_only_when_promoted(
    opener: Opener, roster: Path
) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(20), 1)
        await store.stage("s2", feed(1200, ver=2)[600:])
        assert await everything(store) == feed(20)
        await store.stage("s2", feed(1200, ver=2)[:600])
        assert await everything(store) == feed(20)
        assert store.cursor.rev == 1
        await promote(store, "s2", 2, 1200)
        assert sorted(await everything(store, 500)) == feed(1200, ver=2)
        assert (store.cursor.rev, store.cursor.count) == (2, 1200)
        assert store.cursor.applied_ms == NOW_MS
    assert entries(roster) == 1200, "the old generation is gone"
    async with open_roster(roster, opener, SEAL) as found:
        assert found.store.cursor.rev == 2
        assert found.store.cursor.epoch == "0001-aa"
        assert len(await everything(found.store, 500)) == 1200


async def test_an_unfinished_snapshot_does_not_outlive_its_run(
    opener: Opener, roster: Path
) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        await apply(found.store, feed(5), 1)
        await found.store.stage("s2", feed(900, ver=2))
    async with open_roster(roster, opener, SEAL) as found:
        assert await everything(found.store) == feed(5)
        with pytest.raises(LocalError, match="nothing staged"):
            await promote(found.store, "s2", 2, 900)
        await found.store.stage("s2", feed(3, ver=2))
        assert entries(roster) == 8
        await promote(found.store, "s2", 2, 3)
        assert await everything(found.store) == feed(3, ver=2)


async def test_a_wrong_count_or_name_changes_nothing(
    opener: Opener, roster: Path
) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(5), 1)
        await store.stage("s2", feed(10, ver=2))
        for sid, count in (("s2", 9), ("s2", 11), ("other", 10)):
            with pytest.raises(LocalError):
                await promote(store, sid, 2, count)
            assert (await everything(store), store.cursor.rev) == (feed(5), 1)
        await promote(store, "s2", 2, 10)


async def test_a_key_that_comes_twice_is_refused(opener: Opener, roster: Path) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(5), 1)
        await store.stage("s2", feed(10))
        await store.stage("s2", feed(10)[3:6])
        for count in (10, 13):
            with pytest.raises(LocalError, match="13 rows, 10 keys"):
                await promote(store, "s2", 2, count)
        assert await everything(store) == feed(5)


async def test_discarding_and_beginning_anew(opener: Opener, roster: Path) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(5), 1)
        await store.stage("s2", feed(1100))
        await store.discard("never heard of")
        assert entries(roster) == 1105
        await store.discard("s2")
        assert entries(roster) == 5
        await store.stage("s3", feed(700))
        await store.stage("s4", feed(2))
        assert entries(roster) == 7, "one snapshot is staged at a time"
        await store.stage("s5", [])
        await promote(store, "s5", 5, 0)
        assert await everything(store) == []
        assert store.cursor.rev == 5


async def test_a_reader_keeps_the_snapshot_that_it_began(
    opener: Opener, roster: Path
) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(50), 1)
        seen: list[RosterRow] = []
        async with aclosing(store.rows(10)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                seen += chunk
                if len(seen) == 20:
                    await apply(store, feed(30, ver=2), 2)
                    await apply(store, feed(40, ver=3), 3)
        assert seen == feed(50)
        assert await everything(store) == feed(40, ver=3)
        await store.sweep()
        assert entries(roster) == 40


async def test_staging_and_reading_side_by_side(opener: Opener, roster: Path) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(2000), 1)

        async def read() -> None:
            for _ in range(5):
                rows = await everything(store, 100)
                assert len({row.ver for row in rows}) == 1
                assert len(rows) == 2000

        async def change() -> None:
            for rev in range(2, 5):
                await apply(store, feed(2000, ver=rev), rev)

        await asyncio.gather(read(), read(), change())
        await store.sweep()
    assert entries(roster) == 2000


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_cancelling_leaves_one_snapshot_or_the_other(
    opener: Opener, roster: Path, turns: int
) -> None:
    async with open_roster(roster, opener, SEAL) as found:
        store = found.store
        await apply(store, feed(5), 1)
        task = asyncio.create_task(apply(store, feed(1500, ver=2), 2))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await apply(store, feed(6, ver=3), 3)
        assert await everything(store) == feed(6, ver=3)
    assert entries(roster) == 6


@pytest.mark.parametrize("when", ["before", "after"])
async def test_each_call_fails_once(
    opener: Opener, tmp_path: Path, when: Literal["before", "after"]
) -> None:
    raised = 0
    for number in range(1, 32):
        path = tmp_path / f"{number}.db"
        async with open_roster(path, opener, SEAL) as found:
            await apply(found.store, feed(5), 1)
        async with AsyncExitStack() as stack:
            inner = await stack.enter_async_context(
                opener(path, synchronous=Synchronous.NORMAL)
            )
            faulty = FaultyConnection(inner, when)
            store = await RosterStore.open(faulty, SEAL)
            faulty.failing = {faulty.calls + number}
            with suppress(sqlite3.OperationalError):
                await store.stage("s2", feed(600, ver=2))
                await promote(store, "s2", 2, 600)
            raised += faulty.raised
            faulty.failing = set()
            rows = await everything(store, 500)
            assert rows == (feed(600, ver=2) if store.cursor.rev == 2 else feed(5))
            await store.discard("s2")
        async with open_roster(path, opener, SEAL) as found:
            rows = await everything(found.store, 500)
            is_new = found.store.cursor.rev == 2
            assert rows == (feed(600, ver=2) if is_new else feed(5)), number
    assert 15 < raised < 31


def damage_header(path: Path) -> None:
    path.write_bytes(b"garbage " * 2048)


def damage_page(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[4096 * 2 : 4096 * 3] = b"\xa5" * 4096
    path.write_bytes(raw)


def damage_length(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 8192 * 4096 + 100])


def lose_cursor(path: Path) -> None:
    tampered(path, "DELETE FROM current")


@pytest.mark.parametrize(
    "damage", [damage_header, damage_page, damage_length, lose_cursor]
)
async def test_a_damaged_file_is_set_aside_with_its_evidence(
    opener: Opener, roster: Path, damage: Any
) -> None:
    for number in range(1, KEPT_COPIES + 3):
        async with open_roster(roster, opener, SEAL) as found:
            await apply(found.store, feed(3000), 1)
        damage(roster)
        broken = contents(roster)
        async with open_roster(roster, opener, SEAL) as found:
            kept = min(number, KEPT_COPIES)
            assert found.set_aside == roster.with_name(f"roster.db.damaged-{kept}")
            assert contents(found.set_aside) == broken
            assert found.store.cursor.rev == 0
            assert await everything(found.store) == []
            await apply(found.store, feed(2), 9)
        async with open_roster(roster, opener, SEAL) as found:
            assert found.set_aside is None
            assert await everything(found.store) == feed(2)
    assert len(list(roster.parent.glob("*.damaged-*"))) == KEPT_COPIES


def test_the_log_moves_with_its_file(roster: Path) -> None:
    for name in ("", "-wal", "-shm"):
        overwrite(roster.with_name(f"roster.db{name}"), name.encode())
    aside = set_aside(roster)
    assert [file.name for file in sorted(roster.parent.iterdir())] == [
        "roster.db.damaged-1",
        "roster.db.damaged-1-shm",
        "roster.db.damaged-1-wal",
    ]
    assert contents(aside.with_name(f"{aside.name}-wal")) == b"-wal"


async def test_a_disk_that_fails_sets_nothing_aside(
    opener: Opener, tmp_path: Path
) -> None:
    with pytest.raises(sqlite3.OperationalError):
        async with open_roster(tmp_path, opener, SEAL):  # a folder cannot be opened
            pass
    assert list(tmp_path.parent.glob("*.damaged-*")) == []


async def test_a_power_cut_at_any_commit_shows_a_whole_snapshot(
    opener: Opener, roster: Path, tmp_path: Path
) -> None:
    """Copies of file and log after each statement, promoted or not."""

    async with open_roster(roster, opener, SEAL) as found:
        await apply(found.store, feed(5), 1)
    async with opener(roster, synchronous=Synchronous.NORMAL) as connection:
        images = Images(roster, tmp_path)
        watched = WatchedConnection(connection, images.keep)
        await apply(await RosterStore.open(watched, SEAL), feed(1200, ver=2), 2)
    revs = []
    for image in images.kept:
        async with open_roster(image, opener, SEAL) as found:
            assert found.set_aside is None
            revs.append(found.store.cursor.rev)
            expected = feed(5) if revs[-1] == 1 else feed(1200, ver=2)
            assert await everything(found.store, 500) == expected
    assert revs == sorted(revs)
    assert set(revs) == {1, 2}


async def test_the_platforms_word_outlives_a_restart(
    opener: Opener, roster: Path
) -> None:
    async with opener(roster) as connection:
        store = await RosterStore.open(connection, SEAL)
        await apply(store, feed(3), 1)
        await store.confirm(NOW_MS + 5)
        assert store.cursor.applied_ms == NOW_MS + 5
    async with opener(roster) as connection:
        store = await RosterStore.open(connection, SEAL)
        assert (store.cursor.rev, store.cursor.applied_ms) == (1, NOW_MS + 5)
        assert len(await everything(store)) == 3
