# SPDX-License-Identifier: Apache-2.0
"""What runs on a lock-control board: from the bytes it hears to what it does and says.

The law of the module: firmware knows its family's wire and nothing of power, faults
and the hand; it wishes for pulls and one reply, and the board carries them out. What a
reply says is composed when it is due, of what the switches feel by then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from firmware_sim.lockers.locker_settings import BoardTraits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firmware_sim.lockers.locker_bank import LockerBank

Settings = TypeVar("Settings", bound=BoardTraits)
Request = TypeVar("Request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Pull the latch of ``channel`` for ``pulse_s``, beginning ``at``."""

    channel: int
    at: float
    pulse_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is said at ``due``; no bytes: nothing."""

    due: float
    compose: Callable[[LockerBank], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a request leads to; ``released``: channels whose coils fall back now."""

    pulls: tuple[Pull, ...] = ()
    released: tuple[int, ...] = ()
    reply: Reply | None = None


class Firmware(ABC, Generic[Settings, Request]):
    """One family's end of the wire; ``settings`` may be replaced while it runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def baud(self) -> int:
        """The rate at present."""
        return self.settings.baud

    @property
    def is_busy(self) -> bool:
        """Whether it ignores what it would else heed."""
        return False

    @abstractmethod
    def hear(self, data: bytes, now: float) -> list[Request]:
        """Return the requests that are complete with ``data``, for whomever."""

    @abstractmethod
    def heeds(self, request: Request) -> bool:
        """Tell whether a request is for this board, as it is now."""

    @abstractmethod
    def carry_out(self, request: Request, now: float) -> Work:
        """Return what a heeded request leads to."""

    @abstractmethod
    def forget(self) -> None:
        """Lose what the power held."""

    def report(self, channel: int, *, is_closed: bool) -> bytes:  # noqa: ARG002
        """Return what is said unasked when a switch moved; most say nothing."""
        return b""

    def bit(self, *, is_closed: bool) -> bool:
        """Return the state bit, as the switch is built."""
        return is_closed == bool(self.settings.closed_is)

    def bits(self, bank: LockerBank) -> tuple[bool, ...]:
        """Return the state bits from channel 1 on."""
        return tuple(self.bit(is_closed=one) for one in bank.feels_closed())

    def pulls(
        self, channels: Iterable[int], now: float, *, step_s: float = 0.0
    ) -> tuple[Pull, ...]:
        """Return the usual pulls, ``step_s`` apart, of the channels that are there."""
        present = [one for one in channels if 1 <= one <= self.settings.channels]
        return tuple(
            Pull(channel=one, at=now + index * step_s, pulse_s=self.settings.pulse_s)
            for index, one in enumerate(present)
        )


def packed(bits: Iterable[bool], size: int) -> bytes:
    """Return bits in ``size`` bytes, the first in the lowest bit of the first byte."""
    mask = sum(one << place for place, one in enumerate(bits))
    return mask.to_bytes(size, "little")
