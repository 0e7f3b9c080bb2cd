# SPDX-License-Identifier: Apache-2.0
"""A thousand gateways in one process: their connections, their events, their clock.

The law of the module: a connection that ends is tried again at the next broker, a few
at a time; every gateway has the same rate and a moment of its own within it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from edge.cli.bench.ingest_gateway import SimulatedGateway
from edge.cli.bench.ingest_mqtt import MqttLink
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.signing import PlatformKeys

#: Connections that are being made at once, of all gateways together.
ENTERING = 40
ENTER_WITHIN_S = 10.0
#: As gateways do: another broker soon, the round again a little later.
AGAIN_AFTER_S = 0.3
TURN_S = 0.02


class Crowd:
    """Gateways 1 to ``count`` at brokers on these ports of the loopback."""

    def __init__(self, count: int, ports: Sequence[int], keys: PlatformKeys) -> None:
        self.took_ms: list[float] = []
        self.losses = 0
        self._ports = ports
        self._entering = asyncio.Semaphore(ENTERING)
        self._wake: dict[str, asyncio.Event] = {}
        self.gateways = [
            SimulatedGateway(
                number,
                keys=keys,
                clock=lambda: (time.monotonic(), wall_ms()),
                took_ms=self.took_ms,
            )
            for number in range(1, count + 1)
        ]

    @property
    def made(self) -> int:
        """How many events there have been."""
        return sum(each.last_seq for each in self.gateways)

    @property
    def is_done(self) -> bool:
        """Whether all are committed and known to be."""
        return all(each.is_done for each in self.gateways)

    @property
    def connected(self) -> int:
        """How many gateways have a connection."""
        return sum(each.link is not None for each in self.gateways)

    async def stay_connected(self) -> None:
        """Keep every gateway connected until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, gateway in enumerate(self.gateways):
                tasks.create_task(self._keep(gateway, number))

    async def live(self, rate: float, for_s: float) -> None:
        """Let events happen for a while, at ``rate`` a second and gateway."""
        count, begun_s = len(self.gateways), time.monotonic()
        happened = 0
        while (now_s := time.monotonic()) - begun_s < for_s:
            due = int((now_s - begun_s) * rate * count)
            for turn in range(happened, due):
                gateway = self.gateways[turn % count]
                gateway.happen()
                gateway.tick()
            happened = due
            await asyncio.sleep(TURN_S)

    async def tend(self) -> None:
        """Tick every gateway some times a second until cancelled."""
        while True:
            for gateway in self.gateways:
                if not gateway.is_done or gateway.link is not None:
                    gateway.tick()
            await asyncio.sleep(0.1)

    async def _keep(self, gateway: SimulatedGateway, number: int) -> None:
        loop, turn = asyncio.get_running_loop(), number
        while True:
            ended = loop.create_future()
            is_in = loop.create_future()

            def ready(link: MqttLink, is_in: asyncio.Future[None] = is_in) -> None:
                if not is_in.done():
                    is_in.set_result(None)
                gateway.connected(link)

            def gone(link: MqttLink, ended: asyncio.Future[None] = ended) -> None:
                self.losses += gateway.lost(link)
                if not ended.done():
                    ended.set_result(None)

            link = MqttLink(
                gateway.topics.gateway,
                gateway.topics.down,
                ready=ready,
                heard=gateway.heard,
                gone=gone,
            )
            port = self._ports[turn % len(self._ports)]
            turn += 1
            if await self._enter(link, port, is_in, ended):
                await ended
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _enter(
        self,
        link: MqttLink,
        port: int,
        is_in: asyncio.Future[None],
        ended: asyncio.Future[None],
    ) -> bool:
        loop = asyncio.get_running_loop()
        async with self._entering:
            try:
                await loop.create_connection(lambda: link, "127.0.0.1", port)
            except OSError:
                return False
            await asyncio.wait(
                {is_in, ended},
                timeout=ENTER_WITHIN_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if not is_in.done():
            link.close()
        return is_in.done()
