# SPDX-License-Identifier: Apache-2.0
"""PUBACKs both ways: ours after the work, the broker's with the patience it needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from cloud_sync.ports import PortFaultError
from cloud_sync.signing import MESSAGE_BYTES
from cloud_sync.topics import Channel
from tests.cloud_sync.memory_ports import MemoryFeed, Site, until
from tests.cloud_sync.raw_broker import RawBroker
from tests.cloud_sync.scripted_platform import EPOCH, Platform, booking, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.feed import FeedRow

#: One row of this fills a part.
LONG = "x" * 44_000
PARTS = 8
HELLO, FEED = (
    f"mn/v1/dn/gw-kitchen-01/{name}" for name in (Channel.HELLO, Channel.FEED)
)


class SlowFeed(MemoryFeed):
    """A roster on a slow card; ``faults`` is how many stagings to come shall fail."""

    def __init__(self, part_s: float = 0.0, faults: int = 0) -> None:
        super().__init__()
        self.part_s = part_s
        self.faults = faults

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        await asyncio.sleep(self.part_s)
        if self.faults:
            self.faults -= 1
            raise PortFaultError("the disk is full")
        await super().stage(snapshot, rows)


async def test_the_broker_hears_of_a_message_only_when_it_was_dealt_with() -> None:
    platform, feed = Platform(), SlowFeed(faults=1)
    platform.publish_feed(7, [booking(number) for number in range(9)])
    broker = RawBroker(platform)
    async with broker.running() as port:
        site = Site(port, feed=feed)
        async with site.running():
            await until(lambda: feed.cursor.rev == 7)
            told, again = broker.told[:2]
            await until(lambda: broker.acked[1] == set(again))
    assert list(told.values()) == [HELLO, FEED, FEED, FEED]
    assert broker.acked[0] == {1}, "the part that failed, and those behind it, are not"
    assert list(again.values()) == [HELLO, FEED, FEED, FEED]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and an inbox that two parts fill."""
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.2)
    monkeypatch.setattr("cloud_sync.inbox.PAUSE_BYTES", 2 * MESSAGE_BYTES)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "part_s",
    [pytest.param(0.08, id="many parts"), pytest.param(0.3, id="very slow parts")],
)
async def test_an_answer_in_line_behind_slow_work_is_waited_for(part_s: float) -> None:
    platform, feed = Platform(), SlowFeed(part_s)
    platform.rows_a_part = 1
    platform.publish_feed(7, [booking(n, note=LONG) for n in range(PARTS)])
    broker = RawBroker(platform)
    async with broker.running() as port:
        site = Site(port, feed=feed)
        async with site.running():
            await until(lambda: bool(feed.staged))
            site.journal.records = rows(10)
            site.client.wake()
            await until(lambda: site.client.status.waiting == 0)
            await until(lambda: feed.cursor.rev == 7)
            assert site.client.status.reconnects == 0
    assert platform.hi(EPOCH) == 10


@pytest.mark.usefixtures("impatient")
async def test_a_broker_that_falls_silent_is_left_soon() -> None:
    platform = Platform()
    broker = RawBroker(platform, answers_publishes=False)
    async with broker.running() as port:
        site = Site(port)
        async with site.running():
            begun_s = asyncio.get_running_loop().time()
            await until(lambda: broker.ended == 1, 5.0)
            assert asyncio.get_running_loop().time() - begun_s >= 0.2
            assert site.client.status.trouble == "Operation timed out"


@pytest.mark.usefixtures("impatient")
async def test_a_broker_that_talks_on_and_never_answers_is_left_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cloud_sync.conversation.PUBLISH_AT_MOST_S", 1.5)
    platform = Platform()
    nudge = platform.publish_feed(7, [booking(1)])
    broker = RawBroker(platform, answers_publishes=False)
    async with broker.running() as port:
        site = Site(port)
        async with site.running():
            await until(lambda: site.client.status.is_connected)
            begun_s = asyncio.get_running_loop().time()
            async with asyncio.timeout(5):
                while not broker.ended:
                    broker.say(nudge)
                    await asyncio.sleep(0.05)
            assert 1.0 < asyncio.get_running_loop().time() - begun_s < 2.5
            assert site.client.status.trouble == "Operation timed out"
