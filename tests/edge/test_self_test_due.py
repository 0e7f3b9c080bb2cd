# SPDX-License-Identifier: Apache-2.0
"""When the nightly self-test is due, with a clock and without."""

from __future__ import annotations

import pytest

from edge.cli.self_test import KNOWN_WITHIN_MS, is_due
from edge.core.moment import UNBOUNDED_MS
from tests.edge.self_test_bench import DAY_S, OFFSET_MS, at


@pytest.mark.parametrize(
    ("now", "ago_s", "due"),
    [
        ("22 03:29:59", 8 * 3_600, False),
        ("22 03:30:00", 8 * 3_600, True),
        ("22 03:30:30", 30, False),
        ("22 14:00:00", 11 * 3_600, False),
        # The clock's lower bound moved back: last night's test is not done twice.
        ("22 05:00:00", 5_401, False),
        ("22 03:30:10", DAY_S, True),
        # The box was off or busy at half past three.
        ("22 09:00:00", 12 * 3_600, True),
        # Begun a quarter of an hour before: that was this night's.
        ("22 03:30:00", 900, False),
        ("23 03:30:00", DAY_S + 900, True),
    ],
)
def test_it_is_due_at_half_past_three_local_time(
    now: str,
    ago_s: float,
    due: bool,  # noqa: FBT001
) -> None:
    moment = at(now)
    assert is_due(moment, moment.monotonic_s - ago_s, OFFSET_MS) is due


@pytest.mark.parametrize("hour", ["22 03:30:00", "22 12:00:00"])
def test_without_a_clock_it_is_due_once_a_day(hour: str) -> None:
    unsure = at(hour, unsure_ms=KNOWN_WITHIN_MS + 1)
    assert not is_due(unsure, unsure.monotonic_s - DAY_S + 1, OFFSET_MS)
    assert is_due(unsure, unsure.monotonic_s - DAY_S, OFFSET_MS)
    assert not is_due(at(hour, unsure_ms=UNBOUNDED_MS), 99_000.0, OFFSET_MS)
