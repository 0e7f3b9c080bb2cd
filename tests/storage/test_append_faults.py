# SPDX-License-Identifier: Apache-2.0
"""A disk that fails at any call: nothing lost, nothing doubled, nothing pretended."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Literal

import pytest

from edge.storage.errors import LocalError
from tests.storage.samples import FaultyConnection, event, events, opened, rows_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from edge.storage.connection import Connection
    from edge.storage.journal import Journal
    from tests.storage.samples import Opener

#: Calls that the scenario below makes in all; the sweep fails each of them once.
CALLS = 70
WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")


class Bench:
    """A journal whose writer is a FaultyConnection, and what it was given."""

    def __init__(self, when: Literal["before", "after"]) -> None:
        self._when = when
        self.faulty: FaultyConnection

    def wrap(self, inner: Connection) -> FaultyConnection:
        self.faulty = FaultyConnection(inner, self._when)
        return self.faulty

    def fail_at(self, *offsets: int) -> None:
        self.faulty.failing = {self.faulty.calls + offset for offset in offsets}


async def until_done(work: Callable[[], Awaitable[Any]]) -> int:
    """Repeat as the gateway does; the number of tries that failed."""
    for failures in range(20):
        try:
            await work()
        except sqlite3.OperationalError:
            continue
        return failures
    raise AssertionError("never succeeded")


async def scenario(journal: Journal) -> None:
    await until_done(lambda: journal.append(events(1, 1)))
    await until_done(lambda: journal.append(events(2, 3)))
    await until_done(lambda: journal.append(events(5, 100)))
    await until_done(lambda: journal.append(events(105, 2), state="first"))
    await journal.acknowledge(70)
    await journal.acknowledge(90)
    await until_done(journal.settle)
    await until_done(lambda: journal.append(events(107, 200), state="second"))
    await until_done(lambda: journal.erase("h3"))
    await until_done(lambda: journal.trim(250))
    await until_done(lambda: journal.append(events(307, 4)))


def assert_whole(path: Path) -> None:
    rows = rows_of(path)
    tags = [row[0] for row in rows]
    assert tags == list(range(tags[0], 311))
    assert tags[0] == 57
    with sqlite3.connect(path) as connection:
        [state] = connection.execute("SELECT place, body FROM state")
    connection.close()
    assert state == (306, "second")


@pytest.mark.parametrize("when", WHEN)
async def test_each_call_fails_once_and_the_caller_tries_again(
    opener: Opener, tmp_path: Path, when: Literal["before", "after"]
) -> None:
    raised = 0
    for number in range(1, CALLS + 1):
        path = tmp_path / str(number) / "journal.db"
        path.parent.mkdir()
        bench = Bench(when)
        async with opened(opener, path, bench.wrap) as journal:
            bench.fail_at(number)
            await scenario(journal)
            raised += bench.faulty.raised
            assert (await journal.verify()).is_sound, number
            assert (journal.last_seq, journal.acked) == (310, 90), number
        assert_whole(path)
    assert 20 < raised < CALLS, "the sweep must begin and end within the scenario"


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("distance", [1, 2, 3, 5])
async def test_two_faults_the_second_while_recovering_from_the_first(
    opener: Opener, tmp_path: Path, when: Literal["before", "after"], distance: int
) -> None:
    for number in range(1, CALLS, 3):
        path = tmp_path / str(number) / "journal.db"
        path.parent.mkdir()
        bench = Bench(when)
        async with opened(opener, path, bench.wrap) as journal:
            bench.fail_at(number, number + distance)
            await scenario(journal)
            assert (await journal.verify()).is_sound, number
        assert_whole(path)


async def test_a_failed_commit_moves_nothing(opener: Opener, path: Path) -> None:
    bench = Bench("before")
    async with opened(opener, path, bench.wrap) as journal:
        await journal.append(events(1, 3))
        before = (journal.next_seq, journal.head, journal.floor_ms, journal.waiting)
        bench.fail_at(1)
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(4, 2))
        after = (journal.next_seq, journal.head, journal.floor_ms, journal.waiting)
        assert after == before
        await journal.append([event(4, tag="another"), event(5)])
        assert journal.next_seq == 6


async def test_a_lost_answer_is_recognised_and_not_stored_twice(
    opener: Opener, path: Path
) -> None:
    bench = Bench("after")
    async with opened(opener, path, bench.wrap) as journal:
        bench.fail_at(1)
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 3))
        assert journal.next_seq == 1
        await journal.settle()
        assert journal.next_seq == 4, "the database was asked before the next write"
        await journal.append(events(1, 5))
        assert journal.next_seq == 6
        for count in (3, 5):
            with pytest.raises(LocalError):
                await journal.append(events(1, count))
    assert [row[0] for row in rows_of(path)] == [1, 2, 3, 4, 5]


async def test_other_events_under_stored_numbers_are_refused(
    opener: Opener, path: Path
) -> None:
    bench = Bench("after")
    async with opened(opener, path, bench.wrap) as journal:
        bench.fail_at(1)
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 3))
        with pytest.raises(LocalError, match="event 1 came where 4 was due"):
            await journal.append(events(1, 3, tag="another"))
        await journal.append(events(1, 4))
        assert journal.next_seq == 5


async def test_a_rollback_that_fails_does_not_fake_a_commit(
    opener: Opener, path: Path
) -> None:
    bench = Bench("before")
    async with opened(opener, path, bench.wrap) as journal:
        # The INSERT after BEGIN fails, and so do the ROLLBACK and the next attempt's.
        bench.fail_at(2, 3, 4)
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 2), state="s")
        assert bench.faulty.raised == 2
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 1))
        assert bench.faulty.raised == 3
        assert rows_of(path) == []
        await journal.append(events(1, 1))
        assert [row[0] for row in rows_of(path)] == [1], "seen from outside: committed"


async def test_a_transaction_left_open_ends_before_the_next_write(
    opener: Opener, path: Path
) -> None:
    bench = Bench("before")
    async with opened(opener, path, bench.wrap) as journal:
        bench.fail_at(2, 3)  # the INSERT and the ROLLBACK
        with pytest.raises(sqlite3.OperationalError):
            await journal.append(events(1, 2), state="s")
        await journal.append(events(1, 1))
        assert [row[0] for row in rows_of(path)] == [1]


async def test_an_acknowledgement_outlives_a_dead_disk(
    opener: Opener, path: Path
) -> None:
    bench = Bench("before")
    async with opened(opener, path, bench.wrap) as journal:
        await journal.append(events(1, 200))
        bench.fail_at(*range(1, 50))
        await journal.acknowledge(150)
        assert journal.acked == 150
        assert bench.faulty.raised > 0
        with pytest.raises(sqlite3.OperationalError):
            await journal.settle()
        bench.faulty.failing = set()
        await journal.settle()
    async with opened(opener, path) as journal:
        assert journal.acked == 150
