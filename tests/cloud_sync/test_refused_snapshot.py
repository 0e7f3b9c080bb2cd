# SPDX-License-Identifier: Apache-2.0
"""A snapshot that storage refuses is not held, and nothing else is called current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloud_sync.feed import FeedCursor
from cloud_sync.outputs import FeedCurrent, SnapshotComplete
from cloud_sync.pulling import ASK_ANYWAY_S, PULL_EVERY_S
from cloud_sync.window import JITTER
from tests.cloud_sync.driving import TOPICS, Gateway
from tests.cloud_sync.memory_ports import MemoryFeed, Site, until
from tests.cloud_sync.raw_broker import RawBroker
from tests.cloud_sync.scripted_platform import FEED_EPOCH, Platform, Sent, booking

if TYPE_CHECKING:
    from tests.cloud_sync.scripted_platform import Json

ROWS = [booking(number) for number in range(4)]
HELD = FeedCursor(epoch=FEED_EPOCH, rev=7)


def refusing() -> tuple[Gateway, Platform]:
    """A gateway that holds rev 7 and has just refused rev 8."""
    gateway, platform = Gateway(), Platform()
    platform.publish_feed(8, ROWS)
    gateway.held, gateway.refuses_snapshots = HELD, True
    gateway.connect()
    (hello,) = gateway.take_sent()
    for answer in platform.receive(hello.topic, hello.payload):
        gateway.receive(*answer)
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert isinstance(gateway.told[-1], SnapshotComplete)
    return gateway, platform


def pulled(gateway: Gateway, platform: Platform, *, held: int = 7) -> list[Sent]:
    (pull,) = gateway.take_sent()
    assert pull.topic == TOPICS.pull
    assert f'"data":{{"epoch":"{FEED_EPOCH}","rev":{held}}}'.encode() in pull.payload
    return platform.receive(pull.topic, pull.payload)


def test_nothing_newer_speaks_of_what_is_held_and_not_of_what_was_refused() -> None:
    gateway, platform = refusing()
    gateway.tick(ASK_ANYWAY_S * (1 + JITTER))
    platform.publish_feed(7, ROWS)  # the platform takes its bad rows back
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.told[-1] == FeedCurrent(cursor=HELD)


def test_what_was_refused_is_not_asked_for_again_at_once() -> None:
    gateway, platform = refusing()
    gateway.tick(2 * PULL_EVERY_S)
    gateway.receive(*platform.publish_feed(8, ROWS))
    gateway.tick(ASK_ANYWAY_S - 2 * PULL_EVERY_S - 1)
    assert gateway.take_sent() == []
    gateway.refuses_snapshots = False
    gateway.tick(1 + ASK_ANYWAY_S * JITTER)
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.held.rev == 8


def test_a_newer_one_is_asked_for_at_once_and_names_what_is_held() -> None:
    gateway, platform = refusing()
    gateway.refuses_snapshots = False
    gateway.tick(2 * PULL_EVERY_S)
    gateway.receive(*platform.publish_feed(9, ROWS))
    for answer in pulled(gateway, platform):
        gateway.receive(*answer)
    assert gateway.held.rev == 9
    gateway.receive(*platform.publish_feed(10, ROWS[:1]))
    gateway.tick(PULL_EVERY_S)
    for answer in pulled(gateway, platform, held=9):
        gateway.receive(*answer)
    assert gateway.held.rev == 10


class RefusingFeed(MemoryFeed):
    """A roster that refuses every snapshot whole, as one with a bad row is refused."""

    def __init__(self) -> None:
        super().__init__()
        self.cursor = HELD
        self.refused = 0

    async def complete(self, snapshot: SnapshotComplete) -> None:
        self.refused += 1
        await self.drop(snapshot.snapshot)


class Insisting(Platform):
    """Sends its snapshot once, and then says to every pull that nothing is newer."""

    def _pull(self, nonce: str, epoch: str, rev: int) -> list[Sent]:
        if self.pulls == 0:
            return super()._pull(nonce, epoch, rev)
        self.pulls += 1
        nothing: Json = self.part(nonce, 0, 0, [])
        return [self.down("feed", nothing)]


@pytest.mark.parametrize("is_in_force", [False, True])
async def test_only_what_is_in_force_is_confirmed(
    monkeypatch: pytest.MonkeyPatch, *, is_in_force: bool
) -> None:
    monkeypatch.setattr("cloud_sync.pulling.ASK_ANYWAY_S", 0.2)
    platform, feed = Insisting(), RefusingFeed()
    platform.publish_feed(8, ROWS)
    async with RawBroker(platform).running() as port:
        site = Site(port, feed=feed)
        async with site.running():
            await until(lambda: feed.refused == 1)
            assert feed.confirmed == 0
            if not is_in_force:  # the disk has lost it since
                feed.cursor = FeedCursor(epoch="", rev=0)
            await until(lambda: platform.pulls >= 4)
    assert bool(feed.confirmed) is is_in_force
    assert feed.staged == {}
