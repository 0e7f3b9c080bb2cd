# SPDX-License-Identifier: Apache-2.0
"""How an interval of time lies to a half-open window."""

from __future__ import annotations

import random

import pytest

from edge.core.moment import UNBOUNDED_MS, ClockVerdict, Moment
from tests.core.scene import moment

START, END = 1000, 2000


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        (0, 999, "before"),
        (0, 1000, "unsure"),
        (999, 1000, "unsure"),
        (1000, 1000, "inside"),
        (1000, 1999, "inside"),
        (1999, 1999, "inside"),
        (1999, 2000, "unsure"),
        (999, 2000, "unsure"),
        (2000, 2000, "after"),
        (2000, UNBOUNDED_MS, "after"),
        (1500, UNBOUNDED_MS, "unsure"),
        (0, UNBOUNDED_MS, "unsure"),
    ],
)
def test_each_edge_of_the_window(earliest: int, latest: int, expected: str) -> None:
    assert moment(earliest, latest).against(START, END) == ClockVerdict(expected)


def _by_counting(now: Moment, start: int, end: int) -> ClockVerdict:
    """Ask every millisecond that the true time could be."""
    possible = range(now.earliest_ms, now.latest_ms + 1)
    places = {
        ClockVerdict.BEFORE
        if ms < start
        else ClockVerdict.INSIDE
        if ms < end
        else ClockVerdict.AFTER
        for ms in possible
    }
    return places.pop() if len(places) == 1 else ClockVerdict.UNSURE


@pytest.mark.parametrize("seed", range(3))
def test_the_verdict_is_what_every_possible_millisecond_says(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(2000):
        start = chance.randrange(20)
        end = start + chance.randrange(1, 20)
        earliest = chance.randrange(45)
        now = moment(earliest, earliest + chance.choice((0, 0, 1, 5, 45)))
        expected = _by_counting(now, start, end)
        assert now.against(start, end) == expected, (seed, now, start, end)


def test_no_bound_is_the_end_of_the_year_9999() -> None:
    seconds = 253_402_300_800  # 10000-01-01T00:00:00Z, from the POSIX formula
    assert seconds * 1000 - 1 == UNBOUNDED_MS
