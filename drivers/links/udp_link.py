# SPDX-License-Identifier: Apache-2.0
"""A link over UDP: packets of one size to one device, and its packets back.

The law of the module: the socket is connected, so that nobody but the device is heard;
``receive`` gets one packet at a time, what the driver says is cut into its packets. A
packet that the network does not take is lost like any other: the driver's time-outs
notice, and nothing is sent later. Nothing is ever sent to everybody (broadcast).

Source: udp(7), ip(7).
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.device_link import DeviceLink
from drivers.links.link import PortError
from drivers.links.port_text import UDP, endpoint

if TYPE_CHECKING:
    import asyncio

    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState

#: What the controllers of this family exchange, in both directions.
PACKET_BYTES = 64
#: More than any packet of theirs; the driver sees the size of a foreign one.
READ_BYTES = 2048
#: Packets taken in one turn of the loop; a flood must not hold it.
MAX_READS_A_TURN = 16
MAX_DRAIN_READS = 256
#: Sending tells what became of earlier packets: none of it says more than silence.
_LOST_ON_THE_WAY = frozenset(
    {
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EHOSTDOWN,
        errno.ENOBUFS,
        errno.EAGAIN,
    }
)


class UdpLink(DeviceLink):
    """One device by UDP; see :class:`drivers.links.device_link.DeviceLink`.

    ``port`` is ``udp://host:port``, or ``udp://host:port?listen=60001`` where the
    device sends its reports to a port of ours.
    """

    def __init__(
        self,
        port: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
    ) -> None:
        super().__init__(port, device, on_signals, now=now, on_state=on_state)
        self._far = endpoint(port, UDP)
        self._socket: socket.socket | None = None
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether packets can be sent; whether somebody answers, the driver tells."""
        return self._is_open

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        far = self._far
        family = socket.AF_INET6 if far.is_ipv6 else socket.AF_INET
        packets = socket.socket(family, socket.SOCK_DGRAM)
        try:
            packets.settimeout(0)
            packets.bind(("", far.listen))
            await loop.sock_connect(packets, (far.host, far.port))
            _empty(packets)  # until then the kernel let everybody's packets in
            loop.add_reader(packets, self._readable)
        except OSError as fault:
            packets.close()
            raise PortError(f"{self.name}: {self._why(fault)}") from None
        except BaseException:
            packets.close()
            raise
        self._socket, self._is_open = packets, True

    def _why(self, fault: OSError) -> str:
        if isinstance(fault, socket.gaierror):
            return f"nobody knows the name {self._far.host!r}; write its IP address"
        if fault.errno == errno.EADDRINUSE:
            return f"port {self._far.listen} is taken by another program; end it"
        return f"{fault.strerror or fault}; check the network's cable and address"

    def _let_go(self) -> None:
        if self._loop is not None and self._socket is not None and self._is_open:
            self._loop.remove_reader(self._socket)
        self._is_open = False

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _readable(self) -> None:
        for _ in range(MAX_READS_A_TURN):
            packet = self._read()
            if packet is None:
                return
            self.data_received(packet)

    def _read(self) -> bytes | None:
        """Return the next packet; None if none waits or the socket is lost."""
        if self._socket is None or not self._is_open:
            return None
        try:
            return self._socket.recv(READ_BYTES)
        except OSError as fault:
            if fault.errno not in _LOST_ON_THE_WAY:
                self._lose(f"read failed: {fault.strerror}")
            return None

    def _send(self, data: bytes) -> None:
        if len(data) % PACKET_BYTES:
            raise LocalError(f"{self.name}: {len(data)} bytes are no whole packets")
        for at in range(0, len(data), PACKET_BYTES):
            self._send_one(data[at : at + PACKET_BYTES])

    def _send_one(self, packet: bytes) -> None:
        if self._socket is None or not self._is_open:
            return
        try:
            self._socket.send(packet)
        except OSError as fault:
            if fault.errno not in _LOST_ON_THE_WAY:
                self._lose(f"write failed: {fault.strerror}")

    def _take_back_late(self) -> None:
        """Do nothing: a packet that was sent has left."""

    def _discard(self) -> None:
        for _ in range(MAX_DRAIN_READS):
            if self._read() is None:
                return


def _empty(packets: socket.socket) -> None:
    for _ in range(MAX_DRAIN_READS):
        try:
            packets.recv(READ_BYTES)
        except BlockingIOError:
            return
