# SPDX-License-Identifier: Apache-2.0
"""The only place that asks the machine what time it is.

The law of the module: the system's wall clock is a source among others; it counts
only where the site file vouches for it or the kernel says that NTP disciplines it.
Source: adjtimex(2), clock_gettime(2).
"""

from __future__ import annotations

import ctypes
import time
from datetime import datetime, timedelta
from pathlib import Path

from edge.core.clock import ClockAnswer, IntervalClock
from edge.core.moment import UNBOUNDED_MS, Moment

#: No event of this software is older than its release: 2026-11-01.
RELEASE_MS = 1_793_491_200_000
#: A wall clock that moves against the monotonic one by more than this has stepped.
STEP_MS = 2_000
#: How wide the interval may be for a clock that people read.
SHOWN_WITHIN_MS = 10_000
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a device's clock knows no zone
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_MAXERROR_OFFSET = 3  # longs: modes (padded), offset, freq, maxerror
_STATUS_OFFSET = 5
#: 208 bytes where a long has 8 bytes, 128 where it has 4: room for both.
_TIMEX_LONGS = 32


def kernel_error_ms() -> int | None:
    """Return the kernel's bound of its clock's error in ms; None if not disciplined."""
    libc = ctypes.CDLL(None, use_errno=True)
    timex = (ctypes.c_long * _TIMEX_LONGS)()
    state = libc.adjtimex(ctypes.byref(timex))
    status = ctypes.c_int(timex[_STATUS_OFFSET] & 0xFFFFFFFF).value
    if state in (-1, _TIME_ERROR) or status & _STA_UNSYNC:
        return None
    return timex[_MAXERROR_OFFSET] // 1000 + 1


def boot_name() -> str:
    """Return eight hex digits that name this boot of the machine."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text(encoding="ascii")[:8]


class SystemClock:
    """An interval clock fed by this machine."""

    def __init__(self, *, floor_ms: int, system_error_s: float | None) -> None:
        self._boot = boot_name()
        self._clock = IntervalClock(
            floor_ms=max(floor_ms, RELEASE_MS), now_s=self._age_s()
        )
        self._wall_offset_ms = self._offset_ms()
        if system_error_s is not None:
            self._trust(int(system_error_s * 1000), is_authenticated=True)

    @property
    def is_bounded(self) -> bool:
        """Say whether any source has given the time an upper bound."""
        return self._clock.interval(self._age_s())[1] != UNBOUNDED_MS

    def now(self) -> Moment:
        """Return this instant."""
        earliest_ms, latest_ms = self._clock.interval(self._age_s())
        return Moment(
            monotonic_s=time.monotonic(),
            earliest_ms=earliest_ms,
            latest_ms=latest_ms,
            boot=self._boot,
        )

    def bound(self, lo_ms: int, hi_ms: int) -> ClockAnswer:
        """Take an authenticated source's interval, true at this instant."""
        return self._clock.bound(lo_ms, hi_ms, self._age_s(), is_authenticated=True)

    def raise_floor(self, lo_ms: int) -> ClockAnswer:
        """Take an authenticated stamp that cannot lie in the future."""
        return self._clock.raise_floor(lo_ms, self._age_s())

    def consult_kernel(self) -> int:
        """Use NTP where it disciplines the clock; return a step of the wall in ms.

        Plain NTP may tighten inside the interval, never move an unbounded clock.
        """
        error_ms = kernel_error_ms()
        if error_ms is not None:
            self._trust(error_ms, is_authenticated=False)
        offset_ms = self._offset_ms()
        step_ms = offset_ms - self._wall_offset_ms
        self._wall_offset_ms = offset_ms
        return step_ms if abs(step_ms) > STEP_MS else 0

    def _trust(self, error_ms: int, *, is_authenticated: bool) -> ClockAnswer:
        at_ms = wall_ms()
        return self._clock.bound(
            at_ms - error_ms,
            at_ms + error_ms,
            self._age_s(),
            is_authenticated=is_authenticated,
        )

    @staticmethod
    def _age_s() -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def _offset_ms(self) -> int:
        return wall_ms() - int(self._age_s() * 1000)


def local_time(now: Moment, offset_hours: int) -> datetime | None:
    """Return a site's local time for devices that show one; None while unsure.

    Some seconds do not matter to them, a wrong hour does.
    """
    if now.latest_ms - now.earliest_ms > SHOWN_WITHIN_MS:
        return None
    middle_ms = (now.earliest_ms + now.latest_ms) // 2
    return EPOCH + timedelta(milliseconds=middle_ms, hours=offset_hours)


def wall_ms() -> int:
    """Return the machine's wall clock in UTC ms; never for a gateway's decisions."""
    return time.time_ns() // 1_000_000
