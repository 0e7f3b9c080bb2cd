# SPDX-License-Identifier: Apache-2.0
"""The board's end of the "WKLY" lock-control protocol: requests in, replies framed.

The law of the module: it knows the header, the length and the check byte, not what a
door is; it never raises on bytes. A frame is 57 4B 4C 59, its whole length, board,
command, data and the exclusive or of all before it. The header does not overlap
itself: behind a byte that does not fit, only whether it is a 57 is asked again.
Source: public Android utility and Kotlin tests with the vendor's demonstration frames;
public C frame parser; Arcen Locker's README; vendor manual not seen, revision unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import xor

HEADER = b"WKLY"
#: The shortest frame has no data; the longest tells 24 states behind two bytes.
MIN_FRAME_BYTES = 8
MAX_FRAME_BYTES = 34


class Command(IntEnum):
    """What is asked of a board; DOOR_CHANGED comes from it alone."""

    OPEN_TOGETHER = 0x80
    BLINK = 0x81
    OPEN = 0x82
    QUERY = 0x83
    QUERY_ALL = 0x84
    DOOR_CHANGED = 0x85
    OPEN_ALL_IN_TURN = 0x86
    OPEN_IN_TURN = 0x87
    HOLD_ON = 0x88
    HOLD_OFF = 0x89


@dataclass(frozen=True, slots=True, kw_only=True)
class WklyRequest:
    """A sound frame, its command known or not."""

    board: int
    command: int
    data: bytes = b""


class WklyFramer:
    """Cuts a stream into requests; ``silence_s`` ends one that was not finished."""

    def __init__(self, silence_s: float) -> None:
        self._silence_s = silence_s
        self._buffer = bytearray()
        self._heard_at = float("-inf")

    def feed(self, data: bytes, now: float) -> list[WklyRequest]:
        """Return the requests that are complete with ``data``, in order."""
        if now - self._heard_at > self._silence_s:
            self.forget()
        self._heard_at = now
        found: list[WklyRequest] = []
        for byte in data:
            self._take(byte)
            if len(self._buffer) > 4 and len(self._buffer) == self._buffer[4]:
                frame = bytes(self._buffer)
                self.forget()
                if is_sound(frame):
                    found.append(_decoded(frame))
        return found

    def forget(self) -> None:
        """Drop what was heard: the line fell silent or the power was cut."""
        self._buffer.clear()

    def _take(self, byte: int) -> None:
        """Take a byte if it fits, else begin anew, perhaps with it."""
        place = len(self._buffer)
        if place < len(HEADER):
            fits = byte == HEADER[place]
        else:
            is_length = place == len(HEADER)
            fits = not is_length or MIN_FRAME_BYTES <= byte <= MAX_FRAME_BYTES
        if not fits:
            self.forget()
        if fits or byte == HEADER[0]:
            self._buffer.append(byte)


def check_byte(content: bytes) -> int:
    """Return the exclusive or of all bytes."""
    return reduce(xor, content, 0)


def is_sound(frame: bytes) -> bool:
    """Tell whether header, length and check byte hold."""
    is_framed = len(frame) >= MIN_FRAME_BYTES and frame[4] == len(frame)
    has_header = frame.startswith(HEADER)
    return is_framed and has_header and check_byte(frame[:-1]) == frame[-1]


def framed(board: int, command: Command, *data: int) -> bytes:
    """Return a whole frame, as both sides make it."""
    length = MIN_FRAME_BYTES + len(data)
    content = HEADER + bytes((length, board, command, *data))
    return content + bytes((check_byte(content),))


def _decoded(frame: bytes) -> WklyRequest:
    return WklyRequest(board=frame[5], command=frame[6], data=frame[7:-1])
