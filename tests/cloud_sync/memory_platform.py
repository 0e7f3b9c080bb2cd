# SPDX-License-Identifier: Apache-2.0
"""The scripted platform behind a broker in memory."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cloud_sync.transport.port import TransportError
from tests.cloud_sync.scripted_platform import SHARD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cloud_sync.transport.memory import MemoryBroker
    from tests.cloud_sync.scripted_platform import Platform


class MemoryPlatform:
    """Answers what comes, for one gateway or, by their names, for several."""

    def __init__(self, broker: MemoryBroker, *platforms: Platform) -> None:
        self._way = broker.transport("platform")
        self._platforms = {platform.gateway: platform for platform in platforms}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve for as long as the block lasts."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled(), task

    async def run(self) -> None:
        """Serve until cancelled, through losses of the broker."""
        while True:
            try:
                await self._way.connect()
                await self._way.subscribe([f"mn/v1/up/{SHARD}/+/+"])
                await self._answer()
            except TransportError:
                await self._way.close()
                await asyncio.sleep(0.02)

    async def _answer(self) -> None:
        async for message in self._way.messages():
            platform = self._platforms[message.topic.split("/")[4]]
            for answer in platform.receive(message.topic, message.payload):
                await self._way.publish(*answer)
