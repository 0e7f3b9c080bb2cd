# SPDX-License-Identifier: Apache-2.0
"""Several relay boards on one RS-485 pair, behind one adapter.

The law of the module: every board hears every byte of the gateway; what happens
between them on the pair (echo, collision, a gap that was too short) happens here.
Source: MODBUS over Serial Line V1.02, 2.5.1.1 (3.5 characters of silence); Open-Locker
ADR-0035 (no gap: 56 of 56 requests lost at the second board, 5 ms: none of 282).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from firmware_sim.errors import SimulationError
from firmware_sim.outbox import Outbox, earliest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_sim.relay_board import RelayBoard


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBusSettings:
    """A kind of pair and adapter.

    ``local_echo``: the adapter hands the gateway its own bytes back, before the reply.
    ``min_gap_s``: what the gateway sends sooner after a reply is lost; 0 forgives all,
    0.004 is what 9600 baud demands. ``is_cut``: nobody hears anybody.
    """

    local_echo: bool = False
    min_gap_s: float = 0.0
    is_cut: bool = False


class RelayBus:
    """The pair and its boards; ``settings`` may be replaced at any time."""

    def __init__(
        self, boards: Iterable[RelayBoard], settings: RelayBusSettings | None = None
    ) -> None:
        self.settings = settings or RelayBusSettings()
        self.boards = tuple(boards)
        if not self.boards:
            raise SimulationError("a bus without boards; give it at least one")
        self.collisions = 0
        self._echo = Outbox()
        self._talked_at = float("-inf")

    @property
    def baud(self) -> int:
        """The rate of the first board; all must agree to be heard."""
        return self.boards[0].baud

    def receive(self, data: bytes, now: float) -> None:
        """Let every board hear the gateway's bytes."""
        if self.settings.local_echo:
            self._echo.put(data, now)
        if self.settings.is_cut or now - self._talked_at < self.settings.min_gap_s:
            self.tick(now)
            return
        for board in self.boards:
            board.receive(data, now)

    def take_outgoing(self, now: float) -> bytes:
        """Return echo and replies; boards that talk at once garble each other."""
        echo = self._echo.take(now)
        replies = [data for board in self.boards if (data := board.take_outgoing(now))]
        if not replies or self.settings.is_cut:
            return echo
        self._talked_at = now
        if len(replies) == 1:
            return echo + replies[0]
        self.collisions += 1
        return echo + collided(replies)

    def deadline(self) -> float | None:
        """Return the earliest deadline of the boards and the echo."""
        boards = (board.deadline() for board in self.boards)
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
