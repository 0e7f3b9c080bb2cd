# SPDX-License-Identifier: Apache-2.0
"""A bouncing contact becomes a level: one that stood still, or the last of many.

The law of the module: each edge starts the wait anew, so that a bounce is not told;
but after ``MAX_WAITS`` waits the level of that moment counts, so that a contact that
chatters for ever is heard all the same, and at a bounded rate. The first level known
is told at once.
"""

from __future__ import annotations

from math import inf

#: So many waits at most from the first edge of a bounce: 120 ms for a door's contact.
MAX_WAITS = 4


class Debounce:
    """One input; ``told`` is the level last told, None before the first."""

    def __init__(self, wait_s: float) -> None:
        self.told: bool | None = None
        self._wait_s = wait_s
        self._level = False
        self._settles_at = inf
        self._at_latest = inf

    def forget(self) -> None:
        """Know nothing: the next level is the first one."""
        self.told = None
        self._settle()

    def see(self, now: float, *, is_active: bool) -> bool:
        """Take a level; True if it is to be told now."""
        self._level = is_active
        if self.told is None:
            self.told = is_active
            return True
        if is_active is self.told and self._at_latest is inf:
            return False
        self._at_latest = min(self._at_latest, now + MAX_WAITS * self._wait_s)
        self._settles_at = min(now + self._wait_s, self._at_latest)
        return False

    def settled(self, now: float) -> bool:
        """Tell whether another level has settled by ``now``; ``told`` is then it."""
        if now < self._settles_at:
            return False
        self._settle()
        is_news = self._level is not self.told
        self.told = self._level
        return is_news

    @property
    def settles_at(self) -> float:
        """When the level is taken as it stands; infinite if nothing bounces."""
        return self._settles_at

    def _settle(self) -> None:
        self._settles_at = self._at_latest = inf
