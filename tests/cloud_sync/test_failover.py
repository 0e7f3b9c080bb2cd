# SPDX-License-Identifier: Apache-2.0
"""Several brokers: the next one when one fails, the first again at a reconnect."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from cloud_sync import connection
from cloud_sync.outputs import LeaveReason
from cloud_sync.preference import Preference
from cloud_sync.transport.memory import MemoryBroker
from cloud_sync.transport.port import Trouble
from tests import brokers
from tests.cloud_sync.memory_platform import MemoryPlatform
from tests.cloud_sync.memory_ports import PlatformPeer, Site, over_mqtt, until
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, Platform, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from cloud_sync.transport.port import Transport
    from tests.brokers import BrokerProcess

pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")
JOURNAL = rows(3000)


def test_all_are_tried_before_one_is_tried_again() -> None:
    order = Preference(3)
    tried = [order.current]
    rounds = []
    for _ in range(6):
        rounds.append(order.failed(had_conversed=False))
        tried.append(order.current)
    assert tried == [0, 1, 2, 0, 1, 2, 0]
    assert rounds == [False, False, True] * 2


@pytest.mark.parametrize(("lost", "then"), [(0, [1, 2]), (1, [0, 2]), (2, [0, 1])])
def test_who_worked_until_now_comes_last_and_the_first_is_preferred(
    lost: int, then: list[int]
) -> None:
    order = Preference(3)
    for _ in range(lost):
        order.failed(had_conversed=False)
    assert order.current == lost
    assert order.failed(had_conversed=True), "whoever talked may try again soon"
    next_one = order.current
    order.failed(had_conversed=False)
    assert [next_one, order.current] == then
    assert order.failed(had_conversed=False)
    assert order.current == 0


def test_one_broker_is_tried_again_and_again() -> None:
    order = Preference(1)
    assert order.failed(had_conversed=False)
    assert order.failed(had_conversed=True)
    assert order.current == 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.5)
    monkeypatch.setattr("cloud_sync.introduction.HELLO_WITHIN_S", 0.5)
    monkeypatch.setattr(connection, "ANSWER_WITHIN_S", 0.5)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[BrokerProcess, BrokerProcess]]:
    """Two mosquittos that know nothing of each other."""
    with ExitStack() as stack:
        started = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            started.append(stack.enter_context(brokers.mosquitto(tmp_path / name)))
        yield started[0], started[1]


def grow(site: Site, count: int) -> None:
    site.journal.records = JOURNAL[:count]
    site.client.wake()


async def in_use(site: Site, broker: BrokerProcess) -> None:
    """Wait until a broker leads to the platform and all events are there."""

    def is_so() -> bool:
        status = site.client.status
        is_this = status.is_connected and status.broker == str(broker.port)
        return is_this and status.waiting == 0

    await until(is_so)


@pytest.mark.needs("mosquitto")
@pytest.mark.usefixtures("impatient")
async def test_one_killed_and_one_stopped_lose_and_double_nothing(
    two: tuple[BrokerProcess, BrokerProcess],
) -> None:
    first, second = two
    platform, site = Platform(), Site(over_mqtt(first, second))
    async with (
        PlatformPeer(first, platform).running(),
        PlatformPeer(second, platform).running(),
        site.running(),
    ):
        grow(site, 1000)
        await in_use(site, first)
        first.kill()
        grow(site, 2000)
        await in_use(site, second)
        [trouble] = site.client.status.troubles
        assert trouble.broker == str(first.port)
        await asyncio.to_thread(first.start)
        second.freeze()
        grow(site, 3000)
        await in_use(site, first)
        [trouble] = site.client.status.troubles
        assert trouble.broker == str(second.port)
        assert trouble.kind == Trouble.TIMED_OUT
    expected = {(EPOCH, seq): 1 for seq in range(1, 3001)}
    assert platform.inserted == expected
    assert platform.alarms == []


@asynccontextmanager
async def served(*served_by: MemoryBroker) -> AsyncIterator[Platform]:
    """A platform behind each of these brokers."""
    platform = Platform()
    async with AsyncExitStack() as stack:
        for each in served_by:
            await stack.enter_async_context(MemoryPlatform(each, platform).running())
        yield platform


def ways(*to: MemoryBroker) -> dict[str, Transport]:
    return {f"b{n}": broker.transport(GATEWAY) for n, broker in enumerate(to)}


@pytest.mark.usefixtures("impatient")
async def test_a_broker_without_a_platform_behind_it_is_left_for_the_next() -> None:
    empty, good = MemoryBroker(), MemoryBroker()
    async with served(good) as platform:
        site = Site(ways(empty, good), rows(10))
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
            status = site.client.status
            assert status.broker == "b1"
            assert [one.kind for one in status.troubles] == [
                LeaveReason.HELLO_UNANSWERED
            ]
            assert not status.is_silent
            assert site.reports == []
    assert platform.hi() == 10


@pytest.mark.usefixtures("impatient")
async def test_the_first_is_preferred_again_only_at_the_next_reconnect() -> None:
    first, second = MemoryBroker(), MemoryBroker()
    first.stop()
    async with served(first, second):
        site = Site(ways(first, second))
        async with site.running():
            await until(lambda: site.client.status.is_connected)
            first.start()
            await asyncio.sleep(0.5)
            assert site.client.status.broker == "b1"
            second.cut(GATEWAY)
            await until(lambda: not site.client.status.is_connected)
            await until(lambda: site.client.status.is_connected)
            assert site.client.status.broker == "b0"


@pytest.mark.usefixtures("impatient")
async def test_a_broker_that_takes_everything_and_delivers_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PUBACKs go on and TCP is well: the missing acknowledgements alone tell."""
    monkeypatch.setattr("cloud_sync.window.REWIND_AFTER_S", 0.05)
    monkeypatch.setattr("cloud_sync.window.REWIND_AT_MOST_S", 0.1)
    deaf, good = MemoryBroker(), MemoryBroker()
    async with served(deaf, good) as platform:
        site = Site(ways(deaf, good), rows(10))
        async with site.running():
            await until(lambda: site.client.status.waiting == 0)
            assert site.client.status.broker == "b0"
            deaf.is_deaf = True
            grow(site, 20)
            await until(lambda: site.client.status.waiting == 0)
            status = site.client.status
            assert status.broker == "b1"
            assert [one.kind for one in status.troubles] == [LeaveReason.ACKS_MISSING]
    assert platform.hi() == 20


async def test_rounds_wait_longer_and_longer_and_brokers_within_one_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = MemoryBroker()
    dead.stop()
    site = Site(ways(dead, dead, dead))
    slept: list[float] = []
    honest = asyncio.sleep

    async def noting(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
        await honest(0)

    monkeypatch.setattr("cloud_sync.client.asyncio.sleep", noting)
    async with site.running():
        async with asyncio.timeout(10):
            while len(slept) < 60:
                await honest(0.001)
    within = [s for number, s in enumerate(slept, 1) if number % 3]
    between = [s for number, s in enumerate(slept, 1) if not number % 3]
    assert max(within) <= 0.2
    assert all(0.1 * 2**n <= s <= 0.2 * 2**n for n, s in enumerate(between[:7]))
    assert all(15.0 <= s <= 30.0 for s in between[8:])
