# SPDX-License-Identifier: Apache-2.0
"""Leaping is neutral: polls that are left out would have told nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.cli.simulate.checking import EVERYTHING, Handled, Observation, Rest
from edge.cli.simulate.command import SITES, site
from edge.cli.simulate.run import Run
from edge.cli.simulate.weather import FAIR

if TYPE_CHECKING:
    from edge.core.event import Event

#: A quarter of an hour at nine in the morning.
DAYS = 0.0104
#: The slowest rhythm among the drivers that poll: a card is looked for so often.
POLL_S = 0.25
#: A scene may have to wait for its poll, and for one that asked for the status instead.
APART_S = 2 * POLL_S
#: Whatever is greater is a time (UTC ms), and neither a number nor a price.
A_TIME_MS = 10**12


class Keeper:
    """Keeps every event."""

    name = "keeper"
    heeds = EVERYTHING

    def __init__(self) -> None:
        self.events: list[Event] = []

    def see(self, seen: Observation) -> None:
        if isinstance(seen, Handled):
            self.events += seen.events

    def end(self, rest: Rest) -> None:
        assert rest.unstored == 0


def played(name: str, seed: int, *, leaps: bool) -> tuple[list[Event], int]:
    keeper = Keeper()
    weather = replace(FAIR, leaps=leaps)
    run = Run(site(name), seed, DAYS, weather, checkers=[keeper])
    outcome = run.play()
    assert outcome.violation is None, outcome.traceback
    frames = sum(cable.frames for cable in run.site.street.cables.values())
    return keeper.events, frames


@pytest.mark.parametrize("seed", [1, 3])
@pytest.mark.parametrize("name", SITES)
def test_with_and_without_leaps_the_same_happens(name: str, seed: int) -> None:
    leaping, few = played(name, seed, leaps=True)
    steady, many = played(name, seed, leaps=False)
    assert few * 20 < many
    for one, other in zip(leaping, steady, strict=True):
        for name_of in ("seq", "kind", "subject", "person"):
            assert getattr(one, name_of) == getattr(other, name_of)
        apart_s = abs(one.moment.monotonic_s - other.moment.monotonic_s)
        assert apart_s <= APART_S + 1e-9
        for fact, wanted in zip(one.facts, other.facts, strict=True):
            assert is_same(fact, wanted), (one, other)


def is_same(fact: tuple[str, int | str], other: tuple[str, int | str]) -> bool:
    """Say whether two facts agree; a time of day may be two polls apart."""
    (name, value), (other_name, other_value) = fact, other
    if name == other_name == "age_s":  # in whole seconds, up to that time of day
        return abs(int(value) - int(other_value)) <= 1
    if isinstance(value, int) and isinstance(other_value, int) and value > A_TIME_MS:
        is_near = abs(value - other_value) <= APART_S * 1_000
        return name == other_name and is_near
    return fact == other
