# SPDX-License-Identifier: Apache-2.0
"""The board's end of the "8A" lock-control protocol: requests in, replies framed.

The law of the module: it knows lengths and the check byte, not what a compartment is.
A frame that does not hold loses everything up to the next silence; it is never
answered and never raises. There is no length byte: the first byte tells the length,
and a timed opening (6 bytes) is told from a plain one (5) by the fifth byte, which is
1 to 9 there and at least 80 as a check byte.
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown; CSDN u012909822/147892413; Open-Locker ADR-0035 and ADR-0067.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import xor

from firmware_sim.lockers.silence_framer import SilenceFramer

#: Addresses of the family: DIP switches give 1 to 32, on some boards 1 to 64.
MAX_ADDRESS = 0x40
#: The largest board of the family has 50 channels.
MAX_CHANNELS = 50
#: A channel byte of 0 means every channel of the board.
ALL_CHANNELS = 0
#: The longest timed opening that the wire can say.
MAX_SECONDS = 9
#: Channels of the three mask bytes of "open several", highest group first.
MASK_CHANNELS = 24

_OPEN, _ASK, _OPEN_SEVERAL = 0x8A, 0x80, 0x90
_DO_OPEN, _DO_QUERY, _DO_TELL_ADDRESS = 0x11, 0x33, 0x99
_WHO_IS_THERE = bytes((_ASK, 0x01, 0x00, _DO_TELL_ADDRESS))
_IS_ONE, _IS_ZERO = 0x11, 0x00


class ReplyKind(StrEnum):
    """The first byte of the reply to an opening; all three firmwares exist."""

    ECHO = "8A"
    STATUS = "80"
    REPORT = "81"


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Open a channel, or all for channel 0; None seconds: the board's own pulse."""

    address: int
    channel: int
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeveral:
    """Open the channels of a mask at once."""

    address: int
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Tell the state of a channel, or of all for channel 0."""

    address: int
    channel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAddress:
    """Tell the address, whatever it is: every board on the line answers."""


LockerRequest = Open | OpenSeveral | Query | AskAddress


class LockerFramer(SilenceFramer):
    """Cuts a stream into requests; ``silence_s`` ends a frame that did not hold."""

    def __init__(self, silence_s: float, *, knows_timed_opening: bool = True) -> None:
        super().__init__(silence_s, size_of=self._frame_bytes, is_sound=is_sound)
        self._knows_timed_opening = knows_timed_opening

    def feed(self, data: bytes, now: float) -> list[LockerRequest]:
        """Return the requests that are complete with ``data``, in order."""
        requests = (_decoded(frame) for frame in self.cut(data, now))
        return [request for request in requests if request is not None]

    def _frame_bytes(self, buffer: bytearray) -> int:
        """Return the length of the frame that begins here, 0 for none we know."""
        match buffer[0]:
            case 0x80:
                return 5
            case 0x8A:
                return 6 if self._is_timed(buffer) else 5
            case 0x90:
                return 6
            case _:
                return 0

    def _is_timed(self, buffer: bytearray) -> bool:
        has_seconds = len(buffer) >= 5 and 1 <= buffer[4] <= MAX_SECONDS
        return has_seconds and self._knows_timed_opening


def bcc(content: bytes) -> int:
    """Return the check byte: all bytes before it, joined by exclusive or."""
    return reduce(xor, content, 0)


def is_sound(frame: bytes) -> bool:
    """Tell whether the last byte is the check byte of the others."""
    return len(frame) > 1 and bcc(frame[:-1]) == frame[-1]


def opened_reply(kind: ReplyKind, address: int, channel: int, *, is_one: bool) -> bytes:
    """Return the reply to an opening; ``is_one``: state 11, else 00."""
    return _framed(int(kind, 16), address, channel, _state(is_one=is_one))


def state_reply(address: int, channel: int, *, is_one: bool) -> bytes:
    """Return the answer to the query of one channel."""
    return _framed(_ASK, address, channel, _state(is_one=is_one))


def change_report(address: int, channel: int, *, is_one: bool) -> bytes:
    """Return what some firmware says by itself when a channel's state changed."""
    return _framed(0x81, address, channel, _state(is_one=is_one))


def states_reply(address: int, are_one: tuple[bool, ...]) -> bytes:
    """Return the answer to the query of all channels.

    One byte for each eight, highest group first, lowest channel in bit 0; channels
    that the board does not have read 0, as an open terminal does (unverified).
    """
    groups = [are_one[start : start + 8] for start in range(0, len(are_one), 8)]
    bits = (sum(one << place for place, one in enumerate(group)) for group in groups)
    return _framed(_ASK, address, *reversed(tuple(bits)), _DO_QUERY)


def address_reply(address: int) -> bytes:
    """Return the answer to the question for the address."""
    return _framed(_ASK, 0x01, address, _DO_TELL_ADDRESS)


def _state(*, is_one: bool) -> int:
    return _IS_ONE if is_one else _IS_ZERO


def _framed(*content: int) -> bytes:
    return bytes(content) + bytes((bcc(bytes(content)),))


def _decoded(frame: bytes) -> LockerRequest | None:
    """Return what a sound frame asks; None for a command that is not known."""
    content = frame[:-1]
    if content == _WHO_IS_THERE:
        return AskAddress()
    header, address, channel, command = content[:4]
    match header, command:
        case 0x90, _:
            return OpenSeveral(address=address, channels=_masked(content[2:]))
        case 0x80, 0x33:
            return Query(address=address, channel=channel)
        case 0x8A, 0x11:
            seconds = content[4] if len(content) > 4 else None
            return Open(address=address, channel=channel, seconds=seconds)
        case _:
            return None


def _masked(mask: bytes) -> tuple[int, ...]:
    bits = int.from_bytes(mask, "big")
    return tuple(place + 1 for place in range(MASK_CHANNELS) if bits >> place & 1)
