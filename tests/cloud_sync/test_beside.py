# SPDX-License-Identifier: Apache-2.0
"""Heartbeats, alarms ahead of their turn and days, by a clock that tests move."""

from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING

import pytest

from cloud_sync.early import MAX_EARLY, EarlyWords
from cloud_sync.envelope import DayStretch
from cloud_sync.heartbeat import (
    ANSWER_WITHIN_S,
    BEAT_AT_MOST_S,
    LEASE_S,
    UNANSWERED_BEFORE_LEAVING,
    oldest_s,
)
from cloud_sync.outputs import DayJudged, LeaveReason, Publish, Reconnect
from cloud_sync.reckoning import ASK_AT_MOST_S, MAX_OUT, Reckoning
from cloud_sync.urgent import URGENT
from edge.core.event import EventKind
from tests.cloud_sync.driving import TOPICS, Gateway, deliver, greet, moment
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, Platform, rows, sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.outputs import Output
    from edge.core.record import Record

JOURNAL = rows(60)
ALL = ["hb", "alm", "day"]
SAME = b"\x01" * 32


def conversing(
    journal: Sequence[Record] = JOURNAL, *, caps: list[str] | None = None
) -> tuple[Gateway, Platform]:
    """Return the two with everything stored and the first heartbeat answered."""
    gateway, platform = Gateway(journal), Platform()
    platform.caps = ALL if caps is None else caps
    gateway.connect()
    deliver(gateway, platform)
    gateway.tick()
    deliver(gateway, platform)
    return gateway, platform


def leaves(sent: Sequence[Publish]) -> list[str]:
    return [item.topic.rpartition("/")[2] for item in sent]


def day(first: int, last: int, *, date: str = "2025-10-08") -> DayStretch:
    head = JOURNAL[last - 1].hash
    return DayStretch(epoch=EPOCH, day=date, first=first, last=last, hash=head)


# -- heartbeats ----------------------------------------------------------------
def test_the_first_heartbeat_goes_out_at_once_and_tells_how_it_stands() -> None:
    gateway, platform = Gateway(JOURNAL), Platform()
    platform.caps = ALL
    greet(gateway, platform)
    gateway.tick()
    beat = gateway.take_sent()[-1]
    assert beat.topic == TOPICS.heartbeat
    assert beat.qos == 0
    data = json.loads(beat.payload)["data"]
    assert (data["waiting"], data["last_seq"], data["n"]) == (60, 60, 1)
    assert data["lease_s"] == LEASE_S
    assert data["nonce"] == platform.hellos[-1]["nonce"]


def test_one_lost_heartbeat_leaves_the_gateway_within_its_lease() -> None:
    gateway, platform = conversing()
    sent_s = [gateway.now_s]
    for number in range(40):
        deadline_s = gateway.session.deadline()
        assert deadline_s is not None
        gateway.tick(deadline_s - gateway.now_s)
        if number % 2:  # every other one is lost on its way up
            sent_s.append(gateway.now_s)
            deliver(gateway, platform)
        gateway.take_sent()
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent_s)]
    assert max(gaps) < LEASE_S
    assert min(gaps) > BEAT_AT_MOST_S * 0.9, "and no idle line is filled with them"


def test_heartbeats_that_nobody_answers_end_the_connection_though_it_stands() -> None:
    gateway, platform = conversing()
    answered_s, beats = gateway.now_s, len(platform.beats)
    outputs: list[Output] = []
    while not any(isinstance(output, Reconnect) for output in outputs):
        deadline_s = gateway.session.deadline()
        assert deadline_s is not None
        outputs = gateway.tick(deadline_s - gateway.now_s)
        gateway.take_sent()
    assert outputs == [Reconnect(why=LeaveReason.HEARTBEATS_UNANSWERED)]
    assert len(platform.beats) == beats
    silent_s = gateway.now_s - answered_s
    assert silent_s <= BEAT_AT_MOST_S + UNANSWERED_BEFORE_LEAVING * ANSWER_WITHIN_S


