# SPDX-License-Identifier: Apache-2.0
"""Measuring from a beginning: by one boot's clock, and across boots by UTC."""

from __future__ import annotations

import pytest

from edge.core.emergency.began import SURE_MS, Began
from edge.core.moment import UNBOUNDED_MS
from tests.core.scene import clock_ms, moment

NOON_MS = clock_ms("12:00")


@pytest.mark.parametrize("step_ms", [1, 7, 1001, 999_983])
def test_whole_milliseconds_come_back_whole(step_ms: int) -> None:
    for n in range(2000):
        kept = Began.at(moment(NOON_MS, s=n * step_ms / 1000))
        assert kept.monotonic_ms == n * step_ms
        again = moment(NOON_MS, s=kept.monotonic_ms / 1000)
        assert Began.at(again) == kept == Began.load(kept.dump())


def test_one_boot_is_measured_by_its_own_clock() -> None:
    began = Began.at(moment(NOON_MS, s=10.0))
    later = moment(NOON_MS + 9_000_000, UNBOUNDED_MS, s=72.9)
    assert began.elapsed_ms(later) == began.surely_elapsed_ms(later) == 62_900
    assert began.measured("after_s", later) == (("after_s", 62),)
    assert began.elapsed_ms(moment(NOON_MS, s=9.0)) == 0


@pytest.mark.parametrize(
    ("width_ms", "is_sure"), [(SURE_MS - 1, True), (SURE_MS, False)]
)
@pytest.mark.parametrize("is_wide_first", [True, False])
def test_across_boots_utc_measures_and_says_when_it_guesses(
    width_ms: int, *, is_sure: bool, is_wide_first: bool
) -> None:
    widths = (width_ms, 0) if is_wide_first else (0, width_ms)
    began = Began.at(moment(NOON_MS, NOON_MS + widths[0], s=900.0))
    later_ms = NOON_MS + 300_500
    later = moment(later_ms, later_ms + widths[1], s=3.0, boot="boot-2")
    assert began.elapsed_ms(later) == 300_500
    assert began.surely_elapsed_ms(later) == 300_500 - widths[0]
    flag = () if is_sure else (("time_unverified", 1),)
    assert began.measured("after_s", later) == (("after_s", 300), *flag)


def test_nothing_lasts_less_than_nothing() -> None:
    began = Began.at(moment(NOON_MS, UNBOUNDED_MS, s=5.0))
    earlier = moment(NOON_MS - 5000, s=1.0, boot="boot-2")
    assert began.elapsed_ms(earlier) == began.surely_elapsed_ms(earlier) == 0
