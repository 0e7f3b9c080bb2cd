# SPDX-License-Identifier: Apache-2.0
"""Batches into journals on both databases: once, in order, never over what is there."""

from __future__ import annotations

import asyncio
import json
import random
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform.application import open_database
from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.ledger import LATE_MS
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.registry import presences
from cloud_sync.topics import Topics
from edge.core.chain import canonical, genesis, link
from tests.cloud_sync.driving import Gateway
from tests.cloud_sync.platform.desk import (
    NOW_MS,
    TOPICS,
    Desk,
    altered,
    batch,
    batches,
    expected,
    journal,
    registered,
)
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from cloud_sync.platform.settings import Settings

JOURNAL = journal(60)


def acked(hi: int) -> dict[str, object]:
    held = JOURNAL[hi - 1].hash if hi else genesis(EPOCH)
    return {"gw": GATEWAY, "epoch": EPOCH, "hi": hi, "h": held.hex()}


async def test_batches_are_stored_and_acknowledged_cumulatively(desk: Desk) -> None:
    assert await desk.events(batch(JOURNAL, 1, 20)) == acked(20)
    assert await desk.take(batches(JOURNAL, 20)[1:]) == [acked(60)]
    assert await desk.stored() == expected(JOURNAL)
    [kept] = await desk.table(
        "SELECT kind, at, lo, core, pii, com FROM event WHERE seq = 3"
    )
    record = JOURNAL[2]
    assert kept == ("ACCESS_GRANTED", "门-1", 3, record.core, record.pii, None)
    assert await desk.refusals() == {}


async def test_what_comes_again_is_stored_once_and_acknowledged_again(
    desk: Desk,
) -> None:
    handful = batches(JOURNAL[:40], 20)
    assert await desk.take([*handful, *handful]) == [acked(40)]
    assert await desk.events(batch(JOURNAL, 11, 10)) == acked(40)
    assert await desk.events(batch(JOURNAL, 31, 20)) == acked(50)
    assert await desk.stored() == expected(JOURNAL[:50])
    assert await desk.table("SELECT hi, repeated FROM journal") == [(50, 60)]
    assert await desk.alarms() == []


async def test_a_gap_is_not_applied_and_the_answer_says_where_to_go_on(
    desk: Desk,
) -> None:
    assert await desk.events(batch(JOURNAL, 2, 5)) == acked(0)
    assert await desk.events(batch(JOURNAL, 1, 10)) == acked(10)
    assert await desk.events(batch(JOURNAL, 12, 5)) == acked(10)
    assert await desk.stored() == expected(JOURNAL[:10])
    assert await desk.refusals() == {(GATEWAY, "GAP"): 2}


async def test_another_event_under_a_stored_number_is_an_alarm_and_changes_nothing(
    desk: Desk,
) -> None:
    await desk.events(batch(JOURNAL, 1, 20))
    forked = JOURNAL[:10] + journal(30, salt=b"another-16-bytes")[10:]
    assert await desk.events(batch(forked, 8, 15)) == acked(20)
    assert await desk.stored() == expected(JOURNAL[:20])
    assert await desk.alarms() == [(EPOCH, 11, "FORK")]
    assert await desk.events(batch(forked, 21, 5)) == acked(20)
    assert await desk.alarms() == [(EPOCH, 11, "FORK"), (EPOCH, 20, "FORK")]
    assert await desk.refusals() == {(GATEWAY, "FORK"): 2}
    assert await desk.events(batch(JOURNAL, 21, 5)) == acked(25)


async def test_a_fork_within_one_handful_is_seen_too(desk: Desk) -> None:
    other = journal(30, salt=b"another-16-bytes")
    handful = [batch(JOURNAL, 1, 20), batch(other, 1, 10)]
    answers = await desk.take([(TOPICS.events, each) for each in handful])
    assert answers == [acked(20)]
    assert await desk.alarms() == [(EPOCH, 1, "FORK")]


@pytest.mark.parametrize(
    ("core", "why"),
    [
        ({"at": "d", "k": "X", "lo": 1, "odd": 1.5}, "core is no object of integers"),
        ({"at": "d", "k": "X", "lo": 1, "odd": [1]}, "core is no object of integers"),
        ({"at": "d", "k": "lower", "lo": 1}, "core.k is no kind"),
        ({"at": "d\x00", "k": "X", "lo": 1}, "core.at is no subject"),
        ({"at": "d", "k": "X"}, "core.lo is no time"),
        ({"at": "d", "k": "X", "lo": 1 << 70}, "core.lo is no time"),
        (["not", "an", "object"], "core is no object"),
    ],
)
async def test_an_item_that_makes_no_sense_is_set_aside_and_blocks_nothing(
    desk: Desk, core: object, why: str
) -> None:
    message = json.loads(batch(JOURNAL, 1, 6))
    del message["data"]["head"]  # as a gateway of before it told one
    item = message["data"]["items"][5]
    item["core"] = core
    com = bytes.fromhex(item.pop("com", "")) or None
    if com is None:
        item.pop("pii"), item.pop("salt")
        com = bytes(32)
        item["com"] = com.hex()
    held = link(JOURNAL[4].hash, canonical(core), com)  # type: ignore[arg-type]
    ack = await desk.events(canonical(message).encode())
    assert (ack["hi"], ack["h"]) == (6, held.hex())
    [(seq, told)] = await desk.table("SELECT seq, why FROM quarantine")
    assert seq == 6
    assert told.startswith(why)


