# SPDX-License-Identifier: Apache-2.0
"""The contacts of a relay board: relays with their own pulse timers, and inputs.

The law of the module: it is the board's physics, without a wire. A pulse ends at its
own time however late it is noticed; every change of a contact is noted once, with the
time at which it happened. Channels count from 0 here, from 1 in the notes.
Source: Waveshare wiki, "Modbus RTU Relay" and "Modbus RTU Relay (D)": flash-on and
flash-off, control modes 0 normal, 1 linkage, 2 toggle, 3 edge. That a second flash
restarts the time is unverified, and so is what a command does to a linked relay: here
it holds until its input changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from firmware_sim.happening import What

if TYPE_CHECKING:
    from firmware_sim.happening import Diary


class ControlMode(IntEnum):
    """How an input acts on the relay of the same number."""

    NORMAL = 0
    LINKAGE = 1
    TOGGLE = 2
    EDGE = 3


class RelayBank:
    """``relays`` outputs, ``inputs`` dry contacts, and what joins them."""

    def __init__(self, relays: int, inputs: int, diary: Diary) -> None:
        self.coils = [False] * relays
        self.inputs = [False] * inputs
        self.modes = [ControlMode.NORMAL] * relays
        self._contacts = [False] * relays
        self._welded = [False] * relays
        self._pulses: dict[int, tuple[float, bool]] = {}
        self._diary = diary
        self._coils_before_outage: list[bool] | None = None

    @property
    def contacts(self) -> tuple[bool, ...]:
        """What the relays' contacts really do; a welded one stays closed."""
        return tuple(self._contacts)

    def set(self, channel: int, at: float, *, is_on: bool) -> None:
        """Switch a relay for good; a pulse of it is forgotten."""
        self._pulses.pop(channel, None)
        self._move(channel, at, is_on=is_on)

    def pulse(self, channel: int, duration_s: float, at: float, *, is_on: bool) -> None:
        """Switch a relay now and back after ``duration_s``; again: from anew."""
        self._pulses[channel] = (at + duration_s, not is_on)
        self._move(channel, at, is_on=is_on)

    def set_mode(self, channel: int, mode: ControlMode, at: float) -> None:
        """Join an input to its relay, or part them; a linked relay follows at once."""
        self.modes[channel] = mode
        if mode is ControlMode.LINKAGE and channel < len(self.inputs):
            self.set(channel, at, is_on=self.inputs[channel])

    def set_input(self, channel: int, at: float, *, is_closed: bool) -> None:
        """Close or open the loop at an input, and let its relay follow."""
        if self.inputs[channel] == is_closed:
            return
        self.inputs[channel] = is_closed
        if channel >= len(self.coils) or self._coils_before_outage is not None:
            return
        match self.modes[channel]:
            case ControlMode.LINKAGE:
                self.set(channel, at, is_on=is_closed)
            case ControlMode.TOGGLE if is_closed:
                self.set(channel, at, is_on=not self.coils[channel])
            case ControlMode.EDGE:
                self.set(channel, at, is_on=not self.coils[channel])
            case _:
                pass

    def next_change(self) -> float | None:
        """Return when the next pulse ends, or None."""
        if not self._pulses:
            return None
        return min(due for due, _ in self._pulses.values())

    def tick(self, now: float) -> None:
        """End the pulses that are over by ``now``, in the order of their ends."""
        if not self._pulses:
            return
        over = sorted(
            (due, channel, is_on)
            for channel, (due, is_on) in self._pulses.items()
            if due <= now
        )
        for due, channel, is_on in over:
            self.set(channel, due, is_on=is_on)

    def weld(self, channel: int, at: float, *, is_welded: bool) -> None:
        """Weld a contact shut, or mend it; the coil's reading does not change."""
        self._welded[channel] = is_welded
        self._move(channel, at, is_on=self.coils[channel])

    def lose_power(self, at: float) -> None:
        """Drop all relays and forget their pulses."""
        self._coils_before_outage = list(self.coils)
        for channel in range(len(self.coils)):
            self.set(channel, at, is_on=False)

    def regain_power(self, at: float, *, restores_state: bool) -> None:
        """Come back: all off, or as before for good; linked relays follow inputs."""
        before, self._coils_before_outage = self._coils_before_outage, None
        for channel, was_on in enumerate(before or ()):
            if restores_state and was_on:
                self.set(channel, at, is_on=True)
            self.set_mode(channel, self.modes[channel], at)

    def _move(self, channel: int, at: float, *, is_on: bool) -> None:
        self.coils[channel] = is_on
        closed = is_on or self._welded[channel]
        if self._contacts[channel] != closed:
            self._contacts[channel] = closed
            what = What.RELAY_ON if closed else What.RELAY_OFF
            self._diary.note(what, at, channel=channel + 1)
