# SPDX-License-Identifier: Apache-2.0
"""Faults put into the transport: each is what it says, and none costs an event."""

from __future__ import annotations

import asyncio
import contextlib
import random
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync.transport.faults import KIND, Faults, FaultyTransport
from cloud_sync.transport.memory import MemoryBroker
from cloud_sync.transport.port import State
from tests.cloud_sync.memory_platform import MemoryPlatform
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.scripted_platform import EPOCH, Platform, booking, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")
JOURNAL = rows(400)
BAD_ONES = ("dropped", "doubled", "overtaken", "acks_lost")
SAID = [b"%d" % number for number in range(100)]
#: Everything that can happen to a message, often.
BAD = Faults(
    delay_s=0.002,
    drop_share=0.1,
    duplicate_share=0.1,
    reorder_share=0.1,
    lost_ack_share=0.05,
)


@asynccontextmanager
async def line(faults: Faults) -> AsyncIterator[FaultyTransport]:
    """A faulty way to oneself."""
    way = FaultyTransport(
        MemoryBroker().transport("gw-one"), faults=faults, chance=random.Random(7)
    )
    await way.connect()
    await way.subscribe(["a"])
    yield way
    await way.close()


async def heard_within(way: FaultyTransport, seconds: float) -> list[bytes]:
    """Return what comes until nothing has come for so long."""
    heard, messages = [], way.messages()
    with contextlib.suppress(TimeoutError):
        while True:
            heard.append((await asyncio.wait_for(anext(messages), seconds)).payload)
    return heard


async def told_up(faults: Faults) -> tuple[list[bytes], dict[str, int]]:
    """Say a hundred things with faults on the way up, and return what arrived."""
    async with line(faults) as way:
        saying = [asyncio.ensure_future(way.publish("a", each)) for each in SAID]
        await asyncio.sleep(0.1)
        happened = dict(way.happened)
        way.faults = KIND
        heard = await heard_within(way, 0.05)
        for task in saying:
            task.cancel()
        await asyncio.wait(saying)
        return heard, happened


async def told_down(faults: Faults) -> tuple[list[bytes], dict[str, int]]:
    """Say a hundred things with faults on the way down, and return what arrived."""
    async with line(KIND) as way:
        for each in SAID:
            await way.publish("a", each)
        way.faults = faults
        return await heard_within(way, 0.2), dict(way.happened)


@pytest.mark.parametrize("told", [told_up, told_down])
async def test_what_is_dropped_is_gone_and_the_rest_in_order(told: object) -> None:
    assert callable(told)
    heard, happened = await told(Faults(drop_share=0.3))
    assert 10 < happened["dropped"] == 100 - len(heard)
    assert heard == sorted(heard, key=int)


@pytest.mark.parametrize("told", [told_up, told_down])
async def test_what_is_doubled_comes_twice(told: object) -> None:
    assert callable(told)
    heard, happened = await told(Faults(duplicate_share=0.3))
    assert 10 < happened["doubled"] == len(heard) - 100
    assert sorted(set(heard), key=int) == SAID


@pytest.mark.parametrize("told", [told_up, told_down])
async def test_what_is_overtaken_comes_late_and_nothing_is_lost(told: object) -> None:
    assert callable(told)
    heard, happened = await told(Faults(reorder_share=0.2))
    assert happened["overtaken"] > 5
    assert heard != SAID
    assert len(heard) >= 99, "the last may wait for one that overtakes it"
    assert set(heard) <= set(SAID)


@pytest.mark.parametrize("told", [told_up, told_down])
async def test_what_is_delayed_stays_in_order(told: object) -> None:
    assert callable(told)
    heard, _ = await told(Faults(delay_s=0.001))
    assert heard == SAID


async def test_a_lost_acknowledgement_is_waited_for_in_vain() -> None:
    async with line(Faults(lost_ack_share=1.0)) as way:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(way.publish("a", b"x"), 0.05)
        assert (await anext(way.messages())).payload == b"x"
        assert way.happened["acks_lost"] == 1


async def test_half_open_looks_well_and_moves_nothing_until_the_next_connection() -> (
    None
):
    async with line(KIND) as way:
        way.half_open()
        assert way.state is State.CONNECTED
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(way.publish("a", b"x"), 0.02)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(way.messages()), 0.02)
        await way.close()
        await way.connect()
        await way.subscribe(["a"])
        await way.publish("a", b"y")
        assert (await anext(way.messages())).payload == b"y"


async def test_the_same_seed_gives_the_same_faults() -> None:
    bad = Faults(drop_share=0.2, duplicate_share=0.2)
    assert await told_down(bad) == await told_down(bad)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of the contract's waits, so that a bad hour takes seconds."""
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.25)
    monkeypatch.setattr("cloud_sync.introduction.HELLO_WITHIN_S", 0.5)
    monkeypatch.setattr("cloud_sync.introduction.HELLO_AGAIN_S", 0.1)
    monkeypatch.setattr("cloud_sync.window.REWIND_AFTER_S", 0.1)
    monkeypatch.setattr("cloud_sync.window.REWIND_AT_MOST_S", 0.3)
    monkeypatch.setattr("cloud_sync.client.RETRY_AT_MOST_S", 0.3)
    monkeypatch.setattr("cloud_sync.pulling.PULL_EVERY_S", 0.1)
    monkeypatch.setattr("cloud_sync.pulling.ASK_ANYWAY_S", 0.5)
    monkeypatch.setattr("cloud_sync.pulling.ANSWER_WITHIN_S", 0.4)
    monkeypatch.setattr("cloud_sync.pulling.RETRY_AT_MOST_S", 0.5)


@pytest.mark.usefixtures("hurried")
async def test_several_gateways_over_bad_lines_lose_and_double_nothing() -> None:
    """One broker, one process, five clients; brokers stop and lines go half open."""
    seed = random.Random().randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    broker = MemoryBroker()
    names = [f"gw-{number:02}" for number in range(5)]
    platforms = [Platform(name) for name in names]
    lines = {
        name: FaultyTransport(broker.transport(name), faults=BAD, chance=chance)
        for name in names
    }
    sites = [Site({"only": lines[name]}, gateway=name) for name in names]
    async with AsyncExitStack() as stack:
        serving = MemoryPlatform(broker, *platforms)
        await stack.enter_async_context(serving.running())
        for site in sites:
            await stack.enter_async_context(site.running())
        for rev in range(1, 9):
            for site, platform in zip(sites, platforms, strict=True):
                site.journal.records = JOURNAL[: rev * 50]
                site.client.wake()
                platform.publish_feed(rev, [booking(number) for number in range(rev)])
            await asyncio.sleep(0.25)
            lines[chance.choice(names)].half_open()
            if rev % 4 == 0:
                broker.stop()
                await asyncio.sleep(0.1)
                broker.start()
        for way in lines.values():
            way.faults = KIND
        for site in sites:
            await until(lambda site=site: site.client.status.waiting == 0)  # type: ignore[misc]
            await until(lambda site=site: site.feed.cursor.rev == 8, 40.0)  # type: ignore[misc]
    for site, platform in zip(sites, platforms, strict=True):
        assert platform.inserted == {(EPOCH, seq): 1 for seq in range(1, 401)}
        assert platform.alarms == []
        assert len(site.feed.rows) == 8
        assert site.journal.new_epochs == []
    total = {
        what: sum(way.happened[what] for way in lines.values()) for what in BAD_ONES
    }
    assert all(total.values()), f"the lines were too kind to show anything: {total}"
