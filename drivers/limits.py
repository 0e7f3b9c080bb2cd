# SPDX-License-Identifier: Apache-2.0
"""Counting answers and bursts: when a device is lost, when it says too much.

The law of the module: no clock of its own; both classes only count what they are
told.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

#: Three: one may be noise, two a collision; the third is a cut wire.
ALLOWED_MISSES = 3


class Reach(StrEnum):
    """Whether a device answers."""

    UNKNOWN = "UNKNOWN"
    ANSWERING = "ANSWERING"
    SILENT = "SILENT"


class Liveness:
    """Three unanswered questions in a row make a device silent."""

    def __init__(self) -> None:
        self.reach = Reach.UNKNOWN
        self._misses = 0

    def restart(self) -> None:
        """Know nothing again, as after the link was lost."""
        self.reach = Reach.UNKNOWN
        self._misses = 0

    def heard(self) -> None:
        """Count an answer."""
        self._misses = 0

    def found(self) -> None:
        """Take the device as answering; the driver decides when that is sure."""
        self.reach = Reach.ANSWERING
        self._misses = 0

    def missed(self) -> bool:
        """Count a missing answer; True if this one made the device silent."""
        self._misses += 1
        if self._misses < ALLOWED_MISSES:
            return False
        self._misses = 0
        was_silent = self.reach is Reach.SILENT
        self.reach = Reach.SILENT
        return not was_silent


class RateLimit:
    """At most ``most`` in any ``within_s`` seconds."""

    def __init__(self, *, most: int, within_s: float) -> None:
        self._within_s = within_s
        self._admitted: deque[float] = deque(maxlen=most)
        self.dropped = 0

    def admit(self, now: float) -> bool:
        """Count one; ``dropped`` counts the refused ones of the present burst."""
        is_full = len(self._admitted) == self._admitted.maxlen
        if is_full and now - self._admitted[0] < self._within_s:
            self.dropped += 1
            return False
        self._admitted.append(now)
        self.dropped = 0
        return True
