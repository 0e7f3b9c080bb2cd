# SPDX-License-Identifier: Apache-2.0
"""A new epoch: what was acknowledged stays, what was not is sent again, whole."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Literal

import pytest

from edge.core.chain import genesis
from edge.core.event import decode
from edge.storage.errors import DamagedError, LocalError
from tests.storage.chain_by_hand import as_items, links
from tests.storage.samples import (
    FaultyConnection,
    SlowConnection,
    copied,
    event,
    events,
    opened,
    rows_of,
    tampered,
    turns,
)

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.record import Record
    from edge.storage.journal import Journal
    from tests.storage.samples import Opener


class Platform:
    """The platform's ledger as the contract has it: keys, chain, watermark."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Record] = {}
        self.heads: dict[str, bytes] = {}

    def high(self, epoch: str) -> int:
        return max((seq for name, seq in self.rows if name == epoch), default=0)

    async def drain(self, journal: Journal) -> None:
        epoch = journal.epoch
        head = self.heads.get(epoch, genesis(epoch))
        for record in await journal.read(
            self.high(epoch), max_rows=5000, max_bytes=10**9
        ):
            assert record.seq == self.high(epoch) + 1
            previous = await journal.hash_at(record.seq - 1)
            assert previous == head
            self.rows[epoch, record.seq] = record
            head = self.heads[epoch] = record.hash
        await journal.acknowledge(self.high(epoch))

    def tags(self) -> list[int | str | None]:
        return [
            decode(row.seq, row.core, row.pii).fact("tag") for row in self.rows.values()
        ]


async def test_unacknowledged_rows_begin_the_new_epoch(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 30))
        await journal.acknowledge(10)
        before = await journal.read(10, max_rows=99, max_bytes=10**6)
        assert await journal.new_epoch() == "0002-00000002" == journal.epoch
        assert (journal.acked, journal.waiting, journal.next_seq) == (0, 20, 21)
        assert journal.count == 30
        assert await journal.hash_at(0) == genesis("0002-00000002")
        after = await journal.read(0, max_rows=99, max_bytes=10**6)
        assert [record.seq for record in after] == list(range(1, 21))
        assert [r[1:5] for r in after] == [r[1:5] for r in before], "texts, salt stay"
        assert await journal.hash_at(20) == after[-1].hash == journal.head
        await journal.append([event(21)])
        assert (await journal.verify()).checked == 31
        assert (await journal.verify()).is_sound
        again = journal.epoch, journal.head
    rows = rows_of(path)
    assert links(again[0], as_items(rows[10:])) == [row[5].hex() for row in rows[10:]]
    async with opened(opener, path) as journal:
        assert (journal.epoch, journal.head) == again
        assert (journal.acked, journal.next_seq) == (0, 22)
        assert (await journal.verify()).is_sound


@pytest.mark.parametrize("acked", [0, 7])
async def test_epochs_without_a_row_of_their_own(
    opener: Opener, path: Path, acked: int
) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, acked))
        await journal.acknowledge(acked)
        for number in (2, 3, 4):
            assert (await journal.new_epoch()).startswith(f"{number:04d}-")
            assert (journal.next_seq, journal.head) == (1, genesis(journal.epoch))
            assert (await journal.verify()).is_sound
    async with opened(opener, path) as journal:
        assert (journal.next_seq, journal.head) == (1, genesis(journal.epoch))
        await journal.append([event(1)])
        assert (await journal.verify()).is_sound


