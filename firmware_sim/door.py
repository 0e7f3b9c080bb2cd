# SPDX-License-Identifier: Apache-2.0
"""The physics of a door: its lock, its leaf, the contact and the exit button.

The law of the module: a door knows no wire and no board; it is told what its relay
does and tells what its contact and button do. The door contact is a reed in a loop
that is closed while the leaf is shut; the exit button closes its loop while pressed.
Source: IEC 60839-11-1 vocabulary; usual wiring of strikes and magnets (a fail-secure
strike needs power to open, at the relay's NO contact; a magnet needs power to hold, at
the NC contact, and the fire panel cuts its supply in hardware).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.happening import Diary, Subject, What


class LockKind(StrEnum):
    """What holds the leaf."""

    STRIKE = "strike"
    MAGLOCK = "maglock"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSettings:
    """A door and its wires; channels count from 1, None: not wired.

    Both kinds of lock release while their relay is on: the strike hangs on the relay's
    normally open contact, the magnet on the normally closed one.
    """

    board: str
    relay: int
    contact: int | None = None
    exit_button: int | None = None
    lock: LockKind = LockKind.STRIKE


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSnapshot:
    """The door as it stands; ``contact_is_closed`` is what the reed tells."""

    is_released: bool
    is_open: bool
    contact_is_closed: bool
    button_is_pressed: bool
    has_lock_power: bool
    openings: int


class Door:
    """A door and the hand upon it."""

    def __init__(self, lock: LockKind = LockKind.STRIKE, *, name: str = "door") -> None:
        self.diary = Diary(Subject.DOOR, name)
        self._lock = lock
        self._relay_is_on = False
        self._has_lock_power = True
        self._is_released = False
        self._is_open = False
        self._contact_stuck: bool | None = None
        self._button_is_pressed = False
        self._button_until: float | None = None
        self._openings = 0

    # -- the wires -----------------------------------------------------------------

    @property
    def contact_is_closed(self) -> bool:
        """What the reed tells: closed while the leaf is shut, unless it is stuck."""
        return not self._is_open if self._contact_stuck is None else self._contact_stuck

    @property
    def button_is_pressed(self) -> bool:
        """What the exit button tells."""
        return self._button_is_pressed

    def relay_changed(self, at: float, *, is_on: bool) -> None:
        """Take what the relay of the lock does."""
        self._relay_is_on = is_on
        self._settle_lock(at)

    def next_change(self) -> float | None:
        """Return when the finger leaves the exit button, or None."""
        return self._button_until

    def tick(self, now: float) -> None:
        """Let the finger leave the exit button if its time is over."""
        if self._button_until is not None and self._button_until <= now:
            self.release_exit(self._button_until)

    # -- the hand in the world -----------------------------------------------------

    def push(self, now: float) -> bool:
        """Push the leaf: it opens if the lock is released. Tell whether it is open."""
        self.tick(now)
        if self._is_released:
            self._open(now)
        return self._is_open

    def force(self, now: float) -> bool:
        """Open the leaf whatever the lock does: a crowbar, or the handle inside."""
        self.tick(now)
        self._open(now)
        return self._is_open

    def pull_shut(self, now: float) -> bool:
        """Shut the leaf; tell whether it was open."""
        self.tick(now)
        was_open = self._is_open
        if was_open:
            self._is_open = False
            self.diary.note(What.LEAF_CLOSED, now)
        return was_open

    def press_exit(self, now: float, hold_s: float | None = None) -> None:
        """Press the exit button, for ``hold_s`` or until :meth:`release_exit`."""
        self.tick(now)
        self._button_until = None if hold_s is None else now + hold_s
        if not self._button_is_pressed:
            self._button_is_pressed = True
            self.diary.note(What.EXIT_PRESSED, now)

    def release_exit(self, now: float) -> None:
        """Take the finger off the exit button."""
        self._button_until = None
        if self._button_is_pressed:
            self._button_is_pressed = False
            self.diary.note(What.EXIT_RELEASED, now)

    def stick_contact(self, now: float, *, is_closed: bool | None) -> None:
        """Let the reed tell the same for ever; None mends it."""
        self.tick(now)
        self._contact_stuck = is_closed
        is_mended = is_closed is None
        self.diary.note(What.CONTACT_MENDED if is_mended else What.CONTACT_STUCK, now)

    def set_lock_power(self, now: float, *, is_on: bool) -> None:
        """Cut or give back the lock's own supply, as the fire panel or mains do."""
        self.tick(now)
        self._has_lock_power = is_on
        self._settle_lock(now)

    def snapshot(self) -> DoorSnapshot:
        """Return the door as it stands."""
        return DoorSnapshot(
            is_released=self._is_released,
            is_open=self._is_open,
            contact_is_closed=self.contact_is_closed,
            button_is_pressed=self._button_is_pressed,
            has_lock_power=self._has_lock_power,
            openings=self._openings,
        )

    # -- inside --------------------------------------------------------------------

    def _settle_lock(self, at: float) -> None:
        match self._lock:
            case LockKind.STRIKE:
                is_released = self._relay_is_on and self._has_lock_power
            case LockKind.MAGLOCK:
                is_released = self._relay_is_on or not self._has_lock_power
        if is_released != self._is_released:
            self._is_released = is_released
            what = What.STRIKE_RELEASED if is_released else What.STRIKE_RELOCKED
            self.diary.note(what, at)

    def _open(self, at: float) -> None:
        if not self._is_open:
            self._is_open = True
            self._openings += 1
            self.diary.note(What.LEAF_OPENED, at)
