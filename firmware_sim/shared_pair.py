# SPDX-License-Identifier: Apache-2.0
"""Several boards on one RS-485 pair, behind one adapter.

The law of the module: every board hears every byte of the gateway; what happens
between them on the pair (echo, collision, a gap that was too short) happens here, and
of the boards it knows only what every simulated device can do.
Source: Open-Locker ADR-0035 (two boards at 9600 baud: without a gap 56 of 56 requests
lost at the second board, with 5 ms none of 282); MODBUS over Serial Line V1.02,
2.5.1.1 (3.5 characters of silence).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Generic, TypeVar

from firmware_sim.errors import SimulationError
from firmware_sim.outbox import Outbox, earliest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_sim.device import SimulatedDevice

Member = TypeVar("Member", bound="SimulatedDevice")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSettings:
    """A kind of pair and adapter.

    ``local_echo``: the adapter hands the gateway its own bytes back, before the reply.
    ``min_gap_s``: what comes sooner behind a reply is lost; 0 forgives all, 0.004 is
    what 9600 baud demands. ``is_cut``: nobody hears anybody.
    """

    local_echo: bool = False
    min_gap_s: float = 0.0
    is_cut: bool = False

    def __post_init__(self) -> None:
        if self.min_gap_s < 0:
            raise SimulationError(f"a gap of {self.min_gap_s} s is negative")


class SharedPair(Generic[Member]):
    """The pair and its boards; ``settings`` may be replaced at any time."""

    #: Whether the board that talked last is itself disturbed by a short gap.
    disturbs_talker = True

    def __init__(self, boards: Iterable[Member], settings: PairSettings) -> None:
        self.settings = settings
        self.boards = tuple(boards)
        if not self.boards:
            raise SimulationError("a bus without boards; give it at least one")
        self.collisions = 0
        self.missed = 0
        self._echo = Outbox()
        self._talked_at = float("-inf")
        self._talkers: tuple[Member, ...] = ()

    @property
    def baud(self) -> int:
        """The rate of the first board; all must agree to be heard."""
        return self.boards[0].baud

    def receive(self, data: bytes, now: float) -> None:
        """Let the boards hear the gateway's bytes."""
        if self.settings.local_echo:
            self._echo.put(data, now)
        if self.settings.is_cut:
            self.tick(now)
            return
        is_too_soon = now - self._talked_at < self.settings.min_gap_s
        for board in self.boards:
            is_disturbed = self.disturbs_talker or board not in self._talkers
            if is_too_soon and is_disturbed:
                self.missed += 1
                board.tick(now)
            else:
                board.receive(data, now)

    def take_outgoing(self, now: float) -> bytes:
        """Return echo and replies; boards that talk at once garble each other."""
        echo = self._echo.take(now)
        said = [(board, board.take_outgoing(now)) for board in self.boards]
        heard = [(board, data) for board, data in said if data]
        if not heard or self.settings.is_cut:
            return echo
        self._talked_at = now
        self._talkers = tuple(board for board, _ in heard)
        if len(heard) == 1:
            return echo + heard[0][1]
        self.collisions += 1
        return echo + collided([data for _, data in heard])

    def deadline(self) -> float | None:
        """Return the earliest deadline of the boards and the echo."""
        boards = [board.deadline() for board in self.boards]
        return earliest(self._echo.deadline(), *boards)

    def tick(self, now: float) -> None:
        """Let every board's time pass."""
        for board in self.boards:
            board.tick(now)


def collided(replies: list[bytes]) -> bytes:
    """Mix what several transceivers drive at once: a dominant level wins (AND)."""
    mixed = bytearray()
    for column in zip_longest(*replies, fillvalue=0xFF):
        byte = 0xFF
        for value in column:
            byte &= value
        mixed.append(byte)
    return bytes(mixed)
