# SPDX-License-Identifier: Apache-2.0
"""Puts a network of simulated controllers on a real UDP port and lets it live.

The law of the module: the only clock of it. A datagram is handled in the callback that
brings it, and replies that are due leave before it returns. The port is
:mod:`firmware_sim.udp_port`, timers are as in :mod:`firmware_sim.pty_host`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self, TypeVar

from firmware_sim.errors import SimulationError
from firmware_sim.udp_port import LOCALHOST, UdpPort

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.happening import Happening
    from firmware_sim.uhppote.controller import Address
    from firmware_sim.uhppote.network import UhppoteNetwork

    Watcher = Callable[[tuple[Happening, ...]], None]

T = TypeVar("T")


class UdpHost:
    """Runs ``network`` on ``port`` (0: any free one) of ``host``; an async context.

    ``clock`` must be that of the event loop (CLOCK_MONOTONIC).
    """

    def __init__(
        self,
        network: UhppoteNetwork,
        *,
        host: str = LOCALHOST,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.network = network
        self._clock = clock
        self._port = UdpPort(self.heard, host=host, port=port)
        self._timer: asyncio.TimerHandle | None = None
        self._watchers: list[Watcher] = []

    async def __aenter__(self) -> Self:
        """Open the port; OSError if it is taken."""
        self._port.open(asyncio.get_running_loop())
        self._pump(self._clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the port."""
        self.close()

    def close(self) -> None:
        """Close the port; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._port.close()

    @property
    def lost_datagrams(self) -> int:
        """How many datagrams this machine could not send: hosts out of reach."""
        return self._port.lost_datagrams

    @property
    def address(self) -> Address:
        """Where the controllers are found; SimulationError while it is not open."""
        if not self._port.is_open:
            raise SimulationError("the host does not run; enter it first")
        return self._port.address

    def now(self) -> float:
        """Return the time of this network, in monotonic seconds."""
        return self._clock()

    def act(self, verb: Callable[[float], T]) -> T:
        """Do something at this time, and all that it causes."""
        now = self._clock()
        self.network.tick(now)
        result = verb(now)
        self._pump(now)
        return result

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell ``watcher`` all that happens from now on; call the result to end it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def heard(self, data: bytes, sender: Address) -> None:
        """Take a datagram that came in."""
        now = self._clock()
        self.network.receive(data, sender, now)
        self._pump(now)

    def _pump(self, now: float) -> None:
        """Send what is due, tell the watchers, set the timer."""
        if not self._port.is_open:
            return
        self._port.send(self.network.take_outgoing(now))
        if happenings := self.network.take_happenings():
            for watcher in tuple(self._watchers):
                watcher(happenings)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.network.deadline()
        if deadline is not None:
            delay_s = max(0.0, deadline - self._clock())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._pump(self._clock())
