# SPDX-License-Identifier: Apache-2.0
"""Nobody is locked in: the exit button releases at once, in every mode and state.

The law of the module: pressed is released in the same breath, or the door is free
already, and an unlocked one is where its strike stands released; no refusal, no
storage, no clock and no list stands in between. In the street the strike must follow
while nothing disturbs the box or its board.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import (
    EVERYTHING,
    CarriedOut,
    Handled,
    Happened,
    Violation,
)
from edge.cli.simulate.oracle.calm import Calm
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.standing import Standing
from edge.core.command import HoldOpen, Release
from edge.core.doors.door import DoorMode
from edge.core.plan import Direction
from edge.core.stimulus import ExitButtonChanged, Scan
from firmware_sim.happening import What

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest

#: From the button to the strike: a poll of the board, an order and its answer.
WITHIN_S = 1.0
#: Two scans old: then nobody is let out by it; he will hold his card there again.
SCAN_LIFE_S = 2.0


class ExitAlwaysWorks:
    """Watches buttons, exit readers and strikes."""

    name = "exit always works"
    heeds: Kinds = EVERYTHING

    def __init__(self, ground: Ground) -> None:
        self._plan = ground.plan
        self._standing = Standing(ground.plan)
        self._chronicle = Chronicle(self._standing)
        self._calm = Calm("board")
        self._released: set[str] = set()
        #: Doors whose button is held, and since when.
        self._pressed_s: dict[str, float] = {}
        #: Doors whose release is on its way, as the box sees it.
        self._owed: set[str] = set()

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._calm.see(seen)
        self._overdue(seen.at_s)
        self._chronicle.see(seen)
        match seen:
            case Handled(stimulus=ExitButtonChanged(door=door, is_pressed=True)):
                self._answered(seen, door)
            case Handled(stimulus=Scan() as scan):
                point = self._plan.access_points[scan.access_point]
                age_s = seen.moment.monotonic_s - scan.received_s
                is_out = point.door_id and point.direction is Direction.OUT
                if is_out and age_s <= SCAN_LIFE_S:
                    self._answered(seen, point.door_id)
            case CarriedOut(command=Release(door=door, is_egress=True)):
                self._owed.discard(door)
            case Happened(happening=happening):
                self._moved(happening.what, happening.name, seen.at_s)
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that no button is left without its answer."""
        self._overdue(rest.at_s)

    def _answered(self, seen: Handled, door: str) -> None:
        is_released = any(
            isinstance(command, Release) and command.door == door and command.is_egress
            for command in seen.commands
        )
        is_held = any(
            isinstance(command, HoldOpen) and command.door == door
            for command in seen.commands
        )
        mode = self._standing.mode(door)
        is_unlocked = mode is DoorMode.UNLOCKED and door in self._released
        is_free = mode is DoorMode.LOCKED_OPEN or is_unlocked
        if not (is_released or is_held or is_free):
            raise Violation(self.name, f"{door} stayed shut to its exit in {mode}")

    def _moved(self, what: What, name: str, at_s: float) -> None:
        match what:
            case What.STRIKE_RELEASED:
                self._released.add(name)
                self._pressed_s.pop(name, None)
            case What.STRIKE_RELOCKED:
                self._released.discard(name)
            case What.EXIT_PRESSED if name not in self._released:
                self._pressed_s[name] = at_s
            case What.EXIT_RELEASED:
                self._pressed_s.pop(name, None)
            case _:
                pass

    def _overdue(self, at_s: float) -> None:
        for door, since_s in list(self._pressed_s.items()):
            if at_s <= since_s + WITHIN_S:
                continue
            del self._pressed_s[door]
            if self._calm.was_calm(since_s, at_s):
                what = f"{door}: pressed at {since_s:.2f} s, shut {WITHIN_S} s later"
                raise Violation(self.name, what)
