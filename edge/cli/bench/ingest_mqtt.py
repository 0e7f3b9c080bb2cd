# SPDX-License-Identifier: Apache-2.0
"""MQTT 3.1.1 for a thousand connections of one process: only what a gateway sends.

The law of the module: bytes in, messages out; no policy. A broker that says something
unexpected ends the connection, as it would a gateway's.
Source: MQTT 3.1.1 (OASIS, 2014), sections 2 and 3.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CONNACK, _PUBLISH, _PUBACK, _SUBACK = 2, 3, 4, 9
_QOS_1 = 0x02
_LARGEST_ID = 65_535


class MqttLink(asyncio.Protocol):
    """One connection; ``ready`` when subscribed, ``heard`` for each message."""

    def __init__(
        self,
        client_id: str,
        topics: Sequence[str],
        *,
        ready: Callable[[MqttLink], None],
        heard: Callable[[str, bytes], None],
        gone: Callable[[MqttLink], None],
    ) -> None:
        self._client_id = client_id
        self._topics = topics
        self._ready = ready
        self._heard = heard
        self._gone = gone
        self._held = bytearray()
        self._transport: asyncio.Transport | None = None
        self._number = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves, with a clean session."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  a socket's
        self._transport = transport
        head = _text("MQTT") + bytes((4, 2)) + struct.pack(">H", 0)
        transport.write(_packet(0x10, head + _text(self._client_id)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Tell that this connection is over."""
        self._transport = None
        self._gone(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes, as they come."""
        self._held += data
        while (found := _split(self._held)) is not None:
            first, start, end = found
            body = bytes(self._held[start:end])
            del self._held[:end]
            self._take(first, body)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message at QoS 1."""
        if self._transport is not None and not self._transport.is_closing():
            self._number = self._number % _LARGEST_ID + 1
            head = _text(topic) + struct.pack(">H", self._number)
            self._transport.write(_packet(0x32, head + payload))

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == _PUBLISH:
            length = int.from_bytes(body[:2], "big")
            topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
            if first & _QOS_1:
                self._write(0x40, rest[:2])
                rest = rest[2:]
            self._heard(topic, rest)
        elif kind == _CONNACK and body[1:2] == b"\0":
            wanted = b"".join(_text(topic) + b"\0" for topic in self._topics)
            self._write(0x82, struct.pack(">H", 1) + wanted)
        elif kind == _SUBACK and not any(code & 0x80 for code in body[2:]):
            self._ready(self)
        elif kind != _PUBACK:
            self.close()

    def _write(self, first: int, body: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_packet(first, body))


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(first: int, body: bytes) -> bytes:
    length, size = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        size.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first, *size)) + body


def _split(held: bytearray) -> tuple[int, int, int] | None:
    """Return the first packet's first byte, and where its body begins and ends."""
    length = 0
    for place in range(1, min(5, len(held))):
        length |= (held[place] & 0x7F) << 7 * (place - 1)
        if not held[place] & 0x80:
            end = place + 1 + length
            return (held[0], place + 1, end) if len(held) >= end else None
    return None
