# SPDX-License-Identifier: Apache-2.0
"""Alarms find somebody who answers: by a hand clock, on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.platform.alarms import call_list
from cloud_sync.platform.alarms.answering import AnswerError, answer
from cloud_sync.platform.alarms.call_list import Contact
from cloud_sync.platform.alarms.hearing import Told as Heard
from cloud_sync.platform.alarms.hearing import hear
from cloud_sync.platform.alarms.routing import Patience, Routing
from cloud_sync.platform.reports.alarms import alarms, responses
from cloud_sync.platform.reports.stored import Span
from edge.core.event import EventKind
from tests.cloud_sync.platform.test_reports import (
    DAY_MS,
    HOUR_MS,
    OFFSET_MS,
    Told,
    sent,
    told,
)
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY

if TYPE_CHECKING:
    from cloud_sync.platform.alarms.callers import Caller, Message
    from cloud_sync.platform.reports.table import Table
    from tests.cloud_sync.platform.desk import Desk

MINUTE_MS = 60_000
NINE_MS = DAY_MS + 9 * HOUR_MS
EVER = Span(from_ms=0, to_ms=1 << 52, utc_offset_ms=OFFSET_MS)
RANG: Told = (EventKind.CALL_RAISED, "kitchen-door", 9.0, (("staff", 0),), "")
CAME: Told = (
    EventKind.CALL_ANSWERED,
    "kitchen-door",
    9.01,
    (("actor", "chen"), ("after_s", 36), ("rings", 1)),
    "",
)
LIST = [
    Contact(round=1, who="chen", reach="tel:1", hours=""),
    Contact(round=1, who="night", reach="tel:2", hours="daily 20:00-24:00"),
    Contact(round=2, who="wu", reach="tel:3", hours="mon 08:00-18:00"),
    Contact(round=2, who="he", reach="tel:4", hours=""),
    Contact(round=3, who="office", reach="tel:5", hours=""),
]


class Phone:
    """A caller that remembers; ``why`` is what it cannot do."""

    def __init__(self) -> None:
        self.made: list[Message] = []
        self.why = ""

    async def call(self, message: Message) -> str:
        self.made.append(message)
        await asyncio.sleep(0)
        return self.why

    def take(self) -> list[tuple[str, str]]:
        """Return what was said to whom since the last look."""
        made, self.made = self.made, []
        return sorted((str(each["who"]), str(each["what"])) for each in made)


class Ward:
    """A platform with a call list, a phone and a clock that stands."""

    def __init__(self, desk: Desk, **patience: int) -> None:
        self.desk = desk
        self.phone = Phone()
        self.patience = Patience(**patience)
        self.routing = self.fresh(self.phone)
        desk.now_ms = NINE_MS + 1_000

    def fresh(self, caller: Caller | None) -> Routing:
        """Return the routing of a platform that has just started."""
        return Routing(
            self.desk.database,
            caller=caller,
            patience=self.patience,
            utc_offset_ms=OFFSET_MS,
            now_ms=lambda: self.desk.now_ms,
        )

    async def at(self, minutes: float) -> list[tuple[str, str]]:
        """Let it be so long after nine; return who was called."""
        self.desk.now_ms = NINE_MS + int(minutes * MINUTE_MS)
        await self.routing.step()
        return self.phone.take()

    async def listed(self) -> list[dict[str, Any]]:
        async with self.desk.database.reading() as work:
            return rows(await alarms(work, EVER))

    async def state(self) -> str:
        [row] = await self.listed()
        return str(row["state"])

    async def answered(self, by: str, note: str = "") -> str:
        [row] = await self.listed()
        async with self.desk.database.writing() as work:
            return await answer(work, row["alarm"], by, note, self.desk.now_ms)


def rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


@pytest.fixture
async def ward(desk: Desk) -> Ward:
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST)
    return Ward(desk)


async def test_rounds_follow_each_other_until_somebody_answers(ward: Ward) -> None:
    await sent(ward.desk, told(RANG))
    assert await ward.at(1.9) == []
    assert await ward.at(2.0) == [("chen", "CALL")], "at night the other one"
    assert await ward.at(3.9) == []
    assert await ward.at(4.0) == [("he", "CALL"), ("wu", "CALL")]
    said = await ward.answered("wu", "let them in")
    assert said == f"{GATEWAY} kitchen-door: CALL_RAISED, answered by wu"
    assert await ward.at(4.1) == [("chen", "OVER"), ("he", "OVER")]
    assert await ward.at(60) == []
    [row] = await ward.listed()
    assert (row["state"], row["by"], row["at"]) == ("ANSWERED", "wu", "platform")
    assert (row["after_s"], row["heard_after_s"]) == (240, 1)
    assert row["calls"].startswith("09:02:00 round 1 chen SENT; 09:04:00 round 2 he")
    assert row["answers"] == "09:04:00 wu: let them in"


async def test_all_rounds_come_again_and_then_it_stays_open(ward: Ward) -> None:
    await sent(ward.desk, told(RANG))
    called = [await ward.at(minutes) for minutes in (2, 4, 6, 8, 10, 12)]
    assert [len(each) for each in called] == [1, 2, 1, 1, 2, 1]
    assert await ward.at(14) == []
    assert await ward.state() == "UNANSWERED"
    assert "answered by office" in await ward.answered("office")
    assert {what for _, what in await ward.at(15)} == {"OVER"}


async def test_an_answer_at_the_gateway_ends_it(ward: Ward) -> None:
    await sent(ward.desk, told(RANG))
    await ward.at(2.0)
    await sent(ward.desk, told(RANG, CAME))
    assert await ward.at(4.0) == [], "who answered knows that it is over"
    [row] = await ward.listed()
    assert (row["state"], row["by"], row["at"]) == ("ANSWERED", "chen", "gateway")
    assert row["after_s"] == 36
    assert await ward.at(10) == []


async def test_a_volunteer_who_opens_the_door_by_hand_has_answered(
    ward: Ward,
) -> None:
    opened = (("actor", "luo"), ("reason", "forgot card"))
    elsewhere = (EventKind.MANUAL_ENTRY, "back-door", 9.01, opened, "")
    here = (EventKind.MANUAL_ENTRY, "kitchen-door", 9.02, opened, "")
    await sent(ward.desk, told(RANG, elsewhere))
    assert await ward.state() == "WAITING"
    await sent(ward.desk, told(RANG, elsewhere, here))
    [row] = await ward.listed()
    assert (row["state"], row["by"], row["at"]) == ("ANSWERED", "luo", "gateway")


async def test_who_rings_again_is_counted_and_called_for_once(ward: Ward) -> None:
    again = (RANG[0], RANG[1], 9.02, RANG[3], "")
    other = (RANG[0], "back-door", 9.02, RANG[3], "")
    await sent(ward.desk, told(RANG, again, other))
    assert sorted(row["times"] for row in await ward.listed()) == [1, 2]
    assert await ward.at(2.0) == [("chen", "CALL")]
    assert await ward.at(3.3) == [("chen", "CALL")], "for the other door"


async def test_a_ring_that_comes_days_later_calls_nobody(ward: Ward) -> None:
    ward.desk.now_ms = NINE_MS + 11 * MINUTE_MS
    forced = (EventKind.DOOR_FORCED_OPEN, "kitchen-door", 9.0, (), "")
    await sent(ward.desk, told(RANG, forced))
    [row] = await ward.listed()
    assert row["kind"] == "DOOR_FORCED_OPEN", "that one is still worth a look"
    assert await ward.at(11.1) == [], "the site may tell that it is over"
    assert await ward.at(11.3) == [("chen", "CALL")]


async def test_early_copies_and_ends_in_any_order(ward: Ward) -> None:
    journal = told(RANG, CAME, (RANG[0], RANG[1], 9.02, RANG[3], ""))

    def copy(seq: int) -> Heard:
        kind, at, after_h, *_ = (RANG, CAME, RANG)[seq - 1]
        core = journal[seq - 1].core
        lo = DAY_MS + int(after_h * HOUR_MS)
        return Heard(GATEWAY, EPOCH, seq, str(kind), at, lo, core, None)

    async with ward.desk.database.writing() as work:
        await hear(work, [copy(3)], ward.desk.now_ms)
    await sent(ward.desk, journal)
    states = sorted(row["state"] for row in await ward.listed())
    assert len(states) <= 2
    assert states[-1] == "WAITING", "the second ring outlives the first one's answer"
    async with ward.desk.database.writing() as work:
        await hear(work, [copy(1), copy(2), copy(3)], ward.desk.now_ms)
    assert sorted(row["state"] for row in await ward.listed()) == states


async def test_a_platform_that_dies_calls_again_under_the_same_id(ward: Ward) -> None:
    await sent(ward.desk, told(RANG))

    class Dying(Phone):
        async def call(self, message: Message) -> str:
            await super().call(message)
            raise asyncio.CancelledError

    dying = Dying()
    ward.desk.now_ms = NINE_MS + 2 * MINUTE_MS
    before = asyncio.create_task(ward.fresh(dying).step())
    await asyncio.wait({before})
    assert len(dying.made) == 1
    ward.routing = ward.fresh(ward.phone)
    ward.phone.made.clear()
    ward.desk.now_ms += 21_000
    await ward.routing.step()
    [again] = ward.phone.made
    assert again["id"] == dying.made[0]["id"]
    ward.phone.made.clear()
    assert await ward.at(4.0) == [("he", "CALL"), ("wu", "CALL")], "and it goes on"


async def test_two_platforms_on_one_database_call_once(ward: Ward) -> None:
    await sent(ward.desk, told(RANG))
    ward.desk.now_ms = NINE_MS + 2 * MINUTE_MS
    other = ward.fresh(ward.phone)
    await asyncio.gather(ward.routing.step(), other.step())
    await asyncio.gather(ward.routing.step(), other.step())
    assert ward.phone.take() == [("chen", "CALL")]


async def test_a_call_that_fails_is_tried_again_and_then_told(desk: Desk) -> None:
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST[:1])
    ward = Ward(desk, tries=2, repeats=1)
    ward.phone.why = "no line"
    await sent(desk, told(RANG))
    assert await ward.at(2.0) == [("chen", "CALL")]
    assert await ward.at(2.1) == []
    assert await ward.at(2.2) == [("chen", "CALL")]
    assert await ward.at(3.9) == []
    [row] = await ward.listed()
    assert row["calls"] == "09:02:12 round 1 chen FAILED (2 tries: no line)"


async def test_without_a_caller_calls_are_shown(ward: Ward) -> None:
    ward.routing = ward.fresh(None)
    await sent(ward.desk, told(RANG))
    await ward.at(2.0)
    await ward.routing.step()
    [row] = await ward.listed()
    assert row["calls"] == "09:02:00 round 1 chen SHOWN"


async def test_a_switch_that_rattles_all_night_does_not_call_all_night(
    desk: Desk,
) -> None:
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST[:1])
    ward = Ward(desk, repeats=1)
    events: list[Told] = []
    called: list[tuple[str, str]] = []
    for minutes in range(0, 130, 5):
        after_h = 9 + minutes / 60
        events.append((EventKind.DEVICE_TAMPERED, "reader", after_h, (), ""))
        called += await ward.at(minutes)
        await sent(desk, told(*events))
        called += await ward.at(minutes + 4)
    assert called == [("chen", "CALL")] * 2, "an hour later once more"
    assert sum(row["times"] for row in await ward.listed()) == len(events)


async def test_beyond_its_calls_an_hour_only_an_emergency_calls(desk: Desk) -> None:
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST[:1])
    ward = Ward(desk, calls_an_hour=2, repeats=1)
    forced = [(EventKind.DOOR_FORCED_OPEN, f"door-{n}", 9.0, (), "") for n in range(3)]
    fire = (EventKind.EMERGENCY_STARTED, "site", 9.0, (("state", "FIRE"),), "")
    await sent(desk, told(*forced, fire))
    await ward.at(2.0)
    states = {row["kind"]: row["state"] for row in await ward.listed()}
    assert states["EMERGENCY_STARTED"] == "CALLING"
    kinds = [(row["kind"], row["state"]) for row in await ward.listed()]
    assert kinds.count(("DOOR_FORCED_OPEN", "UNANSWERED")) >= 1
    assert kinds.count(("DOOR_FORCED_OPEN", "CALLING")) <= 2


async def test_a_list_on_which_nobody_is_on_duty_is_told_at_once(desk: Desk) -> None:
    async with desk.database.writing() as work:
        await call_list.keep(work, GATEWAY, LIST[1:2])
    ward = Ward(desk)
    await sent(desk, told(RANG))
    assert await ward.at(2.0) == []
    assert await ward.state() == "UNANSWERED"


async def test_only_who_is_on_the_list_answers_and_notes_stand_beside(
    ward: Ward,
) -> None:
    await sent(ward.desk, told(RANG))
    with pytest.raises(AnswerError, match="'zhang' is not on the call list"):
        await ward.answered("zhang")
    await ward.answered("chen", "on my way")
    assert "was ANSWERED already, by chen" in await ward.answered("wu", "thanks")
    [row] = await ward.listed()
    assert (row["by"], len(row["answers"].split("; "))) == ("chen", 2)
    async with ward.desk.database.writing() as work:
        with pytest.raises(AnswerError, match="no alarm x"):
            await answer(work, "x", "chen", "", 0)


async def test_every_kind_ends_by_its_own_end_alone(ward: Ward) -> None:
    kind = EventKind
    await sent(
        ward.desk,
        told(
            (kind.EMERGENCY_STARTED, "site", 9.0, (("state", "FIRE"),), ""),
            (kind.EMERGENCY_STARTED, "site", 9.0, (("state", "SHELTER"),), ""),
            (kind.SUPPLY_FAILED, "mains", 9.0, (), ""),
            (kind.CARE_SIGNAL, "site", 9.0, (("days", 3),), "h-1"),
            (kind.CARE_SIGNAL, "site", 9.0, (("days", 3),), "h-2"),
            (kind.MEDICINE_BOX_OPENED, "box", 9.0, (("number", 1),), ""),
            (kind.STARTED, "gateway", 9.0, (), ""),
            (kind.MEDICINE_BOX_OPENED, "box-2", 9.0, (("actor", "wu"),), ""),
            (kind.SUPPLY_RESTORED, "mains", 9.0, (), ""),
            (kind.CARE_ANSWERED, "site", 9.0, (("actor", "wu"),), "h-2"),
            (
                kind.EMERGENCY_ENDED,
                "site",
                9.0,
                (("actor", "wu"), ("state", "SHELTER")),
                "",
            ),
        ),
    )
    found = [(row["kind"], row["where"], row["state"]) for row in await ward.listed()]
    assert sorted(found) == [
        ("CARE_SIGNAL", "site", "ANSWERED"),
        ("CARE_SIGNAL", "site", "WAITING"),
        ("EMERGENCY_STARTED", "site FIRE", "WAITING"),
        ("EMERGENCY_STARTED", "site SHELTER", "ANSWERED"),
        ("MEDICINE_BOX_OPENED", "box", "WAITING"),
        ("SUPPLY_FAILED", "mains", "OVER"),
    ]


async def test_whoever_rang_and_left_is_missed_and_the_summary_counts(
    ward: Ward,
) -> None:
    ward.desk.now_ms = NINE_MS + 5 * MINUTE_MS
    left = (CAME[0], "back-door", 9.05, (("rings", 1), ("unanswered", 1)), "")
    back = (RANG[0], "back-door", 9.01, RANG[3], "")
    await sent(ward.desk, told(RANG, back, CAME, left))
    async with ward.desk.database.reading() as work:
        [row] = rows(await responses(work, EVER))
    assert row == {
        "gateway": GATEWAY,
        "kind": "CALL_RAISED",
        "alarms": 2,
        "answered": 1,
        "over": 0,
        "missed": 1,
        "open": 0,
        "median_s": 36,
        "p90_s": 36,
        "longest_s": 36,
    }


async def test_a_call_says_nothing_of_a_person(ward: Ward) -> None:
    signal = (EventKind.CARE_SIGNAL, "site", 9.0, (("days", 3),), "h-secret")
    await sent(ward.desk, told(signal))
    ward.desk.now_ms = NINE_MS + 2 * MINUTE_MS
    await ward.routing.step()
    [call] = ward.phone.made
    assert "h-secret" not in str(call)
    assert str(call["text"]).startswith(f"{GATEWAY} site: 有老人多日未见 · somebody")
    stored = await ward.desk.table("SELECT * FROM incident")
    assert "h-secret" not in str(stored)
