# SPDX-License-Identifier: Apache-2.0
"""Two workers serve one shard for a moment: an early word and its event still meet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_sync import envelope
from cloud_sync.platform import early_words, registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.reception import Outcome
from cloud_sync.platform.told_beside import Early
from cloud_sync.platform.uplink import read
from tests.cloud_sync.platform.desk import NOW_MS, TOPICS, Desk, batch, journal
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.settings import Settings

ROUNDS = 20
JOURNAL = journal(ROUNDS)


def early(seq: int) -> tuple[str, bytes]:
    return TOPICS.alarm, envelope.early(GATEWAY, EPOCH, JOURNAL[seq - 1], NOW_MS)


@pytest.mark.parametrize("is_word_first", [True, False])
async def test_who_comes_second_waits_for_the_first_and_joins(
    desk: Desk, settings: Settings, tmp_path: Path, *, is_word_first: bool
) -> None:
    word, events = early(3), (TOPICS.events, batch(JOURNAL, 1, 5))
    async with open_database(settings, tmp_path) as other:
        second = Desk(other)
        async with desk.database.writing() as work:
            if is_word_first:
                await registry.hear(work, [(GATEWAY, SHARD)], NOW_MS)
                said = read(*word).said
                assert isinstance(said, Early)
                await early_words.take(work, GATEWAY, said, NOW_MS)
                late = asyncio.ensure_future(second.take([events]))
            else:
                heard = [read(*events)]
                await registry.hear(work, [(GATEWAY, SHARD)], NOW_MS)
                await desk.reception._store(work, heard, Outcome(), NOW_MS)
                late = asyncio.ensure_future(second.take([word]))
            await asyncio.wait([late], timeout=0.3)
            assert not late.done(), "it may see nothing of the other yet"
        await late
    rows = await desk.table("SELECT seq, joined_ms, differs FROM early")
    assert rows == [(3, NOW_MS, 0)]


async def test_however_they_race_every_word_is_joined(
    desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    async with open_database(settings, tmp_path) as other:
        second = Desk(other)
        for seq in range(1, ROUNDS + 1):
            events = TOPICS.events, batch(JOURNAL, seq, 1)
            await asyncio.gather(desk.take([events]), second.take([early(seq)]))
    rows = await desk.table("SELECT seq, joined_ms, differs FROM early ORDER BY seq")
    assert rows == [(seq, NOW_MS, 0) for seq in range(1, ROUNDS + 1)]
