# SPDX-License-Identifier: Apache-2.0
"""The shards of one MQTT broker divided by hand among workers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.application import work
from cloud_sync.platform.settings import BrokerSettings, Settings
from cloud_sync.topics import Topics
from edge.cli.system_clock import wall_ms
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import TOPICS, expected, journal, registered
from tests.cloud_sync.platform.test_with_gateways import Place, stored

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from tests.brokers import BrokerProcess

pytestmark = pytest.mark.needs("mosquitto")
JOURNAL = journal(2000)


@asynccontextmanager
async def working(
    settings: Settings, folder: Path, *shards: str
) -> AsyncIterator[None]:
    """Run a worker for these shards of the broker."""
    name = f"worker:{shards[0]}"
    task = asyncio.create_task(
        work(settings, folder, wall_ms, name=name, shards=frozenset(shards))
    )
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled(), task


async def test_each_worker_serves_its_shards_and_no_others(
    settings: Settings, mosquitto: BrokerProcess, tmp_path: Path, database: Database
) -> None:
    other = Topics(gateway="gw-hall-02", shard="03")
    await registered(database, TOPICS, other)
    Place(settings, mosquitto, tmp_path, database)  # writes the key
    where = BrokerSettings(host="127.0.0.1", port=mosquitto.port)
    settings = settings.model_copy(update={"broker": where})
    site = Site(mosquitto, JOURNAL)
    low = [f"{number:02}" for number in range(7)]
    high = [f"{number:02}" for number in range(7, 16)]
    async with site.running(), working(settings, tmp_path, *low):
        await asyncio.sleep(1.0)
        assert not site.client.status.is_connected or site.journal.acked == 0
        assert await stored(database) == []
        async with working(settings, tmp_path, *high):
            await until(lambda: site.journal.acked == len(JOURNAL))
    assert await stored(database) == expected(JOURNAL)
