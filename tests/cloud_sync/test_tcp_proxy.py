# SPDX-License-Identifier: Apache-2.0
"""The bad link does what bad links do, to whole messages and to the client on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync.connection import Broker
from cloud_sync.transport.fixtures import LinkTo, link_to
from cloud_sync.transport.mqtt import MqttTransport
from cloud_sync.transport.tcp_proxy import (
    DOWN,
    GOOD,
    HALF_OPEN,
    ONE_BYTE_A_SECOND,
    Link,
    TcpProxy,
)
from tests.cloud_sync.memory_ports import PlatformPeer, Site, until
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, Platform, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.brokers import BrokerProcess

__all__ = ["link_to"]
Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """A server that says again what it is told; its port."""

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(again, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[TcpProxy, Line]]:
    async with echo() as port, TcpProxy(port) as link:
        reader, writer = await asyncio.open_connection(link.host, link.port)
        yield link, (reader, writer)
        writer.close()


async def heard(line: Line, text: bytes, within_s: float = 5.0) -> bytes:
    """Say something and return what comes back in time."""
    line[1].write(text)
    async with asyncio.timeout(within_s):
        return await line[0].readexactly(len(text))


async def test_a_good_link_carries_everything_and_counts_it() -> None:
    async with linked() as (link, line):
        text = bytes(range(256)) * 400
        assert await heard(line, text) == text
        moved = link.moved
        assert (moved.up, moved.down, moved.connections) == (len(text), len(text), 1)


async def test_a_slow_link_takes_its_time_each_way() -> None:
    async with linked() as (link, line):
        begun_s = asyncio.get_running_loop().time()
        link.link = Link(delay_s=0.1)
        assert await heard(line, b"late") == b"late"
        assert asyncio.get_running_loop().time() - begun_s >= 0.2


async def test_a_byte_a_second_lets_one_through_and_a_good_link_the_rest() -> None:
    async with linked() as (link, line):
        link.link = Link(bytes_s=50.0)
        with pytest.raises(TimeoutError):
            await heard(line, b"x" * 100, 0.5)
        assert 0 < link.moved.up < 50
        link.link = GOOD
        async with asyncio.timeout(5.0):
            while link.moved.down < 100:
                await line[0].read(100)
        assert ONE_BYTE_A_SECOND.bytes_s == 1.0


async def test_half_open_says_nothing_and_loses_nothing() -> None:
    async with linked() as (link, line):
        async with link.being(HALF_OPEN):
            with pytest.raises(TimeoutError):
                await heard(line, b"into the void", 0.1)
        async with asyncio.timeout(5.0):
            assert await line[0].readexactly(13) == b"into the void"


async def test_dropped_ends_in_order_and_reset_does_not() -> None:
    async with linked() as (link, line):
        assert await heard(line, b"here") == b"here"
        link.drop()
        async with asyncio.timeout(5.0):
            assert await line[0].read() == b""
    async with linked() as (link, line):
        assert await heard(line, b"here") == b"here"
        link.reset()
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(5.0):
                await line[0].read()


async def test_a_link_that_is_down_turns_everybody_away(link_to: LinkTo) -> None:
    async with echo() as port:
        link = await link_to(port)
        link.link = DOWN
        reader, writer = await asyncio.open_connection(link.host, link.port)
        told = await asyncio.gather(
            asyncio.wait_for(reader.read(), 5.0), return_exceptions=True
        )
        assert told[0] == b"" or isinstance(told[0], ConnectionResetError)
        writer.close()
        assert link.moved.connections == 0


async def test_a_client_on_a_bad_link_loses_and_doubles_nothing(
    broker: BrokerProcess, link_to: LinkTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.5)
    link, platform, journal = await link_to(broker.port), Platform(), rows(1200)
    way = MqttTransport(Broker(host=link.host, port=link.port), GATEWAY)
    site = Site({"link": way})
    async with PlatformPeer(broker, platform).running(), site.running():
        bad: list[Link | Callable[[], None]]
        bad = [link.drop, link.reset, HALF_OPEN, ONE_BYTE_A_SECOND]
        for number, fault in enumerate(bad, 1):
            await until(lambda: site.client.status.is_connected)
            if isinstance(fault, Link):
                link.link = fault
            site.journal.records = journal[: number * 300]
            site.client.wake()
            if callable(fault):
                fault()
            await until(lambda: not site.client.status.is_connected)
            link.link = GOOD
        await until(lambda: site.client.status.waiting == 0)
    assert platform.inserted == {(EPOCH, seq): 1 for seq in range(1, 1201)}
    assert platform.alarms == []
