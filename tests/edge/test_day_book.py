# SPDX-License-Identifier: Apache-2.0
"""Days cut out of a journal: by its numbers, once, through whatever clocks do."""

from __future__ import annotations

import json
import random
import sqlite3
from typing import TYPE_CHECKING

import pytest

from edge.cli import day_book
from edge.cli.day_book import DAY_MS, SHOWN_DAYS, DayBook, DayState
from edge.core.event import NOBODY, Event, EventKind, Person
from edge.core.moment import Moment
from edge.storage.connection import InlineConnection
from edge.storage.journal import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.storage.marks import Mark

OFFSET_MS = 8 * 3_600_000
#: Midnight in Guangzhou, when 2025-10-08 begins there.
MIDNIGHT_MS = 1_759_852_800_000
HOUR_MS = 3_600_000


def at(hours: float) -> Moment:
    """Return the moment so many hours after that midnight."""
    lo = MIDNIGHT_MS + int(hours * HOUR_MS)
    return Moment(monotonic_s=1.0, earliest_ms=lo, latest_ms=lo + 10, boot="b")


class Bench:
    """A journal in memory and its book in a file."""

    def __init__(self, journal: Journal, path: Path) -> None:
        self.journal = journal
        self.path = path
        self.book = DayBook(journal, path, OFFSET_MS)

    def reopened(self) -> Bench:
        return Bench(self.journal, self.path)

    async def happen(self, *hours: float, is_acked: bool = True) -> None:
        first = self.journal.next_seq
        events = [
            Event(
                seq=seq,
                kind=EventKind.DOOR_OPENED,
                moment=at(hour),
                subject="d",
                person=Person(holder=f"h-{seq}") if seq % 2 else NOBODY,
            )
            for seq, hour in enumerate(hours, first)
        ]
        await self.journal.append(events)
        if is_acked:
            await self.journal.acknowledge(self.journal.last_seq)

    async def cut(self, hours: float) -> list[tuple[str, str, int, int]]:
        """Look at that hour; return all that waits to be told."""
        await self.book.look(at(hours))
        waiting = self.book.waiting()
        return [(day.epoch[:4], day.day[5:], day.first, day.last) for day in waiting]


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    connection = InlineConnection(sqlite3.connect(":memory:", isolation_level=None))
    rng = random.Random(3)
    journal = await Journal.open(
        connection,
        connection,
        new_epoch=lambda: rng.randbytes(4).hex(),
        salt=lambda: rng.randbytes(16),
    )
    return Bench(journal, tmp_path / "days.json")


async def test_a_day_is_cut_where_the_next_one_begins(bench: Bench) -> None:
    await bench.happen(1, 5, 23.9)
    assert await bench.cut(23.95) == [], "it is not over"
    await bench.happen(24.2, 30)
    assert await bench.cut(30) == [("0001", "10-08", 1, 3)]
    [day] = bench.book.waiting()
    assert day.hash == await bench.journal.hash_at(3)
    assert day.count == 3


async def test_a_day_without_a_successor_is_over_once_the_clock_says_so(
    bench: Bench,
) -> None:
    await bench.happen(1, 5)
    assert await bench.cut(24.05) == [], "what was written late may still come"
    assert await bench.cut(24.2) == [("0001", "10-08", 1, 2)]
    assert not await bench.book.look(at(25)), "and only once"


async def test_what_is_not_acknowledged_is_not_told(bench: Bench) -> None:
    await bench.happen(1, 5)
    await bench.happen(6, 25, is_acked=False)
    assert await bench.cut(26) == []
    await bench.journal.acknowledge(3)
    assert await bench.cut(26.1) == [], "the day's end is not acknowledged"
    await bench.journal.acknowledge(4)
    assert await bench.cut(26.2) == [("0001", "10-08", 1, 3)]


async def test_a_clock_that_went_back_begins_another_stretch_and_changes_none(
    bench: Bench,
) -> None:
    await bench.happen(1, 5, 49, 50)  # somebody set the clock two days ahead
    await bench.happen(6, 7)
    await bench.happen(25)
    assert await bench.cut(26) == [
        ("0001", "10-08", 1, 2),
        ("0001", "10-10", 3, 4),
        ("0001", "10-08", 5, 6),
    ]
    assert await bench.cut(50) == [
        ("0001", "10-08", 1, 2),
        ("0001", "10-10", 3, 4),
        ("0001", "10-08", 5, 6),
        ("0001", "10-09", 7, 7),
    ]


async def test_a_disk_that_fails_in_the_middle_of_a_look_loses_no_day(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_book, "SLICE_ROWS", 2)
    await bench.happen(1, 5, 25, 26, 49, 50)
    read, left = bench.journal.marks, 3

    async def tripping(epoch: str, seq: int, max_rows: int) -> list[Mark]:
        nonlocal left
        left -= 1
        if left == 0:
            raise sqlite3.OperationalError("disk I/O error")
        return await read(epoch, seq, max_rows)

    monkeypatch.setattr(bench.journal, "marks", tripping)
    with pytest.raises(sqlite3.OperationalError):
        await bench.book.look(at(50))
    assert await bench.cut(50) == [
        ("0001", "10-08", 1, 2),
        ("0001", "10-09", 3, 4),
    ]


