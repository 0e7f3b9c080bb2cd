# SPDX-License-Identifier: Apache-2.0
"""Several lock-control boards, of whatever family, on one RS-485 pair.

The law of the module: as of every shared pair; here a frame that comes too soon behind
another board's reply is one long frame with it to the rest, which miss both, while the
board that talked last is not disturbed by itself.
Source: Open-Locker ADR-0035 (two boards at 9600 baud: without a gap 56 of 56 requests
lost at the second board, with 5 ms none of 282).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.lockers.locker_board import LockerBoard
from firmware_sim.shared_pair import PairSettings, SharedPair

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBusSettings(PairSettings):
    """A kind of pair; it demands the gap of 9600 baud unless told otherwise."""

    min_gap_s: float = 0.004


class LockerBus(SharedPair[LockerBoard]):
    """The pair and its lock-control boards."""

    disturbs_talker = False

    def __init__(
        self, boards: Iterable[LockerBoard], settings: LockerBusSettings | None = None
    ) -> None:
        super().__init__(boards, settings or LockerBusSettings())
