# SPDX-License-Identifier: Apache-2.0
"""What the client borrows, in memory, and a platform on the other side of a broker."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt

from cloud_sync.client import PlatformClient
from cloud_sync.connection import Broker
from cloud_sync.feed import NO_FEED, FeedCursor, add
from cloud_sync.ports import PortFaultError, Ports
from cloud_sync.transport.cancelling import heed_cancellation
from cloud_sync.transport.mqtt import MqttTransport
from edge.core.moment import Moment
from tests.cloud_sync.driving import new_session
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD, Platform, rows

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

    from cloud_sync.feed import FeedRow
    from cloud_sync.outputs import (
        ChangesComplete,
        ClockBounds,
        EpochReason,
        SnapshotComplete,
    )
    from cloud_sync.ports import FetchPort
    from cloud_sync.transport.port import State, Transport
    from edge.core.event import EventKind, Facts
    from edge.core.record import Record
    from edge.core.remote.command import RemoteCommand
    from tests.brokers import BrokerProcess

SITE_BOOT = "boot-17"


class MemoryJournal:
    """A journal in a list; ``faults`` is how many calls to come shall fail."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records = list(records)
        self.epoch = EPOCH
        self.acked = 0
        self.faults = 0
        self.new_epochs: list[EpochReason] = []

    @property
    def last_seq(self) -> int:
        return len(self.records)

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        return self.records[after : after + limit]

    async def hash_at(self, seq: int) -> bytes | None:
        return self.records[seq - 1].hash if seq <= len(self.records) else None

    async def acknowledge(self, hi: int) -> None:
        await asyncio.sleep(0)
        if self.faults:
            self.faults -= 1
            raise PortFaultError("the disk is full")
        self.acked = hi

    async def new_epoch(self, why: EpochReason) -> None:
        self.new_epochs.append(why)
        self.epoch = f"{len(self.new_epochs) + 1:04}-0badcafe"
        self.records = rows(len(self.records), epoch=self.epoch, seed=2)
        self.acked = 0


class MemoryFeed:
    """A roster in a dictionary."""

    def __init__(self) -> None:
        self.cursor: FeedCursor = NO_FEED
        self.rows: dict[str, FeedRow] = {}
        self.staged: dict[str, list[FeedRow]] = {}
        self.confirmed = 0

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        self.staged.setdefault(snapshot, []).extend(rows)

    @property
    def hash(self) -> bytes:
        total = add(0, (row.digest for row in self.rows.values()))
        return total.to_bytes(32) if self.cursor.epoch else b""

    async def change(self, changes: ChangesComplete) -> None:
        staged = self.staged.pop(changes.snapshot)
        assert len(staged) == changes.count
        for row in staged:
            self.rows.pop(row.id, None)
            if row.body:
                self.rows[row.id] = row
        self.cursor = changes.cursor

    async def complete(self, snapshot: SnapshotComplete) -> None:
        staged = self.staged.pop(snapshot.snapshot)
        assert len(staged) == snapshot.count
        self.rows = {row.id: row for row in staged}
        self.cursor = snapshot.cursor

    async def confirm(self) -> None:
        self.confirmed += 1

    async def drop(self, snapshot: str) -> None:
        self.staged.pop(snapshot, None)


class SystemClock:
    """The machine's monotonic clock and a made-up UTC."""

    def __init__(self) -> None:
        self.bounds: list[ClockBounds] = []

    def now(self) -> Moment:
        now_s = time.monotonic()
        return Moment(
            monotonic_s=now_s, earliest_ms=0, latest_ms=int(now_s), boot=SITE_BOOT
        )

    def bound(self, bounds: ClockBounds) -> None:
        self.bounds.append(bounds)


def over_mqtt(*brokers: BrokerProcess | int) -> dict[str, Transport]:
    """Return a way over MQTT to each broker on this machine, by its port."""
    ports = [one if isinstance(one, int) else one.port for one in brokers]
    return {
        str(port): MqttTransport(Broker(host="127.0.0.1", port=port), GATEWAY)
        for port in ports
    }


class Site:
    """A client with all that it borrows; ``reports`` is what the journal was told."""

    def __init__(
        self,
        broker: BrokerProcess | int | Mapping[str, Transport],
        records: Sequence[Record] = (),
        *,
        feed: MemoryFeed | None = None,
        clock: SystemClock | None = None,
        gateway: str = GATEWAY,
        fetch: FetchPort | None = None,
    ) -> None:
        self.journal = MemoryJournal(records)
        self.feed = feed or MemoryFeed()
        self.clock = clock or SystemClock()
        self.reports: list[tuple[EventKind, Facts]] = []
        self.ordered: list[RemoteCommand] = []
        #: Whether the process stood still since this was asked last.
        self.has_stood_still = False
        self.session = new_session(gateway=gateway, fetches=fetch is not None)
        self.ports = Ports(
            journal=self.journal,
            feed=self.feed,
            clock=self.clock,
            report=lambda kind, facts: self.reports.append((kind, facts)),
            order=self.ordered.append,
            stood_still=self._stood_still,
            fetch=fetch,
        )
        self.client = PlatformClient(
            transports=broker if isinstance(broker, Mapping) else over_mqtt(broker),
            session=self.session,
            ports=self.ports,
            chance=random.Random(1).random,
        )

    def _stood_still(self) -> bool:
        told, self.has_stood_still = self.has_stood_still, False
        return told

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Site]:
        """Run the client for as long as the block lasts."""
        task = asyncio.create_task(self.client.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled(), task


class PlatformPeer:
    """The scripted platform behind a broker; ``is_silent`` hears and says nothing."""

    def __init__(
        self,
        broker: BrokerProcess,
        platform: Platform,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.broker = broker
        self.tls = tls
        self.platform = platform
        self.is_silent = False
        self.mqtt: aiomqtt.Client | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PlatformPeer]:
        """Serve for as long as the block lasts, through losses of the broker."""
        task = asyncio.create_task(self._serve())
        try:
            await until(lambda: self.mqtt is not None)
            yield self
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled(), task

    async def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert self.mqtt is not None
        await self.mqtt.publish(topic, payload, qos=1, retain=retain)
        heed_cancellation()

    async def _serve(self) -> None:
        while True:
            try:
                await self._converse()
            except aiomqtt.MqttError:
                heed_cancellation()
                if self.mqtt is not None and self.mqtt._disconnected.done():
                    self.mqtt._disconnected.exception()  # so that nobody complains
                self.mqtt = None
                await asyncio.sleep(0.1)

    async def _converse(self) -> None:
        host, port = self.broker.host, self.broker.port
        client = aiomqtt.Client(host, port, timeout=2, tls_context=self.tls)
        async with client as mqtt:
            await mqtt.subscribe(f"mn/v1/up/{SHARD}/+/+", qos=1)
            heed_cancellation()
            self.mqtt = mqtt
            async for message in mqtt.messages:
                if self.is_silent:
                    continue
                topic, payload = message.topic.value, message.payload
                for answer in self.platform.receive(topic, payload):
                    await self.say(*answer)


def stands(way: Transport, state: State) -> bool:
    """Say whether a transport stands so now, whatever was seen before."""
    return way.state is state


async def until(is_so: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait until a claim holds; TimeoutError if it does not."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - claims about anything have no event
            await asyncio.sleep(0.01)
