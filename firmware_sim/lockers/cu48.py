# SPDX-License-Identifier: Apache-2.0
"""The firmware of KERONG's second boards (CU48): commands 60 and 61, replies 75.

The law of the module: requests are 02, device, lock from 0, command, 03 and the low
byte of the sum of all before it; replies carry no 03. The wire is small enough to stand
here with what it leads to. A foreign device and a broken frame are met with silence.
Source: public TypeScript class of the protocol and its constants; vendor manual not
seen, revision unknown. Unverified, and so settled here: an unknown lock, and with
``fails_when_shut`` one that did not open, is answered by 7F where 75 means success;
bits of locks that the board does not have read 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from firmware_sim.lockers.kerong_frames import check_sum
from firmware_sim.lockers.locker_firmware import Firmware, Reply, Work, packed
from firmware_sim.lockers.locker_settings import BoardTraits
from firmware_sim.lockers.silence_framer import SilenceFramer

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_bank import LockerBank

_START, _END = 0x02, 0x03
_STATUS, _OPEN = 0x60, 0x61
_SUCCESS, _FAILURE = 0x75, 0x7F
#: Locks of the largest board; their state bytes are always all there.
_MAX_LOCKS = 48
_REQUEST_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cu48Settings(BoardTraits):
    """A CU48; ``fails_when_shut``: a lock that stayed shut is told as a failure."""

    ADDRESSES: ClassVar[range] = range(0x100)
    MOST_CHANNELS: ClassVar[int] = _MAX_LOCKS

    channels: int = 48
    baud: int = 19_200
    fails_when_shut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cu48Request:
    """A request; ``lock`` counts from 0, as on the wire."""

    device: int
    lock: int
    command: int


class Cu48Firmware(Firmware[Cu48Settings, Cu48Request]):
    """The CU48's end of the wire."""

    def __init__(self, settings: Cu48Settings) -> None:
        super().__init__(settings)
        self._framer = SilenceFramer(
            settings.silence_s, size_of=_frame_bytes, is_sound=is_request
        )

    def hear(self, data: bytes, now: float) -> list[Cu48Request]:
        """Return the requests that are complete with ``data``."""
        return [
            Cu48Request(device=frame[1], lock=frame[2], command=frame[3])
            for frame in self._framer.cut(data, now)
        ]

    def heeds(self, request: Cu48Request) -> bool:
        """Tell whether device and command are known here."""
        is_mine = request.device == self.settings.address
        return is_mine and request.command in (_STATUS, _OPEN)

    def carry_out(self, request: Cu48Request, now: float) -> Work:
        """Open a lock, or tell the state of all."""
        settings, lock = self.settings, request.lock
        if request.command == _STATUS:
            due = now + settings.query_delay_s
            return Work(reply=Reply(due=due, compose=self._told))
        due = now + settings.reply_delay_s
        reply = Reply(due=due, compose=lambda bank: self._opened(lock, bank))
        return Work(pulls=self.pulls((lock + 1,), now), reply=reply)

    def forget(self) -> None:
        """Lose the frame that was coming."""
        self._framer.forget()

    def _opened(self, lock: int, bank: LockerBank) -> bytes:
        settings = self.settings
        is_there = lock < settings.channels
        is_shut = is_there and bank.feels_closed()[lock]
        is_good = is_there and not (is_shut and settings.fails_when_shut)
        status = _SUCCESS if is_good else _FAILURE
        return _framed(settings.address, lock, status, 0)

    def _told(self, bank: LockerBank) -> bytes:
        states = packed(self.bits(bank), _MAX_LOCKS // 8)
        return _framed(self.settings.address, 0, _SUCCESS, len(states), *states)


def is_request(frame: bytes) -> bool:
    """Tell whether a whole frame is a request whose ends and sum hold."""
    has_ends = len(frame) == _REQUEST_BYTES and frame[4] == _END
    return has_ends and frame[0] == _START and check_sum(frame[:-1]) == frame[-1]


def _framed(device: int, *content: int) -> bytes:
    frame = bytes((_START, device, *content))
    return frame + bytes((check_sum(frame),))


def _frame_bytes(buffer: bytearray) -> int:
    return _REQUEST_BYTES if buffer[0] == _START else 0
