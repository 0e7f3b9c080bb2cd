# SPDX-License-Identifier: Apache-2.0
"""Several relay boards on one RS-485 pair, behind one adapter.

The law of the module: as of every shared pair; here a gap that is too short costs the
frame at all boards, the one that talked last included.
Source: MODBUS over Serial Line V1.02, 2.5.1.1 (3.5 characters of silence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.relays.relay_board import RelayBoard
from firmware_sim.shared_pair import PairSettings, SharedPair

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBusSettings(PairSettings):
    """A kind of pair; it forgives every gap unless told otherwise."""


class RelayBus(SharedPair[RelayBoard]):
    """The pair and its relay boards."""

    def __init__(
        self, boards: Iterable[RelayBoard], settings: RelayBusSettings | None = None
    ) -> None:
        super().__init__(boards, settings or RelayBusSettings())
