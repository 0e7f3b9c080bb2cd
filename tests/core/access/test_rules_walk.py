# SPDX-License-Identifier: Apache-2.0
"""Rules in all their combinations, held to a second opinion written apart."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.core.access.answers import Denied, Granted
from edge.core.access.decision import RULES, decide
from tests.core.access.walk_scene import asked, draw, ground, opinion

if TYPE_CHECKING:
    from tests.core.access.walk_scene import Scene

SCENES = 1_500
#: Names that stand in events beside those of the rules.
ALSO = {"party", "policy", "walk_in"}
NAMES = {name for name, _ in RULES} | ALSO
#: What an answer may be here: a grant, or one of so many reasons.
ANSWERS = 23


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_the_second_opinions(seed: int) -> None:
    chance = random.Random(seed)
    met: Counter[str] = Counter()
    for number in range(SCENES):
        scene = draw(chance)
        answer = decide(asked(scene))
        reason = answer.reason.value if isinstance(answer, Denied) else ""
        assert reason == opinion(scene), (seed, number, scene, answer)
        assert answer.rule in NAMES
        met[reason] += 1
        if isinstance(answer, Granted) and answer.rule not in ("mode", "shelter"):
            assert _told(answer) == _expected(scene), (seed, number, scene)
    assert len(met) == ANSWERS, (seed, met)


def _told(granted: Granted) -> tuple[object, ...]:
    facts = dict(granted.facts)
    names = ("policy", "walk_in", "persons")
    return (granted.person.booking, *(facts.get(name) for name in names))


def _expected(scene: Scene) -> tuple[object, ...]:
    rests_upon = {
        "booking": ("b1", None, None),
        "policy": (None, "p1", None),
        "walk-in": (None, None, 1),
    }
    return (*rests_upon[ground(scene)], 2 if scene.needs_two else None)


@pytest.mark.parametrize("seed", range(2))
def test_deciding_changes_nothing(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(500):
        question = asked(draw(chance))
        before = repr(question.admissions), repr(question.redemptions.dump())
        first, second = decide(question), decide(question)
        assert first == second, (seed, number)
        assert before == (
            repr(question.admissions),
            repr(question.redemptions.dump()),
        ), (seed, number)
