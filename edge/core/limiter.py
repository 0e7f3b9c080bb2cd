# SPDX-License-Identifier: Apache-2.0
"""What comes in bulk becomes one counted event, so that nobody wears out the disk.

The law of the module: of each subject the first few in a window are told one by one,
those beyond are counted by reason and told when the window is over.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

WINDOW_S = 60.0


@dataclass(slots=True, kw_only=True)
class _Window:
    ends_s: float
    told: int = 0
    counted: Counter[str] = field(default_factory=Counter)


class Limiter:
    """Says which facts deserve an event of their own: so many a subject a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        #: While there is no room, nothing is told alone: all of it is counted.
        self.is_crowded = False
        self._windows: dict[str, _Window] = {}

    def is_single(self, subject: str, reason: str, now_s: float) -> bool:
        """Return True if this one is told alone; else it has been counted."""
        window = self._windows.get(subject)
        if window is None:
            window = self._windows[subject] = _Window(ends_s=now_s + WINDOW_S)
        if window.told < self._limit and not self.is_crowded:
            window.told += 1
            return True
        window.counted[reason] += 1
        return False

    def deadline(self) -> float | None:
        """Return when the next window ends."""
        if not self._windows:  # asked at every step
            return None
        return min((w.ends_s for w in self._windows.values()), default=None)

    def collect(
        self, now_s: float, *, is_final: bool = False
    ) -> list[tuple[str, str, int]]:
        """End the windows that are over; return ``(subject, reason, count)``."""
        over = [
            subject
            for subject, window in self._windows.items()
            if is_final or now_s >= window.ends_s
        ]
        counted = []
        for subject in over:
            window = self._windows.pop(subject)
            counted += [(subject, reason, n) for reason, n in window.counted.items()]
        return counted
