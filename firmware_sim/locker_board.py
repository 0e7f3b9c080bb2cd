# SPDX-License-Identifier: Apache-2.0
"""A simulated lock-control board of the "8A" family with its compartments.

The law of the module: it joins frames and locker bank, and adds what can go wrong:
silence, a wrong check byte, a lost byte, a brown-out. The reply to an opening comes
late, with what the switch feels by then; until then the board hears nothing. A foreign
address, an unknown channel and a broken frame are met with silence.
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown: replies after up to 1 s, pulse of some 300 ms; Open-Locker ADR-0067: some
500 ms. Unverified, and so settled here: deafness while a reply is due; "open several"
has no reply; the reply to "open all" names channel 0, open if all are.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from firmware_sim.happening import Diary, Subject, What
from firmware_sim.locker_bank import CompartmentSnapshot, LockerBank
from firmware_sim.locker_frames import (
    ALL_CHANNELS,
    AskAddress,
    LockerFramer,
    LockerRequest,
    Open,
    OpenSeveral,
    Query,
    address_reply,
    change_report,
    opened_reply,
    state_reply,
    states_reply,
)
from firmware_sim.locker_settings import LockerBoardSettings, LockerFault, spoiled
from firmware_sim.outbox import Outbox, earliest

#: Faults waiting for a reply; a test that needs more says so again.
MAX_FAULTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardSnapshot:
    """The board as it stands, its compartments from channel 1 on."""

    address: int
    is_dark: bool
    requests: int
    compartments: tuple[CompartmentSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """A reply that waits for the feedback of ``channel`` (0: of all)."""

    due: float
    channel: int
    fault: LockerFault | None


class LockerBoard:
    """The board; hands act on its ``bank``, and its next ``tick`` sees what they did.

    ``settings`` may be replaced, save what the board was built with: channels,
    feedback, timed openings and silence.
    """

    def __init__(
        self, settings: LockerBoardSettings | None = None, *, name: str = "lockers"
    ) -> None:
        self.settings = settings = settings or LockerBoardSettings()
        self.diary = Diary(Subject.BOARD, name)
        self.bank = LockerBank(settings.channels, settings.feedback, self.diary)
        self._framer = LockerFramer(
            settings.silence_s, knows_timed_opening=settings.knows_timed_opening
        )
        self._outbox = Outbox()
        self._faults: deque[LockerFault] = deque(maxlen=MAX_FAULTS)
        self._opening: _Opening | None = None
        self._felt = self.bank.feels_closed()
        self._back_at: float | None = None
        self._requests = 0

    # -- the wire ------------------------------------------------------------------

    @property
    def baud(self) -> int:
        """The rate, which no command changes."""
        return self.settings.baud

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes of the line."""
        self.tick(now)
        if self._is_deaf():
            return
        for request in self._framer.feed(data, now):
            if not self._is_deaf() and self._is_meant(request):
                self._carry_out(request, now)
        self._feel(now)

    def take_outgoing(self, now: float) -> bytes:
        """Return replies and reports that are due by ``now``."""
        self.tick(now)
        return self._outbox.take(now)

    def deadline(self) -> float | None:
        """Return when something is to be said, a pulse ends or the power comes back."""
        return earliest(self._outbox.deadline(), self._next_change())

    def tick(self, now: float) -> None:
        """Let pulses end and replies be composed, each at its own time."""
        while (due := self._next_change()) is not None and due <= now:
            if self._back_at == due:
                self._back_at = None
                self.diary.note(What.POWER_BACK, due)
            self.bank.tick(due)
            self._feel(due)
            if self._opening is not None and self._opening.due <= due:
                self._confirm(self._opening)
        self._feel(now)

    # -- the hand in the world -----------------------------------------------------

    def brown_out(self, now: float, dark_s: float = 2.0) -> None:
        """Cut the board's power: coils fall back, deaf and dumb for ``dark_s``."""
        self.tick(now)
        self.diary.note(What.POWER_LOST, now)
        self._framer.forget()
        self._outbox.clear()
        self._opening = None
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
            requests=self._requests,
            compartments=tuple(one.snapshot() for one in self.bank.compartments),
        )

    # -- inside --------------------------------------------------------------------

    def _next_change(self) -> float | None:
        due = self._opening.due if self._opening is not None else None
        return earliest(self.bank.next_change(), due, self._back_at)

    def _is_deaf(self) -> bool:
        is_dark = self._back_at is not None
        return is_dark or self.settings.is_silent or self._opening is not None

    def _is_meant(self, request: LockerRequest) -> bool:
        match request:
            case AskAddress():
                return True
            case _:
                return request.address == self.settings.address

    def _carry_out(self, request: LockerRequest, now: float) -> None:
        self._requests += 1
        fault = self._faults.popleft() if self._faults else None
        if fault is LockerFault.UNHEARD:
            return
        match request:
            case Open():
                self._open(request, now, fault)
            case OpenSeveral():
                self._pulse(request.channels, self.settings.pulse_s, now)
            case Query():
                self._say(self._told(request.channel), fault, now)
            case AskAddress():
                self._say(address_reply(self.settings.address), fault, now)

    def _open(self, request: Open, now: float, fault: LockerFault | None) -> None:
        settings, channel = self.settings, request.channel
        if channel > settings.channels:
            return
        if channel == ALL_CHANNELS:
            channels = tuple(range(1, settings.channels + 1))
        else:
            channels = (channel,)
        self._pulse(channels, request.seconds or settings.pulse_s, now)
        due = now + settings.reply_delay_s
        self._opening = _Opening(due=due, channel=channel, fault=fault)

    def _pulse(self, channels: tuple[int, ...], pulse_s: float, now: float) -> None:
        for channel in channels:
            if channel <= self.settings.channels:
                self.bank.at(channel).pulse(now, pulse_s)

    def _told(self, channel: int) -> bytes:
        """Return the answer to a query; none for a channel that is not there."""
        address, felt = self.settings.address, self.bank.feels_closed()
        bits = tuple(self._bit(is_closed=one) for one in felt)
        if channel == ALL_CHANNELS:
            return states_reply(address, bits)
        if channel > len(bits):
            return b""
        return state_reply(address, channel, is_one=bits[channel - 1])

    def _confirm(self, opening: _Opening) -> None:
        """Say what the switch feels now that the time for it is over."""
        self._opening = None
        settings, felt = self.settings, self.bank.feels_closed()
        is_all = opening.channel == ALL_CHANNELS
        is_closed = any(felt) if is_all else felt[opening.channel - 1]
        reply = opened_reply(
            settings.reply_kind,
            settings.address,
            opening.channel,
            is_one=self._bit(is_closed=is_closed),
        )
        self._outbox.put(spoiled(reply, opening.fault), opening.due)

    def _say(self, reply: bytes, fault: LockerFault | None, now: float) -> None:
        self._outbox.put(spoiled(reply, fault), now + self.settings.query_delay_s)

    def _feel(self, at: float) -> None:
        """Notice switches that moved, and report them where the firmware does."""
        before, self._felt = self._felt, self.bank.feels_closed()
        settings = self.settings
        is_dark = self._back_at is not None
        if not settings.reports_changes or settings.is_silent or is_dark:
            return
        for place, is_closed in enumerate(self._felt):
            if is_closed != before[place]:
                is_one = self._report_bit(is_closed=is_closed)
                report = change_report(settings.address, place + 1, is_one=is_one)
                self._outbox.put(report, at)

    def _bit(self, *, is_closed: bool) -> bool:
        return is_closed == bool(self.settings.closed_is)

    def _report_bit(self, *, is_closed: bool) -> bool:
        opened_is = self.settings.report_opened_is
        if opened_is is None:
            return self._bit(is_closed=is_closed)
        return is_closed != bool(opened_is)
