# SPDX-License-Identifier: Apache-2.0
"""Ten thousand claims for too few compartments: never one for two."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.core.event import EventKind
from tests.core.locker_invariants import LockerInvariants
from tests.core.scene import SITE, booking, holder, roster
from tests.core.stage import Stage

if TYPE_CHECKING:
    from edge.core.people.roster_row import RosterRow

CLAIMS, RUNS = 10_000, 8
PEOPLE = 24


def _crowd(chance: random.Random) -> Stage:
    """Return a stage on which many more have a booking than there are leaves."""
    rows: list[RosterRow] = []
    for number in range(PEOPLE):
        size = chance.choice("SML")
        rows.append(holder(f"p{number}"))
        rows.append(booking(f"c{number} p{number} lounge 00:00-23:59 {size}"))
    return Stage(roster(*rows))


def _burst(stage: Stage, chance: random.Random) -> int:
    """Let a crowd scan in one instant, then let the board answer in any order."""
    crowd = chance.sample(range(PEOPLE), chance.randrange(2, 12))
    wishes = []
    for number in crowd:
        stage.scan(f"p{number}", "hall-in")
        wishes += stage.openings()
    chance.shuffle(wishes)
    for wish in wishes:
        match chance.randrange(5):
            case 0:
                stage.refuse(wish)
            case 1:
                stage.jam(wish.number)
            case 2:
                pass
            case _:
                stage.use(wish.number)
    for number in SITE.banks["hall"].compartments:
        if chance.random() < 0.5:
            stage.mend(number)
            stage.end_rental(number)
    stage.wait(chance.choice((0.0, 1.0, 3.0, 61.0)))
    if chance.random() < 0.05:
        stage.cut_power()
    return len(crowd)


@pytest.mark.parametrize("seed", range(RUNS))
def test_no_compartment_is_ever_two_holders(seed: int) -> None:
    chance = random.Random(seed)
    stage, claims = _crowd(chance), 0
    while claims < CLAIMS // RUNS:
        claims += _burst(stage, chance)
    check = LockerInvariants()
    for event in stage.journal:
        check.event(event)
    standing = stage.controller.lockers.standing().items()
    held = {place: c.rental.person for place, c in standing if c.rental}
    assert held == check.rented
    seen = Counter(event.kind for event in stage.journal)
    assert seen[EventKind.RENTAL_STARTED] > claims // 20, seen
    assert seen[EventKind.ACCESS_DENIED] > 0, "there was never too little room"


def test_the_checker_would_notice_two_holders_in_one() -> None:
    stage = Stage(roster(holder("wang"), booking("c1 wang lounge 14:00-16:00 S")))
    stage.scan("wang", "hall-in")
    check = LockerInvariants()
    started, granted = stage.journal
    check.event(started)
    with pytest.raises(AssertionError, match="two holders in one"):
        check.event(started)
    with pytest.raises(AssertionError, match="no grant in the journal"):
        check.command(*stage.openings())
    check.event(granted)
    check.command(*stage.openings())
    check.rented.clear()
    with pytest.raises(AssertionError, match="opened for another"):
        check.event(granted)
    with pytest.raises(AssertionError, match="for nobody"):
        check.command(*stage.openings())
