# SPDX-License-Identifier: Apache-2.0
"""A broker that pushes without end fills a bounded inbox, and loses nothing by it.

What no honest broker sends ends its connection before it is read.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from cloud_sync.connection import Broker, connected
from cloud_sync.inbox import (
    INBOX_BYTES,
    MESSAGE_COST_BYTES,
    PACKET_BYTES,
    PAUSE_BYTES,
    Inbox,
)
from tests.cloud_sync.raw_broker import RawBroker, length, message

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

BODY = bytes(60_000)
MESSAGES = 600
#: What sockets of both sides may hold beside the inbox.
KERNEL_BYTES = 10_000_000


def taken(cost_bytes: int) -> aiomqtt.Message:
    """Return a message that costs the inbox so much."""
    body = bytes(cost_bytes - MESSAGE_COST_BYTES - len("t"))
    return aiomqtt.Message("t", body, 1, retain=False, mid=1, properties=None)


async def test_what_waits_to_be_read_is_bounded_by_its_bytes() -> None:
    inbox = Inbox()
    for _ in range(4):
        inbox.put_nowait(taken(INBOX_BYTES // 4))
    with pytest.raises(asyncio.QueueFull):
        inbox.put_nowait(taken(MESSAGE_COST_BYTES + 1))
    await inbox.get()
    inbox.put_nowait(taken(INBOX_BYTES // 4))
    assert inbox.qsize() == 4


async def test_reading_stops_when_full_and_goes_on_at_half() -> None:
    inbox = Inbox()
    said: list[str] = []
    inbox.pause = lambda: said.append("pause")
    inbox.resume = lambda: said.append("resume")
    for _ in range(3):
        inbox.put_nowait(taken(PAUSE_BYTES // 2))
    assert said == ["pause"]
    inbox.get_nowait()
    assert said == ["pause"]
    inbox.get_nowait()
    assert said == ["pause", "resume"]
    inbox.get_nowait()
    inbox.put_nowait(taken(PAUSE_BYTES))
    assert said == ["pause", "resume", "pause"]


def numbered(count: int, body: bytes) -> list[bytes]:
    return [message(b"t", number.to_bytes(4, "big") + body) for number in range(count)]


@asynccontextmanager
async def subscribed(
    broker: RawBroker, *, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
) -> AsyncIterator[tuple[aiomqtt.Client, Inbox]]:
    """A client of the broker that has subscribed, and its inbox."""
    theirs, ours = tls or (None, None)
    async with broker.running(theirs) as port:
        where = Broker(host="127.0.0.1", port=port, tls=ours)
        async with connected(where, "gw-test") as client:
            await client.subscribe("t")
            assert isinstance(client._queue, Inbox)
            yield client, client._queue


async def standstill(broker: RawBroker) -> None:
    """Wait until nothing moves any more."""
    said = -1
    while broker.said_bytes != said:
        said = broker.said_bytes
        await asyncio.sleep(0.3)


async def numbers(client: aiomqtt.Client, count: int) -> list[int]:
    """Return the numbers of the next ``count`` messages."""
    found: list[int] = []
    async with asyncio.timeout(10):  # no help from a ping, which comes after 20 s
        async for one in client.messages:
            assert isinstance(one.payload, bytes)
            found.append(int.from_bytes(one.payload[:4], "big"))
            if len(found) == count:
                break
    return found


async def test_a_flood_waits_with_its_sender_until_it_is_read() -> None:
    broker = RawBroker()
    broker.says = numbered(MESSAGES, BODY)
    async with subscribed(broker) as (client, inbox):
        await standstill(broker)
        most = INBOX_BYTES + KERNEL_BYTES
        assert PAUSE_BYTES < broker.said_bytes < most < MESSAGES * len(BODY)
        assert inbox.is_paused
        assert inbox.bytes < PAUSE_BYTES + PACKET_BYTES
        assert await numbers(client, MESSAGES) == list(range(MESSAGES))


@pytest.mark.parametrize(
    ("one", "count"),
    [
        pytest.param(message(b"t", b""), 2_000_000, id="empty messages"),
        pytest.param(message(b"t" * 60_000, b""), MESSAGES, id="long topics"),
    ],
)
async def test_messages_without_a_payload_fill_the_inbox_too(
    one: bytes, count: int
) -> None:
    broker = RawBroker()
    several = max(1, 50_000 // len(one))
    broker.says = [one * several] * (count // several)
    async with subscribed(broker) as (_, inbox):
        await asyncio.wait_for(paused(inbox), 10)
        await standstill(broker)
        assert broker.said_bytes < KERNEL_BYTES
        assert inbox.bytes < PAUSE_BYTES + PACKET_BYTES
        assert inbox.qsize() <= PAUSE_BYTES // MESSAGE_COST_BYTES


async def paused(inbox: Inbox) -> None:
    while not inbox.is_paused:  # noqa: ASYNC110  the inbox's own bookkeeping
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("said", "is_in_parts"),
    [
        pytest.param(message(b"t", BODY, qos=2), False, id="QoS 2"),
        pytest.param(message(b"t", BODY, qos=2), True, id="QoS 2, byte by byte"),
        pytest.param(b"\x30" + length(PACKET_BYTES + 1), False, id="an endless one"),
        pytest.param(b"\x30" + length(PACKET_BYTES + 1), True, id="byte by byte"),
        pytest.param(b"\x30" + length(2**28 - 1), False, id="256 MB"),
    ],
)
async def test_what_no_honest_broker_sends_ends_the_connection_unread(
    said: bytes, *, is_in_parts: bool
) -> None:
    broker = RawBroker()
    head = [said[:1], said[1:2], said[2:3], said[3:]] if is_in_parts else [said]
    broker.says = [*numbered(1, b""), *head, *[BODY] * MESSAGES]
    async with subscribed(broker) as (client, inbox):
        assert await numbers(client, 1) == [0]
        async with asyncio.timeout(10):
            with pytest.raises(aiomqtt.MqttError, match="Disconnected"):
                await anext(client.messages)
            while not broker.ended:  # noqa: ASYNC110  a server's own bookkeeping
                await asyncio.sleep(0.01)
        assert inbox.empty()
        assert client._client._in_messages == {}
        assert len(client._client._in_packet["packet"]) == 0


async def test_the_longest_packet_of_all_is_read() -> None:
    longest = message(b"t", bytes(PACKET_BYTES - len(b"\x00\x01t")))
    broker = RawBroker()
    broker.says = [longest, *numbered(2, b"")]
    async with subscribed(broker) as (client, _):
        assert await numbers(client, 3) == [0, 0, 1]


async def test_a_flood_over_tls_loses_nothing(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    broker = RawBroker()
    broker.says = numbered(400, BODY)
    async with subscribed(broker, tls=tls) as (client, inbox):
        await asyncio.wait_for(paused(inbox), 10)
        await standstill(broker)
        assert inbox.bytes < PAUSE_BYTES + PACKET_BYTES
        assert await numbers(client, 400) == list(range(400))


async def test_what_tls_has_read_already_is_not_waited_for(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    """The inbox is full in the middle of the last record, which no socket announces."""
    each = MESSAGE_COST_BYTES + len("t") + 4
    count = PAUSE_BYTES // each + 100
    broker = RawBroker()
    broker.says = [b"".join(numbered(count, b""))]
    async with subscribed(broker, tls=tls) as (client, inbox):
        await asyncio.wait_for(paused(inbox), 10)
        assert inbox.qsize() < count
        assert await numbers(client, count) == list(range(count))
