# SPDX-License-Identifier: Apache-2.0
"""The one bounded queue before the rules, with a quota for each source.

The law of the module: what is over its source's quota is dropped and counted there;
a flooded reader never takes another's place.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.stimulus import Stimulus

#: A person needs a second for a scan: eight waiting at one reader are a flood.
QUOTA = 8
#: All sources together: 64 readers at most, a few scans each.
CAPACITY = 256


class Inbox:
    """Stimuli that wait for the next step, in order of arrival."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Stimulus]] = deque()
        self._by_source: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, source: str, stimulus: Stimulus) -> bool:
        """Queue a stimulus; False if it was over the quota and dropped."""
        if self._by_source[source] >= QUOTA or len(self._waiting) >= CAPACITY:
            self._dropped[source] += 1
            return False
        self._by_source[source] += 1
        self._waiting.append((source, stimulus))
        return True

    def take(self) -> list[Stimulus]:
        """Return everything that waits."""
        taken = [stimulus for _, stimulus in self._waiting]
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget what waits: after a stall it is too old to act upon."""
        self._waiting.clear()
        self._by_source.clear()

    def take_dropped(self) -> list[tuple[str, int]]:
        """Return ``(source, count)`` of what was dropped since the last call."""
        dropped = list(self._dropped.items())
        self._dropped.clear()
        return dropped
