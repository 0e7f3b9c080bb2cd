# SPDX-License-Identifier: Apache-2.0
"""Opening a serial port behind a serial server, by TCP (raw mode, no RFC 2217).

The law of the module: it connects, sets and closes. The speed of the far line is set
at the server itself. What was handed to TCP cannot be taken back: it would be sent
again for minutes and move a relay long after, so a connection whose bytes are not
acknowledged in time is reset instead.

Source: tcp(7), socket(7); Linux' SIOCOUTQ counts what the far end did not acknowledge.
"""

from __future__ import annotations

import array
import asyncio
import errno
import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING

from drivers.links.link import PortError
from drivers.links.port_text import TCP, endpoint

if TYPE_CHECKING:
    from drivers.links.port_text import Endpoint

CONNECT_WITHIN_S = 3.0
#: An acknowledgement may be held back for 0.2 s and a local network is slow at times;
#: what is older than this is not sent again.
LATE_S = 0.5
#: The kernel's own limit for the same, should nobody look.
USER_TIMEOUT_MS = 2_000
#: A cut cable is noticed in ten seconds even when nobody has anything to say.
KEEPALIVE_IDLE_S, KEEPALIVE_EVERY_S, KEEPALIVE_MISSES = 4, 2, 3
#: A server's line is rarely slower; only what the network adds counts in LATE_S.
BYTE_S = 10 / 9_600
#: linger on, for no seconds: closing resets the connection and drops what is unsent.
_RESET = struct.pack("ii", 1, 0)


class OpenTcpPort:
    """An open connection; see :class:`drivers.links.link.OpenPort`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.descriptor = connection.fileno()

    def unsent_bytes(self) -> int:
        """Return how much the far end did not acknowledge."""
        held = array.array("i", [0])
        fcntl.ioctl(self.descriptor, termios.TIOCOUTQ, held)
        return held[0]

    def recall(self) -> None:
        """Reset the connection; there is no other way to take bytes back."""
        if self.unsent_bytes():
            raise PortError("the network does not take what is sent: connection reset")

    def discard(self) -> None:
        """Have what is unsent cost the connection; reading empties the rest."""
        self.recall()

    def close(self) -> None:
        """Reset the connection, so that nothing is sent later."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._connection.close()


class TcpPort:
    """A serial server's port; see :class:`drivers.links.link.PortOpener`."""

    def __init__(self, text: str) -> None:
        self._far: Endpoint = endpoint(text, TCP)
        self.name = text
        self.byte_s = BYTE_S
        self.late_s = LATE_S

    async def open(self) -> OpenTcpPort:
        """Connect; PortError says why not."""
        family = socket.AF_INET6 if self._far.is_ipv6 else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(0)
            _tune(connection)
            async with asyncio.timeout(CONNECT_WITHIN_S):
                far = (self._far.host, self._far.port)
                await asyncio.get_running_loop().sock_connect(connection, far)
        except OSError as fault:
            connection.close()
            raise PortError(self._why(fault)) from None
        except BaseException:
            connection.close()
            raise
        return OpenTcpPort(connection)

    def _why(self, fault: OSError) -> str:
        host, port = self._far.host, self._far.port
        if isinstance(fault, socket.gaierror):
            return f"{self.name}: nobody knows the name {host!r}; write its IP address"
        if fault.errno == errno.ECONNREFUSED:
            return (
                f"{self.name}: {host} answers, but nothing listens at port {port}: set "
                "the serial server to raw TCP server mode at this port"
            )
        # A time-out has no number; the others say that no way leads there.
        nobody = (None, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH)
        if fault.errno in nobody:
            return f"{self.name}: {host} does not answer: check its power, cable and IP"
        return f"{self.name}: {fault.strerror or fault}"


def _tune(connection: socket.socket) -> None:
    """Send at once, and notice soon that the far end is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        (socket.TCP_NODELAY, 1),
        (socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S),
        (socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S),
        (socket.TCP_KEEPCNT, KEEPALIVE_MISSES),
        (socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS),
    ):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
