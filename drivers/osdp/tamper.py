# SPDX-License-Identifier: Apache-2.0
"""Why one reader counts as tampered with: its own switch, or what only a hand explains.

The law of the module: each cause is told once when it begins; the all-clear is told
when the last one has ended.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING

from drivers.device import TamperChanged

if TYPE_CHECKING:
    from drivers.waiting import WaitingSignals

#: Three forged replies in a minute: one may be a fault, an attacker needs many.
FORGERIES = 3
FORGERIES_WITHIN_S = 60.0


class Cause(StrEnum):
    """Words for the journal."""

    SWITCH = "the reader's tamper switch"
    POWER = "the reader reports a fault of its power supply"
    FORGERY = "three replies within a minute were not signed with the reader's key"
    OTHER_READER = "another reader (cUID) answers at this address"


class Tamper:
    """The causes of one reader; signals go to ``outbox``."""

    def __init__(self, *, unit: int, outbox: WaitingSignals) -> None:
        self._unit = unit
        self._outbox = outbox
        self._causes: set[Cause] = set()
        self._forged_at: deque[float] = deque(maxlen=FORGERIES)

    def hold(self, cause: Cause, *, is_present: bool) -> None:
        """Take note of a cause or of its end; tell what is news."""
        if is_present == (cause in self._causes):
            return
        self._causes ^= {cause}
        if is_present or not self._causes:
            self._outbox.add(
                TamperChanged(unit=self._unit, is_tampered=is_present, why=cause)
            )

    def forged(self, now: float) -> None:
        """Count a reply of somebody without the key."""
        self._forged_at.append(now)
        is_full = len(self._forged_at) == FORGERIES
        if is_full and now - self._forged_at[0] <= FORGERIES_WITHIN_S:
            self.hold(Cause.FORGERY, is_present=True)

    def calm(self, now: float) -> None:
        """Forget forgeries that are a minute old; called at each good answer."""
        if self._forged_at and now - self._forged_at[-1] > FORGERIES_WITHIN_S:
            self._forged_at.clear()
            self.hold(Cause.FORGERY, is_present=False)
