# SPDX-License-Identifier: Apache-2.0
"""One timer for one device: it rings when the device wants to be asked next.

The law of the module: at most one call waits in the loop; one that comes early only
looks and is set anew.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.links.link import Clock


class Alarm:
    """Rings ``ring`` at the time last set, or at an earlier one set before."""

    def __init__(self, ring: Callable[[], None], now: Clock) -> None:
        self._ring = ring
        self._now = now
        self._handle: asyncio.TimerHandle | None = None
        self._at = 0.0

    def set(self, at: float | None) -> None:
        """Ring at ``at`` (the clock's seconds); None changes nothing."""
        if at is None or (self._handle is not None and self._at <= at):
            return
        self.clear()
        self._at = at
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(max(0.0, at - self._now()), self._rang)

    def clear(self) -> None:
        """Ring no more, until it is set again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _rang(self) -> None:
        self._handle = None
        self._ring()
