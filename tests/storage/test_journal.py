# SPDX-License-Identifier: Apache-2.0
"""What the journal promises as long as nothing goes wrong."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.chain import genesis
from edge.core.event import decode
from edge.storage.connection import open_inline
from edge.storage.errors import LocalError
from edge.storage.journal import READ_ROWS_MAX
from edge.storage.rows import RECORD_OVERHEAD_BYTES
from tests.storage.samples import START_MS, event, events, opened, rows_of

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from edge.storage.connection import Connection
    from edge.storage.journal import Journal
    from tests.storage.samples import Opener


class CountingConnection:
    """Counts calls: with aiosqlite each is one hop to the thread and back."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*words: Any) -> Any:
            self.calls.append(f"{name} {words[0][:12] if words else ''}".strip())
            return getattr(self._inner, name)(*words)

        return call


async def test_a_fresh_journal_begins_with_the_first_epoch(journal: Journal) -> None:
    assert journal.epoch == "0001-00000001"
    assert (journal.next_seq, journal.last_seq) == (1, 0)
    assert (journal.acked, journal.waiting, journal.count) == (0, 0, 0)
    assert (journal.floor_ms, journal.missing) == (0, 0)
    assert journal.head == genesis("0001-00000001") == await journal.hash_at(0)
    assert await journal.read(0, max_rows=10, max_bytes=1000) == []
    assert (await journal.verify()).is_sound


async def test_what_is_appended_comes_back_after_reopening(
    opener: Opener, path: Path
) -> None:
    written = events(1, 200)
    async with opened(opener, path) as journal:
        await journal.append(written[:1])
        await journal.append(written[1:150])
        await journal.append(written[150:])
        await journal.append([])
        before = (journal.epoch, journal.next_seq, journal.head, journal.floor_ms)
    async with opened(opener, path) as journal:
        after = (journal.epoch, journal.next_seq, journal.head, journal.floor_ms)
        assert after == before
        assert journal.waiting == journal.count == 200
        records = await journal.read(0, max_rows=1000, max_bytes=1 << 20)
        assert [decode(r.seq, r.core, r.pii) for r in records] == written
        assert await journal.hash_at(200) == records[-1].hash == journal.head
        assert await journal.hash_at(77) == records[76].hash
        assert await journal.hash_at(201) is None
        assert await journal.hash_at(-1) is None
        assert (await journal.verify()).checked == 200


@pytest.mark.parametrize("seqs", [[2], [0], [1, 3], [1, 1], [1, 2, 4]])
async def test_a_gap_is_refused_and_moves_nothing(
    journal: Journal, seqs: list[int]
) -> None:
    with pytest.raises(LocalError, match="was due"):
        await journal.append([event(seq) for seq in seqs])
    assert journal.next_seq == 1
    await journal.append([event(1)])
    assert journal.next_seq == 2


async def test_a_wrong_salt_is_refused(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        journal._salt = lambda: b"short"
        with pytest.raises(LocalError, match="16 bytes"):
            await journal.append([event(1)])
        assert journal.next_seq == 1


async def test_an_ordinary_append_is_one_call(opener: Opener, path: Path) -> None:
    async with opened(opener, path, CountingConnection) as journal:
        counting = journal._scribe.connection
        assert isinstance(counting, CountingConnection)
        for count in (1, 10, 64):
            counting.calls.clear()
            await journal.append(events(journal.next_seq, count))
            assert counting.calls == ["execute INSERT INTO"]
        counting.calls.clear()
        await journal.append(events(journal.next_seq, 65))
        assert [call.split()[1:] for call in counting.calls] == [
            ["BEGIN", "IMMEDI"],
            ["INSERT", "INTO"],
            ["INSERT", "INTO"],
            [],
        ]
        assert counting.calls[-1] == "commit"


async def test_a_row_is_small(journal: Journal, path: Path) -> None:
    await journal.append(events(1, 500))
    [row] = rows_of(path)[-1:]
    size = sum(
        len(cell.encode() if isinstance(cell, str) else cell)
        for cell in row
        if isinstance(cell, str | bytes)
    )
    assert size <= 220


async def test_concurrent_appends_keep_their_order(journal: Journal) -> None:
    await asyncio.gather(*(journal.append([event(seq)]) for seq in range(1, 60)))
    assert journal.next_seq == 60
    assert (await journal.verify()).is_sound


async def test_reading_is_bounded_by_rows_and_by_bytes(journal: Journal) -> None:
    await journal.append(events(1, 40))
    first = (await journal.read(0, max_rows=1, max_bytes=1))[0]
    assert first.seq == 1
    size = len(first.core.encode()) + len(first.pii or "") + RECORD_OVERHEAD_BYTES
    assert [r.seq for r in await journal.read(0, max_rows=3, max_bytes=10**6)] == [
        1,
        2,
        3,
    ]
    for fitting in (1, 2, 5):
        records = await journal.read(0, max_rows=40, max_bytes=size * fitting + 5)
        assert len(records) == fitting
    assert [r.seq for r in await journal.read(37, max_rows=9, max_bytes=10**6)] == [
        38,
        39,
        40,
    ]
    assert await journal.read(0, max_rows=-1, max_bytes=10**6) == []


async def test_one_read_never_takes_more_than_its_maximum(journal: Journal) -> None:
    await journal.append(events(1, READ_ROWS_MAX + 10))
    records = await journal.read(0, max_rows=10**9, max_bytes=10**9)
    assert len(records) == READ_ROWS_MAX


async def test_acknowledging_goes_forward_only_and_never_past_the_last(
    journal: Journal,
) -> None:
    await journal.append(events(1, 10))
    for given, expected in ((4, 4), (2, 4), (-1, 4), (99, 10)):
        await journal.acknowledge(given)
        assert journal.acked == expected
    assert journal.waiting == 0


async def test_the_mark_is_written_each_64_events_and_when_settled(
    opener: Opener, path: Path
) -> None:
    def marked() -> int:
        with sqlite3.connect(path) as connection:
            [(acked,)] = connection.execute("SELECT acked FROM mark")
        connection.close()
        return int(acked)

    async with opened(opener, path) as journal:
        await journal.append(events(1, 300))
        await journal.acknowledge(63)
        assert (journal.acked, marked()) == (63, 0)
        await journal.acknowledge(64)
        assert marked() == 64
        await journal.acknowledge(100)
        assert marked() == 64
        await journal.settle()
        assert marked() == 100
    async with opened(opener, path) as journal:
        assert (journal.acked, journal.waiting) == (100, 200)


async def test_the_floor_is_the_latest_of_the_newest_events(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 30))
        waited = replace(event(31), moment=event(5).moment)
        await journal.append([waited])
        assert journal.floor_ms == START_MS + 3000
    async with opened(opener, path) as journal:
        assert journal.floor_ms == START_MS + 3000


