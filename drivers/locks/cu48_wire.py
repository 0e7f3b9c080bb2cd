# SPDX-License-Identifier: Apache-2.0
"""Frames of KERONG CU boards of the second generation: open one, status of all.

The law of the module: pure, and no request but these two can be built. Replies have
no 03 before their sum; their length stands in the fifth byte.

    open one   02 device lock 61 03 SUM        lock from 0
    status     02 device 00 60 03 SUM
    opened     02 device lock 75 00 SUM        75: done; anything else: refused
    levels     02 device 00 75 06 six bytes SUM

SUM is the low byte of the sum of all bytes before it. A bit is 1 for a closed lock,
the lowest of the first byte is lock 1.

Source: a public TypeScript driver for the CU48 with its table of bytes; maker's
document unseen, revision unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.checksum import low_sum_of
from drivers.errors import LocalError
from drivers.locks.lock_wire import Ask, Frame, Levels, Request, Status

if TYPE_CHECKING:
    from drivers.checksum import Bytes

_BEGIN = 0x02
_END = 0x03
_QUERY = 0x60
_OPEN = 0x61
DONE = 0x75
MAX_CHANNELS = 48
#: The source's range for the second byte; its last one is left out, lest it mean all.
DEVICES = range(255)
_HEADER_BYTES = 5
_LEVEL_BYTES = 6
MAX_FRAME_BYTES = _HEADER_BYTES + _LEVEL_BYTES + 1


def open_one(address: int, channel: int, *, channels: int) -> Request:
    """Open one lock; LocalError unless the board has that channel."""
    _check(address, channel, channels)
    frame = _framed(address, channel - 1, _OPEN)
    return Request(frame=frame, address=address, ask=Ask.OPEN, channel=channel)


def query_all(address: int, *, channels: int) -> Request:
    """Ask for all locks of a board."""
    _check(address, channels, channels)
    frame = _framed(address, 0, _QUERY)
    return Request(frame=frame, address=address, ask=Ask.ALL, channels=channels)


def answers(frame: Frame, request: Request) -> bool:
    """Whether the frame is what the request asked for."""
    match frame:
        case Levels(address=address):
            return request.is_for_all and address == request.address
        case Status(address=address, channel=channel):
            # By the source's table some boards say lock 0 whichever was opened.
            is_same = channel in (request.channel, 1) and address == request.address
            return is_same and request.is_opening


def frame_at(data: Bytes, _request: Request | None) -> tuple[int, Frame | None]:
    """Return how many of the first bytes are done with, and what frame they are."""
    if data[0] != _BEGIN:
        return 1, None
    if len(data) < _HEADER_BYTES:
        return 0, None
    _, device, lock, kind, length = data[:_HEADER_BYTES]
    is_levels = (lock, kind, length) == (0, DONE, _LEVEL_BYTES)
    if not is_levels and (length or lock >= MAX_CHANNELS):
        return 1, None
    size = _HEADER_BYTES + length + 1
    if len(data) < size:
        return 0, None
    if not is_sealed(data[:size]):
        return 1, None
    if is_levels:
        return size, Levels(address=device, bits=_bits(data[_HEADER_BYTES : size - 1]))
    is_refused = kind != DONE
    status = Status(kind=kind, address=device, channel=lock + 1, is_refused=is_refused)
    return size, status


def is_sealed(frame: Bytes) -> bool:
    """Whether a whole frame's last byte is the sum of the others."""
    if len(frame) <= _HEADER_BYTES or frame[0] != _BEGIN:
        return False
    return low_sum_of(frame[:-1]) == frame[-1]


def _bits(levels: Bytes) -> tuple[bool, ...]:
    number = int.from_bytes(levels, "little")
    return tuple(bool(number >> index & 1) for index in range(MAX_CHANNELS))


def _framed(device: int, lock: int, command: int) -> bytes:
    body = bytes((_BEGIN, device, lock, command, _END))
    return body + bytes((low_sum_of(body),))


def _check(address: int, channel: int, channels: int) -> None:
    if address not in DEVICES:
        raise LocalError(f"a board has an address 0 to {DEVICES[-1]}, not {address}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise LocalError(f"a board has 1 to {MAX_CHANNELS} channels, not {channels}")
    if not 1 <= channel <= channels:
        raise LocalError(f"the board has channels 1 to {channels}, not {channel}")
