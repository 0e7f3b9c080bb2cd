# SPDX-License-Identifier: Apache-2.0
"""The product's own client against the platform, over a real broker."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from cloud_sync.platform import feeds
from cloud_sync.platform.application import run
from cloud_sync.platform.feeds import Change
from cloud_sync.platform.settings import BrokerSettings, Settings
from edge.cli.system_clock import wall_ms
from edge.core.chain import canonical
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import (
    NOW_MS,
    batch,
    expected,
    journal,
    registered,
)
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, KID, SEED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from tests.brokers import BrokerProcess

pytestmark = pytest.mark.needs("mosquitto")
JOURNAL = journal(10_000)
STORED = (
    "SELECT e.seq, e.hash FROM event AS e JOIN journal AS j ON j.id = e.journal "
    "WHERE j.epoch = ?1 ORDER BY e.seq"
)


class Place:
    """A platform's folder: settings that name its database and the broker, its key."""

    def __init__(
        self,
        settings: Settings,
        broker: BrokerProcess,
        folder: Path,
        database: Database,
    ) -> None:
        self.database = database
        where = BrokerSettings(host="127.0.0.1", port=broker.port)
        self.settings = settings.model_copy(update={"broker": where})
        self.folder = folder
        key = folder / "platform.key"
        key.write_text(f'{{"kid":"{KID}","seed":"{SEED.hex()}"}}', "ascii")
        key.chmod(0o600)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run the platform in this loop; once it is connected, the block begins."""
        task = asyncio.create_task(run(self.settings, self.folder, wall_ms))
        try:
            await self.connected()
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled(), task

    async def connected(self) -> None:
        """Wait until the platform hears what is sent to it."""
        before = await refusals(self.database)
        async with aiomqtt.Client("127.0.0.1", self.settings.broker.port) as other:
            async with asyncio.timeout(20):
                while await refusals(self.database) == before:
                    await other.publish("mn/v1/up/00/gw-nobody/pull", b"", qos=1)

    @asynccontextmanager
    async def dying(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run one that kills itself between a commit and its acknowledgement."""
        written = self.folder / "platform.json"
        written.write_text(self.settings.model_dump_json(), "utf-8")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.cloud_sync.platform.dying", str(written))
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.fixture
async def place(
    settings: Settings, mosquitto: BrokerProcess, tmp_path: Path, database: Database
) -> Place:
    await registered(database)
    return Place(settings, mosquitto, tmp_path, database)


async def stored(database: Database) -> list[tuple[int, bytes]]:
    async with database.reading() as work:
        return [(seq, bytes(held)) for seq, held in await work.fetch(STORED, EPOCH)]


async def refusals(database: Database) -> dict[tuple[str, str], int]:
    async with database.reading() as work:
        found = await work.fetch("SELECT gateway, kind, times FROM refusal")
    return {(gateway, kind): times for gateway, kind, times in found}


async def test_ten_thousand_events_are_stored_once_and_the_feed_is_applied(
    place: Place, mosquitto: BrokerProcess, database: Database
) -> None:
    rows = {("booking", f"b-{n}"): canonical({"holder": f"h-{n}"}) for n in range(900)}
    async with database.writing() as work:
        await feeds.change(work, GATEWAY, Change(put=rows), NOW_MS)
    site = Site(mosquitto, JOURNAL)
    async with place.serving(), site.running():
        await until(lambda: site.client.status.waiting == 0)
        await until(lambda: len(site.feed.rows) == 900)
        async with database.writing() as work:
            change = Change(put={}, remove=[("booking", "b-7")])
            await feeds.change(work, GATEWAY, change, NOW_MS)
        await until(lambda: len(site.feed.rows) == 899, 5.0)
    assert await stored(database) == expected(JOURNAL)
    assert (site.reports, site.journal.new_epochs) == ([], [])
    [bounds] = site.clock.bounds
    assert abs(bounds.earliest_ms - wall_ms()) < 60_000


async def test_a_platform_killed_between_commit_and_acknowledgement_stores_once(
    place: Place, mosquitto: BrokerProcess, database: Database
) -> None:
    site = Site(mosquitto, JOURNAL)
    async with site.running(), place.dying() as process:
        assert await process.wait() == -signal.SIGKILL
    assert site.journal.acked == 0
    assert 0 < len(await stored(database)) < len(JOURNAL)
    async with place.serving(), site.running():
        await until(lambda: site.client.status.waiting == 0)
    async with database.reading() as work:
        [(repeated,)] = await work.fetch("SELECT repeated FROM journal")
    assert repeated == 0  # hello's answer named what was committed
    assert await stored(database) == expected(JOURNAL)
    assert site.journal.new_epochs == []


async def test_a_broker_killed_again_and_again_loses_and_doubles_nothing(
    place: Place, mosquitto: BrokerProcess, database: Database
) -> None:
    site = Site(mosquitto)
    async with place.serving(), site.running():
        for size in (3000, 6000):
            await until(lambda: site.client.status.is_connected)
            site.journal.records = JOURNAL[:size]
            site.client.wake()
            await asyncio.sleep(0.02)
            mosquitto.kill()
            await until(lambda: not site.client.status.is_connected)
            await asyncio.to_thread(mosquitto.start)
        site.journal.records = JOURNAL
        site.client.wake()
        await until(lambda: site.client.status.waiting == 0, 40.0)
    assert await stored(database) == expected(JOURNAL)


async def test_a_retained_message_and_rubbish_change_nothing(
    place: Place, mosquitto: BrokerProcess, database: Database
) -> None:
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as other:
        topic, payload = f"mn/v1/up/07/{GATEWAY}/evt", batch(JOURNAL, 1, 9)
        await other.publish(topic, payload, qos=1, retain=True)
        site = Site(mosquitto, JOURNAL[:500])
        async with place.serving():
            while ("", "WRONG_SHARD") not in await refusals(database):
                await other.publish(f"mn/v1/up/08/{GATEWAY}/evt", payload, qos=1)
            await other.publish(topic, b"\x00" * 65_537, qos=1)
            while (GATEWAY, "MALFORMED") not in await refusals(database):
                await other.publish(topic, b"{", qos=1)
            assert await stored(database) == []
            async with site.running():
                await until(lambda: site.client.status.waiting == 0)
    assert await stored(database) == expected(JOURNAL[:500])


async def test_a_database_that_fails_loses_nothing_and_is_taken_up_again(
    place: Place, mosquitto: BrokerProcess, database: Database
) -> None:
    site = Site(mosquitto)
    async with place.serving():
        async with site.running():
            await until(lambda: site.client.status.is_connected)
            async with database.writing() as work:
                await work.execute("ALTER TABLE event RENAME TO elsewhere")
            site.journal.records = JOURNAL[:500]
            site.client.wake()
            await asyncio.sleep(0.5)
            assert site.journal.acked == 0
        async with database.writing() as work:
            await work.execute("ALTER TABLE elsewhere RENAME TO event")
        await place.connected()
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
    assert await stored(database) == expected(JOURNAL[:500])
