# SPDX-License-Identifier: Apache-2.0
"""Erasing a person leaves no trace, trimming leaves nothing undone."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from edge.core.event import NOBODY
from edge.storage import retention
from edge.storage.errors import TracesRemainError
from tests.storage.samples import SlowConnection, event, events, opened, rows_of, turns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.samples import Opener

PLANTED = "planted-holder-4711"


def files_with(path: Path, text: str) -> list[str]:
    return [
        file.name
        for file in sorted(path.parent.iterdir())
        if text.encode() in file.read_bytes()
    ]


async def test_an_erased_person_stands_in_no_file(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        for first in range(1, 301, 10):
            await journal.append(events(first, 9))
            await journal.append([event(first + 9, holder=PLANTED)])
        assert files_with(path, PLANTED), "the search must be able to find it"
        head = journal.head
        assert await journal.erase(PLANTED) == 30
        assert files_with(path, PLANTED) == []
        assert files_with(path, "B150") == [], "the booking went with its holder"
        assert files_with(path, "B149") != []
        found = await journal.verify()
        assert (found.is_sound, found.checked, journal.head) == (True, 300, head)
        assert await journal.erase(PLANTED) == 0
        assert await journal.erase("nobody we know") == 0
        tail = (await journal.recover()).tail
        assert [e.seq for e in tail if e.person is NOBODY] == list(range(10, 301, 10))
    assert files_with(path, PLANTED) == []


async def test_the_erased_row_carries_its_commitment(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append([event(1, holder=PLANTED), event(2)])
        await journal.erase(PLANTED)
        gone, kept = await journal.read(0, max_rows=9, max_bytes=9999)
    assert (gone.salt, gone.pii) == (None, None)
    assert len(gone.commitment or b"") == 32
    assert kept.commitment is None
    assert kept.salt is not None


async def test_a_reader_that_holds_the_log_is_told_of(
    opener: Opener, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHECKPOINT_WAIT_MS", 1)
    async with opened(opener, path) as journal:
        await journal.append([event(1, holder=PLANTED)])
        reader = sqlite3.connect(path)
        try:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM event").fetchall()
            with pytest.raises(TracesRemainError, match="close that program"):
                await journal.erase(PLANTED)
            assert files_with(path, PLANTED) != []
        finally:
            reader.close()
        assert await journal.erase(PLANTED) == 0
        assert files_with(path, PLANTED) == []
        await journal.append([event(2)])
        writer = journal._scribe.connection
        [(busy_ms,)] = await writer.execute_fetchall("PRAGMA busy_timeout")
        assert busy_ms == 5000


async def test_a_text_that_is_no_json_stops_no_erasure(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append([event(1), event(2, holder=PLANTED)])
        writer = journal._scribe.connection
        await writer.execute("UPDATE event SET pii = '{broken' WHERE place = 1")
        assert await journal.erase(PLANTED) == 1


async def test_trimming_takes_the_oldest_acknowledged_rows(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 90), state="s")
        await journal.append(events(91, 10))
        assert await journal.trim(50) == 0, "nothing is acknowledged"
        await journal.acknowledge(30)
        assert await journal.trim(50) == 30, "nor more than that"
        assert await journal.trim(50) == 0
        await journal.acknowledge(95)
        assert await journal.trim(50) == 20
        assert await journal.trim(0) == 40, "recovery needs what follows the snapshot"
        assert (journal.count, journal.waiting, journal.acked) == (10, 5, 95)
        found = await journal.verify()
        assert (found.is_sound, found.checked) == (True, 10)
        assert await journal.hash_at(90) is not None, "the next batch builds on it"
        assert await journal.hash_at(89) is None
        assert (await journal.read(90, max_rows=1, max_bytes=999))[0].seq == 91
    assert [row[0] for row in rows_of(path)] == list(range(91, 101))
    async with opened(opener, path) as journal:
        assert (journal.next_seq, journal.acked, journal.count) == (101, 95, 10)
        assert (await journal.verify()).is_sound
        assert len((await journal.recover()).tail) == 10


async def test_trimming_without_a_snapshot_takes_nothing(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 20))
        await journal.acknowledge(20)
        assert await journal.trim(1) == 0


async def test_the_newest_row_is_never_trimmed(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 20), state="s")
        await journal.acknowledge(20)
        assert await journal.trim(-5) == 19
        floor = journal.floor_ms
    async with opened(opener, path) as journal:
        assert (journal.next_seq, journal.floor_ms) == (21, floor)


async def test_trimming_many_rows_goes_by_slices_and_over_epochs(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 1500))
        await journal.acknowledge(1200)
        await journal.new_epoch()
        await journal.append(events(301, 2500), state="s")
        await journal.acknowledge(2800)
        assert await journal.trim(900) == 3100
        assert (await journal.verify()).is_sound
        assert (await journal.verify()).checked == 900
        assert await journal.hash_at(0) is not None
    async with opened(opener, path) as journal:
        assert (journal.next_seq, journal.count) == (2801, 900)
        assert (await journal.verify()).is_sound


async def test_a_trim_keeps_the_mark_ahead_of_the_first_row(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 60), state="s")
        await journal.acknowledge(50)  # below the 64 at which the mark is written
        await journal.trim(20)
    async with opened(opener, path) as journal:
        assert (journal.acked, journal.count) == (50, 20)
        assert await journal.hash_at(50) is not None


async def test_a_walk_along_the_chain_never_meets_rows_vanishing(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 900), state="s")
        await journal.acknowledge(900)
        quick, slow = journal._reader, SlowConnection(journal._reader)
        journal._reader = slow
        slow.go.clear()
        walk = asyncio.create_task(journal.verify())
        await turns(2)
        journal._reader = quick
        trim = asyncio.create_task(journal.trim(10))
        await asyncio.wait([trim], timeout=0.2)
        assert not trim.done(), "it waits for the walk"
        await journal.append(events(901, 1))  # which nobody else waits for
        slow.go.set()
        found = await walk
        assert (found.is_sound, found.checked) == (True, 900)
        assert await trim == 891
