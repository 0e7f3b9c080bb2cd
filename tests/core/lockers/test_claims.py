# SPDX-License-Identifier: Apache-2.0
"""Ten thousand people claim one bank in one instant, over a disk that fails."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.core.event import EventKind
from tests.core.lockers.ledger import Ledger
from tests.core.lockers.wall import Wall, site
from tests.core.scene import bank, booking, holder, roster

if TYPE_CHECKING:
    from edge.core.command import OpenCompartment
    from edge.core.people.roster_row import RosterRow

CLAIMS = 10_000
LEAVES = bank("hall", "lounge", "SSSMMML" * 6)


def _crowd() -> Wall:
    rows: list[RosterRow] = []
    for number in range(CLAIMS):
        size = "SML"[number % 3]
        rows.append(holder(f"p{number}"))
        rows.append(booking(f"c{number} p{number} lounge 00:00-23:59 {size}"))
    return Wall(roster(*rows), site(compartments=LEAVES.compartments))


class Disk:
    """Commits that succeed, fail, or answer long after the next person's."""

    def __init__(self, wall: Wall, chance: random.Random) -> None:
        self.wall = wall
        self.chance = chance
        self.waiting: list[OpenCompartment] = []
        self.fates: Counter[str] = Counter()

    def settle(self, *, is_all: bool = False) -> None:
        """Let some of what waits be answered, in any order."""
        self.chance.shuffle(self.waiting)
        while self.waiting and (is_all or self.chance.random() < 0.3):
            wish = self.waiting.pop()
            fate = self.chance.choice(("stored", "stored", "failed", "jammed"))
            self.fates[fate] += 1
            if fate == "failed":
                self.wall.refuse(wish)
            elif fate == "jammed":
                self.wall.jam(wish.number)
            else:
                self.wall.use(wish.number)


@pytest.mark.parametrize("seed", [1])
def test_no_compartment_is_ever_two_holders(seed: int) -> None:
    chance = random.Random(seed)
    wall = _crowd()
    ledger = Ledger(wall.plan)
    disk = Disk(wall, chance)
    order = list(range(CLAIMS))
    chance.shuffle(order)
    opened: Counter[int] = Counter()
    for person in order:
        wall.scan(f"p{person}")
        disk.waiting += wall.openings()
        opened.update(wish.number for wish in wall.openings())
        if wall.openings():
            ledger.follow(wall)
        disk.settle()
    disk.settle(is_all=True)
    ledger.follow(wall)
    started = wall.tell(EventKind.RENTAL_STARTED)
    holders = [event.person.holder for event in started]
    assert len(set(holders)) == len(holders), "one person, two compartments"
    assert sorted(int(event.fact("number") or 0) for event in started) == sorted(
        n for n, plan in LEAVES.compartments.items() if not plan.is_medicine_box
    ), "each is given exactly once"
    assert all(count == 1 for count in opened.values()), "opened for one claim alone"
    assert set(disk.fates) == {"stored", "failed", "jammed"}, "the disk never failed"


@pytest.mark.parametrize("seed", [3])
def test_whom_the_disk_failed_gets_the_same_one_at_the_next_scan(seed: int) -> None:
    chance = random.Random(seed)
    wall = _crowd()
    order = chance.sample(range(CLAIMS), 200)
    failed = {}
    for person in order:
        wall.scan(f"p{person}")
        for wish in wall.openings():
            failed[person] = wish.number
            wall.refuse(wish)
    assert len(failed) == len(LEAVES.compartments)
    chance.shuffle(order)
    for person in order:
        wall.scan(f"p{person}")
        told = [wish.number for wish in wall.openings()]
        assert told == ([failed[person]] if person in failed else [])
