# SPDX-License-Identifier: Apache-2.0
"""How long an examination may take altogether.

The law of the module: no wait of the doctor is longer than what is left, so that a
broker which never answers costs as much time as it was given and no more.
"""

from __future__ import annotations

import time

#: All probes; what they left behind is cleared in the time after it.
EXAMINE_WITHIN_S = 16.0
CLEAR_WITHIN_S = 3.0


class OutOfTimeError(Exception):
    """The examination has used its time up."""


class Budget:
    """Seconds that are spent by waiting."""

    def __init__(self, seconds: float) -> None:
        self._ends_s = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """What is left; never negative."""
        return max(0.0, self._ends_s - time.monotonic())

    def at_most(self, seconds: float) -> float:
        """Return ``seconds`` or what is left of the time; OutOfTimeError at its end."""
        left_s = self.left_s
        if left_s <= 0:
            raise OutOfTimeError
        return min(seconds, left_s)
