# SPDX-License-Identifier: Apache-2.0
"""One door at a UHPPOTE controller: its relay, and what contact and button tell.

The law of the module: it moves a relay and watches a :class:`firmware_sim.door.Door`;
it knows no card. A relay drops at its own time however late anybody looks. Each thing
that happened is told once, with its time.

Source: uhppoted/uhppote-core, set_door_control (mode, delay) and events.go (reasons).
That a button releases the lock by itself is how these boards are wired; that an alarm
is told without "record special events" is unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from firmware_sim.outbox import earliest
from firmware_sim.uhppote.events import Reason

if TYPE_CHECKING:
    from firmware_sim.door import Door


class DoorMode(IntEnum):
    """Who may open; FIRST_CARD acts like CONTROLLED here."""

    NORMALLY_OPEN = 1
    NORMALLY_CLOSED = 2
    CONTROLLED = 3
    FIRST_CARD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What the controller noticed at one of its doors."""

    at: float
    reason: Reason


class DoorPost:
    """The door as its controller has it; a hand acts on :attr:`door`."""

    def __init__(self, door: Door, *, release_s: int, held_open_s: float) -> None:
        self.door = door
        self.mode = DoorMode.CONTROLLED
        self.release_s = release_s
        self._held_open_s = held_open_s
        self._relay_is_on = False
        self._release_until: float | None = None
        self._held_at: float | None = None
        self._was_open = self.is_open
        self._was_pressed = self.is_pressed

    @property
    def relay_is_on(self) -> bool:
        """Whether the relay is on; the strike or magnet is released then."""
        return self._relay_is_on

    @property
    def is_open(self) -> bool:
        """What the contact tells."""
        return not self.door.contact_is_closed

    @property
    def is_pressed(self) -> bool:
        """What the exit button tells."""
        return self.door.button_is_pressed

    def release(self, at: float) -> bool:
        """Release the lock for its time; False if the mode forbids it."""
        if self.mode is DoorMode.NORMALLY_CLOSED:
            return False
        if self.mode is not DoorMode.NORMALLY_OPEN:
            self._release_until = at + self.release_s
            self._switch(at, is_on=True)
        return True

    def set_mode(self, mode: DoorMode, at: float) -> None:
        """Take a mode; a release that runs is over."""
        self.mode = mode
        self._release_until = None
        self._switch(at, is_on=mode is DoorMode.NORMALLY_OPEN)

    def lose_power(self, at: float) -> None:
        """Drop the relay."""
        self._release_until = self._held_at = None
        self._switch(at, is_on=False)

    def regain_power(self, at: float) -> None:
        """Come back with the mode that was kept; what moved meanwhile is no news."""
        self.set_mode(self.mode, at)
        self._was_open, self._was_pressed = self.is_open, self.is_pressed

    def next_change(self) -> float | None:
        """Return when something happens by itself."""
        return earliest(self._release_until, self._held_at, self.door.next_change())

    def tick(self, now: float) -> list[Noticed]:
        """Let happen what was due by ``now`` and tell what was noticed."""
        self.door.tick(now)
        noticed = self._watch_button(now)
        if self._release_until is not None and self._release_until <= now:
            until, self._release_until = self._release_until, None
            self._switch(until, is_on=False)
        noticed += self._watch_leaf(now)
        if self._held_at is not None and self._held_at <= now:
            noticed.append(Noticed(at=self._held_at, reason=Reason.HELD_OPEN))
            self._held_at = None
        return noticed

    def _watch_button(self, now: float) -> list[Noticed]:
        was_pressed, self._was_pressed = self._was_pressed, self.is_pressed
        if was_pressed or not self._was_pressed:
            return []
        is_released = self.release(now)
        reason = Reason.BUTTON if is_released else Reason.BUTTON_LOCKED
        return [Noticed(at=now, reason=reason)]

    def _watch_leaf(self, now: float) -> list[Noticed]:
        was_open, self._was_open = self._was_open, self.is_open
        if was_open == self._was_open:
            return []
        if not self._was_open:
            self._held_at = None
            return [Noticed(at=now, reason=Reason.DOOR_CLOSED)]
        if self._held_open_s:
            self._held_at = now + self._held_open_s
        noticed = [Noticed(at=now, reason=Reason.DOOR_OPENED)]
        if not self._relay_is_on:
            noticed.append(Noticed(at=now, reason=Reason.FORCED_OPEN))
        return noticed

    def _switch(self, at: float, *, is_on: bool) -> None:
        if self._relay_is_on is not is_on:
            self._relay_is_on = is_on
            self.door.relay_changed(at, is_on=is_on)
