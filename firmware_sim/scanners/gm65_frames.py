# SPDX-License-Identifier: Apache-2.0
"""Frames of GM65-family scan modules: what a gateway asks, what the module answers.

The law of the module: it knows lengths and the CRC, not what a zone means. Bytes that
are no sound request are counted and stepped over, never an error.
Source: specter-diy src/hosts/qr.py (requests, replies, CRC, ``AB CD``); Tasmota
xsns_107_gm861.ino (reading many zones); maker's note for the heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

REQUEST_HEADER = b"\x7e\x00"
REPLY_HEADER = b"\x02\x00"
HEARTBEAT_HEADER = b"\x03\x00"
#: A request that says so is taken unchecked.
UNCHECKED = b"\xab\xcd"
#: Header, command, length, address and CRC: a request without its data.
_FRAME_BYTES = 8
_POLYNOMIAL = 0x1021


class Gm65Command(IntEnum):
    """The third byte of a request."""

    READ = 0x07
    WRITE = 0x08
    CONTROL = 0x09
    HEARTBEAT = 0x0A


@dataclass(frozen=True, slots=True, kw_only=True)
class Gm65Request:
    """A sound request; ``data`` has one byte but for a write of several zones."""

    command: Gm65Command
    address: int
    data: bytes


class Gm65Requests:
    """Cuts a stream into requests; what is left over is shorter than one request."""

    def __init__(self) -> None:
        self.ignored_bytes = 0
        self._buffer = bytearray()

    @property
    def is_waiting(self) -> bool:
        """Tell whether part of a request waits for its rest."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Gm65Request]:
        """Take bytes; return the requests that they complete."""
        self._buffer += data
        found: list[Gm65Request] = []
        while (size := _size_at_front(self._buffer)) != 0:
            request = _parsed(bytes(self._buffer[:size])) if size > 0 else None
            if request is None:
                self._ignore(1)
            else:
                found.append(request)
                del self._buffer[:size]
        return found

    def forget(self) -> None:
        """Drop a request that was begun and not ended."""
        self._ignore(len(self._buffer))

    def _ignore(self, count: int) -> None:
        self.ignored_bytes += count
        del self._buffer[:count]


def crc(data: bytes) -> bytes:
    """Return the CRC bytes: polynomial 1021, begun with 0, high byte first."""
    register = 0
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            carry = register & 0x8000
            register = (register << 1 & 0xFFFF) ^ (_POLYNOMIAL if carry else 0)
    return register.to_bytes(2, "big")


def request(command: Gm65Command, address: int, data: bytes) -> bytes:
    """Return a whole request, as a gateway sends it."""
    body = bytes((command, len(data) if command is Gm65Command.WRITE else 1))
    body += address.to_bytes(2, "big") + data
    return REQUEST_HEADER + body + crc(body)


def reply(data: bytes) -> bytes:
    """Return the answer that carries ``data``."""
    return _sealed(REPLY_HEADER, data)


def heartbeat_reply() -> bytes:
    """Return the answer to a heartbeat."""
    return _sealed(HEARTBEAT_HEADER, b"\x00")


def _sealed(header: bytes, data: bytes) -> bytes:
    body = bytes((0, len(data))) + data
    return header + body + crc(body)


def _size_at_front(buffer: bytearray) -> int:
    """Return the size of the request at the front, 0: wait for more, -1: none."""
    start = bytes(buffer[:2])
    if not buffer or (len(start) < 2 and REQUEST_HEADER.startswith(start)):
        return 0
    if start != REQUEST_HEADER:
        return -1
    if len(buffer) > 2 and buffer[2] not in list(Gm65Command):
        return -1
    if len(buffer) < 4:
        return 0
    count = buffer[3]
    is_one = buffer[2] != Gm65Command.WRITE
    if count == 0 or (is_one and count != 1):
        return -1
    size = _FRAME_BYTES + count
    return size if len(buffer) >= size else 0


def _parsed(frame: bytes) -> Gm65Request | None:
    body, check = frame[2:-2], frame[-2:]
    if check not in (UNCHECKED, crc(body)):
        return None
    return Gm65Request(
        command=Gm65Command(body[0]),
        address=int.from_bytes(body[2:4], "big"),
        data=body[4:],
    )
