# SPDX-License-Identifier: Apache-2.0
"""Frames of KERONG CU boards of the first generation: open, status, clear.

The law of the module: pure, and no request but "unlock one", "status of one board"
and "reset" can be built: not 33 (all of a board), 39 (later) or anything to the
broadcast address F0. Board 15 has that very address and is therefore refused: nobody
says whether F0 31 means its first lock or everybody's.

    unlock one   02 address 31 03 SUM      address: board << 4 | lock, from 0
    status       02 address 30 03 SUM
    reset        02 address 38 03 SUM      wakes a board that stays busy
    levels       02 address 35 locks 1-8, 9-16, infrared 1-8, 9-16 03 SUM

SUM is the low byte of the sum of all bytes before it. A bit is 1 for a closed lock
(infrared: for something inside, which has no word in the house and is dropped).

Source: public code for the KR-CU16 and KR-CU12 (CartWise; a TypeScript driver;
KR-CU16_locker), maker's document unseen, revision unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.checksum import low_sum_of
from drivers.errors import LocalError
from drivers.locks.lock_wire import Ask, Frame, Levels, Request

if TYPE_CHECKING:
    from drivers.checksum import Bytes

_BEGIN = 0x02
_END = 0x03
_STATUS = 0x30
_UNLOCK = 0x31
_LEVELS = 0x35
_RESET = 0x38
#: Nibbles count to 15, but board 15 is the broadcast.
BOARDS = range(15)
MAX_CHANNELS = 16
LEVELS_BYTES = 9


def open_one(address: int, channel: int, *, channels: int) -> Request:
    """Unlock one lock; LocalError unless the board has that channel."""
    _check(address, channel, channels)
    frame = _framed(address << 4 | channel - 1, _UNLOCK)
    return Request(frame=frame, address=address, ask=Ask.OPEN, channel=channel)


def query_all(address: int, *, channels: int) -> Request:
    """Ask for all locks of a board."""
    _check(address, channels, channels)
    frame = _framed(address << 4, _STATUS)
    return Request(frame=frame, address=address, ask=Ask.ALL, channels=channels)


def clear(address: int, *, channels: int) -> Request:
    """Wake a board that ignores everything; it moves no lock and is not answered."""
    _check(address, channels, channels)
    frame = _framed(address << 4, _RESET)
    return Request(frame=frame, address=address, ask=Ask.CLEAR)


def answers(frame: Frame, request: Request) -> bool:
    """Whether the frame is what the request asked for; nothing answers an opening."""
    return request.is_for_all and frame.address == request.address


def frame_at(data: Bytes, _request: Request | None) -> tuple[int, Levels | None]:
    """Return how many of the first bytes are done with, and what frame they are."""
    if data[0] != _BEGIN or (len(data) > 2 and data[2] != _LEVELS):
        return 1, None
    if len(data) < LEVELS_BYTES:
        return 0, None
    frame = data[:LEVELS_BYTES]
    if not is_sealed(frame):
        return 1, None
    locks = int.from_bytes(frame[3:5], "little")
    bits = tuple(bool(locks >> index & 1) for index in range(MAX_CHANNELS))
    return LEVELS_BYTES, Levels(address=frame[1] >> 4, bits=bits)


def is_sealed(frame: Bytes) -> bool:
    """Whether a whole frame ends as it must."""
    if len(frame) < len(_framed(0, 0)) or (frame[0], frame[-2]) != (_BEGIN, _END):
        return False
    return low_sum_of(frame[:-1]) == frame[-1]


def _framed(address: int, command: int) -> bytes:
    body = bytes((_BEGIN, address, command, _END))
    return body + bytes((low_sum_of(body),))


def _check(address: int, channel: int, channels: int) -> None:
    if address not in BOARDS:
        raise LocalError(f"a board has an address 0 to {BOARDS[-1]}, not {address}")
    if not 1 <= channels <= MAX_CHANNELS:
        raise LocalError(f"a board has 1 to {MAX_CHANNELS} channels, not {channels}")
    if not 1 <= channel <= channels:
        raise LocalError(f"the board has channels 1 to {channels}, not {channel}")
