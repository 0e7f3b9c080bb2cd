# SPDX-License-Identifier: Apache-2.0
"""Social workers confirm minutes: added and never changed, and told by the feed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from cloud_sync.platform import feeds
from cloud_sync.platform.confirmations import ConfirmationError, confirm, feed_rows
from cloud_sync.platform.reports.duty import duty
from cloud_sync.platform.reports.hours import hours
from cloud_sync.platform.reports.shifts import shifts
from edge.core.event import EventKind
from edge.core.people.roster_row import parse_row
from edge.core.people.shift_row import ShiftRow
from tests.cloud_sync.platform.desk import NOW_MS, Desk
from tests.cloud_sync.platform.test_reports import SPAN, answer, sent, told
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

if TYPE_CHECKING:
    from cloud_sync.platform.shift import Shift

START, END = EventKind.DUTY_STARTED, EventKind.DUTY_ENDED
FIRST = f"{EPOCH}:1"
DAY = (
    (START, "desk", 1.0, (), "v-1"),
    (START, "desk", 2.0, (), "v-2"),
    (END, "desk", 3.0, (("cause", 1), ("minutes", 110)), "v-1"),
    (END, "desk", 5.0, (("cause", 2), ("minutes", 720), ("to_confirm", 1)), "v-2"),
    (START, "desk", 6.0, (), "v-1"),
)


@pytest.fixture
async def worked(desk: Desk) -> Desk:
    """A platform that heard of a morning's shifts."""
    await sent(desk, told(*DAY))
    async with desk.database.writing() as work:
        row = {("holder", "v-1"): "{}"}
        await feeds.change(work, GATEWAY, feeds.Change(put=row), NOW_MS)
    return desk


async def known(desk: Desk, name: str = FIRST) -> Shift:
    async with desk.database.reading() as work:
        return next(each for each in await shifts(work, SPAN) if each.name == name)


async def said(
    desk: Desk, minutes: int, reason: str = "", *, name: str = FIRST
) -> bool:
    shift = await known(desk, name)
    async with desk.database.writing() as work:
        agreed = [(shift, minutes)]
        return await confirm(work, GATEWAY, agreed, "李社工", reason, NOW_MS)


async def row_of(desk: Desk, name: str = FIRST) -> ShiftRow:
    """Return the row that the gateway gets, read as it will read it."""
    async with desk.database.reading() as work:
        rows = {(row[0], row[1]): row[3] for row in await feeds.rows(work, GATEWAY)}
    assert ("holder", "v-1") in rows, "what else is in the feed stays"
    row = parse_row("shift", name, json.loads(rows["shift", name]))
    assert isinstance(row, ShiftRow)
    return row


async def test_a_word_goes_into_the_feed_with_what_names_the_shift(
    worked: Desk,
) -> None:
    assert await said(worked, 110)
    row = await row_of(worked)
    assert (row.holder_id, row.boot, row.began_m) == ("v-1", "b", 1000)
    assert (row.minutes, row.by, row.number, row.reason) == (110, "李社工", 1, "")
    [first, *_] = [
        each for each in await answer(worked, hours) if each["holder"] == "v-1"
    ]
    assert (first["confirmed_min"], first["confirmed_points"]) == (110, 1)
    assert first["provisional_min"] == 0


async def test_two_who_confirm_at_once_are_both_in_the_feed(worked: Desk) -> None:
    mine, other = await known(worked), await known(worked, f"{EPOCH}:2")
    async with worked.database.writing() as work:
        await confirm(work, GATEWAY, [(mine, 110)], "李社工", "", NOW_MS)
        beside = asyncio.create_task(said(worked, 60, "left", name=other.name))
        await asyncio.sleep(0.3)  # where the database lets two write, both have
    assert await beside
    for shift in (mine, other):
        assert (await row_of(worked, shift.name)).number == 1


async def test_other_minutes_need_a_reason_and_leave_the_words_before(
    worked: Desk,
) -> None:
    with pytest.raises(ConfirmationError, match="need a --reason"):
        await said(worked, 60)
    await said(worked, 60, "他提早离开")
    await said(worked, 90, "they talked about it")
    assert (await row_of(worked)).number == 2
    words = await worked.table(
        "SELECT number, minutes, was, reason FROM duty_confirmation ORDER BY number"
    )
    assert words == [
        (1, 60, 110, "他提早离开"),
        (2, 90, 60, "they talked about it"),
    ]
    with pytest.raises(ConfirmationError, match="90 minutes are confirmed already"):
        await said(worked, 90)


async def test_what_cannot_be_confirmed_is_told(worked: Desk) -> None:
    with pytest.raises(ConfirmationError, match="runs still"):
        await said(worked, 10, name=f"{EPOCH}:5")
    with pytest.raises(ConfirmationError, match="0 to 720"):
        await said(worked, 721, "long")
    with pytest.raises(ConfirmationError, match="--reason: at most 64"):
        await said(worked, 60, "x" * 65)


async def test_the_list_begins_with_forgotten_ends_and_tells_what_was_taken(
    worked: Desk,
) -> None:
    await said(worked, 110)
    listed = await answer(worked, duty)
    assert [(each["holder"], each["state"]) for each in listed] == [
        ("v-2", "TO_CONFIRM"),
        ("v-1", "CONFIRMED"),
        ("v-1", "RUNNING"),
    ]
    assert [each["at_gateway"] for each in listed] == ["", "no", ""]
    taken = (("actor", "李社工"), ("cause", 1), ("confirmation", 1), ("minutes", 110))
    await sent(worked, told(*DAY, (EventKind.DUTY_CONFIRMED, "panel", 9, taken, "v-1")))
    assert [each["at_gateway"] for each in await answer(worked, duty)][1] == "yes"


async def test_a_gateway_without_a_feed_gets_no_feed_of_confirmations_alone(
    desk: Desk,
) -> None:
    await sent(desk, told(*DAY))
    assert not await said(desk, 110)
    assert await desk.table("SELECT * FROM feed") == []
    async with desk.database.reading() as work:
        assert [*await feed_rows(work, GATEWAY, NOW_MS)] == [("shift", FIRST)]
        late_ms = NOW_MS + 101 * 86_400_000
        [(_, body)] = (await feed_rows(work, GATEWAY, late_ms)).items()
    assert json.loads(body)["total"] == 110, "the newest of a holder stays, for its sum"
