# SPDX-License-Identifier: Apache-2.0
"""People, parcels, staff, faults and power cuts in any order, against the ledger."""

from __future__ import annotations

from typing import Literal

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.lockers.ledger import Ledger
from tests.core.lockers.wall import Wall, site
from tests.core.scene import HOUR_MS, PEOPLE, neighbours

Sizes = Literal["S", "M", "L"]
WHO = strategies.sampled_from([*PEOPLE, "chen", "stranger", "passer-by"])
NUMBER = strategies.integers(1, 5)
#: What disk, board and people make of an order; "": nothing at all.
ANSWERS = ("use", "use", "jam", "refuse", "open", "")
BOOKINGS = (
    "c1 wang lounge 14:00-15:30 S",
    "c2 li lounge 14:00-23:00 S",
    "c3 li lounge 14:30-18:00 L",
    "c4 zhao lounge 14:00-16:00 M",
)


class LockerMachine(RuleBasedStateMachine):
    """One bank of four compartments and a medicine box, with too many who want one."""

    @initialize(allows_walk_in=strategies.booleans(), cleans=strategies.booleans())
    def begin(self, *, allows_walk_in: bool, cleans: bool) -> None:
        plan = site(allows_walk_in=allows_walk_in, walk_in_ms=HOUR_MS, cleans=cleans)
        self.wall = Wall(neighbours(*BOOKINGS), plan)
        self.ledger = Ledger(plan)

    def read(self) -> None:
        """Let the ledger see the outcome before the next one."""
        self.ledger.follow(self.wall)

    @rule(who=WHO, answer=strategies.sampled_from(ANSWERS))
    def scan(self, who: str, answer: str) -> None:
        self.wall.scan(who)
        self.read()
        self._answer(answer)

    @rule(
        who=WHO,
        size=strategies.sampled_from(["S", "M", "L"]),
        answer=strategies.sampled_from(ANSWERS),
    )
    def deposit(self, who: str, size: Sizes, answer: str) -> None:
        self.wall.deposit(who, size)
        self.read()
        self._answer(answer)

    @rule(number=NUMBER, answer=strategies.sampled_from(ANSWERS))
    def open_by_hand(self, number: int, answer: str) -> None:
        before = self.wall.at(number).rental
        self.wall.open_by_hand(number)
        self.read()
        assert self.wall.at(number).rental == before
        self._answer(answer)

    def _answer(self, answer: str) -> None:
        """Let the disk and the board do something with each order."""
        for wish in self.wall.openings():
            if answer == "refuse" and not wish.is_first_aid:
                self.wall.refuse(wish)
            elif answer == "jam":
                self.wall.jam(wish.number)
            elif answer in ("use", "open"):
                self.wall.leaf(wish.number, is_open=True)
                self.read()
                if answer == "use":
                    self.wall.leaf(wish.number, is_open=False)
            self.read()

    @rule(number=NUMBER, is_open=strategies.booleans())
    def swing(self, number: int, *, is_open: bool) -> None:
        self.wall.leaf(number, is_open=is_open)

    @rule(number=NUMBER)
    def end_rental(self, number: int) -> None:
        self.wall.end_rental(number)

    @rule(number=NUMBER, is_broken=strategies.booleans())
    def mend(self, number: int, *, is_broken: bool) -> None:
        if is_broken:
            self.wall.take_out(number)
        else:
            self.wall.mend(number)

    @rule(number=NUMBER)
    def clean(self, number: int) -> None:
        self.wall.cleaned(number)

    @rule(who=WHO)
    def first_aid(self, who: str) -> None:
        told = self.wall.scan(who, "aid")
        assert told[-1] == "open hall 5", "first aid never waits"

    @rule(is_closed=strategies.booleans())
    def lock_down(self, *, is_closed: bool) -> None:
        self.wall.closes_lockers = is_closed

    @rule(seconds=strategies.sampled_from([0.0, 0.5, 3.0, 59.0, 61.0, 1800.0, 7200.0]))
    def wait(self, seconds: float) -> None:
        self.wall.wait(seconds)

    @rule(spread_ms=strategies.sampled_from([0, 0, 30_000, 7_200_000, -1]))
    def doubt(self, spread_ms: int) -> None:
        self.wall.spread_ms = spread_ms

    @rule(back=strategies.integers(0, 30))
    def restart(self, back: int) -> None:
        self.wall.restart(back)

    @invariant()
    def the_ledger_agrees(self) -> None:
        if hasattr(self, "wall"):
            self.read()

    @invariant()
    def a_replay_gives_the_same(self) -> None:
        if hasattr(self, "wall"):
            live = self.wall.parts.dump()
            for back in (1, len(self.wall.kept)):
                assert self.wall.replayed(back).dump() == live

    @invariant()
    def a_timer_is_never_stuck_in_the_past(self) -> None:
        if hasattr(self, "wall"):
            self.wall.tick()
            self.read()
            due_s = self.wall.deadline()
            assert due_s is None or due_s > self.wall.now_s


LockerMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=50, deadline=None
)
TestLockers = LockerMachine.TestCase
