# SPDX-License-Identifier: Apache-2.0
"""The firmware of the "WKLY" boards, which report doors at any moment.

The law of the module: frames stand in :mod:`firmware_sim.lockers.wkly_frames`; here
stands what they lead to. A foreign board and an unknown command are met with silence.
Source: public Kotlin tests with the vendor's demonstration frames (state 00 is open;
older comments say the opposite, hence ``closed_is``); Arcen Locker's README (a board
that opens and never answers 82). Unverified, and so settled here: an unknown channel,
and with ``fails_when_shut`` a door that did not open, is answered by status FF; doors
in turn are pulled ``step_s`` apart and answered at once; what is held on falls back
after an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.locker_firmware import Firmware, Reply, Work
from firmware_sim.lockers.locker_settings import BoardTraits
from firmware_sim.lockers.wkly_frames import Command, WklyFramer, WklyRequest, framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_sim.lockers.locker_bank import LockerBank

_DONE, _FAILED = 0x00, 0xFF
#: No coil of the kind lives longer.
_HELD_S = 3_600.0
_ABOUT_ONE = (
    Command.BLINK,
    Command.OPEN,
    Command.QUERY,
    Command.HOLD_ON,
    Command.HOLD_OFF,
)
_ABOUT_SEVERAL = (Command.OPEN_TOGETHER, Command.OPEN_IN_TURN)
_ABOUT_ALL = (Command.QUERY_ALL, Command.OPEN_ALL_IN_TURN)


@dataclass(frozen=True, slots=True, kw_only=True)
class WklySettings(BoardTraits):
    """A board of 12 or 24 doors.

    ``answers_open``: whether command 82 is answered at all. ``fails_when_shut``: a
    door that stayed shut is told as a failure. ``reports_changes``: says 85 whenever a
    door changed, be it between a command and its reply.
    """

    ADDRESSES: ClassVar[range] = range(32)
    MOST_CHANNELS: ClassVar[int] = 24

    answers_open: bool = True
    fails_when_shut: bool = False
    reports_changes: bool = True
    step_s: float = 0.5

    def __post_init__(self) -> None:
        BoardTraits.__post_init__(self)
        if self.step_s < 0:
            raise SimulationError(f"a step of {self.step_s} s is negative")


class WklyFirmware(Firmware[WklySettings, WklyRequest]):
    """The "WKLY" family's end of the wire."""

    def __init__(self, settings: WklySettings) -> None:
        super().__init__(settings)
        self._framer = WklyFramer(settings.silence_s)

    def hear(self, data: bytes, now: float) -> list[WklyRequest]:
        """Return the requests that are complete with ``data``."""
        return self._framer.feed(data, now)

    def heeds(self, request: WklyRequest) -> bool:
        """Tell whether the board is this one and the request is well made."""
        return request.board == self.settings.address and _is_well_made(request)

    def carry_out(self, request: WklyRequest, now: float) -> Work:
        """Open, answer, or hold."""
        command = Command(request.command)
        if command in _ABOUT_ONE:
            return self._about_one(command, request.data[0], now)
        if command is Command.QUERY_ALL:
            return Work(reply=self._later(self._states, now))
        is_all = command is Command.OPEN_ALL_IN_TURN
        every = tuple(range(1, self.settings.channels + 1))
        channels = every if is_all else tuple(request.data[1:])
        are_known = all(one in every for one in channels)
        step_s = 0.0 if command is Command.OPEN_TOGETHER else self.settings.step_s
        pulls = self.pulls(channels, now, step_s=step_s) if are_known else ()
        reply = self._frame(command, _DONE if are_known else _FAILED)
        return Work(pulls=pulls, reply=self._later(lambda _: reply, now))

    def forget(self) -> None:
        """Lose the frame that was coming."""
        self._framer.forget()

    def report(self, channel: int, *, is_closed: bool) -> bytes:
        """Return frame 85, where the firmware makes them."""
        if not self.settings.reports_changes:
            return b""
        state = self.bit(is_closed=is_closed)
        return self._frame(Command.DOOR_CHANGED, channel, int(state))

    def _about_one(self, command: Command, channel: int, now: float) -> Work:
        settings = self.settings
        pulls = self.pulls((channel,), now)
        is_known = bool(pulls)
        if command in (Command.OPEN, Command.QUERY):
            is_opening = command is Command.OPEN
            delay_s = settings.reply_delay_s if is_opening else settings.query_delay_s
            reply = Reply(
                due=now + delay_s,
                compose=lambda bank: self._state(command, channel, bank),
            )
            is_told = settings.answers_open or not is_opening
            return Work(
                pulls=pulls if is_opening else (), reply=reply if is_told else None
            )
        told = self._frame(command, _DONE if is_known else _FAILED, channel)
        work = Work(reply=self._later(lambda _: told, now))
        if command is Command.HOLD_ON:
            held = tuple(replace(one, pulse_s=_HELD_S) for one in pulls)
            return replace(work, pulls=held)
        if command is Command.HOLD_OFF and is_known:
            return replace(work, released=(channel,))
        return work

    def _state(self, command: Command, channel: int, bank: LockerBank) -> bytes:
        bits = self.bits(bank)
        if not 1 <= channel <= len(bits):
            return self._frame(command, _FAILED, channel, 0)
        is_shut = bank.feels_closed()[channel - 1]
        is_tried = command is Command.OPEN and self.settings.fails_when_shut
        status = _FAILED if is_tried and is_shut else _DONE
        return self._frame(command, status, channel, int(bits[channel - 1]))

    def _states(self, bank: LockerBank) -> bytes:
        bits = [int(one) for one in self.bits(bank)]
        return self._frame(Command.QUERY_ALL, _DONE, len(bits), *bits)

    def _later(self, compose: Callable[[LockerBank], bytes], now: float) -> Reply:
        return Reply(due=now + self.settings.query_delay_s, compose=compose)

    def _frame(self, command: Command, *data: int) -> bytes:
        return framed(self.settings.address, command, *data)


def _is_well_made(request: WklyRequest) -> bool:
    """Tell whether the data fit the command; what is unknown never does."""
    data = request.data
    match request.command:
        case command if command in _ABOUT_ONE:
            return len(data) == 1
        case command if command in _ABOUT_SEVERAL:
            return len(data) > 1 and data[0] == len(data) - 1
        case command:
            return command in _ABOUT_ALL and not data
