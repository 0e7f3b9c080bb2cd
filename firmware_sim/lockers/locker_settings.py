# SPDX-License-Identifier: Apache-2.0
"""What a lock-control board can be set to, and what can go wrong on its line.

The law of the module: values alone; what cannot be is refused when it is written. What
boards of all families share stands in ``BoardTraits``; a family adds its own.
Source: vendor text of the 8A boards (carried by dp2's WjlLockDriver), revision
unknown; Open-Locker ADR-0067.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from firmware_sim.errors import SimulationError
from firmware_sim.lockers.locker_bank import Feedback
from firmware_sim.lockers.locker_frames import MAX_ADDRESS, MAX_CHANNELS, ReplyKind
from firmware_sim.wire import check_baud


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardTraits:
    """A kind of board, of whatever family.

    ``closed_is``: the state bit of a closed compartment, a matter of the switch, not
    of the protocol. ``reply_delay_s``: between an opening and its reply; real boards
    take 0.5 to 1 s. ``query_delay_s``: the same of a question. ``is_silent``: the
    board is not there, its compartments are. ``silence_s``: pause that ends a broken
    frame (as wide as an operating system may cut a frame in two).
    """

    ADDRESSES: ClassVar[range] = range(256)
    MOST_CHANNELS: ClassVar[int] = MAX_CHANNELS

    address: int = 0
    channels: int = 12
    closed_is: int = 1
    feedback: Feedback = Feedback.LATCH
    reply_delay_s: float = 0.02
    query_delay_s: float = 0.0
    pulse_s: float = 0.3
    is_silent: bool = False
    silence_s: float = 0.02
    baud: int = 9_600

    def __post_init__(self) -> None:
        check_baud(self.baud)
        if self.address not in self.ADDRESSES:
            first, last = self.ADDRESSES[0], self.ADDRESSES[-1]
            raise SimulationError(f"address {self.address} is not {first} to {last}")
        if not 1 <= self.channels <= self.MOST_CHANNELS:
            raise SimulationError(
                f"{self.channels} is not 1 to {self.MOST_CHANNELS} channels"
            )
        if self.closed_is not in (0, 1):
            raise SimulationError("closed_is: write 0 or 1")
        if min(self.reply_delay_s, self.query_delay_s, self.pulse_s) < 0:
            raise SimulationError("delays and pulses are not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardSettings(BoardTraits):
    """A board of the "8A" family.

    ``report_opened_is``: the bit of "opened" where the board reports changes by
    itself; None: as the switch has it (published are reports with 1).
    """

    ADDRESSES: ClassVar[range] = range(1, MAX_ADDRESS + 1)

    address: int = 1
    reply_kind: ReplyKind = ReplyKind.ECHO
    knows_timed_opening: bool = True
    reports_changes: bool = False
    report_opened_is: int | None = None

    def __post_init__(self) -> None:
        # Not super(): a class with slots is made anew, and loses that word.
        BoardTraits.__post_init__(self)
        if self.report_opened_is not in (None, 0, 1):
            raise SimulationError("report_opened_is: write 0 or 1")


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
