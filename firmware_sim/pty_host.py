# SPDX-License-Identifier: Apache-2.0
"""Puts each port of a world on a pseudo-terminal and lets it live in real time.

The law of the module: the only clock of a simulated site. A network of controllers gets
a UDP port in place of a terminal. Bytes are
handled in the callback that reads them, with the time taken right behind the read, and
a reply that is due leaves before anybody is told of anything.
Source: Python's asyncio event loop on epoll; its timers wait in whole milliseconds, so
that a latency of 2 ms may become 3. Times in the diaries are exact all the same.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar

from firmware_sim.errors import SimulationError
from firmware_sim.hand import Hand
from firmware_sim.happening import Happening, Subject, What
from firmware_sim.outbox import earliest
from firmware_sim.pseudo_terminal import PseudoTerminal
from firmware_sim.site import UhppotePort
from firmware_sim.udp_port import UdpPort
from firmware_sim.wire import WireTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from firmware_sim.uhppote.controller import Address
    from firmware_sim.world import World

    Watcher = Callable[[tuple[Happening, ...]], None]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSnapshot:
    """A port as it stands: its place, and bytes that its reader was too slow for."""

    path: str
    is_plugged: bool
    lost_bytes: int


@dataclass(slots=True)
class _Line:
    """A port's terminal (None while unplugged) and what is on its way."""

    terminal: PseudoTerminal | None = None
    lost_bytes: int = 0
    to_gateway: WireTime = field(default_factory=WireTime)
    to_device: WireTime = field(default_factory=WireTime)


