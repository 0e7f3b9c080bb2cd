# SPDX-License-Identifier: Apache-2.0
"""How the doors of a UHPPOTE controller are held, and how the house wants them.

The law of the module: what was asked and answered is known, all else is not. A door
that is found held by itself, open or shut, is taken back, but only 2 s after a
beginning, when the house has said how it is to be, and never where its last word was
"on": a controller that comes back during a fire must not shut an escape door.

Source: uhppoted/uhppote-core, messages/{get,set}_door_control.go.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from drivers.uhppote.order import USUAL_DELAY_S
from drivers.uhppote.requests import set_door
from drivers.uhppote.wire import DoorMode

if TYPE_CHECKING:
    from drivers.uhppote.wire import DoorControl, Request

#: The house speaks as soon as a controller is reachable; an order lives so long.
TAKE_BACK_AFTER_S = 2.0


class Doors:
    """The doors of one controller, numbered from 1."""

    def __init__(self, count: int) -> None:
        self.numbers = range(1, count + 1)
        self._known: dict[int, DoorControl] = {}
        self._wanted_open: set[int] = set()
        self._astray: set[int] = set()
        self._take_back_at = 0.0

    def get(self, door: int) -> DoorControl | None:
        """Return how a door is held; None if nobody knows."""
        return self._known.get(door)

    def delay_s(self, door: int) -> int:
        """Return how long a release of a door lasts, as far as is known."""
        known = self._known.get(door)
        return (known.delay_s if known is not None else 0) or USUAL_DELAY_S

    def wants(self, door: int, *, is_on: bool) -> None:
        """Take the house's word how a door is to be, whether or not it gets there."""
        self._astray.discard(door)
        if is_on:
            self._wanted_open.add(door)
        else:
            self._wanted_open.discard(door)

    def stands_open(self, door: int) -> bool:
        """Whether a door stands open by the house's last word."""
        known = self._known.get(door)
        is_open = known is None or known.mode == DoorMode.NORMALLY_OPEN
        return is_open and door in self._wanted_open

    def may_stand_open(self, door: int) -> bool:
        """Whether a relay that is on may be so by its mode, as far as we know."""
        known = self._known.get(door)
        is_held = known is None or known.mode != DoorMode.CONTROLLED
        return is_held or door in self._wanted_open

    def begin(self) -> None:
        """Know nothing of the doors but what the house wants."""
        self._known.clear()
        self._astray.clear()

    def reached(self, now: float) -> None:
        """Count from now on what the house takes to say how the doors are to be."""
        self._take_back_at = now + TAKE_BACK_AFTER_S

    def found(self, door: int, control: DoorControl, *, is_beginning: bool) -> None:
        """Take how a door was found held."""
        self._known[door] = control
        is_own = control.mode != DoorMode.CONTROLLED and not self.stands_open(door)
        if is_beginning and is_own:
            self._astray.add(door)

    def was_set(self, door: int, control: DoorControl) -> None:
        """Take how a door is held since it was set."""
        self._known[door] = control
        self._astray.discard(door)

    def unsure(self, door: int) -> None:
        """Know nothing of a door any more."""
        self._known.pop(door, None)

    def due_at(self) -> float:
        """When a door is to be taken back."""
        return self._take_back_at if self._astray else inf

    def take_back(self, now: float) -> Request | None:
        """Return the setting of a door that is held by itself, once it is time."""
        if now < self.due_at():
            return None
        door = min(self._astray)
        return set_door(door, DoorMode.CONTROLLED, self.delay_s(door))

    def leave(self, door: int) -> None:
        """Give up taking a door back: it never answers."""
        self._astray.discard(door)
