# SPDX-License-Identifier: Apache-2.0
"""Random days of commands, repeats, slow disks and power cuts: once, and one end.

A commit makes all so far durable and lets its records act; a power cut takes the rest.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from edge.core.event import EventKind
from edge.core.remote.command import Action, Rejection, RemoteCommand
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.remote.afar import command
from tests.core.scene import SITE
from tests.core.stage import Stage

STEPS = 80
ENDS = {
    EventKind.COMMAND_EXECUTED,
    EventKind.COMMAND_REJECTED,
    EventKind.COMMAND_UNKNOWN,
}


class Day:
    """One walk; ``released`` counts by command how often a strike was released."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.stage = Stage()
        self.durable = 0
        self.given: list[RemoteCommand] = []
        self.released = Counter[str]()

    def give(self) -> None:
        action = self.rng.choice((Action.OPEN, Action.RESIDENT_OPEN))
        door, by = self.rng.choice(list(SITE.doors)), f"op-{self.rng.randrange(3)}"
        new = command(len(self.given), action, door=door, by=by)
        self.given.append(new)
        self.stage.do(CommandReceived(command=new))

    def repeat(self) -> None:
        if self.given:
            again = self.rng.choice(self.given[-8:])
            self.stage.do(CommandReceived(command=again))

    def commit(self) -> None:
        fresh, self.durable = self.stage.journal[self.durable :], self.durable
        self.durable += len(fresh)
        for event in fresh:
            if event.kind is EventKind.COMMAND_RECEIVED:
                jti = str(event.fact("jti"))
                told = self.stage.do(CommandStored(jti=jti))
                self.released[jti] += sum(t.startswith("release") for t in told)

    def hear_twice(self) -> None:
        if self.given:
            jti = self.rng.choice(self.given).jti
            if self.released[jti]:
                assert self.stage.do(CommandStored(jti=jti)) == []

    def walk_in(self) -> None:
        self.stage.walk_through(self.rng.choice(list(SITE.doors)))

    def wait(self) -> None:
        self.stage.wait(self.rng.choice((0.1, 1.0, 3.0, 12.0, 1200.0)))

    def shut(self) -> None:
        mode = self.rng.choice(("LOCKED", "BLOCKED", "LOCKED"))
        self.stage.order(self.rng.choice(list(SITE.doors)), mode)

    def cut(self) -> None:
        del self.stage.journal[self.durable :]
        self.stage.cut_power()

    def step(self) -> None:
        acts = (self.give, self.repeat, self.commit, self.hear_twice, self.walk_in)
        more = (self.wait, self.shut, self.cut)
        weights = (6, 3, 6, 1, 2, 4, 1, 1)
        (act,) = self.rng.choices((*acts, *more), weights)
        act()

    def judge(self) -> None:
        received, ended = Counter[str](), Counter[str]()
        for event in self.stage.journal:
            jti = str(event.fact("jti"))
            if event.kind is EventKind.COMMAND_RECEIVED:
                received[jti] += 1
            elif event.kind in ENDS and event.fact("reason") != Rejection.REPLAY:
                # One that was turned away may be given once more, to the rules; the
                # session lets no name through twice.
                ended[jti] += received[jti]
        assert all(count == 1 for count in self.released.values() if count)
        assert set(+self.released) <= set(received), "released without a record"
        assert set(received.values()) <= {1}, "recorded twice"
        assert {jti: ended[jti] for jti in received} == dict(received), "not one end"


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_every_command_acts_at_most_once_and_has_one_end(first: int) -> None:
    acted = 0
    for seed in range(first, first + 20):
        print(f"seed {seed}")
        day = Day(seed)
        for _ in range(STEPS):
            day.step()
        day.commit()
        day.cut()
        day.judge()
        acted += day.released.total()
    assert acted > 20, "a walk in which nothing happens shows nothing"
