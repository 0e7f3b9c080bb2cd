# SPDX-License-Identifier: Apache-2.0
"""The oracle's own hours: over midnight, on holidays, and between."""

from __future__ import annotations

import pytest

from edge.cli.simulate.oracle.hours import Lies, lies, next_opening_ms, open_at
from edge.core.schedule import Schedule
from tests.core.scene import DAY_MS, HOUR_MS, clock_ms

OFFSET_MS = 8 * HOUR_MS
MONDAY = (clock_ms("00:00") + OFFSET_MS) // DAY_MS


def weekly(*windows: tuple[int, int], **more: dict[int, tuple[()]]) -> Schedule:
    """Return hours of each Monday, the scene's day, in minutes after midnight."""
    week = (windows, *[()] * 6)
    return Schedule(week=week, utc_offset_ms=OFFSET_MS, holidays=more.get("off", {}))


@pytest.mark.parametrize(
    ("local", "days", "is_open"),
    [
        ("07:59:59.999", 0, False),
        ("08:00", 0, True),
        ("11:59:59.999", 0, True),
        ("12:00", 0, False),
        ("22:00", 0, True),
        ("01:59:59.999", 1, True),
        ("02:00", 1, False),
        ("01:00", 0, False),
        ("22:00", 1, False),
        ("22:00", 7, True),
    ],
)
def test_an_instant(local: str, days: int, *, is_open: bool) -> None:
    hours = weekly((480, 720), (1320, 1560))
    assert open_at(hours, clock_ms(local, days=days)) is is_open


def test_a_holiday_takes_its_own_date_with_the_tail() -> None:
    hours = weekly((480, 720), (1320, 1560), off={MONDAY: ()})
    assert not open_at(hours, clock_ms("09:00"))
    assert not open_at(hours, clock_ms("01:00", days=1))
    assert open_at(hours, clock_ms("01:00", days=8))


@pytest.mark.parametrize(
    ("start", "end", "where"),
    [
        ("09:00", "11:00", Lies.INSIDE),
        ("07:00", "08:00", Lies.PARTLY),
        ("07:00", "07:59:59.999", Lies.OUTSIDE),
        ("12:00", "13:00", Lies.OUTSIDE),
        ("07:00", "13:00", Lies.PARTLY),
        ("11:00", "12:00", Lies.PARTLY),
        ("13:00", "21:00", Lies.OUTSIDE),
    ],
)
def test_an_interval(start: str, end: str, where: Lies) -> None:
    hours = weekly((480, 720))
    assert lies(hours, clock_ms(start), clock_ms(end)) is where


def test_windows_that_meet_are_one() -> None:
    hours = weekly((480, 720), (720, 780))
    assert lies(hours, clock_ms("11:00"), clock_ms("12:30")) is Lies.INSIDE


def test_a_clock_without_an_upper_bound() -> None:
    assert lies(weekly((480, 720)), clock_ms("09:00"), 1 << 50) is Lies.PARTLY
    assert lies(weekly(), clock_ms("09:00"), 1 << 50) is Lies.OUTSIDE


def test_the_next_opening() -> None:
    hours = weekly((480, 720), (1320, 1560))
    found = next_opening_ms(hours, clock_ms("13:00"), 12 * HOUR_MS)
    assert found == clock_ms("22:00")
    assert next_opening_ms(hours, clock_ms("13:00"), HOUR_MS) is None
    assert next_opening_ms(hours, clock_ms("09:00"), HOUR_MS) is None
