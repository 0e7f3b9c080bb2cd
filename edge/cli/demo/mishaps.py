# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a demonstration, on purpose, and heals: broker and cable.

The law of the module: mishaps happen to the world around the gateway and never touch
the gateway itself; each is over before the next begins.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.cli.demo.firmware import Firmware
    from edge.cli.demo.supervisor import Supervisor

#: Shorter demonstrations have no time for mishaps.
LEAST_S = 20.0
BROKER_AWAY_S = 4.0
CABLE_OUT_S = 3.0
#: Without an end: a mishap every so many seconds, in turn.
EVERY_S = 40.0
#: No mishap begins when there is no time left to see it heal.
CALM_AT_THE_END_S = 8.0


@dataclass(slots=True, kw_only=True)
class Mishaps:
    """Makes them happen; ``now`` names the one that is going on."""

    supervisor: Supervisor
    firmware: Firmware
    cable: str
    broker_outages: int = 0
    reader_faults: int = 0
    now: list[str] = field(default_factory=list)

    async def happen(self, for_s: float | None) -> None:
        """Let mishaps happen until cancelled, at least one of each in ``for_s``."""
        if for_s is not None and for_s < LEAST_S:
            return
        loop = asyncio.get_running_loop()
        last_s = None if for_s is None else loop.time() + for_s - CALM_AT_THE_END_S
        every_s = EVERY_S if for_s is None else min(EVERY_S, for_s / 6)
        for mishap in cycle((self._lose_broker, self._pull_cable)):
            await asyncio.sleep(every_s)
            if last_s is not None and loop.time() > last_s:
                return
            await mishap()

    async def _lose_broker(self) -> None:
        self.broker_outages += 1
        self.now.append("the broker is away")
        try:
            await self.supervisor.take_away("broker", BROKER_AWAY_S)
        finally:
            self.now.clear()

    async def _pull_cable(self) -> None:
        self.reader_faults += 1
        self.now.append(f"the cable of {self.cable} is out")
        try:
            await self.firmware.do("unplug", port=self.cable)
            await asyncio.sleep(CABLE_OUT_S)
        finally:
            await asyncio.shield(self.firmware.do("plug", port=self.cable))
            self.now.clear()
