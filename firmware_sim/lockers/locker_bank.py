# SPDX-License-Identifier: Apache-2.0
"""The physics of a locker bank: latches, leaves, feedback switches, what lies inside.

The law of the module: it knows no wire and no frame. A pulse springs the latch and the
leaf pops open by itself; only a hand shuts it. A latch whose leaf stayed shut engages
again when its pulse ends. Every move of a leaf is noted once, at its own time.
Channels count from 1, as printed on the board.
Source: Open-Locker ADR-0067 (the switch is the latch's on most locks, not the leaf's);
vendor text of the 8A boards (a pulse of some 300 ms). That a leaf which leans against
something is latched again after the pulse is the usual build, not everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.happening import What
from firmware_sim.outbox import earliest

if TYPE_CHECKING:
    from firmware_sim.happening import Diary

#: Things in one compartment: a household's shopping; more is a runaway test.
MAX_THINGS = 32
#: Characters that name a thing, so that snapshots stay small.
MAX_THING_CHARACTERS = 80


class Feedback(StrEnum):
    """What the feedback switch feels."""

    LATCH = "latch"
    LEAF = "leaf"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompartmentSnapshot:
    """A compartment as it stands; ``feels_closed`` is what its switch feels."""

    channel: int
    is_open: bool
    is_latched: bool
    feels_closed: bool
    is_jammed: bool
    is_held_shut: bool
    things: tuple[str, ...]
    pulses: int
    openings: int


class Compartment:
    """One compartment and the hand upon it."""

    def __init__(self, channel: int, feedback: Feedback, diary: Diary) -> None:
        self.channel = channel
        self._feedback = feedback
        self._diary = diary
        self._is_open = False
        self._is_latched = True
        self._is_jammed = False
        self._is_held_shut = False
        #: When the coil falls back, or None; a jammed latch's coil just hums.
        self.pulse_until: float | None = None
        self._things: list[str] = []
        self._pulses = 0
        self._openings = 0

    # -- the wires -----------------------------------------------------------------

    @property
    def feels_closed(self) -> bool:
        """What the feedback switch feels."""
        if self._feedback is Feedback.LATCH:
            return self._is_latched
        return not self._is_open

    @property
    def holds_something(self) -> bool:
        """What an infrared gate inside tells."""
        return bool(self._things)

    def pulse(self, at: float, duration_s: float) -> None:
        """Pull the latch back for ``duration_s``; again: from anew."""
        self._pulses += 1
        if self._is_jammed:
            self._diary.note(What.COMPARTMENT_JAMMED, at, channel=self.channel)
            return
        self.pulse_until = at + duration_s
        self._is_latched = False
        if not self._is_held_shut:
            self._pop(at)

    def end_pulse(self) -> None:
        """Let the coil fall back; the latch engages if the leaf is there."""
        self.pulse_until = None
        self._is_latched = not self._is_open

    # -- the hand in the world -----------------------------------------------------

    def shut(self, now: float) -> bool:
        """Press the leaf shut; tell whether it stays so.

        While the coil pulls it springs back, unless something holds it.
        """
        is_pulled = self.pulse_until is not None
        if self._is_open and (self._is_held_shut or not is_pulled):
            self._is_open = False
            self._is_latched = not is_pulled
            self._diary.note(What.COMPARTMENT_CLOSED, now, channel=self.channel)
        return not self._is_open

    def pry(self, now: float) -> bool:
        """Open the leaf whatever latch and load do; tell whether it is open."""
        self._is_latched = False
        self._pop(now)
        return self._is_open

    def jam(self, *, is_jammed: bool) -> None:
        """Let the latch stick at the next pulses, or oil it."""
        self._is_jammed = is_jammed

    def hold_shut(self, now: float, *, is_held: bool) -> None:
        """Lean something against the leaf, or take it away: an unlatched one pops."""
        self._is_held_shut = is_held
        if not is_held and not self._is_latched:
            self._pop(now)

    def put_in(self, thing: str) -> bool:
        """Lay a thing inside; tell whether it is in: the leaf must be open."""
        if not 1 <= len(thing) <= MAX_THING_CHARACTERS:
            raise SimulationError(
                f"a thing is named by 1 to {MAX_THING_CHARACTERS} characters"
            )
        if len(self._things) >= MAX_THINGS:
            raise SimulationError(f"{MAX_THINGS} things are inside; take them out")
        if self._is_open:
            self._things.append(thing)
        return self._is_open

    def take_out(self) -> tuple[str, ...]:
        """Take everything out; nothing if the leaf is shut."""
        if not self._is_open:
            return ()
        taken = tuple(self._things)
        self._things.clear()
        return taken

    def snapshot(self) -> CompartmentSnapshot:
        """Return the compartment as it stands."""
        return CompartmentSnapshot(
            channel=self.channel,
            is_open=self._is_open,
            is_latched=self._is_latched,
            feels_closed=self.feels_closed,
            is_jammed=self._is_jammed,
            is_held_shut=self._is_held_shut,
            things=tuple(self._things),
            pulses=self._pulses,
            openings=self._openings,
        )

    def _pop(self, at: float) -> None:
        if not self._is_open:
            self._is_open = True
            self._openings += 1
            self._diary.note(What.COMPARTMENT_OPENED, at, channel=self.channel)


class LockerBank:
    """The compartments of one board."""

    def __init__(self, channels: int, feedback: Feedback, diary: Diary) -> None:
        self.compartments = tuple(
            Compartment(channel, feedback, diary) for channel in range(1, channels + 1)
        )

    def at(self, channel: int) -> Compartment:
        """Return the compartment of ``channel``; SimulationError if there is none."""
        count = len(self.compartments)
        if not 1 <= channel <= count:
            raise SimulationError(
                f"no compartment {channel}; this board has 1 to {count}"
            )
        return self.compartments[channel - 1]

    def feels_closed(self) -> tuple[bool, ...]:
        """Return what the switches feel, from channel 1 on."""
        return tuple([one.feels_closed for one in self.compartments])

    def next_change(self) -> float | None:
        """Return when the next pulse ends, or None."""
        return earliest(*[one.pulse_until for one in self.compartments])

    def tick(self, now: float) -> None:
        """End the pulses that are over by ``now``."""
        for one in self.compartments:
            if one.pulse_until is not None and one.pulse_until <= now:
                one.end_pulse()

    def lose_power(self) -> None:
        """Let all coils fall back."""
        for one in self.compartments:
            if one.pulse_until is not None:
                one.end_pulse()
