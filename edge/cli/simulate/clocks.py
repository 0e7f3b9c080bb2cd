# SPDX-License-Identifier: Apache-2.0
"""The box's clocks: a crystal that drifts, a wall clock that may say anything.

The law of the module: the true time is known to the simulation alone; the gateway's
interval clock is the real one, fed by the same sources as on a machine. What a plain
time server says wrongly is wrong by hours or years: what lies within the interval
nobody could refuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.system_clock import RELEASE_MS, STEP_MS
from edge.core.clock import ClockAnswer, IntervalClock
from edge.core.moment import UNBOUNDED_MS, Moment

if TYPE_CHECKING:
    from edge.cli.simulate.clockwork import BootTime, Clockwork

#: The kernel's own bound of its error where NTP disciplines it, and the true one.
NTP_ERROR_MS = 40


@dataclass(slots=True)
class TrueTime:
    """UTC as it really is: the world's seconds at the crystal's rate."""

    clockwork: Clockwork
    began_ms: int
    drift_ppm: float

    def ms(self) -> int:
        """Return the true UTC in milliseconds."""
        rate = 1000 * (1 + self.drift_ppm * 1e-6)
        return self.began_ms + int(self.clockwork.now_s * rate)

    def at_s(self, utc_ms: int) -> float:
        """Return the second of the world at which it is so late."""
        return (utc_ms - self.began_ms) / (1000 * (1 + self.drift_ppm * 1e-6))


@dataclass(slots=True)
class WallClock:
    """The machine's own clock: how far it is off, and whether NTP disciplines it."""

    true_time: TrueTime
    off_by_ms: int = 0
    has_ntp: bool = True
    #: A time server that lies: the kernel believes it.
    lies_by_ms: int = 0

    def ms(self) -> int:
        """Return what it shows."""
        return self.true_time.ms() + self.off_by_ms

    def error_ms(self) -> int | None:
        """Return the kernel's bound of its error, None while nothing disciplines."""
        return NTP_ERROR_MS if self.has_ntp else None

    def discipline(self) -> None:
        """Let NTP set it, if there is NTP."""
        if self.has_ntp:
            self.off_by_ms = self.lies_by_ms


class SimulatedClock:
    """One boot's interval clock; see :class:`edge.cli.system_clock.SystemClock`."""

    def __init__(self, boot: BootTime, wall: WallClock, *, floor_ms: int) -> None:
        self._boot = boot
        self._wall = wall
        self._clock = IntervalClock(
            floor_ms=max(floor_ms, RELEASE_MS), now_s=boot.time()
        )
        self._wall_offset_ms = self._offset_ms()

    @property
    def is_bounded(self) -> bool:
        """Say whether any source has given the time an upper bound."""
        return self._clock.interval(self._boot.time())[1] != UNBOUNDED_MS

    def now(self) -> Moment:
        """Return this instant."""
        now_s = self._boot.time()
        earliest_ms, latest_ms = self._clock.interval(now_s)
        return Moment(
            monotonic_s=now_s,
            earliest_ms=earliest_ms,
            latest_ms=latest_ms,
            boot=self._boot.name,
        )

    def bound(self, lo_ms: int, hi_ms: int) -> ClockAnswer:
        """Take an authenticated source's interval, true at this instant."""
        now_s = self._boot.time()
        return self._clock.bound(lo_ms, hi_ms, now_s, is_authenticated=True)

    def raise_floor(self, lo_ms: int) -> ClockAnswer:
        """Take a stamp that cannot lie in the future."""
        return self._clock.raise_floor(lo_ms, self._boot.time())

    def consult_kernel(self) -> int:
        """Use NTP where it disciplines the clock; return a step of the wall in ms."""
        self._wall.discipline()
        error_ms = self._wall.error_ms()
        if error_ms is not None:
            at_ms, now_s = self._wall.ms(), self._boot.time()
            self._clock.bound(
                at_ms - error_ms, at_ms + error_ms, now_s, is_authenticated=False
            )
        offset_ms = self._offset_ms()
        step_ms = offset_ms - self._wall_offset_ms
        self._wall_offset_ms = offset_ms
        return step_ms if abs(step_ms) > STEP_MS else 0

    def _offset_ms(self) -> int:
        return self._wall.ms() - int(self._boot.time() * 1000)
