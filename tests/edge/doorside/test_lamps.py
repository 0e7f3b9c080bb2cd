# SPDX-License-Identifier: Apache-2.0
"""Lamps on relays: one colour at a time, and what stands comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.device import Cue
from edge.cli.doorside.lamps import BEHIND_STRIKE_S, Lamps
from edge.cli.doorside.sign import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

WIRES = {"green": ("board", 5), "red": ("board", 6), "white": ("board", 7)}


class Alarm:
    """What was called for later."""

    def __init__(self, at_s: float, call: Callable[[], object]) -> None:
        self.at_s, self.call, self.is_off = at_s, call, False

    def cancel(self) -> None:
        self.is_off = True


class Wall:
    """Lamps by hand, and a clock by hand."""

    def __init__(self, wires: dict[str, tuple[str, int]] = WIRES) -> None:
        self.wires = wires
        self.now_s = 0.0
        self.lit: dict[int, bool] = {}
        self.orders = 0
        self._alarms: list[Alarm] = []
        self.lamps = Lamps({"outside": wires}, self._switch, self)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object
    ) -> Alarm:
        alarm = Alarm(self.now_s + delay, lambda: callback(*args))
        self._alarms.append(alarm)
        return alarm

    def _switch(self, wire: tuple[str, int], is_lit: bool) -> None:  # noqa: FBT001
        self.lit[wire[1]] = is_lit
        self.orders += 1

    def show(self, cue: Cue, *, for_s: float = BEHIND_STRIKE_S) -> set[str]:
        """Show a cue; return what is lit after so long."""
        self.lamps.show("outside", LOOKS[cue])
        return self.wait(for_s)

    def wait(self, for_s: float) -> set[str]:
        until_s = self.now_s + for_s
        while due := [a for a in self._alarms if a.at_s <= until_s]:
            alarm = min(due, key=lambda each: each.at_s)
            self._alarms.remove(alarm)
            self.now_s = alarm.at_s
            if not alarm.is_off:
                alarm.call()
        self.now_s = until_s
        return {colour for colour, (_, n) in self.wires.items() if self.lit.get(n)}


def test_a_verdict_goes_over_what_stands_and_gives_way_to_it() -> None:
    wall = Wall()
    assert wall.show(Cue.READY) == {"white"}
    assert wall.show(Cue.GRANTED) == {"green"}
    assert wall.wait(4.9) == {"green"}
    assert wall.wait(0.2) == {"white"}
    assert wall.show(Cue.DENIED) == {"red"}
    assert wall.show(Cue.GRANTED) == {"green"}
    assert wall.wait(6.0) == {"white"}


def test_the_strike_goes_first() -> None:
    wall = Wall()
    wall.show(Cue.READY)
    before = wall.orders
    wall.show(Cue.GRANTED, for_s=BEHIND_STRIKE_S / 2)
    assert wall.orders == before


@pytest.mark.parametrize(
    ("cue", "lit"),
    [
        (Cue.EVACUATE, {"green"}),
        (Cue.LOCKED_DOWN, {"red"}),
        (Cue.OUT_OF_ORDER, {"red"}),
        (Cue.FREE, {"white"}),
        (Cue.BOOKED, {"white"}),
        (Cue.DRILL, {"white"}),
        (Cue.DRILL_EVACUATE, {"green"}),
        (Cue.READING, {"white"}),
        (Cue.CLOSE_DOOR, set()),
    ],
)
def test_a_colour_that_is_not_there_has_the_next_or_none(
    cue: Cue, lit: set[str]
) -> None:
    assert Wall().show(cue) == lit


@pytest.mark.parametrize(
    ("colours", "lit"),
    [("blue red white", "blue"), ("blue white", "white"), ("blue red", "blue")],
)
def test_blue_tells_of_a_booking_only_where_red_tells_of_a_fault(
    colours: str, lit: str
) -> None:
    wall = Wall({colour: ("board", n) for n, colour in enumerate(colours.split())})
    assert wall.show(Cue.BOOKED) == {lit}
    assert wall.show(Cue.OUT_OF_ORDER) == {"red" if "red" in colours else "blue"}


def test_a_rehearsal_leaves_a_verdict_its_time() -> None:
    wall = Wall()
    wall.show(Cue.DENIED)
    assert wall.show(Cue.DRILL_EVACUATE) == {"red"}
    assert wall.wait(8.0) == {"green"}


def test_a_way_out_does_not_wait_for_a_verdict_to_pass() -> None:
    wall = Wall()
    wall.show(Cue.READY)
    wall.show(Cue.DENIED)
    assert wall.show(Cue.EVACUATE) == {"green"}
    assert wall.wait(20.0) == {"green"}


def test_what_stands_changes_beneath_a_verdict() -> None:
    wall = Wall()
    wall.show(Cue.LOCKED_DOWN)
    wall.show(Cue.DENIED)
    assert wall.show(Cue.READY) == {"red"}
    assert wall.wait(20.0) == {"white"}


def test_a_board_that_returns_is_told_everything_once_more() -> None:
    wall = Wall()
    wall.show(Cue.GRANTED)
    wall.lit.clear()
    wall.lamps.refresh()
    assert wall.wait(0.0) == {"green"}
    assert wall.lit == {5: True, 6: False, 7: False}


def test_nothing_is_switched_twice() -> None:
    wall = Wall()
    wall.show(Cue.READY)
    before = wall.orders
    wall.show(Cue.READY)
    assert wall.orders == before


def test_a_point_without_lamps_is_let_be() -> None:
    wall = Wall()
    wall.lamps.show("inside", LOOKS[Cue.GRANTED])
    assert wall.wait(10.0) == set()