async def test_a_restored_card_loses_nothing_and_repeats_only_the_unacknowledged(
    opener: Opener, path: Path, tmp_path: Path
) -> None:
    platform = Platform()
    async with opened(opener, path) as journal:
        await journal.append([event(seq, tag=seq) for seq in range(1, 101)])
        await platform.drain(journal)
        await journal.settle()
        await journal.append([event(seq, tag=seq) for seq in range(101, 111)])
        backup = copied(path, tmp_path / "backup")
        await journal.append([event(seq, tag=seq) for seq in range(111, 151)])
        await platform.drain(journal)
    assert platform.high("0001-00000001") == 150
    async with opened(opener, backup) as journal:
        journal._new_suffix = lambda: "feedbeef"
        await journal.append([event(seq, tag=f"new{seq}") for seq in range(111, 121)])
        assert platform.high(journal.epoch) > journal.last_seq, "the platform is ahead"
        assert await journal.new_epoch() == "0002-feedbeef"
        await platform.drain(journal)
        assert journal.waiting == 0
    expected = {*range(1, 151), *(f"new{seq}" for seq in range(111, 121))}
    tags = platform.tags()
    assert set(tags) == expected, "nothing is lost"
    twice = {tag for tag in tags if tags.count(tag) > 1}
    assert twice == set(range(101, 111)), "stored, and not known to be acknowledged"
    keys = [(row.core, row.salt) for row in platform.rows.values()]
    assert len(set(keys)) == len(expected), "and a repetition can be recognised"


async def test_recovery_spans_the_epochs(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 10), state="before")
        await journal.append(events(11, 20))
        await journal.acknowledge(25)
        await journal.new_epoch()
        await journal.append([event(6)])
        found = await journal.recover()
    assert (found.state, found.state_seq) == ("before", 10)
    assert [e.seq for e in found.tail] == [*range(11, 26), *range(1, 7)]


async def test_a_changed_row_is_not_chained_anew(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        await journal.append(events(1, 20))
        await journal.acknowledge(5)
        await journal.settle()
    tampered(
        path, "UPDATE event SET core = replace(core, 'boot', 'root') WHERE place=9"
    )
    async with opened(opener, path) as journal:
        with pytest.raises(DamagedError, match="9"):
            await journal.new_epoch()
        assert (journal.epoch, journal.next_seq) == ("0001-00000001", 21)
        assert (await journal.verify()).first_bad_seq == 9
    tampered(path, "DELETE FROM event WHERE place = 9")
    async with opened(opener, path) as journal:
        with pytest.raises(DamagedError):
            await journal.new_epoch()


async def test_a_read_that_meets_a_new_epoch_returns_nothing(
    opener: Opener, path: Path
) -> None:
    """Its numbers would be those of the old epoch, its hashes those of the new."""
    async with opened(opener, path) as journal:
        await journal.append(events(1, 20))
        await journal.acknowledge(10)
        slow = SlowConnection(journal._reader)
        journal._reader = slow
        slow.go.clear()
        reading = asyncio.create_task(journal.read(10, max_rows=9, max_bytes=9999))
        await turns(2)
        await journal.new_epoch()
        slow.go.set()
        assert await reading == []
        assert (await journal.read(0, max_rows=1, max_bytes=9999))[0].seq == 1


async def test_a_bad_suffix_is_refused(opener: Opener, path: Path) -> None:
    async with opened(opener, path) as journal:
        journal._new_suffix = lambda: "not hex!"
        with pytest.raises(LocalError, match="8 hex"):
            await journal.new_epoch()
        assert journal.epoch == "0001-00000001"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_disk_fault_leaves_the_old_epoch_or_the_new(
    opener: Opener, tmp_path: Path, when: Literal["before", "after"]
) -> None:
    for number in range(1, 12):
        path = tmp_path / str(number) / "journal.db"
        path.parent.mkdir()
        async with opened(
            opener, path, lambda inner: FaultyConnection(inner, when)
        ) as journal:
            faulty = journal._scribe.connection
            assert isinstance(faulty, FaultyConnection)
            await journal.append(events(1, 40))
            await journal.acknowledge(15)
            faulty.failing = {faulty.calls + number}
            try:
                await journal.new_epoch()
            except sqlite3.OperationalError:
                await journal.settle()
            faulty.failing = set()
            assert (journal.epoch[:4], journal.next_seq) in (("0001", 41), ("0002", 26))
            assert journal.waiting == 25
            assert (await journal.verify()).is_sound
            await journal.append(events(journal.next_seq, 1))
            assert (await journal.verify()).is_sound
