# SPDX-License-Identifier: Apache-2.0
"""A broker of one page in the test's own loop, which sees and says every byte.

The law of the module: it speaks the least of MQTT 3.1.1 that a gateway needs, keeps
nothing, and notes what an honest broker tells nobody: which messages were PUBACKed.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tests.cloud_sync.scripted_platform import Platform, Sent

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PING, DISCONNECT = 1, 3, 4, 8, 12, 14


def packet(first: int, body: bytes) -> bytes:
    """Return a packet whose fixed header begins with the byte ``first``."""
    return bytes([first]) + length(len(body)) + body


def length(value: int) -> bytes:
    """Return a remaining length (MQTT 3.1.1, section 2.2.3)."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message(topic: bytes, payload: bytes, *, qos: int = 0, mid: int = 1) -> bytes:
    """Return a PUBLISH."""
    number = mid.to_bytes(2, "big") if qos else b""
    body = len(topic).to_bytes(2, "big") + topic + number + payload
    return packet(0x30 | qos << 1, body)


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return a packet's kind and body; IncompleteReadError at the end."""
    kind = (await reader.readexactly(1))[0] >> 4
    size, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 127) << shift
        if byte < 128:
            return kind, await reader.readexactly(size)
        shift += 7


class RawBroker:
    """A broker with the platform behind it, or with nobody.

    ``says`` are packets that follow the SUBACK. ``answers_publishes`` False: the
    platform hears a publish, but the gateway gets no PUBACK for it.
    """

    def __init__(
        self, platform: Platform | None = None, *, answers_publishes: bool = True
    ) -> None:
        self.platform = platform
        self.answers_publishes = answers_publishes
        self.says: list[bytes] = []
        #: Of each connection, the messages down by number, and those PUBACKed.
        self.told: list[dict[int, str]] = []
        self.acked: list[set[int]] = []
        self.said_bytes = 0
        self.ended = 0
        self._writer: asyncio.StreamWriter | None = None

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Listen on the port that the block is given."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    def say(self, sent: Sent) -> None:
        """Send a message of QoS 1 down the connection that stands."""
        assert self._writer is not None
        topic, payload = sent
        mid = len(self.told[-1]) + 1
        self.told[-1][mid] = topic
        self._writer.write(message(topic.encode(), payload, qos=1, mid=mid))

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._writer = writer
        self.told.append({})
        self.acked.append(set())
        saying = None
        try:
            while True:
                kind, body = await read_packet(reader)
                self._answer(writer, kind, body)
                if kind == SUBSCRIBE:
                    saying = asyncio.ensure_future(self._say_all(writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            self.ended += 1
        finally:
            if saying is not None:
                saying.cancel()
                await asyncio.wait({saying})
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _say_all(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            for one in self.says:
                writer.write(one)
                await writer.drain()
                self.said_bytes += len(one)

    def _answer(self, writer: asyncio.StreamWriter, kind: int, body: bytes) -> None:
        if kind == CONNECT:
            writer.write(b"\x20\x02\x00\x00")
        elif kind == SUBSCRIBE:
            granted = b"\x01" * body.count(b"mn/v1/dn/") or b"\x00"
            writer.write(packet(0x90, body[:2] + granted))
        elif kind == PUBACK:
            self.acked[-1].add(int.from_bytes(body, "big"))
        elif kind == PUBLISH:
            self._route(writer, body)
        elif kind == PING:
            writer.write(b"\xd0\x00")

    def _route(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        if self.answers_publishes:
            writer.write(b"\x40\x02" + body[end : end + 2])
        if self.platform is not None:
            for sent in self.platform.receive(body[2:end].decode(), body[end + 2 :]):
                self.say(sent)
