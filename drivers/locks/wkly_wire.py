# SPDX-License-Identifier: Apache-2.0
"""Frames of "WKLY" lock-control boards: open one, query one, query all, door changed.

The law of the module: pure, and no request but "open one", "query one" and "query
all" can be built: not 80, 86, 87 (several, all) and not 88 (hold on). Frames are told
apart by their command and never by their order, since 85 comes at any moment.

    frame          57 4B 4C 59 length board command data... XOR
    open one       82 channel            query one   83 channel
    query all      84
    82, 83 reply   status channel state
    84 reply       status count state...
    door changed   85 channel state

The length is the whole frame's, the last byte the XOR of all before it, a status 00
(done) or FF (failed). A state is 00 or 01; published tests read 00 as "open", older
comments say the opposite, so it is a setting.

Source: public code for the makers' 12 and 24 channel boards (an Android utility and
its tests with the vendor's frames; a C parser; READMEs in Chinese and Spanish),
maker's document unseen, revision unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.checksum import xor_of
from drivers.errors import LocalError
from drivers.locks.lock_wire import Ask, Frame, Levels, Request, Status

if TYPE_CHECKING:
    from drivers.checksum import Bytes

HEADER = bytes.fromhex("574B4C59")
OPEN = 0x82
QUERY_ONE = 0x83
QUERY_ALL = 0x84
CHANGED = 0x85
_DONE = 0x00
_FAILED = 0xFF
_STATES = frozenset({0x00, 0x01})
BOARDS = range(32)
MAX_CHANNELS = 24
_LENGTH_AT = len(HEADER)
#: Status, channel and state.
_STATUS_DATA_BYTES = 3
#: Header, length, board, command and check byte.
LEAST_BYTES = 8
#: The reply to "query all" of the largest board.
MAX_FRAME_BYTES = LEAST_BYTES + 2 + MAX_CHANNELS


def open_one(address: int, channel: int, *, channels: int) -> Request:
    """Open one lock; LocalError unless the board has that channel."""
    _check(address, channel, channels)
    frame = framed(address, OPEN, bytes((channel,)))
    return Request(frame=frame, address=address, ask=Ask.OPEN, channel=channel)


def query_one(address: int, channel: int, *, channels: int) -> Request:
    """Ask for one lock."""
    _check(address, channel, channels)
    frame = framed(address, QUERY_ONE, bytes((channel,)))
    return Request(frame=frame, address=address, ask=Ask.ONE, channel=channel)


def query_all(address: int, *, channels: int) -> Request:
    """Ask for all locks of a board."""
    _check(address, channels, channels)
    frame = framed(address, QUERY_ALL, b"")
    return Request(frame=frame, address=address, ask=Ask.ALL, channels=channels)


def answers(frame: Frame, request: Request) -> bool:
    """Whether the frame is what the request asked for."""
    if frame.address != request.address:
        return False
    match frame:
        case Levels(bits=bits):
            return request.is_for_all and len(bits) >= request.channels
        case Status(kind=kind, channel=channel, bit=bit):
            if channel != request.channel:
                return False
            is_opening = request.is_opening and kind == OPEN
            is_query = request.ask is Ask.ONE and kind == QUERY_ONE
            return is_opening or (is_query and bit is not None)


def frame_at(data: Bytes, _request: Request | None) -> tuple[int, Frame | None]:
    """Return how many of the first bytes are done with, and what frame they are."""
    if not HEADER.startswith(bytes(data[:_LENGTH_AT])):
        return 1, None
    if len(data) <= _LENGTH_AT:
        return 0, None
    size = data[_LENGTH_AT]
    if not LEAST_BYTES <= size <= MAX_FRAME_BYTES:
        return 1, None
    if len(data) < size:
        return 0, None
    if not is_sealed(data[:size]):
        return 1, None
    frame = _frame_of(data[5], data[6], bytes(data[7 : size - 1]))
    return (1, None) if frame is None else (size, frame)


def framed(board: int, command: int, data: bytes) -> bytes:
    """Put data into a frame."""
    length = LEAST_BYTES + len(data)
    body = HEADER + bytes((length, board, command)) + data
    return body + bytes((xor_of(body),))


def is_sealed(frame: Bytes) -> bool:
    """Whether a whole frame has its length and ends with the XOR of the others."""
    if len(frame) < LEAST_BYTES or frame[:_LENGTH_AT] != HEADER:
        return False
    return frame[_LENGTH_AT] == len(frame) and xor_of(frame) == 0


def _frame_of(board: int, command: int, data: bytes) -> Frame | None:
    if command == QUERY_ALL:
        return _levels(board, data)
    if command == CHANGED:
        data = bytes((_DONE,)) + data
    elif command not in (OPEN, QUERY_ONE):
        return None
    if len(data) != _STATUS_DATA_BYTES:
        return None
    status, channel, state = data
    if board not in BOARDS or not 1 <= channel <= MAX_CHANNELS:
        return None
    if status == _FAILED:
        return Status(kind=command, address=board, channel=channel, is_refused=True)
    if status != _DONE or state not in _STATES:
        return None
    return Status(kind=command, address=board, channel=channel, bit=bool(state))


def _levels(board: int, data: bytes) -> Levels | None:
    status, count, states = data[:1], data[1:2], data[2:]
    is_whole = count == bytes((len(states),)) and _STATES.issuperset(states)
    if status != bytes((_DONE,)) or not is_whole:
        return None
    return Levels(address=board, bits=tuple(bool(state) for state in states))


def _check(address: int, channel: int, channels: int) -> None:
    if address not in BOARDS:
        raise LocalError(f"a board has an address 0 to {BOARDS[-1]}, not {address}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise LocalError(f"a board has 1 to {MAX_CHANNELS} channels, not {channels}")
    if not 1 <= channel <= channels:
        raise LocalError(f"the board has channels 1 to {channels}, not {channel}")
