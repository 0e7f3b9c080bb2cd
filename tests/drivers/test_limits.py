# SPDX-License-Identifier: Apache-2.0
"""Counting misses and bursts."""

from __future__ import annotations

from drivers.limits import Liveness, RateLimit, Reach


def reach_of(liveness: Liveness) -> Reach:
    return liveness.reach


def test_three_misses_in_a_row_make_silent_once() -> None:
    liveness = Liveness()
    liveness.found()
    assert [liveness.missed() for _ in range(9)] == [False, False, True] + 6 * [False]
    assert reach_of(liveness) is Reach.SILENT
    liveness.found()
    assert reach_of(liveness) is Reach.ANSWERING


def test_an_answer_in_between_starts_the_count_again() -> None:
    liveness = Liveness()
    for _ in range(10):
        assert not liveness.missed()
        assert not liveness.missed()
        liveness.heard()
    assert liveness.reach is Reach.UNKNOWN


def test_a_rate_limit_admits_so_many_in_any_window() -> None:
    limit = RateLimit(most=5, within_s=1.0)
    assert [limit.admit(at / 10) for at in range(8)] == 5 * [True] + 3 * [False]
    assert limit.dropped == 3
    assert limit.admit(1.0)
    assert limit.dropped == 0
    assert not limit.admit(1.05)
    assert limit.admit(1.1)
