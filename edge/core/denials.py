# SPDX-License-Identifier: Apache-2.0
"""Refusals in bulk become one counted event, so that nobody wears out the disk.

The law of the module: at each access point the first refusals of a minute are told
one by one, those beyond are counted by reason and told when the minute is over.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Refusals told one by one at an access point within one window.
SINGLE_LIMIT = 5
WINDOW_S = 60.0


@dataclass(slots=True, kw_only=True)
class _Window:
    ends_s: float
    told: int = 0
    counted: Counter[str] = field(default_factory=Counter)


class DenialLimiter:
    """Says which refusals deserve an event of their own."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def is_single(self, access_point: str, reason: str, now_s: float) -> bool:
        """Return True if this refusal is told alone; else it has been counted."""
        window = self._windows.get(access_point)
        if window is None:
            window = self._windows[access_point] = _Window(ends_s=now_s + WINDOW_S)
        if window.told < SINGLE_LIMIT:
            window.told += 1
            return True
        window.counted[reason] += 1
        return False

    def deadline(self) -> float | None:
        """Return when the next window ends."""
        return min((w.ends_s for w in self._windows.values()), default=None)

    def collect(
        self, now_s: float, *, is_final: bool = False
    ) -> list[tuple[str, str, int]]:
        """End the windows that are over; return ``(access point, reason, count)``."""
        over = [
            name
            for name, window in self._windows.items()
            if is_final or now_s >= window.ends_s
        ]
        counted = []
        for name in over:
            window = self._windows.pop(name)
            counted += [(name, reason, n) for reason, n in window.counted.items()]
        return counted
