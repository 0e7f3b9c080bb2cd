# SPDX-License-Identifier: Apache-2.0
"""A seeded walk over everything that can happen at a site.

The law of the module: one seed, one walk; it chooses and judges nothing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.stimulus import ExitButtonChanged, Noted, ReadingBegan, Unreadable
from tests.core.scene import SITE, neighbours
from tests.core.stage import Stage

if TYPE_CHECKING:
    from edge.core.people.roster import Roster

DOORS = tuple(SITE.doors)
READERS = tuple(n for n, point in SITE.access_points.items() if point.door_id)
BANK_READERS = ("hall-in", "hall-in", "hall-in", "yard-in", "aid")
COMPARTMENTS = tuple(
    (b, n) for b, bank in SITE.banks.items() for n in bank.compartments
)
#: The size of each booking's party; the same in every roster of a walk.
PARTY = {"b1": 1, "b2": 3, "b3": 2, "b4": 5}
TOLD = (
    "b1 wang kitchen 14:00-16:00",
    "b2 li kitchen 15:00-18:00",
    "b3 li lounge 14:30-15:30",
    "b4 zhao lounge 10:00-23:00",
)
#: Compartments: more bookings than there are leaves, one after another.
RENTED = (
    "c1 wang lounge 14:00-15:30 S",
    "c2 li lounge 14:00-23:00 S",
    "c3 li lounge 14:30-18:00 L",
    "c4 zhao lounge 14:00-16:00 M",
    "c5 qian lounge 15:00-23:00 S",
    "c6 wang kitchen 14:00-23:00 S",
    "c7 zhao kitchen 14:00-23:00 S",
    "c8 chen lounge 14:00-23:00 M",
)
WHO = ("wang", "li", "li", "zhao", "qian", "chen", "stranger")


class Walk:
    """A stage, and chance that moves what is on it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.stage = Stage(self._roster())

    def _roster(self) -> Roster:
        told = [f"{each} x{PARTY[each[:2]]}" for each in TOLD]
        kept = self.chance.sample(told, self.chance.randrange(2, 5))
        lost = ("zhao",) if self.chance.random() < 0.1 else ()
        rented = self.chance.sample(RENTED, self.chance.randrange(4, 9))
        return neighbours(*kept, *rented, lost=lost)

    def step(self) -> str:
        """Let some time pass and then something happen; return what."""
        self._pass_time()
        names = ("scan", "swing", "press", "order", "fire", "other", "rent", "staff")
        weights = (14, 8, 3, 2, 1, 2, 10, 2)
        (name,) = self.chance.choices(names, weights)
        getattr(self, f"_{name}")()
        return name

    def _pass_time(self) -> None:
        chance, stage = self.chance, self.stage
        seconds = chance.choice((0.0, 0.1, 0.5, 1.0, 2.0, 2.9, 3.0, 5.0, 8.0, 31.0))
        if chance.random() < 0.01:
            seconds = chance.choice((1800.0, 7200.0, 90_000.0))
        stage.spread_ms = chance.choice((0, 0, 0, 0, 0, 900, 86_400_000))
        if chance.random() < 0.3:
            stage.pass_time(seconds)  # a busy machine: the tick comes too late
            return
        while (due_s := stage.controller.deadline()) is not None:
            due_in_s = max(0.0, due_s - stage.now_s)
            if due_in_s > seconds or (seconds > 100 and due_in_s > 40):
                break
            stage.pass_time(due_in_s)
            seconds -= due_in_s
            self._tick()
        stage.pass_time(seconds)

    def _tick(self) -> None:
        self.stage.take(self.stage.controller.tick(self.stage.now()))

    def _scan(self) -> None:
        age_s = 2.5 if self.chance.random() < 0.05 else 0.1
        who, reader = self.chance.choice(WHO), self.chance.choice(READERS)
        for _ in range(self.chance.choice((1, 1, 1, 2, 7))):
            self.stage.scan(who, reader, age_s=age_s)

    def _swing(self) -> None:
        door = self.chance.choice(DOORS[:2])  # the store's has no contact
        self.stage.swing(door, is_open=self.chance.random() < 0.5)

    def _press(self) -> None:
        door = self.chance.choice(DOORS)
        if self.chance.random() < 0.8:
            self.stage.press(door)
        else:
            self.stage.do(ExitButtonChanged(door=door, is_pressed=False))

    def _order(self) -> None:
        usual = [DoorMode.LOCKED] * 6
        mode = self.chance.choice([*DoorMode, *usual])
        self.stage.order(self.chance.choice(DOORS), mode)

    def _fire(self) -> None:
        if self.chance.random() < 0.3:
            self.stage.fire()
        else:
            self.stage.fire(is_active=False)
            self.stage.end_fire()

    def _rent(self) -> None:
        """Scan at a bank; mostly what was ordered then opens, and shuts again."""
        chance, stage = self.chance, self.stage
        if chance.random() < 0.3:
            bank, number = chance.choice(COMPARTMENTS)
            stage.leaf(number, bank, is_open=chance.random() < 0.3)
            return
        stage.scan(chance.choice(WHO), chance.choice(BANK_READERS))
        for wish in stage.openings():
            match chance.randrange(8):
                case 0:
                    stage.jam(wish.number, wish.bank)
                case 1 if not wish.is_first_aid:
                    stage.refuse(wish)
                case 2:
                    pass  # no feedback at all
                case 3 | 4:
                    stage.leaf(wish.number, wish.bank, is_open=True)
                case _:
                    stage.use(wish.number, wish.bank)

    def _staff(self) -> None:
        chance, stage = self.chance, self.stage
        bank, number = chance.choice(COMPARTMENTS)
        match chance.randrange(5):
            case 0:
                stage.scan(chance.choice(WHO), "desk")
            case 1:
                stage.scan("chen", "desk")
            case 2:
                stage.open_by_hand(chance.choice((*DOORS, "no-such-door")))
            case 3:
                stage.mend(number, bank)
            case _:
                stage.end_rental(number, bank)

    def _other(self) -> None:
        chance, stage = self.chance, self.stage
        match chance.randrange(5):
            case 0:
                stage.device(*chance.sample(DOORS, 2), is_online=chance.random() < 0.6)
            case 1:
                stage.do(Unreadable(access_point=chance.choice(READERS), cause="x"))
            case 2:
                stage.do(ReadingBegan(access_point=chance.choice(READERS)))
            case 3:
                stage.do(Noted(kind=EventKind.CLOCK_STEPPED, subject="gateway"))
            case _:
                roster = self._roster()
                stage.take(stage.controller.adopt(roster, stage.now()))
