# SPDX-License-Identifier: Apache-2.0
"""At its caps the journal drops nothing that is not acknowledged, and says so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.cli.journal_room import Caps, JournalRoom
from edge.core.stimulus import RoomChanged
from edge.storage.connection import open_inline
from tests.storage.samples import events, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.storage.journal import Journal

CAPS = Caps(events=100, used_bytes=10**9, reserve_bytes=0)


class Kept:
    """A journal, its room, and what that said."""

    def __init__(self, journal: Journal, folder: Path, caps: Caps) -> None:
        self.journal = journal
        self.news: list[RoomChanged] = []
        self.room = JournalRoom(journal, folder, self.news.append, caps)

    async def grow(self, count: int) -> None:
        """Store so many events with a snapshot behind them, and look."""
        await self.journal.append(events(self.journal.next_seq, count), "s")
        await self.room.look()

    async def acknowledge(self) -> None:
        await self.journal.acknowledge(self.journal.last_seq)
        await self.room.look()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with opened(open_inline, tmp_path / "journal.db") as fresh:
        yield fresh


async def test_what_is_not_acknowledged_stays_and_is_told_once(
    journal: Journal, tmp_path: Path
) -> None:
    kept = Kept(journal, tmp_path, CAPS)
    await kept.grow(100)
    assert kept.news == []
    for _ in range(3):
        await kept.grow(20)
    assert kept.news == [RoomChanged(is_crowded=True, waiting=120)]
    assert (journal.count, journal.waiting) == (160, 160), "nothing was dropped"
    await journal.acknowledge(64)
    await kept.room.look()
    assert (journal.count, journal.waiting) == (100, 96)
    assert kept.room.is_crowded, "a cap that is just left would come and go"
    await kept.acknowledge()
    assert kept.news[1:] == [RoomChanged(is_crowded=False, waiting=0)]
    assert journal.count == 100


async def test_bytes_are_a_cap_as_well(journal: Journal, tmp_path: Path) -> None:
    kept = Kept(journal, tmp_path, replace(CAPS, events=10**6))
    await kept.grow(4_000)
    used = await journal.used_bytes()
    kept.room._caps = replace(CAPS, events=10**6, used_bytes=used // 2)
    await kept.room.look()
    assert kept.news == [RoomChanged(is_crowded=True, waiting=4_000)]
    await kept.acknowledge()
    assert 1_000 < journal.count < 2_500, "the oldest acknowledged ones went"
    await kept.room.look()
    assert await journal.used_bytes() <= used // 2
    assert not kept.room.is_crowded


async def test_a_disk_that_others_filled_counts_too(
    journal: Journal, tmp_path: Path
) -> None:
    free = shutil.disk_usage(tmp_path).free
    kept = Kept(journal, tmp_path, replace(CAPS, reserve_bytes=4 * free))
    await kept.grow(1)
    assert kept.news == [RoomChanged(is_crowded=True, waiting=1)]
