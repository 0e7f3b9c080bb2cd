# SPDX-License-Identifier: Apache-2.0
"""Whoever gives up waiting for a commit does not break it off."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import pytest

from edge.storage.shield import finish
from tests.storage.samples import SlowConnection, events, opened, rows_of, turns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.samples import Opener


@pytest.mark.parametrize("state", [None, "s"], ids=["statement", "transaction"])
@pytest.mark.parametrize("patience", range(6))
async def test_a_cancelled_append_is_stored_and_the_next_goes_on(
    opener: Opener, path: Path, state: str | None, patience: int
) -> None:
    async with opened(opener, path, SlowConnection) as journal:
        slow = journal._scribe.connection
        assert isinstance(slow, SlowConnection)
        await journal.append(events(1, 2))
        slow.go.clear()
        task = asyncio.create_task(journal.append(events(3, 2), state))
        await turns(patience + 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert journal.next_seq == 3, "memory waits for the database's word"
        slow.go.set()
        await journal.append(events(5, 1))
        assert journal.next_seq == 6
        assert (await journal.verify()).is_sound
    assert [row[0] for row in rows_of(path)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("state", [None, "s"])
async def test_cancelled_at_any_turn_of_the_loop(
    opener: Opener, path: Path, state: str | None
) -> None:
    async with opened(opener, path) as journal:
        for patience in range(40):
            first = journal.next_seq
            task = asyncio.create_task(journal.append(events(first, 2), state))
            await turns(patience)
            task.cancel()
            await asyncio.wait([task])
            await journal.settle()  # passes only when the append before is through
            assert journal.next_seq in (first, first + 2)
        assert (await journal.verify()).is_sound
        await journal.append(events(journal.next_seq, 1))
        stored = journal.next_seq - 1
    assert [row[0] for row in rows_of(path)] == list(range(1, stored + 1))


async def test_an_append_that_fails_after_its_caller_left_moves_nothing(
    opener: Opener, path: Path
) -> None:
    async with opened(opener, path, SlowConnection) as journal:
        slow = journal._scribe.connection
        assert isinstance(slow, SlowConnection)
        slow.go.clear()
        task = asyncio.create_task(journal.append(events(1, 1)))
        await turns(3)
        task.cancel()
        await asyncio.wait([task])
        slow.is_failing = True
        slow.go.set()
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 2))
        assert journal.next_seq == 1
        slow.is_failing = False
        await journal.append(events(1, 2))
        assert journal.next_seq == 3


async def test_a_loop_that_ends_mid_commit_leaves_a_journal_that_knows(
    opener: Opener, path: Path
) -> None:
    """The task behind the shield is cancelled too: the outcome is asked for."""
    async with opened(opener, path, SlowConnection) as journal:
        slow = journal._scribe.connection
        assert isinstance(slow, SlowConnection)
        slow.go.clear()
        before = asyncio.all_tasks()
        task = asyncio.create_task(journal.append(events(1, 2), "s"))
        await turns(3)
        for inner in asyncio.all_tasks() - before:
            inner.cancel()
        slow.go.set()
        await asyncio.wait([task])
        assert task.cancelled()
        await journal.append(events(1, 3))
        assert journal.next_seq == 4
    assert [row[0] for row in rows_of(path)] == [1, 2, 3]


async def test_finish_hands_over_values_errors_and_steps() -> None:
    seen = []

    async def work(count: int, error: Exception | None) -> int:
        for number in range(count):
            await asyncio.sleep(0)
            seen.append(number)
        if error is not None:
            raise error
        return count

    for count in (0, 1, 5):
        seen.clear()
        assert await finish(work(count, None)) == count
        assert seen == list(range(count))
        with pytest.raises(KeyError):
            await finish(work(count, KeyError("planted")))