async def test_an_item_that_cannot_be_hashed_is_set_aside_and_acknowledged(
    desk: Desk,
) -> None:
    message = json.loads(batch(JOURNAL, 1, 6))
    del message["data"]["head"]  # as a gateway of before it told one
    message["data"]["items"][2].pop("salt")
    message["data"]["items"][4] = "\ud800"
    ack = await desk.events(json.dumps(message).encode())
    assert ack["hi"] == 6
    assert ack["h"] != JOURNAL[5].hash.hex()
    rows = await desk.table("SELECT seq, why FROM quarantine ORDER BY seq")
    assert [seq for seq, _ in rows] == [3, 5]
    assert {why[:16] for _, why in rows} == {"cannot be hashed"}


async def test_a_kind_of_event_that_nobody_here_knows_is_an_event(desk: Desk) -> None:
    message = json.loads(batch(JOURNAL, 1, 1))
    message["data"]["items"][0]["core"]["k"] = "LAMP_TALKED"
    await desk.events(canonical(message).encode())
    assert await desk.table("SELECT kind FROM event") == [("LAMP_TALKED",)]
    assert await desk.table("SELECT seq FROM quarantine") == []


async def test_who_is_not_registered_or_in_another_shard_is_refused_and_counted(
    desk: Desk,
) -> None:
    wrong = Topics(gateway=GATEWAY, shard="08")
    strange = Topics(gateway="gw-nobody", shard="07")
    payload = batch(JOURNAL, 1, 5)
    assert await desk.take([(wrong.events, payload), (strange.events, payload)]) == []
    assert await desk.take([("mn/v1/up/07/gw!/evt", payload)]) == []
    assert await desk.stored() == []
    counted = {("", "WRONG_SHARD"): 1, ("", "UNKNOWN_GATEWAY"): 1, ("", "TOPIC"): 1}
    assert await desk.refusals() == counted
    async with desk.database.reading() as work:
        [gateway] = await presences(work, NOW_MS, 300)
    assert not gateway.is_online


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 60_000,
        b"x" * 65_537,
        altered(batch(JOURNAL, 1, 5), first=None),
        altered(batch(JOURNAL, 1, 5), first=2),
        altered(batch(JOURNAL, 1, 5), first=True),
        altered(batch(JOURNAL, 1, 5), epoch="1"),
        altered(batch(JOURNAL, 1, 5), prev="00"),
        altered(batch(JOURNAL, 1, 5), items=[]),
        batch(JOURNAL, 1, 5).replace(b'"seq":2', b'"seq":9'),
        batch(JOURNAL, 1, 5).replace(b"/gw/gw-kitchen-01", b"/gw/gw-kitchen-02"),
        batch(JOURNAL, 1, 5).replace(b"mn.evt.batch.v1", b"mn.hello.v1"),
        batch(JOURNAL, 1, 5).replace(b'"lo":1,', b'"lo":' + b"1" * 5000 + b","),
    ],
)
async def test_what_cannot_be_read_is_counted_and_the_rest_of_the_handful_stored(
    desk: Desk, payload: bytes
) -> None:
    answers = await desk.take([(TOPICS.events, payload), *batches(JOURNAL[:9], 9)])
    assert answers == [acked(9)]
    assert await desk.stored() == expected(JOURNAL[:9])
    assert await desk.refusals() == {(GATEWAY, "MALFORMED"): 1}


async def test_many_gateways_share_a_commit(desk: Desk) -> None:
    others = [Topics(gateway=f"gw-{number:02}", shard="00") for number in range(10)]
    await registered(desk.database, *others)
    payload = batch(JOURNAL, 1, 20)
    handful = [
        (each.events, payload.replace(GATEWAY.encode(), each.gateway.encode()))
        for each in others
    ]
    answers = await desk.take(handful)
    assert [each["gw"] for each in answers] == [each.gateway for each in others]
    assert {each["hi"] for each in answers} == {20}
    assert await desk.table("SELECT count(*) FROM event") == [(200,)]


