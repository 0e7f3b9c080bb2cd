# SPDX-License-Identifier: Apache-2.0
"""The firmware of KERONG's first boards (CU12, CU16), which may stay busy.

The law of the module: frames stand in :mod:`firmware_sim.lockers.kerong_frames`; here
stands what they lead to. A foreign board, an unknown lock and a busy board are silent.
Source: CartWise RS-485 controller (a board that stays busy behind an unlocking until
38; openings without a reply); public TypeScript driver of CU12 and CU16. Unverified,
and so settled here: an unlocking is answered like a question for the state; 37 is
answered by 38 with the time that holds; 38, 39 and 40 have no reply; the boards answer
a question to all in the order of their addresses, 20 ms apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.kerong_frames import (
    EVERY_BOARD,
    MAX_LOCKS,
    Command,
    KerongFramer,
    KerongRequest,
    status_reply,
    unlock_time_reply,
)
from firmware_sim.lockers.locker_firmware import Firmware, Reply, Work
from firmware_sim.lockers.locker_settings import BoardTraits

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_bank import LockerBank

#: The longest delay that command 39 can say.
MAX_DELAY_S = 250
#: The rates of command 40, by its data.
BAUDS = (9_600, 19_200, 57_600, 115_200)
_UNIT_S = 0.01
_SLOT_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class KerongSettings(BoardTraits):
    """A CU12 or CU16.

    ``answers_unlock``: whether an unlocking is answered at all. ``stays_busy``:
    whether the board ignores everything behind an unlocking until command 38.
    ``item_is``: the bit of an infrared gate with something in it.
    """

    ADDRESSES: ClassVar[range] = range(EVERY_BOARD)
    MOST_CHANNELS: ClassVar[int] = MAX_LOCKS

    channels: int = 16
    baud: int = 19_200
    answers_unlock: bool = True
    stays_busy: bool = False
    item_is: int = 1

    def __post_init__(self) -> None:
        BoardTraits.__post_init__(self)
        if self.item_is not in (0, 1):
            raise SimulationError("item_is: write 0 or 1")


class KerongFirmware(Firmware[KerongSettings, KerongRequest]):
    """KERONG's end of the wire."""

    def __init__(self, settings: KerongSettings) -> None:
        super().__init__(settings)
        self._framer = KerongFramer(settings.silence_s)
        self._is_busy = False

    @property
    def is_busy(self) -> bool:
        """Whether it waits for command 38."""
        return self._is_busy

    def hear(self, data: bytes, now: float) -> list[KerongRequest]:
        """Return the requests that are complete with ``data``."""
        return self._framer.feed(data, now)

    def heeds(self, request: KerongRequest) -> bool:
        """Tell whether the board is this one, and not busy."""
        is_to_all = request.command is Command.STATUS_OF_ALL
        board = EVERY_BOARD if is_to_all else self.settings.address
        is_free = not self._is_busy or request.command is Command.RESET
        return is_free and request.board == board

    def carry_out(self, request: KerongRequest, now: float) -> Work:
        """Unlock, answer, or change a setting."""
        every = range(1, self.settings.channels + 1)
        match request.command:
            case Command.STATUS:
                return Work(reply=self._status(now))
            case Command.STATUS_OF_ALL:
                return Work(reply=self._status(now, to_all=True))
            case Command.UNLOCK:
                return self._unlock((request.lock + 1,), now)
            case Command.UNLOCK_ALL:
                return self._unlock(every, now)
            case Command.UNLOCK_LATER:
                return self._unlock_later(request, now)
            case Command.UNLOCK_TIME:
                return self._unlock_time(request.data, now)
            case Command.RESET:
                self._is_busy = False
            case Command.BAUD if request.data[0] < len(BAUDS):
                rate = BAUDS[request.data[0]]
                self.settings = replace(self.settings, baud=rate)
        return Work()

    def forget(self) -> None:
        """Lose the frame that was coming; a board that comes back is not busy."""
        self._framer.forget()
        self._is_busy = False

    def _unlock(self, channels: range | tuple[int, ...], now: float) -> Work:
        pulls = self.pulls(channels, now)
        if not pulls:
            return Work()
        self._is_busy = self.settings.stays_busy
        if not self.settings.answers_unlock:
            return Work(pulls=pulls)
        due = now + self.settings.reply_delay_s
        return Work(pulls=pulls, reply=Reply(due=due, compose=self._told))

    def _unlock_later(self, request: KerongRequest, now: float) -> Work:
        delay_s = request.data[0]
        if delay_s > MAX_DELAY_S:
            return Work()
        work = self._unlock((request.lock + 1,), now + delay_s)
        return replace(work, reply=None)

    def _unlock_time(self, data: bytes, now: float) -> Work:
        if data:
            pulse_s = int.from_bytes(data, "big") * _UNIT_S
            self.settings = replace(self.settings, pulse_s=pulse_s)
        # A site file may say more than the wire can.
        units = min(round(self.settings.pulse_s / _UNIT_S), 0xFFFF)
        reply = unlock_time_reply(self.settings.address, units)
        due = now + self.settings.query_delay_s
        return Work(reply=Reply(due=due, compose=lambda _: reply))

    def _status(self, now: float, *, to_all: bool = False) -> Reply:
        due = now + self.settings.query_delay_s
        if not to_all:
            return Reply(due=due, compose=self._told)
        due += self.settings.address * _SLOT_S
        return Reply(due=due, compose=lambda bank: self._told(bank, to_all=True))

    def _told(self, bank: LockerBank, *, to_all: bool = False) -> bytes:
        item_is = bool(self.settings.item_is)
        filled = (one.holds_something == item_is for one in bank.compartments)
        address, closed = self.settings.address, self.bits(bank)
        return status_reply(address, closed, filled, to_all=to_all)
