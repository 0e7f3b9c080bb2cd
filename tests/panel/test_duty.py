# SPDX-License-Identifier: Apache-2.0
"""What the duty page says about verdicts, doors, devices and the network."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from edge.core.access.answers import NEXT_STEP, DenyReason
from edge.panel.duty import MAX_TROUBLES, duty
from edge.panel.lasting import lasting
from edge.panel.report import read_event, read_status
from edge.panel.standing import Standing, gone, happened, reported
from edge.panel.view import Duty, Shape, Tone
from edge.panel.words import Words
from tests.panel.readings import MINUTE_MS, NOW_MS
from tests.panel.scripted_gateway import CALM, DENIED, GRANTED

WORDS = Words()


def calm() -> dict[str, Any]:
    return copy.deepcopy(CALM)


def live(status: dict[str, Any], *events: dict[str, Any]) -> Standing:
    report = read_status(status)
    assert report is not None
    standing = reported(Standing(), report, 100.0)
    for event in events:
        read = read_event(event)
        assert read is not None
        standing = happened(standing, read)
    return standing


def shown(status: dict[str, Any], *events: dict[str, Any], at_s: float = 100.0) -> Duty:
    return duty(live(status, *events), WORDS, at_s)


def said(page: Duty) -> list[str]:
    return [page.card.title.zh, *(line.zh for line in page.card.lines)]


def test_before_the_first_card_the_page_is_ready() -> None:
    page = shown(calm())
    assert said(page) == ["准备好了", "有人刷卡，这里马上显示结果。"]
    assert page.troubles == ()
    assert [link.title.zh for link in page.links] == ["网络正常", "记录都上传好了"]


def test_a_grant_says_until_when_and_where() -> None:
    page = shown(calm(), GRANTED)
    assert said(page) == ["可以进，欢迎", "预约到 16:00"]
    assert (page.card.tone, page.card.shape) == (Tone.OK, Shape.TICK)
    assert page.card.place == "厨房门 · 14:32"


def test_a_grant_at_a_locker_names_the_compartment_and_asks_nobody_in() -> None:
    page = shown(calm(), GRANTED | {"at": "lockers", "number": 7})
    assert said(page) == ["7 号柜开了", "用完请关好柜门。"]
    assert (page.card.tone, page.card.shape) == (Tone.OK, Shape.OPEN)


def test_a_refusal_says_why_and_what_helps() -> None:
    page = shown(calm(), DENIED)
    assert said(page) == ["现在还不能进", "来早了一点", "15:50 起可以进"]
    assert (page.card.tone, page.card.shape) == (Tone.BAD, Shape.HAND)


@pytest.mark.parametrize("reason", DenyReason)
@pytest.mark.parametrize("has_step", [True, False])
def test_every_refusal_names_its_cause_and_its_next_step(
    reason: DenyReason, *, has_step: bool
) -> None:
    event = {"seq": 1, "k": "ACCESS_DENIED", "at": "kitchen-front", "reason": reason}
    if has_step:
        event["next_step"] = NEXT_STEP[reason]
    title, cause, step = said(shown(calm(), event))
    assert title in ("现在还不能进", "没读到")
    assert cause != WORDS.say("reason.other").zh
    assert step == WORDS.say(f"step.{NEXT_STEP[reason]}", time=None).zh


def test_a_refusal_of_a_newer_gateway_still_gets_a_next_step() -> None:
    page = shown(calm(), DENIED | {"reason": "MOON_PHASE", "next_step": "HOWL"})
    assert said(page)[1:] == ["需要值班员帮忙看看", "请您问问情况，帮他看看"]


def test_the_other_room_is_named() -> None:
    page = shown(calm(), DENIED | {"reason": "WRONG_SPACE", "space": "kitchen"})
    assert "预约的是共享厨房" in said(page)


def test_nothing_personal_reaches_the_card() -> None:
    private = {
        "holder": "h-0815",
        "booking": "b-4711",
        "token": "c0ffee",
        "actor": "陈",
    }
    for event in (GRANTED, DENIED):
        text = repr(shown(calm(), event | private).card)
        assert not any(value in text for value in private.values())


def test_only_verdicts_change_the_card() -> None:
    page = shown(calm(), GRANTED, {"seq": 44, "k": "DOOR_OPENED", "at": "kitchen-door"})
    assert page.card.title.zh == "可以进，欢迎"


def test_time_alone_never_changes_the_card() -> None:
    standing = live(calm(), DENIED)
    assert duty(standing, WORDS, 100.0).card == duty(standing, WORDS, 90_000.0).card


def test_a_tally_adds_to_its_own_card_and_never_hides_a_newer_one() -> None:
    tally = {key: DENIED[key] for key in ("k", "at", "reason")} | {
        "count": 7,
        "seq": 50,
    }
    assert said(shown(calm(), DENIED, tally))[-1] == "这样的情况又有 7 次"
    assert said(shown(calm(), DENIED, GRANTED, tally))[0] == "可以进，欢迎"


def test_a_door_opened_by_hand_and_a_fire_have_their_cards() -> None:
    by_hand = {"seq": 1, "k": "MANUAL_ENTRY", "at": "kitchen-door", "reason": "secret"}
    assert said(shown(calm(), by_hand)) == ["锁开了", "这次是人工开的，不是刷卡。"]
    fire = {"seq": 2, "k": "EMERGENCY_STARTED", "at": "site"}
    over = {"seq": 3, "k": "EMERGENCY_ENDED", "at": "site", "reason": "secret"}
    assert said(shown(calm(), fire))[0] == "着火了"
    assert said(shown(calm(), fire, over))[0] == "警报解除了"


def test_fire_stands_above_all() -> None:
    page = shown(calm() | {"fire": True})
    assert page.emergency is not None
    assert page.emergency.title.zh == "着火了：逃生门都开着"


@pytest.mark.parametrize(
    ("mode", "phase", "state", "tone"),
    [
        ("LOCKED", "SECURE", "锁好", Tone.OK),
        ("LOCKED", "RELEASED", "锁开了，可以推门", Tone.INFO),
        ("LOCKED", "OPEN", "门开着", Tone.INFO),
        ("LOCKED", "OPEN_TOO_LONG", "开得太久了，请去看看", Tone.WARN),
        ("LOCKED", "FORCED", "没刷卡就开了，请去看看", Tone.BAD),
        ("UNLOCKED", "OPEN", "现在不用刷卡", Tone.INFO),
        ("LOCKED_DOWN", "SECURE", "暂停进入，可以出去", Tone.BAD),
        ("LOCKED_DOWN", "FORCED", "没刷卡就开了，请去看看", Tone.BAD),
        ("LOCKED_OPEN", "OPEN", "逃生，一直开着", Tone.OK),
        ("BLOCKED", "SECURE", "停用了，走另一扇门", Tone.WARN),
        ("LOCKED", "NO_SUCH_PHASE", "还不知道", Tone.INFO),
    ],
)
def test_a_door_says_how_it_stands(
    mode: str, phase: str, state: str, tone: Tone
) -> None:
    status = calm()
    status["doors"]["kitchen-door"] |= {"mode": mode, "phase": phase}
    door = shown(status).doors[0]
    assert (door.state.zh, door.tone) == (state, tone)


@pytest.mark.parametrize(
    ("after_min", "phase", "state"),
    [
        (58, "SECURE", "常开到 15:30，不用刷卡"),
        (58, "OPEN", "常开到 15:30，不用刷卡"),
        (58, "FORCED", "没刷卡就开了，请去看看"),
        (600, "SECURE", "常开到 11-23 00:32，不用刷卡"),
    ],
)
def test_a_door_that_stands_free_says_until_when(
    after_min: int, phase: str, state: str
) -> None:
    status = calm()
    until = {"mode": "UNLOCKED", "until_ms": NOW_MS + after_min * MINUTE_MS}
    status["doors"]["kitchen-door"] |= {"phase": phase, **until}
    assert shown(status).doors[0].state.zh == state


def test_a_door_left_open_counts_its_minutes() -> None:
    status = calm()
    status["doors"]["kitchen-door"]["phase"] = "OPEN"
    standing = live(status)
    status["doors"]["kitchen-door"]["phase"] = "OPEN_TOO_LONG"
    report = read_status(status)
    assert report is not None
    standing = reported(standing, report, 120.0)
    assert duty(standing, WORDS, 225.0).doors[0].state.zh == "开着 2 分钟了，请去看看"


def test_a_silent_device_is_a_whole_sentence() -> None:
    status = calm()
    since_ms = NOW_MS - 5 * MINUTE_MS
    status["devices"]["kitchen-reader"] |= {"online": False, "since_ms": since_ms}
    (trouble,) = shown(status).troubles
    assert trouble.title.zh == "厨房门读卡器 5 分钟没有回应"
    assert trouble.advice is not None
    assert trouble.advice.zh == "请看它的灯亮不亮，线有没有松。"
    assert trouble.note is not None
    assert trouble.note.zh == "上次正常 14:27"


def test_minutes_grow_while_nothing_is_heard() -> None:
    status = calm()
    status["devices"]["board"] |= {"online": False, "since_ms": NOW_MS}
    early, late = shown(status), shown(status, at_s=100.0 + 180)
    assert early.troubles[0].title.zh == "门锁控制板没有回应"
    assert late.troubles[0].title.zh == "门锁控制板 3 分钟没有回应"
    assert late.troubles[0].advice is not None
    assert "请用钥匙" in late.troubles[0].advice.zh


def test_a_gateway_just_started_is_still_checking() -> None:
    status = calm() | {"uptime_s": 3}
    for device in status["devices"].values():
        device["online"] = False
    (trouble,) = shown(status).troubles
    assert (trouble.tone, trouble.title.zh) == (Tone.INFO, "刚开机，还在检查")


def test_a_gateway_that_can_only_let_out_says_so() -> None:
    status = calm() | {"lost": "unable to open database file"}
    (trouble,) = shown(status).troubles
    assert (trouble.tone, trouble.title.zh) == (Tone.BAD, "只能出门，刷卡进不来")


def test_a_mistake_in_the_settings_file_is_told_by_file_and_line() -> None:
    fault = "site.toml:9 door.1.open_secs: unknown key, did you mean 'open_seconds'?"
    status = calm() | {"settings_faults": [fault, "another"]}
    (trouble,) = shown(status).troubles
    assert trouble.tone is Tone.WARN
    assert trouble.advice is not None
    assert "门照常" in trouble.advice.zh
    assert trouble.installer is not None
    assert fault in trouble.installer.en


def test_two_troubles_are_shown_the_worst_first_and_the_rest_counted() -> None:
    status = calm()
    status["clock"]["known"] = False
    status["roster"]["confirmed_ms"] = NOW_MS - 25 * 60 * MINUTE_MS
    status["events"]["storage_fault"] = True
    status["devices"]["board"]["online"] = False
    page = shown(status)
    assert len(page.troubles) == MAX_TROUBLES
    assert all(trouble.tone is Tone.BAD for trouble in page.troubles)
    assert page.more is not None
    assert page.more.zh == "还有 2 样要看"


def test_an_old_and_a_missing_booking_list_are_told() -> None:
    status = calm()
    status["roster"]["confirmed_ms"] = NOW_MS - 25 * 60 * MINUTE_MS
    assert shown(status).troubles[0].title.zh == "预约名单是 11-21 13:32 的"
    status["roster"] = {"epoch": None}
    assert shown(status).troubles[0].title.zh == "还没收到预约名单"


def test_records_that_wait_do_not_frighten() -> None:
    status = calm()
    status["platform"]["connected"] = False
    status["events"]["waiting"] = 38
    page = shown(status, at_s=100.0 + 12 * 60)
    said = [link.title.zh for link in page.links]
    assert said == ["网络断了 12 分钟，照常用", "还有 38 条没上传，不影响开门"]
    status["events"]["oldest_ms"] = NOW_MS - 3 * 24 * 60 * MINUTE_MS
    page = shown(status, at_s=100.0 + 3 * 24 * 3600)
    said = [link.title.zh for link in page.links]
    assert said == [
        "网络断了 3 天，照常用",
        "还有 38 条没上传，最早的等了 6 天，不影响开门",
    ]


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (1, "1 分钟"),
        (59, "59 分钟"),
        (60, "1 小时"),
        (179, "2 小时 59 分钟"),
        (200, "3 小时"),
        (48 * 60 - 1, "47 小时"),
        (48 * 60, "2 天"),
        (4320, "3 天"),
    ],
)
def test_what_lasts_is_told_as_people_say_it(minutes: int, told: str) -> None:
    phrase = lasting(minutes, WORDS)
    assert phrase is not None
    assert phrase.zh == told
    assert lasting(None, WORDS) is None


def test_with_the_gateway_gone_nothing_old_is_claimed() -> None:
    status = calm()
    status["devices"]["board"]["online"] = False
    page = duty(gone(live(status, GRANTED)), WORDS, 100.0)
    assert page.card.title.zh == "正在等盒子回应"
    assert {door.state.zh for door in page.doors} == {"还不知道"}
    assert page.troubles == ()
    assert [link.title.zh for link in page.links] == ["盒子还没有回应"]
