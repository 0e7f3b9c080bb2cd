# SPDX-License-Identifier: Apache-2.0
"""The board's end of KERONG's first protocol (CU12, CU16): requests in, replies framed.

The law of the module: it knows lengths and the check byte, not what a lock is. The
address byte holds the board in its high half and the lock, from 0, in its low one. A
frame is 02, address, command, data, 03 and the low byte of the sum of all before it;
the command tells how much data may come.
Source: public TypeScript driver of CU12 and CU16; CartWise RS-485 controller for the
KR-CU16; vendor manual not seen, revision unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from firmware_sim.lockers.locker_firmware import packed
from firmware_sim.lockers.silence_framer import SilenceFramer

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The high half of an address that means every board on the line.
EVERY_BOARD = 0x0F
#: Locks of the largest board; their state bytes are always all there.
MAX_LOCKS = 16
_START, _END = 0x02, 0x03


class Command(IntEnum):
    """What is asked of a board, and what a board calls its answers."""

    STATUS = 0x30
    UNLOCK = 0x31
    STATUS_OF_ALL = 0x32
    UNLOCK_ALL = 0x33
    STATUS_REPLY = 0x35
    STATUS_OF_ALL_REPLY = 0x36
    UNLOCK_TIME = 0x37
    #: A reset to the board, and the name of its answer to UNLOCK_TIME.
    RESET = 0x38
    UNLOCK_LATER = 0x39
    BAUD = 0x40


#: Bytes of data that a request may carry.
_DATA_BYTES: dict[int, tuple[int, ...]] = {
    Command.STATUS: (0,),
    Command.UNLOCK: (0,),
    Command.STATUS_OF_ALL: (0,),
    Command.UNLOCK_ALL: (0,),
    Command.UNLOCK_TIME: (0, 2),
    Command.RESET: (0, 1),
    Command.UNLOCK_LATER: (1,),
    Command.BAUD: (1,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KerongRequest:
    """A request; ``lock`` counts from 0, as on the wire."""

    board: int
    lock: int
    command: Command
    data: bytes = b""


class KerongFramer(SilenceFramer):
    """Cuts a stream into requests; ``silence_s`` ends a frame that did not hold."""

    def __init__(self, silence_s: float) -> None:
        super().__init__(silence_s, size_of=_frame_bytes, is_sound=is_sound)

    def feed(self, data: bytes, now: float) -> list[KerongRequest]:
        """Return the requests that are complete with ``data``, in order."""
        return [_decoded(frame) for frame in self.cut(data, now)]


def check_sum(content: bytes) -> int:
    """Return the check byte: the low byte of the sum of all bytes before it."""
    return sum(content) & 0xFF


def is_sound(frame: bytes) -> bool:
    """Tell whether the ends are there and the check byte holds."""
    has_ends = len(frame) >= 5 and frame[0] == _START and frame[-2] == _END
    return has_ends and check_sum(frame[:-1]) == frame[-1]


def status_reply(
    board: int, are_closed: Iterable[bool], are_filled: Iterable[bool], *, to_all: bool
) -> bytes:
    """Return the state bits of all locks and gates, lowest lock in the lowest bit.

    The answer to a question to all boards is laid out alike (unverified).
    """
    command = Command.STATUS_OF_ALL_REPLY if to_all else Command.STATUS_REPLY
    size = MAX_LOCKS // 8
    return _framed(board, command, packed(are_closed, size) + packed(are_filled, size))


def unlock_time_reply(board: int, units: int) -> bytes:
    """Return the unlock time in units of 10 ms, high byte first (unverified)."""
    return _framed(board, Command.RESET, units.to_bytes(2, "big"))


def _framed(board: int, command: Command, data: bytes) -> bytes:
    content = bytes((_START, board << 4, command)) + data + bytes((_END,))
    return content + bytes((check_sum(content),))


def _frame_bytes(buffer: bytearray) -> int | None:
    """Return the size of the frame that begins here: the shortest that holds."""
    if buffer[0] != _START:
        return 0
    if len(buffer) < 3:
        return None
    sizes = [5 + count for count in _DATA_BYTES.get(buffer[2], ())]
    whole = (size for size in sizes if is_sound(bytes(buffer[:size])))
    return next(whole, max(sizes, default=0))


def _decoded(frame: bytes) -> KerongRequest:
    return KerongRequest(
        board=frame[1] >> 4,
        lock=frame[1] & 0x0F,
        command=Command(frame[2]),
        data=frame[3:-2],
    )
