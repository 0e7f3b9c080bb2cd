# SPDX-License-Identifier: Apache-2.0
"""Whatever the line, the card and the platform do, both sides end with one feed."""

from __future__ import annotations

import pytest

from tests.cloud_sync.platform.feed_model import CLEAN_PULLS, run_all

#: Of every run of the suite; ``make soak`` takes all of them.
SEEDS, ALL_SEEDS = 150, 2_000


@pytest.mark.parametrize("first", range(0, SEEDS, 50))
def test_both_sides_agree_after_any_storm(first: int) -> None:
    seen = run_all(range(first, first + 50))
    print(seen)
    assert seen["most clean pulls"] <= CLEAN_PULLS
    # The storm has to be one: all of it happens, and not only snapshots come.
    for what in ("snapshots", "changes", "repairs", "cuts", "restores"):
        assert seen[what] > 0, seen


@pytest.mark.soak
def test_both_sides_agree_after_two_thousand_storms() -> None:
    seen = run_all(range(ALL_SEEDS))
    print(seen)
    assert seen["most clean pulls"] <= CLEAN_PULLS
