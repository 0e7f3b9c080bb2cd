# SPDX-License-Identifier: Apache-2.0
"""One UDP socket of the simulation: it hears datagrams and sends them.

The law of the module: it understands no packet and keeps none; what this machine does
not send is counted and lost, as on any network. One socket both hears and talks, so
that a reply comes from where the request went.

Source: udp(7).
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from firmware_sim.uhppote.controller import Address, Datagram

LOCALHOST = "127.0.0.1"
#: More than any packet of the family; a longer one is cut and so refused.
READ_BYTES = 2_048
#: Datagrams taken in one turn of the loop; a flood must not hold it.
MAX_READS_A_TURN = 64


class UdpPort:
    """A port of ``host`` (0: any free one, the same again once it was open)."""

    def __init__(
        self,
        on_datagram: Callable[[bytes, Address], None],
        *,
        host: str = LOCALHOST,
        port: int = 0,
    ) -> None:
        self.lost_datagrams = 0
        self._on_datagram = on_datagram
        self._wanted: Address = (host, port)
        self._socket: socket.socket | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_open(self) -> bool:
        """Whether it hears."""
        return self._socket is not None

    @property
    def address(self) -> Address:
        """Where it is found; SimulationError before it was ever open."""
        if not self._wanted[1]:
            raise SimulationError("this port has no number yet; open it first")
        return self._wanted

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Open the port; OSError if it is taken."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)  # noqa: FBT003 (the socket's own word)
            opened.bind(self._wanted)
        except OSError:
            opened.close()
            raise
        host, port = opened.getsockname()[:2]
        self._wanted = (host, port)
        self._socket, self._loop = opened, loop
        loop.add_reader(opened.fileno(), self._readable)

    def close(self) -> None:
        """Close the port; may be called twice."""
        if self._socket is None or self._loop is None:
            return
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = self._loop = None

    def send(self, datagrams: Iterable[Datagram]) -> None:
        """Send them; into a closed port they are lost."""
        for datagram in datagrams:
            try:
                if self._socket is not None:
                    self._socket.sendto(datagram.data, datagram.to)
            except OSError:
                self.lost_datagrams += 1

    def _readable(self) -> None:
        for _ in range(MAX_READS_A_TURN):
            if self._socket is None:
                return
            with suppress(ConnectionError):  # what an earlier packet met: no news
                try:
                    data, sender = self._socket.recvfrom(READ_BYTES)
                except BlockingIOError:
                    return
                self._on_datagram(data, sender)
