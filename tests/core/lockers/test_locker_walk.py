# SPDX-License-Identifier: Apache-2.0
"""Long seeded days at one bank, against the ledger; a failure names its seed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from edge.core.event import EventKind
from tests.core.lockers.ledger import Ledger
from tests.core.lockers.wall import Wall, site
from tests.core.scene import HOUR_MS, PEOPLE, neighbours

SEEDS, STEPS = 40, 250
BATCHES = 4
BOOKINGS = (
    "c1 wang lounge 14:00-15:30 S",
    "c2 li lounge 14:00-23:00 S",
    "c3 li lounge 14:30-18:00 L",
    "c4 zhao lounge 14:00-16:00 M",
    "c5 chen lounge 16:00-23:00 S",
)
#: What the walks must have met, or they proved nothing.
MET = {
    EventKind.ACCESS_GRANTED,
    EventKind.ACCESS_DENIED,
    EventKind.COMPARTMENT_OPENED,
    EventKind.COMPARTMENT_CLOSED,
    EventKind.COMPARTMENT_FAULT,
    EventKind.COMPARTMENT_OVERDUE,
    EventKind.COMPARTMENT_CLEANING,
    EventKind.COMPARTMENT_OUT_OF_ORDER,
    EventKind.RENTAL_STARTED,
    EventKind.RENTAL_ENDED,
    EventKind.PARCEL_DEPOSITED,
    EventKind.PARCEL_COLLECTED,
    EventKind.MEDICINE_BOX_OPENED,
}


class Day:
    """One bank, and chance that moves what is before it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        plan = site(
            allows_walk_in=self.chance.random() < 0.5,
            walk_in_ms=HOUR_MS,
            cleans=self.chance.random() < 0.5,
        )
        self.wall = Wall(neighbours(*BOOKINGS), plan)
        self.ledger = Ledger(plan)

    def step(self) -> None:
        """Let something happen, and read what came of it."""
        acts = (self._scan, self._deposit, self._staff, self._swing, self._pass)
        (act,) = self.chance.choices(acts, (8, 4, 3, 1, 6))
        act()
        self.ledger.follow(self.wall)

    def _scan(self) -> None:
        who = self.chance.choice((*PEOPLE, "chen", "stranger", "passer-by"))
        self.wall.scan(who, self.chance.choice(("hall-in",) * 9 + ("aid",)))
        self._answer()

    def _deposit(self) -> None:
        until = self.chance.choice(("16:00", "18:00", "23:00"))
        self.wall.deposit(self.chance.choice(PEOPLE), until=until)
        self._answer()

    def _staff(self) -> None:
        wall, number = self.wall, self.chance.randrange(1, 6)
        acts = (wall.open_by_hand, wall.end_rental, wall.take_out)
        (act,) = self.chance.choices((*acts, wall.mend, wall.cleaned), (3, 1, 1, 4, 4))
        act(number)
        self._answer()

    def _swing(self) -> None:
        number = self.chance.randrange(1, 6)
        self.wall.leaf(number, is_open=self.chance.random() < 0.4)

    def _answer(self) -> None:
        """Let disk and board do something with each order, and people shut leaves."""
        self.ledger.follow(self.wall)
        for wish in self.wall.openings():
            match self.chance.randrange(10):
                case 0:
                    self.wall.jam(wish.number)
                case 1 if not wish.is_first_aid:
                    self.wall.refuse(wish)
                case 2:
                    pass
                case 3:
                    self.wall.leaf(wish.number, is_open=True)
                case _:
                    self.wall.leaf(wish.number, is_open=True)
                    self.ledger.follow(self.wall)
                    self.wall.leaf(wish.number, is_open=False)

    def _pass(self) -> None:
        wall, chance = self.wall, self.chance
        wall.closes_lockers = chance.random() < 0.05
        wall.spread_ms = chance.choice((0, 0, 0, 0, 0, 30_000, 2 * HOUR_MS, -1))
        match chance.randrange(20):
            case 0:
                wall.restart(chance.randrange(40))
            case 1:
                wall.wait(1800.0)
            case _:
                wall.wait(chance.choice((0.0, 0.5, 3.0, 30.0, 61.0)))


def _walk(seed: int) -> Counter[str]:
    day = Day(seed)
    for number in range(STEPS):
        try:
            day.step()
            live = day.wall.parts.dump()
            back = day.chance.randrange(40)
            if number % 5 == 0:
                assert day.wall.replayed(back).dump() == live, "a replay differs"
        except Exception as error:
            error.add_note(f"seed {seed}, step {number}")
            raise
    return day.ledger.seen


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_day_breaks_the_ledger(batch: int) -> None:
    seen: Counter[str] = Counter()
    for seed in range(batch, SEEDS, BATCHES):
        seen += _walk(seed)
    assert seen.keys() >= MET, f"never met: {MET - seen.keys()}"
