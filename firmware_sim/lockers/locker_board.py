# SPDX-License-Identifier: Apache-2.0
"""A simulated lock-control board, of whatever family, with its compartments.

The law of the module: it joins firmware and locker bank, and adds what can go wrong:
silence, a wrong check byte, a lost byte, a brown-out. Which family it is, its settings
tell. The reply to an opening comes late, with what the switch feels by then; until
then the board hears nothing (unverified, and so settled here).
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown; Open-Locker ADR-0067; each family's own file.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firmware_sim.happening import Diary, Subject, What
from firmware_sim.lockers.locker_bank import CompartmentSnapshot, LockerBank
from firmware_sim.lockers.locker_families import firmware_of
from firmware_sim.lockers.locker_settings import (
    BoardTraits,
    LockerBoardSettings,
    LockerFault,
    spoiled,
)
from firmware_sim.outbox import Outbox, earliest

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_firmware import Firmware, Pull, Reply

#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000
#: Pulls that wait for their time: twice all channels of the largest board.
MAX_PULLS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardSnapshot:
    """The board as it stands, its compartments from channel 1 on."""

    address: int
    is_dark: bool
    is_busy: bool
    requests: int
    compartments: tuple[CompartmentSnapshot, ...]


class LockerBoard:
    """The board; hands act on its ``bank``, and its next ``tick`` sees what they did.

    ``settings`` may be replaced by others of the family, save what the board was built
    with: channels, feedback, timed openings and silence.
    """

    def __init__(
        self, settings: BoardTraits | None = None, *, name: str = "lockers"
    ) -> None:
        settings = settings or LockerBoardSettings()
        self.diary = Diary(Subject.BOARD, name)
        self.bank = LockerBank(settings.channels, settings.feedback, self.diary)
        # Each firmware has requests of its own, which the board only passes back.
        self._firmware: Firmware[Any, Any] = firmware_of(settings)
        self._outbox = Outbox()
        self._faults: deque[LockerFault] = deque(maxlen=MAX_FAULTS)
        self._pulls: list[Pull] = []
        self._reply: tuple[Reply, LockerFault | None] | None = None
        self._felt = self.bank.feels_closed()
        self._back_at: float | None = None
        self._requests = 0

    @property
    def settings(self) -> BoardTraits:
        """What the board is set to."""
        settings: BoardTraits = self._firmware.settings
        return settings

    @settings.setter
    def settings(self, settings: BoardTraits) -> None:
        self._firmware.settings = settings

    # -- the wire ------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """The rate at present."""
        return self._firmware.baud

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line."""
        self.tick(now)
        if self._is_deaf():
            return
        for request in self._firmware.hear(data, now):
            if not self._is_deaf() and self._firmware.heeds(request):
                self._carry_out(request, now)

    def take_outgoing(self, now: float) -> bytes:
        """Return replies and reports that are due by ``now``."""
        self.tick(now)
        return self._outbox.take(now)

    def deadline(self) -> float | None:
        """Return when something is to be said, a pulse ends or the power comes back."""
        return earliest(self._outbox.deadline(), self._next_change())

    def tick(self, now: float) -> None:
        """Let pulses begin and end and replies be composed, each at its own time."""
        while (due := self._next_change()) is not None and due <= now:
            if self._back_at == due:
                self._back_at = None
                self.diary.note(What.POWER_BACK, due)
            self.bank.tick(due)
            self._begin_pulls(due)
            self._feel(due)
            self._answer(due)
        self._feel(now)

    # -- the hand in the world -----------------------------------------------------

    def brown_out(self, now: float, dark_s: float = 2.0) -> None:
        """Cut the board's power: coils fall back, deaf and dumb for ``dark_s``."""
        self.tick(now)
        self.diary.note(What.POWER_LOST, now)
        self._firmware.forget()
        self._outbox.clear()
        self._pulls.clear()
        self._reply = None
        self.bank.lose_power()
        self._back_at = now + dark_s
        self._feel(now)

    def spoil(self, fault: LockerFault, replies: int = 1) -> None:
        """Spoil the next ``replies`` replies, behind those already to be spoiled."""
        self._faults.extend([fault] * min(replies, MAX_FAULTS))

    def snapshot(self) -> LockerBoardSnapshot:
        """Return the board as it stands."""
        return LockerBoardSnapshot(
            address=self.settings.address,
            is_dark=self._back_at is not None,
            is_busy=self._firmware.is_busy,
            requests=self._requests,
            compartments=tuple(one.snapshot() for one in self.bank.compartments),
        )

    # -- inside --------------------------------------------------------------------

    def _next_change(self) -> float | None:
        due = self._reply[0].due if self._reply is not None else None
        pulls = (pull.at for pull in self._pulls)
        return earliest(self.bank.next_change(), due, self._back_at, *pulls)

    def _is_deaf(self) -> bool:
        is_dark = self._back_at is not None
        return is_dark or self.settings.is_silent or self._reply is not None

    def _carry_out(self, request: Any, now: float) -> None:
        self._requests += 1
        fault = self._faults.popleft() if self._faults else None
        if fault is LockerFault.UNHEARD:
            return
        work = self._firmware.carry_out(request, now)
        self._pulls += work.pulls[: MAX_PULLS - len(self._pulls)]
        for channel in work.released:
            self.bank.at(channel).end_pulse()
        if work.reply is not None:
            self._reply = (work.reply, fault)
        self.tick(now)

    def _begin_pulls(self, due: float) -> None:
        ripe = [pull for pull in self._pulls if pull.at <= due]
        self._pulls = [pull for pull in self._pulls if pull.at > due]
        for pull in ripe:
            self.bank.at(pull.channel).pulse(pull.at, pull.pulse_s)

    def _answer(self, due: float) -> None:
        if self._reply is not None and self._reply[0].due <= due:
            (reply, fault), self._reply = self._reply, None
            self._say(spoiled(reply.compose(self.bank), fault), reply.due)

    def _feel(self, at: float) -> None:
        """Notice switches that moved, and report them where the firmware does."""
        before, self._felt = self._felt, self.bank.feels_closed()
        is_mute = self.settings.is_silent or self._back_at is not None
        if is_mute or self._felt == before:
            return
        for channel, is_closed in enumerate(self._felt, start=1):
            if is_closed != before[channel - 1]:
                self._say(self._firmware.report(channel, is_closed=is_closed), at)

    def _say(self, said: bytes, at: float) -> None:
        if said:
            self._outbox.put(said, at)
