# SPDX-License-Identifier: Apache-2.0
"""Who is told of what: nobody misses what means something to him."""

from __future__ import annotations

import pickle

import pytest

from edge.cli.simulate.checkers.all import all_checkers
from edge.cli.simulate.checking import EVERYTHING, Checker, Observation
from edge.cli.simulate.command import SITES, ground, site, weather_of
from edge.cli.simulate.run import Run
from edge.cli.simulate.tally import Tally

DAYS = 0.2


class Memory:
    """A checker that finds nothing and forgets nothing."""

    name = "memory"
    heeds = EVERYTHING

    def __init__(self) -> None:
        self.all: list[Observation] = []

    def see(self, seen: Observation) -> None:
        self.all.append(seen)

    def end(self, rest: object) -> None:
        """Find nothing."""


@pytest.fixture(scope="module", params=SITES)
def told(request: pytest.FixtureRequest) -> tuple[str, list[Observation]]:
    memory = Memory()
    settings = site(request.param)
    Run(settings, 5, DAYS, weather_of(5), checkers=[memory]).play()
    return request.param, memory.all


def test_what_a_checker_does_not_heed_means_nothing_to_it(
    told: tuple[str, list[Observation]],
) -> None:
    name, story = told
    watching: list[Checker | Tally] = [*all_checkers(ground(site(name))), Tally()]
    for checker in watching:
        for seen in story:
            if type(seen) in checker.heeds:
                checker.see(seen)
        before = pickle.dumps(vars(checker))
        kinds = {type(seen): seen for seen in story}
        for kind in kinds.keys() - checker.heeds:
            checker.see(kinds[kind])
            assert pickle.dumps(vars(checker)) == before, kind
