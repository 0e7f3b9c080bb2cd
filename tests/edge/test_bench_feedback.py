# SPDX-License-Identifier: Apache-2.0
"""The bench of verdicts measures a real gateway, and says when one did not come."""

from __future__ import annotations

from edge.cli.bench.door_feedback import FeedbackOptions, _figures, run_door_feedback


def test_every_card_has_its_verdict_and_the_floor_stands_beside() -> None:
    figures = run_door_feedback(FeedbackOptions(bookings=200, cards=10))
    assert figures["lost"] == 0
    assert figures["cards"] == 10
    assert 0 < figures["verdict_p50_ms"] <= figures["verdict_p99_ms"]
    assert figures["floor_p50_ms"] > 0


def test_a_verdict_that_did_not_come_is_not_within_the_budget() -> None:
    options = FeedbackOptions(bookings=200, cards=3)
    figures = _figures(options, [5.0, None, 6.0], [1.0])
    assert figures["lost"] == 1
    assert not figures["is_within"]
    assert not _figures(options, [5.0, 150.0, 6.0], [1.0])["is_within"]
    assert _figures(options, [5.0, 50.0, 6.0], [1.0])["is_within"]
