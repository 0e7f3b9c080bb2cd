# SPDX-License-Identifier: Apache-2.0
"""What an "8A" lock-control board can be set to, and what can go wrong on its line.

The law of the module: values alone; what cannot be is refused when it is written.
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown; Open-Locker ADR-0067.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.errors import SimulationError
from firmware_sim.locker_bank import Feedback
from firmware_sim.locker_frames import MAX_ADDRESS, MAX_CHANNELS, ReplyKind
from firmware_sim.wire import check_baud


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardSettings:
    """A kind of board.

    ``closed_is``: the state bit of a closed compartment, a matter of the switch, not
    of the protocol. ``report_opened_is``: the bit of "opened" where the board reports
    changes by itself; None: as the switch has it (published are reports with 1).
    ``reply_delay_s``: between an opening and its reply; real boards take 0.5 to 1 s.
    ``is_silent``: the board is not there, its compartments are. ``silence_s``: pause
    that ends a broken frame (as wide as an operating system may cut a frame in two).
    """

    address: int = 1
    channels: int = 12
    closed_is: int = 1
    feedback: Feedback = Feedback.LATCH
    reply_kind: ReplyKind = ReplyKind.ECHO
    reply_delay_s: float = 0.02
    query_delay_s: float = 0.0
    pulse_s: float = 0.3
    knows_timed_opening: bool = True
    reports_changes: bool = False
    report_opened_is: int | None = None
    is_silent: bool = False
    silence_s: float = 0.02
    baud: int = 9_600

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if not 1 <= self.address <= MAX_ADDRESS:
            raise SimulationError(f"address {self.address} is not 1 to {MAX_ADDRESS}")
        if not 1 <= self.channels <= MAX_CHANNELS:
            raise SimulationError(
                f"{self.channels} is not 1 to {MAX_CHANNELS} channels"
            )
        if self.closed_is not in (0, 1) or self.report_opened_is not in (None, 0, 1):
            raise SimulationError("closed_is, report_opened_is: write 0 or 1")
        if min(self.reply_delay_s, self.query_delay_s, self.pulse_s) < 0:
            raise SimulationError("delays and pulses are not negative")


class LockerFault(StrEnum):
    """What can be wrong with one reply."""

    WRONG_BCC = "wrong_bcc"
    TRUNCATED = "truncated"
    #: As behind an adapter that turns round too late.
    FIRST_BYTE_LOST = "first_byte_lost"
    DROPPED = "dropped"
    #: The command is not carried out either: noise met it on its way.
    UNHEARD = "unheard"


def spoiled(reply: bytes, fault: LockerFault | None) -> bytes:
    """Return what is left of ``reply`` under ``fault``."""
    match fault:
        case LockerFault.WRONG_BCC:
            return reply[:-1] + bytes((reply[-1] ^ 0xFF,)) if reply else reply
        case LockerFault.TRUNCATED:
            return reply[: len(reply) // 2]
        case LockerFault.FIRST_BYTE_LOST:
            return reply[1:]
        case LockerFault.DROPPED:
            return b""
        case _:
            return reply
