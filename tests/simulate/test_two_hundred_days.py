# SPDX-License-Identifier: Apache-2.0
"""Two hundred simulated days, each with a weather of its own and every checker."""

from __future__ import annotations

import pytest

from edge.cli.simulate.command import play, site_of, weather_of

DAYS = 200
#: Days of one test, so that two processes share them evenly.
IN_TURN = 4
BATCHES = tuple(range(1, DAYS + 1, IN_TURN))


def test_the_batches_are_two_hundred_days() -> None:
    seeds = [seed for first in BATCHES for seed in range(first, first + IN_TURN)]
    assert seeds == list(range(1, DAYS + 1))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", BATCHES)
def test_four_days_break_no_rule(first: int) -> None:
    for seed in range(first, first + IN_TURN):
        outcome = play(seed, 1.0, weather_of(seed))
        again = f"menshen simulate --seeds {seed} --site {site_of(seed)} --days 1"
        assert outcome.violation is None, f"{outcome.violation}; again: {again}"
        assert outcome.tally["scans"] > 100, "hardly anybody came"