def test_an_old_answer_played_back_is_no_sign_of_life() -> None:
    gateway, platform = conversing()
    nonce = platform.hellos[-1]["nonce"]
    old = platform.down("hb", {"nonce": nonce, "n": 1})
    other = platform.down("hb", {"nonce": "f" * 32, "n": 2})
    for _ in range(2 + UNANSWERED_BEFORE_LEAVING):
        deadline_s = gateway.session.deadline()
        if deadline_s is None:
            break
        gateway.tick(deadline_s - gateway.now_s)
        gateway.receive(*old)
        gateway.receive(*other)
    assert gateway.told[-1] == Reconnect(why=LeaveReason.HEARTBEATS_UNANSWERED)


def test_acknowledged_events_are_a_sign_of_life_too() -> None:
    gateway, platform = conversing(JOURNAL[:10])
    for _ in range(3 * UNANSWERED_BEFORE_LEAVING):
        gateway.tick(ANSWER_WITHIN_S)
        gateway.journal.append(JOURNAL[len(gateway.journal)])
        gateway.send_rows()
        for item in gateway.take_sent():
            if item.topic == TOPICS.events:
                for answer in platform.receive(item.topic, item.payload):
                    gateway.receive(*answer)
    assert gateway.session.is_established


def test_a_platform_of_before_is_sent_none_of_it_and_is_synced_as_ever() -> None:
    gateway, platform = conversing(JOURNAL[:10], caps=[])
    gateway.session.beside.early.tell(EPOCH, 11)
    assert gateway.session.beside.early.wanted() is None
    offered = gateway.session.beside.days.offer([day(1, 5)], moment(gateway.now_s))
    assert offered == []
    gateway.journal.append(JOURNAL[10])
    gateway.tick(120.0)
    deliver(gateway, platform)
    assert gateway.acked == 11
    assert gateway.session.is_established
    assert (platform.beats, platform.early, platform.days) == ([], [], [])


def test_how_old_what_waits_is_survives_a_tampered_row() -> None:
    now = moment(500.0)
    core = f'{{"lo":{now.earliest_ms - 90_500}}}'
    row = JOURNAL[0]._replace(core=core)
    assert oldest_s([row], now) == 90
    assert oldest_s([], now) == 0
    assert oldest_s([row._replace(core="{")], now) == 0
    assert oldest_s([row._replace(core='{"lo":"x"}')], now) == 0


# -- alarms ----------------------------------------------------------------------
def test_an_alarm_goes_ahead_of_a_full_window_and_its_event_follows_in_order() -> None:
    long = rows(6000)
    gateway, platform = Gateway(long), Platform()
    platform.caps = ALL
    greet(gateway, platform)
    backlog = gateway.take_sent()
    assert leaves(backlog) == ["evt"] * 8, "the window is full"
    early = gateway.session.beside.early
    early.tell(EPOCH, 6000)
    assert early.wanted() == 6000
    [told] = early.offer(6000, long[-1], moment(gateway.now_s))
    assert isinstance(told, Publish)
    assert early.wanted() is None, "once a connection"
    platform.receive(told.topic, told.payload)
    assert [word["item"]["seq"] for word in platform.early] == [6000]
    assert platform.hi() == 0
    gateway.sent = backlog
    deliver(gateway, platform)
    assert gateway.acked == platform.hi() == 6000
    item = platform.items[EPOCH, 6000]
    assert platform.early[0]["item"]["core"] == item["core"]


def test_an_alarm_is_told_again_on_a_new_connection_until_it_is_stored() -> None:
    early = EarlyWords(TOPICS)
    early.open(EPOCH, 0)
    early.tell(EPOCH, 5)
    early.tell(EPOCH, 9)
    early.offer(5, JOURNAL[4], moment(1.0))
    early.offer(9, JOURNAL[8], moment(1.0))
    early.close()
    assert early.wanted() is None
    early.open(EPOCH, 5)
    assert early.wanted() == 9
    early.confirmed(9)
    assert early.wanted() is None
    early.tell(EPOCH, 11)
    early.open("0002-00c0ffee", 0)
    assert early.wanted() is None, "another epoch's numbers are other events"


def test_alarms_beyond_a_bound_wait_for_the_normal_way() -> None:
    early = EarlyWords(TOPICS)
    early.open(EPOCH, 0)
    for seq in range(1, 1000):
        early.tell(EPOCH, seq)
    told = []
    while (seq := early.wanted()) is not None:  # type: ignore[assignment]
        told.append(seq)
        early.offer(seq, None, moment(1.0))
    assert told == list(range(1, MAX_EARLY + 1))
    early.confirmed(999)
    early.tell(EPOCH, 1000)
    assert early.wanted() == 1000


