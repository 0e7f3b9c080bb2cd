# SPDX-License-Identifier: Apache-2.0
"""What else befalls a box: a clock that leaps, and a disk that is full.

The law of the module: for tests alone, of yours too; it knows no gateway and plays only
the ports that a client borrows (``cloud_sync.ports``).
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from edge.core.moment import UNBOUNDED_MS, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.outputs import ClockBounds

Port = TypeVar("Port")
DAY_S = 86_400.0


class LeapingClock:
    """A clock that a hand moves; a :class:`~cloud_sync.ports.ClockPort`.

    ``at_ms``: UTC ms at the start. ``is_bounded`` False: no upper bound is known, as
    after a power cut without a battery.
    """

    def __init__(self, at_ms: int = 1_764_000_000_000, boot: str = "boot-1") -> None:
        self.is_bounded = True
        self.boot = boot
        #: What the platform said of the time.
        self.told: list[ClockBounds] = []
        self._wall_ms, self._since_s = at_ms, 1000.0

    def now(self) -> Moment:
        """Return the present moment, half a second wide."""
        return Moment(
            monotonic_s=self._since_s,
            earliest_ms=self._wall_ms,
            latest_ms=self._wall_ms + 500 if self.is_bounded else UNBOUNDED_MS,
            boot=self.boot,
        )

    def bound(self, bounds: ClockBounds) -> None:
        """Keep what was said."""
        self.told.append(bounds)

    def pass_by(self, seconds: float) -> None:
        """Let time pass, by the wall and since the start."""
        self._since_s += seconds
        self._wall_ms += round(seconds * 1000)

    def leap(self, ms: int) -> None:
        """Set the wall's time, forward or back; no time passes."""
        self._wall_ms += ms

    def reboot(self, boot: str) -> None:
        """Start anew: the seconds begin again, the wall goes on."""
        self.boot, self._since_s = boot, 1.0


class FullDisk:
    """Makes ports fail as on a full disk, for as long as ``is_full``.

    ``fault``: what they raise then, as ``cloud_sync.ports.PortFaultError``.
    """

    def __init__(self, fault: type[Exception] = OSError) -> None:
        self.is_full = False
        self.fault = fault
        #: How often somebody met it.
        self.refused = 0

    def under(self, port: Port) -> Port:
        """Return a port whose asynchronous methods fail while the disk is full."""
        found: Any = _Under(port, self._check)
        wrapped: Port = found
        return wrapped

    def _check(self) -> None:
        if self.is_full:
            self.refused += 1
            raise self.fault("database or disk is full")


class _Under:
    def __init__(self, port: object, check: Callable[[], None]) -> None:
        self._port, self._check = port, check

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def checked(*words: Any, **named: Any) -> Any:
            self._check()
            return await value(*words, **named)

        return checked
