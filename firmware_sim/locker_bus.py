# SPDX-License-Identifier: Apache-2.0
"""Several lock-control boards on one RS-485 pair, behind one adapter.

The law of the module: every board hears every byte of the gateway, unless it comes too
soon behind another board's reply: then that reply and the frame are one long frame to
it, and it misses both. The board that talked last is not disturbed by itself.
Source: Open-Locker ADR-0035 (two boards at 9600 baud: without a gap 56 of 56 requests
lost at the second board, with 5 ms none of 282).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.outbox import Outbox, earliest
from firmware_sim.relay_bus import collided

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_sim.locker_board import LockerBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBusSettings:
    """A kind of pair and adapter.

    ``local_echo``: the adapter hands the gateway its own bytes back, before the reply.
    ``min_gap_s``: how soon behind a reply the other boards understand a frame; 0
    forgives all. ``is_cut``: nobody hears anybody.
    """

    local_echo: bool = False
    min_gap_s: float = 0.004
    is_cut: bool = False

    def __post_init__(self) -> None:
        if self.min_gap_s < 0:
            raise SimulationError(f"a gap of {self.min_gap_s} s is negative")


class LockerBus:
    """The pair and its boards; ``settings`` may be replaced at any time."""

    def __init__(
        self, boards: Iterable[LockerBoard], settings: LockerBusSettings | None = None
    ) -> None:
        self.settings = settings or LockerBusSettings()
        self.boards = tuple(boards)
        if not self.boards:
            raise SimulationError("a bus without boards; give it at least one")
        self.collisions = 0
        self.missed = 0
        self._echo = Outbox()
        self._talked_at = float("-inf")
        self._talkers: tuple[LockerBoard, ...] = ()

    @property
    def baud(self) -> int:
        """The rate of the first board; all must agree to be heard."""
        return self.boards[0].baud

    def receive(self, data: bytes, now: float) -> None:
        """Let the boards hear the gateway's bytes."""
        if self.settings.local_echo:
            self._echo.put(data, now)
        if self.settings.is_cut:
            return
        is_too_soon = now - self._talked_at < self.settings.min_gap_s
        for board in self.boards:
            if is_too_soon and board not in self._talkers:
                self.missed += 1
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
        boards = (board.deadline() for board in self.boards)
        return earliest(self._echo.deadline(), *boards)

    def tick(self, now: float) -> None:
        """Let every board's time pass."""
        for board in self.boards:
            board.tick(now)