async def test_what_waited_over_midnight_does_not_cut_it_to_shreds(
    bench: Bench,
) -> None:
    await bench.happen(1, 24.01, 23.99, 24.02, 23.98, 24.03, 30)
    assert await bench.cut(49) == [("0001", "10-08", 1, 1), ("0001", "10-09", 2, 7)]


async def test_a_new_epoch_in_the_middle_of_a_day_ends_a_stretch(bench: Bench) -> None:
    await bench.happen(1, 5, 9)
    await bench.cut(9)
    await bench.happen(10, 11, is_acked=False)
    await bench.journal.new_epoch()
    await bench.happen(12, 25)
    assert await bench.cut(26) == [("0001", "10-08", 1, 3), ("0002", "10-08", 1, 3)]
    ended, anew = bench.book.waiting()
    assert ended.epoch != anew.epoch
    assert anew.hash == await bench.journal.hash_at(3)
    assert [day["events"] for day in bench.book.shown()] == [6]


async def test_stretches_of_any_clock_tile_the_journal(bench: Bench) -> None:
    rng = random.Random(11)
    hours = 1.0
    for _ in range(40):
        hours += rng.choice([0.1, 0.5, 3, 11, 26, -0.2, -30])
        await bench.happen(*[hours + n / 100 for n in range(rng.randrange(1, 6))])
        if rng.random() < 0.2:
            await bench.journal.new_epoch()
        if rng.random() < 0.2:
            bench.book = bench.reopened().book
        await bench.book.look(at(hours))
    await bench.happen(hours + 100)
    await bench.book.look(at(hours + 130))
    days = bench.book.waiting()
    lengths: dict[str, int] = {}
    for day in days:
        assert day.first == lengths.get(day.epoch, 0) + 1
        lengths[day.epoch] = day.last
    told = [mark async for mark in marks(bench.journal)]
    assert sum(lengths.values()) == len(told)


async def marks(journal: Journal) -> AsyncIterator[tuple[str, int]]:
    at_mark = ("", 0)
    while found := await journal.marks(*at_mark, 7):
        for mark in found:
            at_mark = (mark.epoch, mark.seq)
            yield at_mark


async def test_ticks_outlive_a_restart_trimming_and_an_erased_person(
    bench: Bench,
) -> None:
    await bench.happen(1, 5, 25, 26)
    await bench.cut(26)
    [day] = bench.book.waiting()
    assert not await bench.book.judged(day, is_agreed=True)
    anew = bench.reopened()
    assert anew.book.waiting() == ()
    assert [(one["day"], one["state"]) for one in anew.book.shown()] == [
        ("2025-10-08", DayState.AGREED),
    ]
    await bench.journal.append([], state="{}")
    await bench.journal.trim(1)
    await bench.journal.erase("h-3")
    await anew.happen(49)
    assert await anew.cut(50) == [("0001", "10-09", 4, 4)], "3 was trimmed uncut"


async def test_a_difference_is_news_once_and_asked_about_until_it_is_mended(
    bench: Bench,
) -> None:
    await bench.happen(1, 25)
    await bench.cut(26)
    [day] = bench.book.waiting()
    assert await bench.book.judged(day, is_agreed=False)
    assert not await bench.book.judged(day, is_agreed=False)
    assert bench.book.waiting() == (day,)
    assert bench.reopened().book.shown()[0]["state"] is DayState.DIFFERS
    assert not await bench.book.judged(day, is_agreed=True)
    assert bench.book.waiting() == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"reached":["",0],"days":[{}]}'])
async def test_a_damaged_file_costs_ticks_alone(bench: Bench, text: str) -> None:
    bench.path.write_text(text, "ascii")
    anew = bench.reopened()
    await anew.happen(1, 25)
    assert await anew.cut(26) == [("0001", "10-08", 1, 1)]
    assert json.loads(bench.path.read_text("ascii"))["reached"][1] == 1


async def test_a_tampered_row_belongs_to_the_day_it_stands_in(tmp_path: Path) -> None:
    raw = sqlite3.connect(":memory:", isolation_level=None)
    journal = await Journal.open(
        InlineConnection(raw),
        InlineConnection(raw),
        new_epoch=lambda: "00c0ffee",
        salt=lambda: bytes(16),
    )
    bench = Bench(journal, tmp_path / "days.json")
    await bench.happen(1, 2, 3, 25)
    raw.execute("UPDATE event SET core = '{' WHERE place = 2")
    raw.execute("""UPDATE event SET core = '{"lo":"x"}' WHERE place = 3""")
    assert await bench.cut(26) == [("0001", "10-08", 1, 3)]


async def test_status_shows_the_last_days_alone(bench: Bench) -> None:
    await bench.happen(*[1 + 24 * n for n in range(40)])
    await bench.book.look(at(24 * 41))
    shown = bench.book.shown()
    assert len(shown) == SHOWN_DAYS
    assert shown == sorted(shown, key=lambda day: str(day["day"]))


def test_the_midnight_of_these_tests_is_one() -> None:
    assert (MIDNIGHT_MS + OFFSET_MS) % DAY_MS == 0
