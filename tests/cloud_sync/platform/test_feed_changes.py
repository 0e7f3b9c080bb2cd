# SPDX-License-Identifier: Apache-2.0
"""Changes of a feed: whom they are sent to, from where, and what they add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED, FeedCursor, add
from cloud_sync.outputs import ChangesComplete, SnapshotComplete
from cloud_sync.platform import feed_head, feeds
from cloud_sync.platform.feeds import Change
from tests.cloud_sync.driving import Gateway
from tests.cloud_sync.platform.test_feeds import bodies, changed
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    import pytest

    from cloud_sync.platform.feed_head import Head
    from tests.cloud_sync.platform.desk import Desk


async def head(desk: Desk) -> Head:
    async with desk.database.reading() as work:
        return await feed_head.of(work, GATEWAY)


async def fed(desk: Desk, *capabilities: str, count: int = 40) -> Gateway:
    """Return a gateway that holds the feed's first revision."""
    await changed(desk, Change(put=bodies(count)))
    gateway = Gateway(capabilities=capabilities)
    gateway.connect()
    await desk.converse(gateway)
    assert len(gateway.roster) == count
    gateway.told.clear()
    return gateway


async def nudged(desk: Desk, gateway: Gateway) -> list[object]:
    """Tell of what there is now; return how the gateway completed it."""
    gateway.now_s += 10
    _, [nudge] = await desk.reception.news({})
    gateway.receive(nudge.topic, nudge.payload)
    await desk.converse(gateway)
    done = [
        each
        for each in gateway.told
        if isinstance(each, ChangesComplete | SnapshotComplete)
    ]
    gateway.told.clear()
    return [type(each) for each in done]


async def test_what_changed_and_went_comes_as_changes(desk: Desk) -> None:
    gateway = await fed(desk, "delta")
    await changed(desk, Change(put=bodies(2, party=7), remove=[("booking", "b-00039")]))
    await changed(desk, Change(put={("booking", "new"): "{}"}))
    assert await nudged(desk, gateway) == [ChangesComplete]
    assert gateway.held.rev == 3
    assert len(gateway.roster) == 40
    assert "b-00039" not in gateway.roster
    assert gateway.sum.hex() == (await head(desk)).hash
    assert gateway.session.feed.repairs == 0


async def test_who_does_not_read_changes_gets_snapshots(desk: Desk) -> None:
    gateway = await fed(desk)
    await changed(desk, Change(put=bodies(1, party=7)))
    assert await nudged(desk, gateway) == [SnapshotComplete]
    assert gateway.held.rev == 2


async def test_what_went_before_the_floor_is_not_told_any_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_head, "GONE_ROWS", 4)
    gateway = await fed(desk, "delta")
    for number in range(6):
        gone = ("booking", f"b-{number:05}")
        await changed(desk, Change(put={}, remove=[gone]))
    assert 1 < (await head(desk)).floor < 7
    assert await nudged(desk, gateway) == [SnapshotComplete]
    await changed(desk, Change(put=bodies(1, party=3)))
    assert await nudged(desk, gateway) == [ChangesComplete]
    assert len(gateway.roster) == 35


async def test_more_changes_than_rows_come_as_a_snapshot(desk: Desk) -> None:
    gateway = await fed(desk, "delta")
    gone = [("booking", f"b-{number:05}") for number in range(30)]
    await changed(desk, Change(put={}, remove=gone))
    assert await nudged(desk, gateway) == [SnapshotComplete]
    assert len(gateway.roster) == 10


async def test_the_sum_is_that_of_the_rows_whatever_happened(desk: Desk) -> None:
    await fed(desk, "delta")
    await changed(desk, Change(put=bodies(4, party=2), replaces=["booking"]))
    await changed(desk, Change(put=bodies(9), remove=[("booking", "nobody")]))
    async with desk.database.reading() as work:
        snapshot = await feeds.snapshot(work, GATEWAY)
    held = await head(desk)
    assert (held.hash, held.count) == (snapshot.hash, snapshot.count)


async def test_a_row_that_is_not_as_it_was_sent_is_mended_by_a_snapshot(
    desk: Desk,
) -> None:
    gateway = await fed(desk, "delta")
    gateway.roster.pop("b-00017")  # a card that forgets
    await changed(desk, Change(put=bodies(1, party=7)))
    assert await nudged(desk, gateway) == [ChangesComplete]
    gateway.tick(10)
    await desk.converse(gateway)
    assert len(gateway.roster) == 40
    assert gateway.session.feed.repairs == 1
    assert gateway.sum.hex() == (await head(desk)).hash


async def test_another_history_at_the_same_place_is_noticed(desk: Desk) -> None:
    gateway = await fed(desk, "delta")
    gateway.roster.pop("b-00017")
    gateway.tick(1000)
    await desk.converse(gateway)
    gateway.tick(10)
    await desk.converse(gateway)
    assert len(gateway.roster) == 40
    assert gateway.session.feed.repairs == 1


async def test_an_epoch_that_goes_on_sends_changes_of_its_own(desk: Desk) -> None:
    gateway = await fed(desk, "delta")
    gateway.disconnect()
    gateway.held = FeedCursor(epoch="0003-00c0ffee", rev=70)  # this one was restored
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.held.age == (4, 2)
    gateway.told.clear()
    await changed(desk, Change(put=bodies(1, party=7)))
    assert await nudged(desk, gateway) == [ChangesComplete]
    assert gateway.sum.hex() == (await head(desk)).hash


async def test_a_late_snapshot_of_an_older_epoch_is_refused(desk: Desk) -> None:
    gateway = await fed(desk, "delta")
    held = gateway.held
    assert NO_FEED.age < held.age
    gateway.disconnect()
    gateway.held = FeedCursor(epoch="0009-00c0ffee", rev=1)
    roster = dict(gateway.roster)
    gateway.connect()
    (hello,) = gateway.take_sent()
    outcome = await desk.reception.receive([(hello.topic, hello.payload)], 0)
    for answer in outcome.answers:
        gateway.receive(answer.topic, answer.payload)
    (pull,) = gateway.take_sent()
    [_, wanted] = [
        (await desk.reception.receive([(pull.topic, pull.payload)], 0)).wanted[0]
    ] * 2
    async with desk.database.writing() as work:  # an old server answers
        await work.execute("UPDATE feed SET epoch = ?1, rev = 9", "0002-00c0ffee")
    snapshot = await _snapshot(desk)
    for part in desk.reception._answers.parts(GATEWAY, wanted.pull.nonce, snapshot):
        gateway.receive(part.topic, part.payload)
    assert gateway.held.age == (9, 1)
    assert gateway.roster == roster


async def _snapshot(desk: Desk) -> feeds.Snapshot:
    async with desk.database.reading() as work:
        return await feeds.snapshot(work, GATEWAY)


def test_the_sum_knows_no_order() -> None:
    digests = [bytes([n]) * 32 for n in range(5)]
    assert add(0, digests) == add(0, reversed(digests))
