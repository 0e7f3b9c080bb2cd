# SPDX-License-Identifier: Apache-2.0
"""Presence by lease, alarms ahead of their turn, days, and what does not add up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync import envelope
from cloud_sync.platform.registry import presences
from cloud_sync.platform.reports.reconciliation import reconciliation
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.reports.trouble import trouble
from cloud_sync.platform.reports.urgent import urgent
from cloud_sync.platform.told_beside import ALONE
from edge.core.chain import canonical, commitment, genesis, link
from edge.core.moment import UNBOUNDED_MS
from tests.cloud_sync.contract.schemas import flaws_as_sent
from tests.cloud_sync.platform.desk import NOW_MS, TOPICS, Desk, batch, chained, journal
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

if TYPE_CHECKING:
    from cloud_sync.platform.registry import Presence
    from edge.core.record import Record

NEXT_EPOCH = "0002-0badcafe"
NONCE = "ab" * 16
JOURNAL = journal(30)
#: A forced door as the 20th of a backlog.
CORES = [
    {"at": "门-1", "b": "b", "hi": n, "k": "ACCESS_GRANTED", "lo": n, "m": n}
    for n in range(1, 31)
]
CORES[19]["k"] = "DOOR_FORCED_OPEN"
FORCED = chained(CORES, [{"holder": f"h-{n}"} for n in range(30)])
BEAT = envelope.Beat(
    nonce=NONCE,
    number=1,
    lease_s=60,
    boot="b",
    epoch=EPOCH,
    last_seq=30,
    waiting=7,
    oldest_s=90,
    earliest_ms=NOW_MS + 2_000,
    latest_ms=NOW_MS + 3_000,
)
WHOLE = Span(from_ms=0, to_ms=NOW_MS, utc_offset_ms=0)


async def present(desk: Desk, now_ms: int) -> Presence:
    async with desk.database.reading() as work:
        [gateway] = await presences(work, now_ms, 300)
    return gateway


async def hello(desk: Desk, records: list[Record], *, epoch: str = EPOCH) -> None:
    greeting = envelope.Greeting(
        epoch=epoch,
        last_seq=len(records),
        head=records[-1].hash if records else genesis(epoch),
        nonce=NONCE,
        boot="b",
        earliest_ms=1,
        latest_ms=2,
        firmware="0.1.0",
        feed_epoch="",
        feed_rev=0,
    )
    message = (TOPICS.hello, envelope.hello(GATEWAY, greeting))
    outcome = await desk.reception.receive([message], desk.now_ms)
    [answer] = outcome.answers
    assert flaws_as_sent("signed_hello_answer.json", answer.payload.decode()) == []
    assert desk.opened(answer.topic, answer.payload)["caps"] == ["hb", "alm", "day"]


def early(record: Record, *, epoch: str = EPOCH) -> tuple[str, bytes]:
    return TOPICS.alarm, envelope.early(GATEWAY, epoch, record, NOW_MS)


def told(first: int, last: int, head: bytes, *, epoch: str = EPOCH) -> bytes:
    day = envelope.DayStretch(
        epoch=epoch, day="1970-01-01", first=first, last=last, hash=head
    )
    return envelope.day(GATEWAY, day, NOW_MS)


async def compared(desk: Desk, payload: bytes) -> Any:
    """Tell a day; return the signed answer, which fits its schema."""
    outcome = await desk.reception.receive([(TOPICS.day, payload)], NOW_MS)
    [day] = outcome.days
    answer = await desk.reception.compare(day, NOW_MS)
    assert flaws_as_sent("signed_day_answer.json", answer.payload.decode()) == []
    return desk.opened(answer.topic, answer.payload)


# -- presence ----------------------------------------------------------------------
async def test_a_heartbeat_grants_a_lease_that_every_message_renews(desk: Desk) -> None:
    await hello(desk, FORCED)
    beat = (TOPICS.heartbeat, envelope.heartbeat(GATEWAY, BEAT))
    outcome = await desk.reception.receive([beat], NOW_MS)
    [answer] = outcome.answers
    assert flaws_as_sent("signed_heartbeat_answer.json", answer.payload.decode()) == []
    body = desk.opened(answer.topic, answer.payload)
    assert body == {"gw": GATEWAY, "nonce": NONCE, "n": 1}
    seen = await present(desk, NOW_MS + 60_000)
    assert (seen.is_online, seen.until_ms) == (True, NOW_MS + 60_000)
    assert (seen.waiting, seen.oldest_s) == (7, 90)
    assert (seen.offset_ms, seen.width_ms) == (2_000, 1_000)
    assert not (await present(desk, NOW_MS + 60_001)).is_online
    desk.now_ms = NOW_MS + 50_000
    await desk.events(batch(FORCED, 1, 5))
    assert (await present(desk, NOW_MS + 110_000)).is_online
    assert not (await present(desk, NOW_MS + 110_001)).is_online


async def test_a_gateway_that_grants_no_lease_has_that_of_the_settings(
    desk: Desk,
) -> None:
    await desk.take([(TOPICS.heartbeat, envelope.heartbeat(GATEWAY, BEAT))])
    desk.now_ms = NOW_MS + 1
    await hello(desk, FORCED)  # of an older version that was put back
    seen = await present(desk, NOW_MS + 600_000)
    assert seen.is_online
    assert (seen.waiting, seen.width_ms) == (30, None)


async def test_a_clock_without_an_upper_bound_is_seen(desk: Desk) -> None:
    blind = replace(BEAT, earliest_ms=0, latest_ms=253_402_300_799_999)
    await desk.take([(TOPICS.heartbeat, envelope.heartbeat(GATEWAY, blind))])
    seen = await present(desk, NOW_MS)
    assert (seen.offset_ms, seen.width_ms) == (0, -1)
    assert seen.clock == "right, no upper bound"
    late = replace(BEAT, earliest_ms=NOW_MS - 9_000, latest_ms=NOW_MS - 5_000)
    await desk.take([(TOPICS.heartbeat, envelope.heartbeat(GATEWAY, late))])
    assert (await present(desk, NOW_MS)).clock == "-5.0 s off, to 4.0 s"
    hardly = replace(BEAT, earliest_ms=NOW_MS - 90, latest_ms=NOW_MS - 40)
    await desk.take([(TOPICS.heartbeat, envelope.heartbeat(GATEWAY, hardly))])
    seen = await present(desk, NOW_MS)
    assert seen.offset_ms == -40
    assert seen.clock == "right, to 0.1 s", "less than is told is nothing"


# -- alarms ------------------------------------------------------------------------
async def test_an_early_word_shows_at_once_and_is_the_event_once_that_comes(
    desk: Desk,
) -> None:
    await desk.events(batch(FORCED, 1, 5))
    assert await desk.take([early(FORCED[19]), early(FORCED[19])]) == []
    async with desk.database.reading() as work:
        [shown] = (await urgent(work, WHOLE)).rows
    assert shown[1:5] == (GATEWAY, "DOOR_FORCED_OPEN", "门-1", f"{EPOCH}:20")
    assert shown[-1] == "told early"
    for first in (6, 16):
        await desk.events(batch(FORCED, first, 10))
    async with desk.database.reading() as work:
        [shown] = (await urgent(work, WHOLE)).rows
    assert shown[-1] == "stored"
    assert await desk.alarms() == []
    [(joined,)] = await desk.table("SELECT joined_ms FROM early")
    assert joined == NOW_MS


async def test_people_are_called_for_an_early_word_and_not_again_for_its_event(
    desk: Desk,
) -> None:
    cores = [core | {"lo": NOW_MS, "hi": NOW_MS} for core in CORES]
    fresh = chained(cores, [{"holder": f"h-{n}"} for n in range(30)])
    await desk.take([early(fresh[19]), early(fresh[19])])
    called = [("DOOR_FORCED_OPEN", "门-1", 20, 1)]
    found = "SELECT kind, subject, seq, times FROM incident"
    assert await desk.table(found) == called
    await desk.events(batch(fresh, 1, 30))
    assert await desk.table(found) == called


async def test_an_early_word_that_comes_late_is_joined_as_well(desk: Desk) -> None:
    await desk.events(batch(FORCED, 1, 30))
    await desk.take([early(FORCED[19]), early(FORCED[6])])  # one of an erased person
    rows = await desk.table("SELECT seq, joined_ms, differs FROM early ORDER BY seq")
    assert rows == [(7, NOW_MS, 0), (20, NOW_MS, 0)]


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_early_word_that_was_another_event_is_trouble(
    desk: Desk, *, is_late: bool
) -> None:
    other = FORCED[19]._replace(core=FORCED[19].core.replace("门-1", "门-2"))
    if not is_late:
        await desk.take([early(other)])
    await desk.events(batch(FORCED, 1, 30))
    if is_late:
        await desk.take([early(other)])
    assert await desk.alarms() == [(EPOCH, 20, "EARLY")]
    async with desk.database.reading() as work:
        [shown] = (await urgent(work, WHOLE)).rows
        [line] = (await trouble(work, 0)).rows
    assert shown[-1] == "DIFFERS from what was told early"
    assert shown[3] == "门-1", "the journal is the truth"
    assert "another than the event" in str(line[-1])


async def test_an_early_word_is_joined_under_the_number_of_a_new_epoch(
    desk: Desk,
) -> None:
    await desk.events(batch(FORCED, 1, 10))
    await desk.take([early(FORCED[19])])
    anew, previous = [], genesis(NEXT_EPOCH)
    for seq, record in enumerate(FORCED[10:], 1):
        com = record.commitment
        if record.salt is not None and record.pii is not None:
            com = commitment(record.salt, record.pii)
        assert com is not None
        previous = link(previous, record.core, com)
        anew.append(record._replace(seq=seq, hash=previous))
    filled = envelope.fill_batch(
        gateway=GATEWAY,
        epoch=NEXT_EPOCH,
        previous=genesis(NEXT_EPOCH),
        records=anew,
        time_ms=NOW_MS,
    )
    await desk.events(filled.payload)
    rows = await desk.table("SELECT epoch, seq, joined_ms, differs FROM early")
    assert rows == [(EPOCH, 20, NOW_MS, 0)]
    assert await desk.alarms() == []


def test_an_item_alone_has_the_hash_that_the_contract_says() -> None:
    assert bytes(32) == ALONE


# -- days ----------------------------------------------------------------------------
async def test_a_day_agrees_whole_and_with_erased_people_in_it(desk: Desk) -> None:
    await hello(desk, JOURNAL)
    await desk.events(batch(JOURNAL, 1, 30))
    answer = await compared(desk, told(5, 24, JOURNAL[23].hash))
    assert (answer["verdict"], answer["count"]) == ("agreed", 20)
    assert answer["h"] == JOURNAL[23].hash.hex()
    async with desk.database.reading() as work:
        table = await reconciliation(work, replace(WHOLE, to_ms=86_400_000))
    [row] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert (row["first"], row["last"], row["told"], row["good"]) == (
        *(5, 24, "agreed", "yes"),
    )
    ever = Span(from_ms=-UNBOUNDED_MS, to_ms=UNBOUNDED_MS, utc_offset_ms=0)
    async with desk.database.reading() as work:
        table = await reconciliation(work, ever)
    [row] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert (row["count"], row["last"], row["told"]) == (30, 30, "not told yet")
    assert await desk.alarms() == []


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ("DELETE FROM event WHERE seq = 10", "MISSING"),
        ("UPDATE event SET core = '{}' WHERE seq = 12", "CHAIN at 12"),
        (
            (
                "UPDATE event SET hash = (SELECT hash FROM event WHERE seq = 1) "
                "WHERE seq = 24"
            ),
            "HASH",
        ),
    ],
)
async def test_a_day_that_differs_is_told_with_what_is_here(
    desk: Desk, spoilt: str, why: str
) -> None:
    await hello(desk, JOURNAL)
    await desk.events(batch(JOURNAL, 1, 30))
    async with desk.database.writing() as work:
        await work.execute(spoilt)
    answer = await compared(desk, told(5, 24, JOURNAL[23].hash))
    assert (answer["verdict"], answer["why"]) == ("differs", why)
    assert answer["count"] == (19 if why == "MISSING" else 20)
    assert await desk.alarms() == [(EPOCH, 24, "DAY")]
    async with desk.database.reading() as work:
        table = await reconciliation(work, replace(WHOLE, to_ms=86_400_000))
    [row] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert row["good"] == "NO"
    assert str(row["told"]) == f"differs: {why}"


async def test_a_platform_that_has_less_asks_for_patience_while_more_may_come(
    desk: Desk,
) -> None:
    await hello(desk, JOURNAL)
    await desk.events(batch(JOURNAL, 1, 20))
    answer = await compared(desk, told(5, 24, JOURNAL[23].hash))
    assert answer["verdict"] == "later"
    assert await desk.alarms() == []
    await hello(desk, [], epoch=NEXT_EPOCH)
    answer = await compared(desk, told(5, 24, JOURNAL[23].hash))
    assert (answer["verdict"], answer["count"]) == ("differs", 16)
    answer = await compared(desk, told(1, 2, bytes(32), epoch="0009-00c0ffee"))
    assert (answer["verdict"], answer["why"]) == ("differs", "MISSING")


# -- what does not add up --------------------------------------------------------------
async def test_an_item_that_cannot_be_hashed_ends_no_epoch(desk: Desk) -> None:
    message = json.loads(batch(JOURNAL, 1, 20))
    message["data"]["items"][11] = {"raw": '{"k":', "seq": 12}
    payload = canonical(message).encode()
    ack = await desk.events(payload)
    assert (ack["hi"], ack["h"]) == (20, JOURNAL[19].hash.hex())
    assert await desk.alarms() == [(EPOCH, 12, "UNPROVEN")]
    [(seq, why)] = await desk.table("SELECT seq, why FROM quarantine")
    assert seq == 12
    assert why.startswith("cannot be hashed")
    # The same again, and in other pieces, is nothing new; the chain goes on.
    assert (await desk.events(payload))["hi"] == 20
    assert (await desk.events(batch(JOURNAL, 3, 12)))["hi"] == 20
    assert (await desk.events(batch(JOURNAL, 19, 12)))["hi"] == 30
    assert await desk.alarms() == [(EPOCH, 12, "UNPROVEN")]
    answer = await compared(desk, told(1, 30, JOURNAL[29].hash))
    assert (answer["verdict"], answer["why"]) == ("differs", "CHAIN at 12")
    answer = await compared(desk, told(21, 30, JOURNAL[29].hash))
    assert answer["verdict"] == "agreed"


async def test_a_row_that_was_changed_on_the_gateway_is_an_alarm_and_no_stop(
    desk: Desk,
) -> None:
    message = json.loads(batch(JOURNAL, 1, 20))
    message["data"]["items"][11]["core"]["at"] = "another door"
    ack = await desk.events(canonical(message).encode())
    assert (ack["hi"], ack["h"]) == (20, JOURNAL[19].hash.hex())
    assert await desk.alarms() == [(EPOCH, 1, "UNPROVEN")]
    assert (await desk.events(batch(JOURNAL, 21, 10)))["hi"] == 30
    fork = journal(40, salt=b"another-16-bytes")
    assert (await desk.events(batch(fork, 25, 10)))["hi"] == 30
    assert (EPOCH, 24, "FORK") in await desk.alarms()