class PtyHost:
    """Runs ``world`` on pseudo-terminals linked in ``folder``; an async context.

    ``wire_time``: bytes take ten bits each at the device's rate, both ways. ``clock``
    must be that of the event loop (CLOCK_MONOTONIC).
    """

    def __init__(
        self,
        world: World,
        folder: Path,
        *,
        wire_time: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = world
        self.hand = Hand(world)
        self._folder = folder
        self._clock = clock
        self._wire_time = wire_time
        self._lines = {name: _Line() for name in world.ports}
        self._sockets = {name: self._socket(name) for name in world.networks}
        self._watchers: list[Watcher] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        """Open all ports."""
        self._loop = asyncio.get_running_loop()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            for name in self._names():
                self._open(name)
        except OSError:
            self.close()
            raise
        self._pump(self._clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all ports and remove their links."""
        self.close()

    def close(self) -> None:
        """Close all ports; may be called twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._timer_at = None
        for name in self._names():
            self._close(name)
        self._loop = None

    def path(self, port: str) -> Path:
        """Return where the gateway finds a line, plugged or not."""
        self._line(port)
        return self._folder / port

    def address(self, port: str) -> str:
        """Return where the gateway finds ``port``, be it a line or a network."""
        if port in self._sockets:
            host, number = self._sockets[port].address
            return f"udp://{host}:{number}"
        return str(self.path(port))

    def now(self) -> float:
        """Return the time of this world, in monotonic seconds."""
        return self._clock()

    def act(self, verb: Callable[[float], T]) -> T:
        """Do something at this time (most often by ``hand``), and all it causes."""
        now = self._clock()
        result = verb(now)
        self._pump(now)
        return result

    def unplug(self, port: str) -> float:
        """Pull the cable of ``port``: link and pty, or socket, go; return when."""
        now = self._clock()
        if not self._is_plugged(port):
            raise SimulationError(f"port {port!r} is unplugged already; plug it")
        self._close(port)
        self._pump(now, (_port_happening(What.UNPLUGGED, port, now),))
        return now

    def plug(self, port: str) -> float:
        """Plug ``port`` in again: a new pty under the same link; return when."""
        now = self._clock()
        if self._is_plugged(port):
            raise SimulationError(f"port {port!r} is plugged already; unplug it")
        self._pump(now)  # what the device said meanwhile went nowhere
        self._open(port)
        self._pump(now, (_port_happening(What.PLUGGED, port, now),))
        return now

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell ``watcher`` all that happens from now on; call the result to end it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def snapshot(self) -> dict[str, PortSnapshot]:
        """Return the ports as they stand, by name."""
        return {name: self._port_snapshot(name) for name in self._names()}

    # -- ports ---------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        return (*self._lines, *self._sockets)

    def _line(self, port: str) -> _Line:
        line = self._lines.get(port)
        if line is None:
            known = ", ".join(self._names())
            raise SimulationError(f"no port {port!r}; this world has: {known}")
        return line

    def _socket(self, name: str) -> UdpPort:
        port = self.world.site.ports[name]
        wanted = port.udp_port if isinstance(port, UhppotePort) else 0

        def heard(data: bytes, sender: Address) -> None:
            now = self._clock()
            self.world.receive_datagram(name, data, sender, now)
            self._pump(now)

        return UdpPort(heard, port=wanted)

    def _is_plugged(self, port: str) -> bool:
        if port in self._sockets:
            return self._sockets[port].is_open
        return self._line(port).terminal is not None

    def _port_snapshot(self, name: str) -> PortSnapshot:
        lost_bytes = 0
        if name in self._lines:
            line = self._lines[name]
            lost_now = line.terminal.lost_bytes if line.terminal else 0
            lost_bytes = line.lost_bytes + lost_now
        return PortSnapshot(
            path=self.address(name),
            is_plugged=self._is_plugged(name),
            lost_bytes=lost_bytes,
        )

    def _open(self, name: str) -> None:
        if self._loop is None:
            raise SimulationError("the host does not run; enter it first")
        if name in self._sockets:
            self._sockets[name].open(self._loop)
            return
        terminal = PseudoTerminal(self._folder / name)
        self._lines[name].terminal = terminal
        self._loop.add_reader(terminal.master, self._readable, name)

    def _close(self, name: str) -> None:
        if name in self._sockets:
            self._sockets[name].close()
            return
        line = self._lines[name]
        if line.terminal is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(line.terminal.master)
        line.terminal.close()
        line.lost_bytes += line.terminal.lost_bytes
        line.terminal = None
        line.to_gateway.clear()
        line.to_device.clear()

    # -- bytes ---------------------------------------------------------------------

    def _readable(self, name: str) -> None:
        line = self._lines[name]
        if line.terminal is None:
            return
        data = line.terminal.read()
        now = self._clock()
        if self._wire_time:
            line.to_device.put(data, now, self.world.ports[name].baud)
        elif data:
            self._hear(name, line, data, now)
        self._pump(now)

    def _hear(self, name: str, line: _Line, data: bytes, now: float) -> None:
        self.world.receive(name, data, now, line_baud=self._line_baud(name, line))
        self._talk(name, line, now)

    def _talk(self, name: str, line: _Line, now: float) -> None:
        baud = self.world.ports[name].baud
        line_baud = self._line_baud(name, line)
        data = self.world.take_outgoing(name, now, line_baud=line_baud)
        if line.terminal is None:
            return
        if self._wire_time:
            line.to_gateway.put(data, now, baud)
            data = line.to_gateway.take(now)
        if data:
            line.terminal.write(data)

    def _line_baud(self, name: str, line: _Line) -> int | None:
        if line.terminal is None or not self.world.is_strict(name):
            return None
        return line.terminal.line_baud() or 0

    # -- time ----------------------------------------------------------------------

    def _pump(self, now: float, more: Iterable[Happening] = ()) -> None:
        """Let happen what is due, hand out bytes, tell the watchers, set the timer."""
        self.world.tick(now)
        for name, line in self._lines.items():
            arrived = line.to_device.take(now)
            if arrived:
                self._hear(name, line, arrived, now)
            else:
                self._talk(name, line, now)
        for name, port in self._sockets.items():
            port.send(self.world.take_datagrams(name, now))
        happenings = (*self.world.take_happenings(), *more)
        if happenings:
            for watcher in tuple(self._watchers):
                watcher(happenings)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = earliest(
            self.world.deadline(),
            *(line.to_gateway.deadline() for line in self._lines.values()),
            *(line.to_device.deadline() for line in self._lines.values()),
        )
        if self._loop is None or deadline == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = None
        if deadline is not None:
            delay_s = max(0.0, deadline - self._clock())
            self._timer = self._loop.call_later(delay_s, self._due)

    def _due(self) -> None:
        self._timer = self._timer_at = None
        self._pump(self._clock())


def _port_happening(what: What, port: str, now: float) -> Happening:
    return Happening(at=now, what=what, subject=Subject.PORT, name=port)