async def test_a_handful_that_fails_leaves_nothing_said_and_nothing_stored(
    desk: Desk,
) -> None:
    async with desk.database.writing() as work:
        await work.execute("ALTER TABLE event RENAME TO elsewhere")
    with pytest.raises(DatabaseError):
        await desk.take(batches(JOURNAL, 20))
    async with desk.database.writing() as work:
        await work.execute("ALTER TABLE elsewhere RENAME TO event")
    assert await desk.table("SELECT * FROM journal") == []
    assert await desk.take(batches(JOURNAL, 20)) == [acked(60)]


async def test_two_platforms_on_one_database_store_everything_once(desk: Desk) -> None:
    second = Reception(desk.database, desk.reception._answers)
    messages = batches(JOURNAL, 10)
    both = (
        each.receive([message], NOW_MS)
        for message in messages
        for each in (desk.reception, second)
    )
    await asyncio.gather(*both)
    await desk.take(messages)
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.alarms() == []


async def test_a_lost_acknowledgement_is_healed_by_the_next(desk: Desk) -> None:
    gateway = Gateway(JOURNAL)
    desk.lost = 1
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.acked == 0
    gateway.tick(61.0)
    await desk.converse(gateway)
    assert gateway.acked == 60
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.table("SELECT hi, repeated FROM journal") == [(60, 60)]


async def test_a_platform_restored_from_a_backup_gets_what_it_lost_again(
    desk: Desk,
) -> None:
    gateway = Gateway(JOURNAL)
    gateway.connect()
    await desk.converse(gateway)
    async with desk.database.writing() as work:
        await work.execute("DELETE FROM event WHERE seq > 25")
        sql = "UPDATE journal SET hi = 25, hash = ?1"
        await work.execute(sql, JOURNAL[24].hash)
    gateway.disconnect()
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.acked == 60
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.alarms() == []


@pytest.mark.parametrize(
    ("restored", "alarm"),
    [
        (JOURNAL[:30], (EPOCH, 30, "RESTORED")),
        (
            JOURNAL[:10] + journal(40, salt=b"another-16-bytes")[10:],
            (EPOCH, 40, "FORK"),
        ),
        ([], (EPOCH, 0, "RESTORED")),
    ],
)
async def test_a_gateway_restored_from_a_backup_is_an_alarm_and_opens_an_epoch(
    desk: Desk, restored: list[object], alarm: tuple[str, int, str]
) -> None:
    await desk.take(batches(JOURNAL, 20))
    desk.now_ms += LATE_MS
    gateway = Gateway(restored)  # type: ignore[arg-type]
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.needs_connection
    assert await desk.alarms() == [alarm]
    gateway.epoch = "0002-0badcafe"
    gateway.journal = journal(12, epoch=gateway.epoch)
    gateway.connect()
    await desk.converse(gateway)
    assert gateway.acked == 12
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.stored(gateway.epoch) == expected(gateway.journal)


async def test_a_greeting_that_comes_again_behind_its_batches_is_no_alarm(
    desk: Desk,
) -> None:
    gateway = Gateway(JOURNAL[:10])
    gateway.connect()
    [hello] = [each for each in gateway.sent if each.topic.endswith("/hello")]
    await desk.converse(gateway)
    gateway.journal = list(JOURNAL)
    gateway.send_rows()
    await desk.converse(gateway)
    await desk.take([(hello.topic, hello.payload)])
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.alarms() == []


async def test_two_platforms_on_one_database_add_to_a_journal_after_each_other(
    desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    messages = batches(JOURNAL, 3)
    async with open_database(settings, tmp_path) as other:
        desks = (desk, Desk(other))

        async def work(one: Desk, seed: int) -> None:
            order = [*messages, *messages]
            random.Random(seed).shuffle(order)
            # Whatever comes too early is sent again by its gateway.
            for handful in (order[:9], order[9:], messages):
                await one.take(handful)

        await asyncio.gather(*(work(one, seed) for seed, one in enumerate(desks)))
    assert await desk.stored() == expected(JOURNAL)
    assert await desk.table("SELECT hi FROM journal") == [(60,)]
    assert await desk.alarms() == []


async def test_being_online_is_a_lease(desk: Desk) -> None:
    gateway = Gateway(JOURNAL)
    gateway.connect()
    await desk.converse(gateway)
    for later_ms, is_online in ((0, True), (600_000, True), (600_001, False)):
        async with desk.database.reading() as work:
            [known] = await presences(work, NOW_MS + later_ms, 300)
        assert known.is_online is is_online
    assert (known.epoch, known.stored, known.waiting) == (EPOCH, 60, 0)
    assert known.firmware == "0.1.0"
