# SPDX-License-Identifier: Apache-2.0
"""The firmware of the "8A" family: late replies, three kinds of them, and reports.

The law of the module: frames stand in :mod:`firmware_sim.lockers.locker_frames`; here
stands what they lead to. A foreign address and an unknown channel are met with silence.
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown: replies after up to 1 s, pulse of some 300 ms; Open-Locker ADR-0067: some
500 ms. Unverified, and so settled here: "open several" has no reply; the reply to
"open all" names channel 0, open if all are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firmware_sim.lockers.locker_firmware import Firmware, Reply, Work
from firmware_sim.lockers.locker_frames import (
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
from firmware_sim.lockers.locker_settings import LockerBoardSettings

if TYPE_CHECKING:
    from firmware_sim.lockers.locker_bank import LockerBank


class LockerFirmware(Firmware[LockerBoardSettings, LockerRequest]):
    """The "8A" family's end of the wire."""

    def __init__(self, settings: LockerBoardSettings) -> None:
        super().__init__(settings)
        self._framer = LockerFramer(
            settings.silence_s, knows_timed_opening=settings.knows_timed_opening
        )

    def hear(self, data: bytes, now: float) -> list[LockerRequest]:
        """Return the requests that are complete with ``data``."""
        return self._framer.feed(data, now)

    def heeds(self, request: LockerRequest) -> bool:
        """Tell whether the address is this board's; it is asked for by everybody."""
        match request:
            case AskAddress():
                return True
            case _:
                return request.address == self.settings.address

    def carry_out(self, request: LockerRequest, now: float) -> Work:
        """Open, or answer what was asked."""
        asked_at = now + self.settings.query_delay_s
        match request:
            case Open():
                return self._open(request, now)
            case OpenSeveral():
                return Work(pulls=self.pulls(request.channels, now))
            case Query(channel=channel):
                told = Reply(
                    due=asked_at, compose=lambda bank: self._told(channel, bank)
                )
                return Work(reply=told)
            case AskAddress():
                address = address_reply(self.settings.address)
                return Work(reply=Reply(due=asked_at, compose=lambda _: address))

    def forget(self) -> None:
        """Lose the frame that was coming."""
        self._framer.forget()

    def report(self, channel: int, *, is_closed: bool) -> bytes:
        """Return a report, where the firmware makes them."""
        settings = self.settings
        if not settings.reports_changes:
            return b""
        opened_is = settings.report_opened_is
        as_switch = self.bit(is_closed=is_closed)
        is_one = as_switch if opened_is is None else is_closed != bool(opened_is)
        return change_report(settings.address, channel, is_one=is_one)

    def _open(self, request: Open, now: float) -> Work:
        settings, channel = self.settings, request.channel
        if channel > settings.channels:
            return Work()
        is_all = channel == ALL_CHANNELS
        channels = range(1, settings.channels + 1) if is_all else (channel,)
        pulse_s = request.seconds or settings.pulse_s
        pulls = (replace(one, pulse_s=pulse_s) for one in self.pulls(channels, now))
        due = now + settings.reply_delay_s
        reply = Reply(due=due, compose=lambda bank: self._opened(channel, bank))
        return Work(pulls=tuple(pulls), reply=reply)

    def _opened(self, channel: int, bank: LockerBank) -> bytes:
        """Say what the switch feels now that the time for it is over."""
        settings, felt = self.settings, bank.feels_closed()
        is_closed = any(felt) if channel == ALL_CHANNELS else felt[channel - 1]
        is_one = self.bit(is_closed=is_closed)
        kind, address = settings.reply_kind, settings.address
        return opened_reply(kind, address, channel, is_one=is_one)

    def _told(self, channel: int, bank: LockerBank) -> bytes:
        """Return the answer to a query; none for a channel that is not there."""
        address, bits = self.settings.address, self.bits(bank)
        if channel == ALL_CHANNELS:
            return states_reply(address, bits)
        if channel > len(bits):
            return b""
        return state_reply(address, channel, is_one=bits[channel - 1])