def test_what_calls_somebody_is_on_the_list_and_what_happens_all_day_is_not() -> None:
    daily = {EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED, EventKind.DOOR_OPENED}
    assert not daily & URGENT.keys()
    assert EventKind.EMERGENCY_STARTED in URGENT
    assert all(URGENT.values())


# -- days --------------------------------------------------------------------------
def test_a_day_is_told_and_what_the_platform_says_of_it_comes_back() -> None:
    gateway, platform = conversing()
    beside = gateway.session.beside.days
    wrong = DayStretch(epoch=EPOCH, day="2025-10-09", first=31, last=60, hash=SAME)
    gateway.act(beside.offer([day(1, 30), wrong], moment(gateway.now_s)))
    deliver(gateway, platform)
    judged = [output for output in gateway.told if isinstance(output, DayJudged)]
    assert [(one.day, one.is_agreed, one.held) for one in judged] == [
        (day(1, 30), True, 30),
        (wrong, False, 30),
    ]
    assert platform.days[0]["day"] == "2025-10-08"
    told = len(platform.days)
    gateway.act(beside.offer([wrong], moment(gateway.now_s)))
    gateway.tick(2 * ASK_AT_MOST_S)
    deliver(gateway, platform)
    assert len(platform.days) == told, "asked once a connection"


def test_days_that_nobody_answers_are_asked_ever_more_seldom() -> None:
    rng = random.Random(7)
    days = Reckoning(TOPICS, rng.random)
    days.open()
    sent = days.offer([day(n, n) for n in range(1, 11)], moment(0.0))
    assert len(sent) == MAX_OUT
    waits, now_s = [], 0.0
    for _ in range(12):
        deadline_s = days.deadline_s
        assert deadline_s is not None
        waits.append(deadline_s - now_s)
        now_s = deadline_s
        assert len(days.tick(moment(now_s))) == MAX_OUT
    assert waits[0] >= 60
    assert waits[1] > waits[0]
    assert ASK_AT_MOST_S <= waits[-1] <= 1.25 * ASK_AT_MOST_S


@pytest.mark.parametrize("verdict", ["later", "agreed"])
def test_a_word_about_a_day_that_nobody_asked_for_means_nothing(verdict: str) -> None:
    gateway, _ = conversing()
    told = list(gateway.told)
    body = {"gw": GATEWAY, "epoch": EPOCH, "first": 1, "last": 30}
    answer = sign(body | {"verdict": verdict, "count": 30}, "mn.day.v1")
    gateway.receive(f"mn/v1/dn/{GATEWAY}/day", answer)
    assert gateway.told == told


def test_a_day_that_is_not_all_there_yet_is_asked_again() -> None:
    gateway, _ = conversing()
    days = gateway.session.beside.days
    gateway.act(days.offer([day(1, 30)], moment(gateway.now_s)))
    gateway.take_sent()
    body = {"gw": GATEWAY, "epoch": EPOCH, "first": 1, "last": 30}
    later = sign(body | {"verdict": "later", "count": 0}, "mn.day.v1")
    gateway.receive(f"mn/v1/dn/{GATEWAY}/day", later)
    assert not any(isinstance(output, DayJudged) for output in gateway.told)
    assert days.deadline_s is not None
    [again] = days.tick(moment(days.deadline_s))
    assert isinstance(again, Publish)
    assert again.topic == TOPICS.day


# -- rows that no reader could hash ------------------------------------------------
def test_a_damaged_row_goes_out_as_a_text_once_the_line_has_stood_still() -> None:
    spoilt = [*JOURNAL[:3], JOURNAL[3]._replace(core='{"k":'), *JOURNAL[4:10]]
    gateway, platform = Gateway(spoilt), Platform()
    greet(gateway, platform)
    [first] = gateway.take_sent()
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(first.payload)
    gateway.tick(13.0)
    [again] = [item for item in gateway.take_sent() if item.topic == TOPICS.events]
    data = json.loads(again.payload)["data"]
    assert data["items"][3] == {"raw": '{"k":', "seq": 4}
    assert data["head"] == JOURNAL[9].hash.hex()
    assert [item["seq"] for item in data["items"]] == list(range(1, 11))