async def test_recovery_returns_the_snapshot_and_what_follows(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 5))
        nothing = await journal.recover()
        assert (nothing.state, nothing.state_seq) == (None, 0)
        assert nothing.tail == events(1, 5)
        await journal.append(events(6, 3), state='{"doors":"first"}')
        await journal.append(events(9, 100), state='{"doors":"second"}')
        await journal.append(events(109, 4))
    async with opened(opener, path) as journal:
        found = await journal.recover()
        assert (found.state, found.state_seq) == ('{"doors":"second"}', 108)
        assert found.tail == events(109, 4)
        await journal.append([], state="stopped")
        stopped = await journal.recover()
        assert (stopped.state, stopped.state_seq, stopped.tail) == ("stopped", 112, [])


async def test_recovery_names_what_it_cannot_read(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 3))
        writer = journal._scribe.connection
        await writer.execute('UPDATE event SET core = \'{"k":"NEW"}\' WHERE place = 2')
        found = await journal.recover()
    assert [e.seq for e in found.tail] == [1, 3]
    assert found.unread == (2,)


async def test_an_endless_state_is_refused(journal: Journal) -> None:
    with pytest.raises(LocalError, match="too long"):
        await journal.append([], state="x" * (4 * 1024 * 1024 + 1))


def test_inline_needs_no_event_loop(tmp_path: Path) -> None:
    def by_hand(work: Coroutine[Any, Any, None]) -> None:
        with pytest.raises(StopIteration):
            work.send(None)

    async def scenario() -> None:
        async with opened(open_inline, tmp_path / "journal.db") as journal:
            await journal.append(events(1, 100), state="s")
            await journal.append(events(101, 1))
            await journal.acknowledge(101)
            await journal.settle()
            await journal.erase("h3")
            await journal.trim(10)
            await journal.append(events(102, 3))
            assert await journal.new_epoch() == "0002-00000002"
            assert journal.next_seq == 4
            assert (await journal.verify()).is_sound
            assert len((await journal.recover()).tail) == 4

    by_hand(scenario())


async def test_the_files_are_in_log_mode_and_fully_synchronous(
    opener: Opener, path: Path
) -> None:
    async with opener(path) as writer, opener(path, is_reader=True) as reader:
        for pragma, expected in (
            ("journal_mode", "wal"),
            ("synchronous", 2),
            ("secure_delete", 1),
            ("query_only", 0),
        ):
            [(found,)] = await writer.execute_fetchall(f"PRAGMA {pragma}")
            assert found == expected, pragma
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await reader.execute("CREATE TABLE t (x)")
    assert sorted(os.listdir(path.parent)) == ["journal.db"]  # noqa: PTH208


async def test_since_when_the_oldest_event_waits_is_told(journal: Journal) -> None:
    assert await journal.oldest_ms() is None
    told = events(1, 5)
    await journal.append(told)
    assert await journal.oldest_ms() == told[0].moment.earliest_ms
    await journal.acknowledge(3)
    assert await journal.oldest_ms() == told[3].moment.earliest_ms
    await journal.acknowledge(5)
    assert await journal.oldest_ms() is None
