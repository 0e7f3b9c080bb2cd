# SPDX-License-Identifier: Apache-2.0
"""Puts a network of simulated controllers on a real UDP port and lets it live.

The law of the module: the only socket and the only clock of it. A datagram is handled
in the callback that brings it, and replies that are due leave before it returns. One
socket both hears and talks, so that a reply comes from where the request went.

Source: Python's asyncio, datagram endpoints; timers as in
:mod:`firmware_sim.pty_host`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self, TypeVar

from firmware_sim.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.happening import Happening
    from firmware_sim.uhppote_controller import Address
    from firmware_sim.uhppote_network import UhppoteNetwork

    Watcher = Callable[[tuple[Happening, ...]], None]

LOCALHOST = "127.0.0.1"

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
        self.lost_datagrams = 0
        self._wanted = (host, port)
        self._clock = clock
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watchers: list[Watcher] = []

    async def __aenter__(self) -> Self:
        """Open the port; OSError if it is taken."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Ear(self), local_addr=self._wanted
        )
        self._pump(self._clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the port."""
        self.close()
        # The transport closes its socket in the loop's next turn.
        await asyncio.sleep(0)

    def close(self) -> None:
        """Close the port; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @property
    def address(self) -> Address:
        """Where the controllers are found; SimulationError before it is open."""
        if self._transport is None:
            raise SimulationError("the host does not run; enter it first")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return (host, port)

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

    def lost(self, _error: Exception) -> None:
        """Count a datagram that this machine could not send: a host out of reach."""
        self.lost_datagrams += 1

    def _pump(self, now: float) -> None:
        """Send what is due, tell the watchers, set the timer."""
        if self._transport is None:
            return
        for datagram in self.network.take_outgoing(now):
            self._transport.sendto(datagram.data, datagram.to)
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


class _Ear(asyncio.DatagramProtocol):
    """Hands on what the loop tells."""

    def __init__(self, host: UdpHost) -> None:
        self._host = host

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._host.heard(data, addr)

    def error_received(self, exc: Exception) -> None:
        self._host.lost(exc)
