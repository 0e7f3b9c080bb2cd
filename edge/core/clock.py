# SPDX-License-Identifier: Apache-2.0
"""The clock as an interval that sources can only tighten.

The law of the module: the true time is never outside ``[lo, hi]``. Both bounds age
with the boot-time counter, widened by the crystal's drift; a source may raise ``lo``
or lower ``hi``, never the other way; one that contradicts the interval is refused
and its refusal reported. Without an upper bound only authenticated sources count,
and none beyond the floor by more than 400 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor

from edge.core.moment import UNBOUNDED_MS

#: Worst drift of a board's crystal over temperature: 100 parts per million.
DRIFT = 100e-6
#: How far an authenticated source may carry an unbounded clock beyond its floor.
LEAP_LIMIT_MS = 400 * 86_400_000


class ClockAnswer(StrEnum):
    """What the clock made of a source's claim."""

    TIGHTENED = "tightened"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Bound:
    """A bound as it was set: UTC ms at ``set_s`` seconds of the boot-time counter."""

    utc_ms: int
    set_s: float

    def at_least(self, now_s: float) -> int:
        return self.utc_ms + floor((now_s - self.set_s) * 1000 * (1 - DRIFT))

    def at_most(self, now_s: float) -> int:
        # Rounded up, or the true time could lie beyond it by part of a millisecond.
        return self.utc_ms + ceil((now_s - self.set_s) * 1000 * (1 + DRIFT))


class IntervalClock:
    """UTC as an interval over a boot-time counter (seconds, counts in suspend)."""

    def __init__(self, *, floor_ms: int, now_s: float) -> None:
        self._lo = _Bound(floor_ms, now_s)
        self._hi: _Bound | None = None

    def interval(self, now_s: float) -> tuple[int, int]:
        """Return ``(earliest_ms, latest_ms)`` at ``now_s``."""
        lo = self._lo.at_least(now_s)
        if self._hi is None:
            return lo, UNBOUNDED_MS
        return lo, max(lo, self._hi.at_most(now_s))

    def raise_floor(self, lo_ms: int, now_s: float) -> ClockAnswer:
        """Take a stamp that cannot lie in the future: time is at least ``lo_ms``."""
        lo, hi = self.interval(now_s)
        if lo_ms > hi or (hi == UNBOUNDED_MS and lo_ms > lo + LEAP_LIMIT_MS):
            return ClockAnswer.REFUSED
        if lo_ms <= lo:
            return ClockAnswer.UNCHANGED
        self._lo = _Bound(lo_ms, now_s)
        return ClockAnswer.TIGHTENED

    def bound(
        self, lo_ms: int, hi_ms: int, now_s: float, *, is_authenticated: bool
    ) -> ClockAnswer:
        """Take a source's whole interval; refused if it misses what is known.

        One that is not authenticated (plain NTP) lowers ``hi`` alone.
        """
        lo, hi = self.interval(now_s)
        is_unbounded = hi == UNBOUNDED_MS
        if lo_ms > hi_ms or hi_ms < lo or lo_ms > hi:
            return ClockAnswer.REFUSED
        if is_unbounded and (not is_authenticated or lo_ms > lo + LEAP_LIMIT_MS):
            return ClockAnswer.REFUSED
        # A floor outlives restarts with the events that carry it: nobody who has not
        # proved who he is may raise it.
        lowest = max(lo, lo_ms) if is_authenticated else lo
        if lowest == lo and hi_ms >= hi:
            return ClockAnswer.UNCHANGED
        self._lo = _Bound(lowest, now_s)
        self._hi = _Bound(min(hi, hi_ms), now_s)
        return ClockAnswer.TIGHTENED
