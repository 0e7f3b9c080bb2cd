# SPDX-License-Identifier: Apache-2.0
"""Frames of the "8A" lock-control boards: three requests, two kinds of reply.

The law of the module: pure, and no request but "open one", "query one" and "query
all" can be built. A channel is checked before a frame exists, since as a channel 00
opens every lock of a board. The state byte of a reply must be 00 or 11 and is then
believed nowhere: firmware and vendor texts disagree on which of them means open.

    open one    8A address channel 11 BCC
    query one   80 address channel 33 BCC
    query all   80 address 00 33 BCC
    status      8A|80|81 address channel 00|11 BCC
    levels      80 address group... 33 BCC; a bit a channel, highest group first

BCC is the XOR of all bytes before it. Beside being replies, statuses of the kind 81
come without a question when a lock moves. No frame carries its length.

Source: the boards' vendor text (RS-485, 8 to 50 channels, revision unknown) as public
code has it: WjlLockDriver of dp2, Open-Locker ADR-0035, ADR-0050 and ADR-0067.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.checksum import xor_of
from drivers.errors import LocalError
from drivers.locks.lock_wire import Ask, Frame, Levels, Request, Status

if TYPE_CHECKING:
    from drivers.checksum import Bytes

OPEN = 0x8A
QUERY = 0x80
REPORT = 0x81
#: By firmware, the reply to an opening is any of these.
STATUS_KINDS = frozenset({OPEN, QUERY, REPORT})
_STATES = frozenset({0x00, 0x11})
_DO_OPEN = 0x11
_ASK = 0x33
_ALL = 0x00
STATUS_BYTES = 5
CHANNELS_A_GROUP = 8
#: Most switches go to 32; some versions of the boards count to 64.
MAX_ADDRESS = 64
#: The largest board on the market.
MAX_CHANNELS = 50
_LEVELS_FRAME_BYTES = 4
MAX_FRAME_BYTES = _LEVELS_FRAME_BYTES + -(-MAX_CHANNELS // CHANNELS_A_GROUP)


def open_one(address: int, channel: int, *, channels: int) -> Request:
    """Open one lock; LocalError unless the board has that channel."""
    _check(address, channel, channels)
    return Request(
        frame=seal(bytes((OPEN, address, channel, _DO_OPEN))),
        address=address,
        ask=Ask.OPEN,
        channel=channel,
        is_like_its_echo=True,
    )


def query_one(address: int, channel: int, *, channels: int) -> Request:
    """Ask for one lock: the one question whose reply is never like its echo."""
    _check(address, channel, channels)
    frame = seal(bytes((QUERY, address, channel, _ASK)))
    return Request(frame=frame, address=address, ask=Ask.ONE, channel=channel)


def query_all(address: int, *, channels: int) -> Request:
    """Ask for all locks of a board with so many channels."""
    _check(address, channels, channels)
    return Request(
        frame=seal(bytes((QUERY, address, _ALL, _ASK))),
        address=address,
        ask=Ask.ALL,
        channels=channels,
        is_like_its_echo=True,
    )


def answers(frame: Frame, request: Request) -> bool:
    """Whether the frame is what the request asked for."""
    match frame:
        case Levels(address=address):
            return request.is_for_all and address == request.address
        case Status(kind=kind, address=address, channel=channel):
            is_same = (address, channel) == (request.address, request.channel)
            return is_same and (request.is_opening or kind == QUERY)


def frame_at(data: Bytes, request: Request | None) -> tuple[int, Frame | None]:
    """Return how many of the first bytes are done with, and what frame they are.

    0 where a frame may have begun whose rest is to come; 1 and None for noise.
    Levels are only looked for as the reply to ``request``, and before a status: their
    first bytes may look like one.
    """
    if request is not None and request.is_for_all:
        head = request.frame[:2]
        size = _LEVELS_FRAME_BYTES + -(-request.channels // CHANNELS_A_GROUP)
        if head.startswith(bytes(data[:2])) and len(data) < size:
            return 0, None
        if data[:2] == head and data[size - 2] == _ASK and is_sealed(data[:size]):
            return size, Levels(address=data[1], bits=_bits(data[2 : size - 2]))
    return _status_at(data)


def seal(body: bytes) -> bytes:
    """Append the check byte."""
    return body + bytes((xor_of(body),))


def is_sealed(frame: Bytes) -> bool:
    """Whether a whole frame's last byte is the XOR of the others."""
    return len(frame) >= STATUS_BYTES and xor_of(frame) == 0


def _status_at(data: Bytes) -> tuple[int, Status | None]:
    if data[0] not in STATUS_KINDS:
        return 1, None
    if len(data) < STATUS_BYTES:
        return 0, None
    kind, address, channel, state = data[:4]
    is_possible = 1 <= address <= MAX_ADDRESS and 1 <= channel <= MAX_CHANNELS
    if not is_possible or state not in _STATES or not is_sealed(data[:STATUS_BYTES]):
        return 1, None
    return STATUS_BYTES, Status(kind=kind, address=address, channel=channel)


def _bits(groups: Bytes) -> tuple[bool, ...]:
    number = int.from_bytes(groups, "big")
    count = len(groups) * CHANNELS_A_GROUP
    return tuple(bool(number >> index & 1) for index in range(count))


def _check(address: int, channel: int, channels: int) -> None:
    if not 1 <= address <= MAX_ADDRESS:
        raise LocalError(f"a board has an address 1 to {MAX_ADDRESS}, not {address}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise LocalError(f"a board has 1 to {MAX_CHANNELS} channels, not {channels}")
    if not 1 <= channel <= channels:
        raise LocalError(f"the board has channels 1 to {channels}, not {channel}")
