# SPDX-License-Identifier: Apache-2.0
"""The port's promises, kept by every transport alike: one suite over all of them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.connection import Broker
from cloud_sync.transport.faults import KIND, FaultyTransport
from cloud_sync.transport.memory import QUEUED_MESSAGES, MemoryBroker, is_match
from cloud_sync.transport.mqtt import MqttTransport
from cloud_sync.transport.port import State, TransportError, Trouble
from tests import brokers
from tests.cloud_sync.memory_ports import stands, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cloud_sync.transport.port import Transport


@dataclass(frozen=True, slots=True)
class Kind:
    """How transports of one kind are made, and how their broker dies and returns."""

    way: Callable[[str], Transport]
    stop: Callable[[], Any]
    start: Callable[[], Any]


@pytest.fixture(
    params=[
        "memory",
        "kind faults",
        pytest.param("mqtt", marks=pytest.mark.needs("mosquitto")),
    ]
)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    if request.param == "mqtt":
        with brokers.mosquitto(tmp_path) as process:
            at = Broker(host=process.host, port=process.port)
            yield Kind(
                lambda name: MqttTransport(at, name), process.kill, process.start
            )
        return
    broker = MemoryBroker()
    way: Callable[[str], Transport] = broker.transport
    if request.param == "kind faults":
        chance = random.Random(1)

        def way(name: str) -> Transport:
            inner = broker.transport(name)
            return FaultyTransport(inner, faults=KIND, chance=chance)

    yield Kind(way, broker.stop, broker.start)


async def heard(way: Transport, count: int) -> list[bytes]:
    found = []
    async with asyncio.timeout(5):
        async for message in way.messages():
            found.append(message.payload)
            if len(found) == count:
                break
    return found


async def test_messages_arrive_once_and_in_order_where_they_were_asked_for(
    kind: Kind,
) -> None:
    one, other = kind.way("gw-one"), kind.way("gw-two")
    assert stands(one, State.CLOSED)
    for way in (one, other):
        await way.connect()
    assert stands(one, State.CONNECTED)
    assert await other.subscribe(["a/+/c", "a/b"])
    said = [b"%d" % number for number in range(16)]
    await asyncio.gather(*(one.publish("a/x/c", payload) for payload in said))
    await one.publish("a/b/d", b"for nobody")
    await one.publish("a/b", b"the last")
    assert await heard(other, 17) == [*said, b"the last"]
    for way in (one, other):
        await way.close()
        await way.close()
        assert stands(way, State.CLOSED)


async def test_a_connection_that_ended_is_told_to_whoever_uses_it(kind: Kind) -> None:
    way = kind.way("gw-one")
    await way.connect()
    await way.subscribe(["a"])
    hearing = asyncio.ensure_future(anext(way.messages()))
    await asyncio.sleep(0.01)
    kind.stop()
    with pytest.raises(TransportError) as caught:
        await asyncio.wait_for(hearing, 5)
    assert caught.value.kind is Trouble.LOST
    assert stands(way, State.LOST)
    with pytest.raises(TransportError):
        await asyncio.wait_for(way.publish("a", b"x"), 5)
    with pytest.raises(RuntimeError, match="one connection at a time"):
        await way.connect()
    await way.close()
    with pytest.raises(TransportError) as caught:
        await way.connect()
    assert caught.value.kind is Trouble.UNREACHABLE
    assert stands(way, State.CLOSED)
    await asyncio.to_thread(kind.start)
    await way.connect()
    assert stands(way, State.CONNECTED)
    await way.close()


async def test_a_new_connection_has_nothing_of_the_one_before(kind: Kind) -> None:
    one, other = kind.way("gw-one"), kind.way("gw-two")
    await one.connect()
    await other.connect()
    await other.subscribe(["a"])
    await one.publish("a", b"unread")
    await other.close()
    await one.publish("a", b"missed")
    await other.connect()
    await other.subscribe(["b"])
    await one.publish("a", b"unasked")
    await one.publish("b", b"fresh")
    assert await heard(other, 1) == [b"fresh"]
    await one.close()
    await other.close()


async def test_a_second_client_of_a_name_ends_the_first(kind: Kind) -> None:
    one, again = kind.way("gw-one"), kind.way("gw-one")
    await one.connect()
    await again.connect()
    await until(lambda: stands(one, State.LOST))
    assert stands(again, State.CONNECTED)
    await one.close()
    await again.publish("a", b"still here")
    await again.close()


async def test_one_connection_at_a_time_and_none_without_connect(kind: Kind) -> None:
    way = kind.way("gw-one")
    with pytest.raises(TransportError):
        await way.publish("a", b"x")
    await way.connect()
    with pytest.raises(RuntimeError, match="one connection at a time"):
        await way.connect()
    assert stands(way, State.CONNECTED)
    await way.close()


async def test_cancelling_connect_leaves_a_transport_that_can_connect(
    kind: Kind,
) -> None:
    way = kind.way("gw-one")
    for _ in range(3):
        task = asyncio.ensure_future(way.connect())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert stands(way, State.CLOSED)
    await way.connect()
    await way.close()


async def test_the_broker_in_memory_drops_the_newest_beyond_its_queue() -> None:
    broker = MemoryBroker()
    one, other = broker.transport("gw-one"), broker.transport("gw-two")
    await one.connect()
    await other.connect()
    await other.subscribe(["#"])
    for number in range(QUEUED_MESSAGES + 5):
        await one.publish("a", b"%d" % number)
    assert broker.dropped == 5
    assert (await heard(other, QUEUED_MESSAGES))[-1] == b"999"
    assert broker.clients == {"gw-one", "gw-two"}


async def test_what_may_not_be_said_is_taken_and_thrown_away() -> None:
    broker = MemoryBroker()
    broker.denies = lambda client, topic: client == "gw-one" and topic == "secret"
    way = broker.transport("gw-one")
    await way.connect()
    await way.subscribe(["secret", "open"])
    await way.publish("secret", b"x")
    await way.publish("open", b"y")
    assert await heard(way, 1) == [b"y"]


@pytest.mark.parametrize(
    ("pattern", "topic", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("#", "a", True),
        ("a/#", "a", True),
        ("a/#", "b/a", False),
        ("+", "a/b", False),
    ],
)
def test_patterns_fit_as_mqtt_says(pattern: str, topic: str, *, fits: bool) -> None:
    assert is_match(pattern, topic) is fits
