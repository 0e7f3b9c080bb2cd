# SPDX-License-Identifier: Apache-2.0
"""The interval clock: what each source may do to it, and a model of years of use.

Drift, outages and wrong sources follow the model of the design: crystals within
±90 ppm, outages up to 30 days, sources that are wrong by hours or by ten years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.clock import DRIFT, LEAP_LIMIT_MS, ClockAnswer, IntervalClock
from edge.core.moment import UNBOUNDED_MS
from tests.core.scene import DAY_MS, HOUR_MS, clock_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOOR = clock_ms("12:00")
YEAR_MS = 365 * DAY_MS
YEAR_1970 = 0
YEAR_2001 = 978_307_200_000
REFUSED, TIGHTENED, UNCHANGED = (
    ClockAnswer.REFUSED,
    ClockAnswer.TIGHTENED,
    ClockAnswer.UNCHANGED,
)


def _booted() -> IntervalClock:
    return IntervalClock(floor_ms=FLOOR, now_s=0.0)


def _bounded() -> IntervalClock:
    clock = _booted()
    clock.bound(FLOOR + 100, FLOOR + 300, 0.0, is_authenticated=True)
    return clock


def test_at_boot_only_the_floor_is_known() -> None:
    assert _booted().interval(0.0) == (FLOOR, UNBOUNDED_MS)


@dataclass(frozen=True)
class Claim:
    """A source's interval relative to the floor, and what becomes of it."""

    name: str
    lo: int
    hi: int
    answer: ClockAnswer
    is_authenticated: bool = True
    after: tuple[int, int] | None = None


AT_BOOT = (
    Claim("signed round trip", 5000, 5040, TIGHTENED, after=(5000, 5040)),
    Claim("plain NTP, right", 5000, 5040, REFUSED, is_authenticated=False),
    Claim("battery dead, 1970", YEAR_1970 - FLOOR, YEAR_1970 - FLOOR, REFUSED),
    Claim("battery dead, 2001", YEAR_2001 - FLOOR, YEAR_2001 - FLOOR, REFUSED),
    Claim("ten years ahead", 10 * YEAR_MS, 10 * YEAR_MS, REFUSED),
    Claim(
        "ten years ahead, plain",
        10 * YEAR_MS,
        10 * YEAR_MS,
        REFUSED,
        is_authenticated=False,
    ),
    Claim("400 days ahead", LEAP_LIMIT_MS, LEAP_LIMIT_MS + 9, TIGHTENED),
    Claim("400 days and 1 ms", LEAP_LIMIT_MS + 1, LEAP_LIMIT_MS + 9, REFUSED),
    Claim("just below the floor", -9, -1, REFUSED),
    Claim("touches the floor", -9, 0, TIGHTENED, after=(0, 0)),
    Claim("upside down", 50, 40, REFUSED),
)

WHEN_BOUNDED = (  # the clock says 100 to 300
    Claim("tighter on both sides", 150, 250, TIGHTENED, after=(150, 250)),
    Claim(
        "plain NTP lowers the upper bound alone",
        150,
        250,
        TIGHTENED,
        is_authenticated=False,
        after=(100, 250),
    ),
    Claim("tighter below", 150, 900, TIGHTENED, after=(150, 300)),
    Claim("tighter above", -900, 250, TIGHTENED, after=(100, 250)),
    Claim("wider on both sides", -900, 900, UNCHANGED, after=(100, 300)),
    Claim("the same", 100, 300, UNCHANGED, after=(100, 300)),
    Claim("touches the end", 300, 400, TIGHTENED, after=(300, 300)),
    Claim("beyond the end", 301, 400, REFUSED, after=(100, 300)),
    Claim("before the beginning", 0, 99, REFUSED, after=(100, 300)),
    Claim("nine hours back", -9 * HOUR_MS, -9 * HOUR_MS, REFUSED),
    Claim("nine hours ahead", 9 * HOUR_MS, 9 * HOUR_MS + 50, REFUSED),
    Claim("1970", -FLOOR, -FLOOR, REFUSED, after=(100, 300)),
    Claim("ten years ahead", 10 * YEAR_MS, 10 * YEAR_MS, REFUSED),
)


def _check(clock: IntervalClock, claim: Claim) -> None:
    before = clock.interval(0.0)
    answer = clock.bound(
        FLOOR + claim.lo, FLOOR + claim.hi, 0.0, is_authenticated=claim.is_authenticated
    )
    assert answer is claim.answer
    if claim.after is not None:
        assert clock.interval(0.0) == tuple(FLOOR + ms for ms in claim.after)
    if answer is not TIGHTENED:
        assert clock.interval(0.0) == before


@pytest.mark.parametrize("claim", AT_BOOT, ids=lambda claim: claim.name)
def test_a_source_at_boot(claim: Claim) -> None:
    _check(_booted(), claim)


@pytest.mark.parametrize("claim", WHEN_BOUNDED, ids=lambda claim: claim.name)
def test_a_source_once_bounded(claim: Claim) -> None:
    _check(_bounded(), claim)


