# SPDX-License-Identifier: Apache-2.0
"""Several OSDP readers on one RS-485 pair, behind one adapter.

The law of the module: as of every shared pair; readers that talk at once garble each
other, also two that were given one address. With different delays such two answer one
behind the other.
Source: SIA OSDP 2.2 (half duplex, one panel, up to 126 readers a line).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.osdp.reader import OsdpReader
from firmware_sim.shared_pair import PairSettings, SharedPair

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdpBusSettings(PairSettings):
    """A kind of pair; it forgives every gap unless told otherwise."""


class OsdpBus(SharedPair[OsdpReader]):
    """The pair and its readers."""

    def __init__(
        self, readers: Iterable[OsdpReader], settings: OsdpBusSettings | None = None
    ) -> None:
        super().__init__(readers, settings or OsdpBusSettings())
