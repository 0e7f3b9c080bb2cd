# SPDX-License-Identifier: Apache-2.0
"""Weekly hours: midnight, holidays, clocks that are unsure, and how hours are told."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from edge.core.moment import UNBOUNDED_MS, ClockVerdict
from edge.core.schedule import DAY_MS, Schedule, read_hours, read_windows
from tests.core.scene import clock_ms, moment

if TYPE_CHECKING:
    from edge.core.moment import Moment
    from edge.core.schedule import Window

OFFSET_MS = 8 * 3_600_000
#: The scene's day, 2 March 2026, is a Monday.
MONDAY = clock_ms("00:00") // 86_400_000 + 1


def hours(told: str, **holidays: str) -> Schedule:
    """Return a schedule; holidays are told as ``plus_N="09:00-12:00"``."""
    return Schedule(
        week=read_hours(told),
        utc_offset_ms=OFFSET_MS,
        holidays={
            MONDAY + int(name.removeprefix("plus_")): read_windows(windows)
            for name, windows in holidays.items()
        },
    )


@pytest.mark.parametrize(
    ("told", "at", "days", "until", "expected"),
    [
        ("daily 08:00-22:00", "07:59:59.999", 0, None, "before"),
        ("daily 08:00-22:00", "08:00", 0, None, "inside"),
        ("daily 08:00-22:00", "21:59:59.999", 0, None, "inside"),
        ("daily 08:00-22:00", "22:00", 0, None, "before"),
        ("daily 08:00-22:00", "07:59", 0, "08:00", "unsure"),
        ("daily 08:00-22:00", "21:59", 0, "22:00", "unsure"),
        ("mon 08:00-22:00", "12:00", 1, None, "before"),
        ("sat-mon 08:00-22:00", "12:00", 0, None, "inside"),
        ("mon 20:00-26:00", "01:59", 1, None, "inside"),
        ("mon 20:00-02:00", "01:59", 1, None, "inside"),
        ("mon 20:00-02:00", "02:00", 1, None, "before"),
        ("mon 20:00-02:00", "01:59", 0, None, "before"),
        ("mon 20:00-24:00; tue 00:00-06:00", "23:00", 0, "23:59:59.999", "inside"),
        ("mon 08:00-12:00 11:00-18:00", "10:00", 0, "17:00", "inside"),
        ("mon 08:00-12:00 14:00-18:00", "10:00", 0, "15:00", "unsure"),
        ("sun 00:00-24:00", "12:00", 0, None, "before"),
        ("", "12:00", 0, None, "before"),
    ],
)
def test_a_moment_against_the_hours(
    told: str, at: str, days: int, until: str | None, expected: str
) -> None:
    earliest = clock_ms(at, days=days)
    latest = clock_ms(until, days=days) if until else None
    assert hours(told).against(moment(earliest, latest)) == ClockVerdict(expected)


def test_an_interval_over_midnight_is_inside_when_two_days_windows_meet() -> None:
    schedule = hours("mon 20:00-24:00; tue 00:00-06:00")
    now = moment(clock_ms("23:00"), clock_ms("05:59", days=1))
    assert schedule.against(now) is ClockVerdict.INSIDE


def test_without_an_upper_bound_nobody_knows() -> None:
    now = moment(clock_ms("12:00"), UNBOUNDED_MS)
    assert hours("daily 08:00-22:00").against(now) is ClockVerdict.UNSURE
    assert hours("").against(now) is ClockVerdict.BEFORE


def test_a_holiday_replaces_its_own_date_and_keeps_the_tail_of_the_day_before() -> None:
    schedule = hours("daily 10:00-26:00", plus_1="", plus_2="12:00-13:00")
    judged = {
        (days, at): schedule.against(moment(clock_ms(at, days=days)))
        for days, at in ((1, "01:00"), (1, "12:00"), (2, "01:00"), (2, "12:30"))
    }
    inside, outside = ClockVerdict.INSIDE, ClockVerdict.BEFORE
    assert list(judged.values()) == [inside, outside, outside, inside]


def test_when_it_opens_next_and_when_it_closed() -> None:
    schedule = hours("mon-fri 08:00-12:00 14:00-18:00", plus_1="")
    noon = clock_ms("12:30")
    assert schedule.next_start_ms(noon) == clock_ms("14:00")
    assert schedule.last_end_ms(noon) == clock_ms("12:00")
    assert schedule.closing_ms(noon) is None
    evening = clock_ms("19:00")
    assert schedule.next_start_ms(evening) == clock_ms("08:00", days=2)
    assert schedule.next_start_ms(evening, until_day=schedule.day(evening)) is None
    assert schedule.closing_ms(clock_ms("15:00")) == clock_ms("18:00")
    assert hours("").next_start_ms(noon) is None


def test_an_opening_that_goes_on_over_midnight_closes_once() -> None:
    schedule = hours("mon 20:00-24:00; tue 00:00-06:00")
    assert schedule.closing_ms(clock_ms("21:00")) == clock_ms("06:00", days=1)


@pytest.mark.parametrize("seed", range(5))
def test_the_verdict_is_what_looking_at_every_minute_gives(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        start, length = chance.randrange(1440), chance.randrange(1, 1440)
        day = chance.randrange(7)
        name = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day]
        end = start + length
        told = f"{name} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
        schedule = hours(told)
        for _ in range(20):
            minute = chance.randrange(7 * 1440)
            is_in = (minute - day * 1440 - start) % (7 * 1440) < length
            judged = schedule.against(moment(clock_ms("00:00") + minute * 60_000))
            assert (judged is ClockVerdict.INSIDE) == is_in, (seed, told, minute)


@pytest.mark.parametrize("seed", range(20))
def test_what_was_asked_before_changes_no_answer(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        schedule = _random_hours(chance)
        at_ms = clock_ms("12:00")
        for _ in range(60):
            at_ms += chance.choice((1, 1_000, 60_000, 3_600_000, DAY_MS, 9 * DAY_MS))
            asked_ms = at_ms - chance.choice((0, 0, 0, 1_800_000, 2 * DAY_MS))
            asked_ms = _at_an_edge(schedule, asked_ms, chance)
            wide_ms = chance.choice((0, 1, 40, 7_200_000, 3 * DAY_MS, 40 * DAY_MS))
            now = moment(asked_ms, asked_ms + wide_ms)
            told = (seed, schedule, now)
            assert schedule.against(now) is _unremembered_verdict(schedule, now), told
            closing_ms = _unremembered_closing_ms(schedule, asked_ms)
            assert schedule.closing_ms(asked_ms) == closing_ms, told


def _random_hours(chance: random.Random) -> Schedule:
    def windows(most: int) -> tuple[Window, ...]:
        starts = [chance.choice((0, 1, 480, 720, 1_439)) for _ in range(most)]
        lengths = [chance.choice((1, 240, 720, 1_439, 1_440)) for _ in range(most)]
        return tuple((s, s + n) for s, n in zip(starts, lengths, strict=True))

    most = chance.choice((0, 1, 1, 2))
    return Schedule(
        week=tuple(windows(chance.randint(0, most)) for _ in range(7)),
        utc_offset_ms=OFFSET_MS,
        holidays={
            MONDAY + chance.randrange(20): windows(chance.randint(0, 1))
            for _ in range(3)
        },
    )


def _at_an_edge(schedule: Schedule, utc_ms: int, chance: random.Random) -> int:
    """Return now and then where a window near by begins or ends, or one ms before."""
    near = [edge for each in schedule.openings(utc_ms, utc_ms) for edge in each]
    if not near or chance.random() < 0.5:
        return utc_ms
    return chance.choice(near) - chance.randrange(2)


def _unremembered_verdict(schedule: Schedule, now: Moment) -> ClockVerdict:
    openings = schedule.openings(now.earliest_ms, now.latest_ms)
    verdicts = {now.against(start_ms, end_ms) for start_ms, end_ms in openings}
    for verdict in (ClockVerdict.INSIDE, ClockVerdict.UNSURE):
        if verdict in verdicts:
            return verdict
    return ClockVerdict.BEFORE


def _unremembered_closing_ms(schedule: Schedule, utc_ms: int) -> int | None:
    for start_ms, end_ms in schedule.openings(utc_ms, utc_ms):
        if start_ms <= utc_ms < end_ms:
            return end_ms
    return None


@pytest.mark.parametrize(
    "told",
    ["mon", "mon 8-22", "mon 08:00-22:60", "day 08:00-22:00", "mon 25:00-26:00"],
)
def test_hours_that_cannot_be_are_told_by_the_word(told: str) -> None:
    with pytest.raises(ValueError, match="'"):
        read_hours(told)
