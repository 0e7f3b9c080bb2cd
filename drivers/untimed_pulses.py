# SPDX-License-Identifier: Apache-2.0
"""Pulses that a driver has to end itself, since its outputs can't.

The law of the module: it counts and switches nothing. A pulse that begins while
another runs on its channel ends with the later of the two, so that a short release
never cuts a longer one short; an end that is due is told once.
"""

from __future__ import annotations

from math import isfinite

#: The longest release of a door, and then some; what is longer is SetOutput. A driver
#: that dies leaves the output on, so that nothing long may hang on its life.
MAX_PULSE_S = 60.0


class UntimedPulses:
    """When the pulse of each channel is to be ended."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}

    def begin(self, channel: int, duration_s: float, now: float) -> None:
        """Plan the end of a pulse that begins now."""
        self._ends[channel] = max(now + duration_s, self._ends.get(channel, 0.0))

    def drop(self, channel: int) -> None:
        """Forget the end: the output was set to stay as it is."""
        self._ends.pop(channel, None)

    def clear(self) -> None:
        """Forget all ends: all outputs are off."""
        self._ends.clear()

    def take_due(self, now: float) -> list[int]:
        """Hand over the channels to be switched off now."""
        due = [channel for channel, end in self._ends.items() if end <= now]
        for channel in due:
            del self._ends[channel]
        return due

    def deadline(self) -> float | None:
        """When the next pulse ends."""
        return min(self._ends.values(), default=None)


def is_pulse(duration_s: float) -> bool:
    """Whether a pulse of that length is taken at all."""
    return isfinite(duration_s) and 0 < duration_s <= MAX_PULSE_S
