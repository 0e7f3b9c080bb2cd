# SPDX-License-Identifier: Apache-2.0
"""Gateways and the real platform at the two ends of one broker, whichever it is.

The law of the module: a test asks it for nodes, gateways and what is stored, never for
the broker's name. Each test has a gateway of its own name, so that what a broker kept
of the test before meets nobody; the platform's tables are the test's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiomqtt

from cloud_sync.connection import Broker
from cloud_sync.platform import feeds, registry
from cloud_sync.platform.application import run
from cloud_sync.platform.feeds import Change
from cloud_sync.platform.settings import BrokerSettings, Settings, StoreSettings
from cloud_sync.topics import Topics
from cloud_sync.transport.mqtt import MqttTransport
from edge.cli.system_clock import wall_ms
from edge.core.chain import canonical
from edge.core.moment import UNBOUNDED_MS, Moment
from tests.cloud_sync.memory_ports import Site, SystemClock, until
from tests.cloud_sync.scripted_platform import EPOCH, KID, SEED, SHARD, Platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.transport.port import Transport
    from edge.cli.bench.brokers.process import BrokerProcess
    from edge.core.record import Record

#: A node of a cluster elects a leader before it lets anybody in again.
WITHIN_S = 90.0
_STORED = (
    "SELECT e.seq, e.hash FROM event AS e JOIN journal AS j ON j.id = e.journal "
    "WHERE j.gateway = ?1 AND j.epoch = ?2 ORDER BY e.seq"
)


class UnsureClock(SystemClock):
    """A box without a battery, before anybody told it the time."""

    def now(self) -> Moment:
        return replace(super().now(), latest_ms=UNBOUNDED_MS)


class Town:
    """A broker's nodes, the platform on the last, and who begins with the first."""

    def __init__(
        self, nodes: Sequence[BrokerProcess], database: Database, folder: Path
    ) -> None:
        self.nodes = list(nodes)
        self.database = database
        self.topics = Topics(gateway=f"gw-{secrets.token_hex(4)}", shard=SHARD)
        #: Signs what a test has the platform say.
        self.voice = Platform(self.gateway)
        self._folder = folder

    @property
    def gateway(self) -> str:
        return self.topics.gateway

    @property
    def first(self) -> BrokerProcess:
        """The node that the gateway prefers."""
        return self.nodes[0]

    @property
    def last(self) -> BrokerProcess:
        """The node that the platform is on; of one node, the same."""
        return self.nodes[-1]

    def ways(self) -> dict[str, Transport]:
        """Return the gateway's way over each node, the preferred one first."""
        return {
            str(node.port): MqttTransport(
                Broker(host=node.host, port=node.port), self.gateway
            )
            for node in self.nodes
        }

    def site(
        self,
        records: Sequence[Record] = (),
        *,
        wrapped: Callable[[Transport], Transport] = lambda way: way,
    ) -> Site:
        """Return a gateway with a journal; each way may be ``wrapped``."""
        ways = {name: wrapped(way) for name, way in self.ways().items()}
        return Site(ways, records, clock=UnsureClock(), gateway=self.gateway)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run the platform in this loop; once it hears, the block begins."""
        async with self.database.writing() as work:
            await registry.register(work, self.gateway, SHARD, "", wall_ms())
        key = self._folder / "platform.key"
        key.write_text(f'{{"kid":"{KID}","seed":"{SEED.hex()}"}}', "ascii")
        key.chmod(0o600)
        settings = Settings(
            broker=BrokerSettings(
                host=self.last.host,
                port=self.last.port,
                client_id=f"platform-{secrets.token_hex(4)}",
            ),
            store=StoreSettings(sqlite=str(self._folder / "platform.db")),
        )
        task = asyncio.create_task(run(settings, self._folder, wall_ms))
        try:
            await self._heard()
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled(), task

    async def _heard(self) -> None:
        async with self.other() as other, asyncio.timeout(WITHIN_S):
            while not await self.refusals():
                await other.publish("mn/v1/up/00/gw-nobody/pull", b"", qos=1)
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def other(self, identifier: str | None = None) -> AsyncIterator[Any]:
        """Connect somebody else, where the platform is."""
        identifier = identifier or f"other-{secrets.token_hex(4)}"
        host, port = self.last.host, self.last.port
        async with aiomqtt.Client(host, port, identifier=identifier) as client:
            yield client

    @asynccontextmanager
    async def intruder(self, node: BrokerProcess) -> AsyncIterator[None]:
        """Connect under the gateway's own name until somebody ends that."""
        with contextlib.suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(node.host, node.port, identifier=self.gateway):
                yield

    def command(self, site: Site) -> tuple[str, bytes]:
        """Sign a command for the connection that the gateway has."""
        greeted = site.session._greeted
        assert greeted is not None, "the gateway is not connected"
        self.voice.hellos = [{"nonce": greeted.nonce}]
        self.voice.time_ms = wall_ms()
        return self.voice.command(7)

    async def say(
        self, channel: str, payload: bytes, *, is_retained: bool = False
    ) -> None:
        """Publish to the gateway what the broker, or anybody behind it, may."""
        async with self.other() as other:
            topic = f"mn/v1/dn/{self.gateway}/{channel}"
            await other.publish(topic, payload, qos=1, retain=is_retained)

    async def put(self, **bookings: dict[str, Any]) -> None:
        """Change the gateway's feed."""
        put = {("booking", name): canonical(body) for name, body in bookings.items()}
        async with self.database.writing() as work:
            await feeds.change(work, self.gateway, Change(put=put), wall_ms())

    async def stored(self) -> list[tuple[int, bytes]]:
        """Return the seqs and hashes of the gateway's journal at the platform."""
        async with self.database.reading() as work:
            rows = await work.fetch(_STORED, self.gateway, EPOCH)
        return [(seq, bytes(held)) for seq, held in rows]

    async def has_refused(self, kind: str) -> bool:
        """Say whether the platform refused something of the gateway's for that."""
        return (self.gateway, kind) in await self.refusals()

    async def repeated(self) -> int:
        """Return how many events came more than once."""
        sql = "SELECT coalesce(sum(repeated), 0) FROM journal WHERE gateway = ?1"
        async with self.database.reading() as work:
            [(count,)] = await work.fetch(sql, self.gateway)
        return int(count)

    async def refusals(self) -> dict[tuple[str, str], int]:
        """Return how often what was refused, by gateway and kind."""
        async with self.database.reading() as work:
            found = await work.fetch("SELECT gateway, kind, times FROM refusal")
        return {(gateway, kind): times for gateway, kind, times in found}

    async def restart(self, node: BrokerProcess) -> None:
        """Bring a node back that was killed; return once nobody lacks anything."""
        node.launch()
        for each in self.nodes:
            await asyncio.to_thread(each.wait)


def grow(site: Site, records: Sequence[Record]) -> None:
    """Let more happen at a gateway."""
    site.journal.records = list(records)
    site.client.wake()


async def all_sent(site: Site) -> None:
    """Wait until the platform has acknowledged everything."""
    await until(
        lambda: site.client.status.is_connected and site.client.status.waiting == 0,
        WITHIN_S,
    )


async def connected(site: Site) -> None:
    """Wait until gateway and platform talk."""
    await until(lambda: site.client.status.is_connected, WITHIN_S)


async def eventually(is_so: Callable[[], Awaitable[object]]) -> None:
    """Wait until what has to be asked for holds."""
    async with asyncio.timeout(WITHIN_S):
        while not await is_so():  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)
