# SPDX-License-Identifier: Apache-2.0
"""``menshen bench feed`` in small: the door opens all the while, hardly later."""

from __future__ import annotations

import pytest

from edge.cli.bench.bars import missed
from edge.cli.bench.feed import FeedOptions, run_feed

#: A machine that runs a whole suite beside it waits at random; the full form, on a
#: quiet one, is where the bound of 2 is looked at.
AT_MOST = 12


def test_everybody_comes_in_while_the_feed_comes_down() -> None:
    figures = run_feed(FeedOptions(rows=1_000, rate=20, turns=1))
    assert figures["lost"] == 0
    for name in ("snapshot", "changes"):
        told = figures[name]
        assert told["scans"] >= 20
        assert told["p50_ms"] < AT_MOST * told["quiet_p50_ms"], told


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_the_full_form() -> None:
    figures = run_feed(FeedOptions())
    print(figures)
    assert figures["lost"] == 0
    assert set(figures["bars"]) == {"snapshot_ratio_p99", "changes_ratio_p99"}
    print("bars missed:", missed(figures["bars"]))
