# SPDX-License-Identifier: Apache-2.0
"""The weather's knobs: drawn from the seed, set by hand, told and read again."""

from __future__ import annotations

import json
from random import Random

import pytest

from edge.cli.simulate.weather import FAIR, Weather

#: Knobs that no seed turns.
BY_HAND = {"scans_a_day"}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_can_be_set_again(seed: int) -> None:
    drawn = Weather.drawn(Random(seed))
    assert FAIR.turned(drawn.told()) == drawn
    assert Weather.drawn(Random(seed)) == drawn
    assert Weather.drawn(Random(seed + 100)) != drawn


def test_every_fault_is_drawn_by_some_seed_and_spared_by_another() -> None:
    drawn = [Weather.drawn(Random(seed)) for seed in range(100)]
    still = FAIR.calm()
    for name, value in json.loads(still.told()).items():
        if name.endswith(("_a_day", "_share")) and name not in BY_HAND:
            assert value == 0
            found = {getattr(each, name) > 0 for each in drawn}
            assert found == {True, False}, name


@pytest.mark.parametrize(
    "wrong",
    ["[]", '{"rain": 1}', '{"leaps": 1}', '{"drop_share": true}', "{", '{"a": "b"}'],
)
def test_a_knob_that_is_not_there_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"options|Expecting"):
        FAIR.turned(wrong)
