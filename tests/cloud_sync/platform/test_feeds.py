# SPDX-License-Identifier: Apache-2.0
"""Feeds from tables: revisions, snapshots that gateways take, epochs that go on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.feed import NO_FEED, FeedCursor, FeedPart, SnapshotAssembler, Staged
from cloud_sync.messages import read
from cloud_sync.platform import feeds
from cloud_sync.platform.feeds import EVERY_KIND, PART_BYTES, Change, FeedError
from cloud_sync.platform.reception import Wanted
from cloud_sync.platform.uplink import Pull
from cloud_sync.topics import Channel
from edge.core.chain import canonical
from tests.cloud_sync.driving import Gateway
from tests.cloud_sync.platform.desk import NOW_MS, Desk, journal
from tests.cloud_sync.scripted_platform import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.feeds import Changed

NONCE = "0f" * 16


def bodies(count: int, **more: object) -> dict[tuple[str, str], str]:
    return {
        ("booking", f"b-{number:05}"): canonical({"holder": f"周-{number}", **more})
        for number in range(count)
    }


async def changed(desk: Desk, change: Change) -> Changed:
    async with desk.database.writing() as work:
        return await feeds.change(work, GATEWAY, change, NOW_MS)


async def parts(desk: Desk, held: FeedCursor = NO_FEED) -> Sequence[FeedPart]:
    wanted = Wanted(gateway=GATEWAY, pull=Pull(nonce=NONCE, held=held))
    found = []
    for each in await desk.reception.feed(wanted):
        part = read(Channel.FEED, desk.opened(each.topic, each.payload))
        assert isinstance(part, FeedPart)
        found.append(part)
    return found


async def test_a_change_moves_the_revision_and_no_change_does_not(desk: Desk) -> None:
    first = await changed(desk, Change(put=bodies(3)))
    assert first.cursor.epoch[:5] == "0001-"
    assert (first.cursor.rev, first.written, first.rows) == (1, 3, 3)
    again = await changed(desk, Change(put=bodies(3)))
    assert (again.cursor, again.written, again.unchanged) == (first.cursor, 0, 3)
    one = await changed(desk, Change(put=bodies(1, party=2)))
    assert (one.cursor.rev, one.written, one.rows) == (2, 1, 3)
    gone = await changed(desk, Change(put={}, remove=[("booking", "b-00001")]))
    assert (gone.cursor.rev, gone.removed, gone.rows) == (3, 1, 2)
    nobody = await changed(desk, Change(put={}, remove=[("booking", "nobody")]))
    assert (nobody.cursor.rev, nobody.removed) == (3, 0)
    [part] = await parts(desk)
    versions = {row["id"]: row["ver"] for row in part.rows if isinstance(row, dict)}
    assert versions == {"b-00000": 2, "b-00002": 1}


async def test_what_a_file_replaces_goes_unless_it_is_in_the_file(desk: Desk) -> None:
    await changed(desk, Change(put={("holder", "h-1"): "{}", **bodies(3)}))
    some = await changed(desk, Change(put=bodies(1), replaces=["booking"]))
    assert (some.removed, some.unchanged, some.rows) == (2, 1, 2)
    every = await changed(desk, Change(put=bodies(1), replaces=[EVERY_KIND]))
    assert (every.removed, every.rows) == (1, 1)


async def test_a_snapshot_in_many_parts_is_one_that_a_gateway_takes(desk: Desk) -> None:
    done = await changed(desk, Change(put=bodies(2000, note='引"号\\' * 8)))
    found = await parts(desk)
    assert len(found) > 3
    assembler = SnapshotAssembler(NONCE, NO_FEED)
    answers = [assembler.receive(part) for part in reversed(found)]
    assert all(isinstance(each, Staged) for each in answers)
    assert [isinstance(each, Staged) and each.is_complete for each in answers] == [
        *([False] * (len(found) - 1)),
        True,
    ]
    assert found[0].cursor == done.cursor
    wanted = Wanted(gateway=GATEWAY, pull=Pull(nonce=NONCE, held=NO_FEED))
    for each in await desk.reception.feed(wanted):
        body = desk.opened(each.topic, each.payload)
        assert len(canonical(body).encode()) <= PART_BYTES


async def test_an_emptied_feed_is_one_part_without_rows(desk: Desk) -> None:
    await changed(desk, Change(put=bodies(2)))
    await changed(desk, Change(put={}, replaces=[EVERY_KIND]))
    [part] = await parts(desk)
    assert (part.parts, part.count, part.rows) == (1, 0, ())
    staged = SnapshotAssembler(NONCE, NO_FEED).receive(part)
    assert isinstance(staged, Staged)
    assert staged.is_complete


async def test_where_nobody_wrote_a_feed_nothing_is_sent(desk: Desk) -> None:
    gateway = Gateway(journal(5))
    gateway.held = FeedCursor(epoch="0004-00c0ffee", rev=9)
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.held.rev == 9
    [part] = await parts(desk, gateway.held)
    assert (part.parts, part.cursor) == (0, gateway.held)
    first = await changed(desk, Change(put=bodies(1)))
    assert first.cursor.age == (5, 1)  # above what the gateway said it holds


async def test_a_gateway_pulls_and_then_is_current(desk: Desk) -> None:
    done = await changed(desk, Change(put=bodies(700)))
    gateway = Gateway(journal(5))
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.held == done.cursor
    assert len(gateway.roster) == 700
    assert (await parts(desk, gateway.held))[0].parts == 0
    gateway.disconnect()
    gateway.connect()
    await desk.converse(gateway)
    held = await desk.table("SELECT feed_epoch, feed_rev FROM gateway")
    assert held == [(done.cursor.epoch, 1)]


async def test_a_nudge_tells_of_a_change_once(desk: Desk) -> None:
    gateway = Gateway(journal(5))
    gateway.connect()
    await desk.converse(gateway)
    told, nudges = await desk.reception.news({})
    assert nudges == []
    await changed(desk, Change(put=bodies(4)))
    told, [nudge] = await desk.reception.news(told)
    gateway.receive(nudge.topic, nudge.payload)
    await desk.converse(gateway)
    assert len(gateway.roster) == 4
    told, nudges = await desk.reception.news(told)
    assert nudges == []


@pytest.mark.parametrize(
    ("held", "above"),
    [
        (FeedCursor(epoch="0001-ffffffff", rev=3), (2, 2)),
        (FeedCursor(epoch="0007-00c0ffee", rev=1), (8, 2)),
        (FeedCursor(epoch="9999-00c0ffee", rev=41), (9999, 42)),
    ],
)
async def test_a_feed_restored_from_a_backup_goes_on_above_what_is_held(
    desk: Desk, held: FeedCursor, above: tuple[int, int]
) -> None:
    await changed(desk, Change(put=bodies(3)))
    gateway = Gateway(journal(5))
    gateway.held = held
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.held.age == above
    assert len(gateway.roster) == 3
    assert (await changed(desk, Change(put=bodies(4)))).cursor.rev == above[1] + 1


async def test_a_feed_for_nobody_is_refused(desk: Desk) -> None:
    async with desk.database.writing() as work:
        with pytest.raises(FeedError, match="no gateway gw-nobody"):
            await feeds.change(work, "gw-nobody", Change(put=bodies(1)), NOW_MS)


async def test_rows_come_out_as_an_import_takes_them(desk: Desk) -> None:
    await changed(desk, Change(put=bodies(2)))
    async with desk.database.reading() as work:
        rows = await feeds.rows(work, GATEWAY)
    lines = [json.loads(feeds.row_text(*row)) for row in rows]
    assert [(line["kind"], line["id"], line["ver"]) for line in lines] == [
        ("booking", "b-00000", 1),
        ("booking", "b-00001", 1),
    ]