@pytest.mark.parametrize(
    ("stamp", "answer", "lo"),
    [
        (5000, TIGHTENED, 5000),
        (0, UNCHANGED, 0),
        (-YEAR_MS, UNCHANGED, 0),
        (LEAP_LIMIT_MS, TIGHTENED, LEAP_LIMIT_MS),
        (LEAP_LIMIT_MS + 1, REFUSED, 0),
        (10 * YEAR_MS, REFUSED, 0),
    ],
)
def test_a_stamp_raises_the_floor_alone(
    stamp: int, answer: ClockAnswer, lo: int
) -> None:
    clock = _booted()
    assert clock.raise_floor(FLOOR + stamp, 0.0) is answer
    assert clock.interval(0.0) == (FLOOR + lo, UNBOUNDED_MS)


def test_a_stamp_beyond_the_upper_bound_is_refused() -> None:
    clock = _bounded()
    assert clock.raise_floor(FLOOR + 301, 0.0) is REFUSED
    assert clock.interval(0.0) == (FLOOR + 100, FLOOR + 300)
    assert clock.raise_floor(FLOOR + 300, 0.0) is TIGHTENED
    assert clock.interval(0.0) == (FLOOR + 300, FLOOR + 300)


def test_both_bounds_age_apart_by_100_ppm() -> None:
    clock = _booted()
    clock.bound(FLOOR, FLOOR, 0.0, is_authenticated=True)
    day_s = 86_400.0
    lo, hi = clock.interval(day_s)
    assert (FLOOR + DAY_MS - lo, hi - FLOOR - DAY_MS) == (8640, 8640)


def test_a_part_of_a_millisecond_is_not_beyond_the_upper_bound() -> None:
    clock = _booted()
    clock.bound(FLOOR, FLOOR, 0.0, is_authenticated=True)
    lo, hi = clock.interval(0.0009)
    assert lo <= FLOOR + 0.9 <= hi


# The model: a true time, a counter that drifts, and sources right and wrong.

SECONDS = st.one_of(
    st.floats(0.0001, 3600, allow_nan=False),
    st.floats(3600, 30 * 86_400, allow_nan=False),
)
PPM = st.floats(-90, 90, allow_nan=False)
#: 40 outages of 30 days widen the interval by 5.5 h on each side: 9 h is outside.
WRONG = st.sampled_from([-10 * YEAR_MS, 10 * YEAR_MS, -9 * HOUR_MS, 9 * HOUR_MS])
STEPS = st.lists(
    st.tuples(
        SECONDS,
        st.sampled_from(["nothing", "ntp", "signed", "stamp", "wrong", "wrong stamp"]),
        st.integers(0, 2000),
        WRONG,
    ),
    max_size=40,
)
Step = tuple[float, str, int, int]


def _feed(clock: IntervalClock, true_ms: float, now_s: float, step: Step) -> None:
    """Let one source speak; a wrong one must be refused or change nothing."""
    _, source, error_ms, offset_ms = step
    before = clock.interval(now_s)
    lo, hi = int(true_ms) - error_ms, int(true_ms) + 1 + error_ms
    match source:
        case "ntp":
            clock.bound(lo, hi, now_s, is_authenticated=False)
        case "signed":
            clock.bound(int(true_ms), hi, now_s, is_authenticated=True)
        case "stamp":
            assert clock.raise_floor(lo, now_s) is not REFUSED
        case "wrong":
            is_authenticated = before[1] != UNBOUNDED_MS
            answer = clock.bound(
                lo + offset_ms, hi + offset_ms, now_s, is_authenticated=is_authenticated
            )
            assert answer is REFUSED
        case "wrong stamp" if before[1] != UNBOUNDED_MS and offset_ms > 0:
            assert clock.raise_floor(lo + offset_ms, now_s) is REFUSED
        case _:
            pass


def _live(ppm: float, steps: Sequence[Step]) -> None:
    floor_ms = FLOOR - 40 * DAY_MS  # switched off for 40 days
    clock = IntervalClock(floor_ms=floor_ms, now_s=0.0)
    true_ms, now_s, last_lo = float(FLOOR), 0.0, floor_ms
    for step in steps:
        now_s += step[0]
        true_ms += step[0] * 1000 / (1 + ppm * 1e-6)
        _feed(clock, true_ms, now_s, step)
        lo, hi = clock.interval(now_s)
        assert lo <= true_ms <= hi, f"{true_ms - lo} ms above, {hi - true_ms} below"
        assert lo >= last_lo, "the floor fell"
        last_lo = lo


@seed(20260302)
@settings(max_examples=1500, deadline=None, database=None, print_blob=True)
@given(ppm=PPM, steps=STEPS)
def test_the_true_time_is_never_outside_and_the_floor_only_rises(
    ppm: float, steps: list[Step]
) -> None:
    _live(ppm, steps)


def test_the_model_would_notice_a_crystal_worse_than_the_drift_allowed() -> None:
    steps: list[Step] = [(1.0, "signed", 0, 0), (86_400.0, "nothing", 0, 0)]
    _live(90, steps)
    with pytest.raises(AssertionError):
        _live(DRIFT * 1e6 + 20, steps)
