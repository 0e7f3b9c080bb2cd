# SPDX-License-Identifier: Apache-2.0
"""The checker of duty hears each of the platform's words on a shift once."""

from __future__ import annotations

from edge.cli.simulate.checkers.duty_minutes_are_right import DutyMinutesAreRight
from tests.simulate.checkers.story import KIND, Story, caught, ground

DUTY = "duty minutes equal the oracle's"


def test_a_word_of_the_platform_that_comes_again_is_caught() -> None:
    story = Story(DutyMinutesAreRight(ground()))
    began = story.event(1.0, KIND.DUTY_STARTED, "desk", "holder-chen")
    ended = story.event(
        5_401.0, KIND.DUTY_ENDED, "desk", "holder-chen", cause=1, minutes=90
    )
    words = [
        story.event(
            6_000.0, KIND.DUTY_CONFIRMED, "panel", "holder-chen", cause=1, **facts
        )
        for facts in ({"confirmation": 1}, {}, {"confirmation": 2})
    ]
    for event in (began, ended, *words):
        story.handled(event.moment.monotonic_s, None, event)
    with caught(DUTY):
        story.handled(6_000.0, None, words[0])
