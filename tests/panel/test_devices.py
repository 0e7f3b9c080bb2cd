# SPDX-License-Identifier: Apache-2.0
"""What the duty page says of a device in trouble: what, why, what to do, for whom."""

from __future__ import annotations

import asyncio
import html
from typing import TYPE_CHECKING, Any

import pytest

from edge.panel.health import health
from edge.panel.report import MAX_WHY, read_status
from edge.panel.standing import Standing, reported
from edge.panel.view import Notice, Tone
from tests.panel.readings import MINUTE_MS, NOW_MS
from tests.panel.test_duty import WORDS, calm, shown

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

WHY = "/dev/serial/by-id/x: No such file or directory: plug it in; plugged in are a, b"


def reader(**fields: Any) -> tuple[Notice, ...]:
    """Return the notices of a calm site whose kitchen reader is not so calm."""
    status = calm()
    status["devices"]["kitchen-reader"] |= fields
    return shown(status).troubles


def fault(kind: str, why: str = WHY) -> dict[str, Any]:
    return {"kind": kind, "why": why, "at_ms": NOW_MS}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("PORT_MISSING", "插头没插上"),
        ("PORT_DENIED", "许可"),
        ("PORT_HELD", "另一个程序占着"),
        ("PORT_LOST", "线路坏了"),
        ("NOT_SET_UP", "缺它要用的软件"),
        ("SILENT", "它自己没有回应"),
        ("GARBLED", "听不懂"),
    ],
)
def test_a_silence_says_why_and_what_to_read_to_the_installer(
    kind: str, words: str
) -> None:
    (told,) = reader(online=False, state="OFFLINE", fault=fault(kind))
    assert told.title.zh == "厨房门读卡器 15 小时没有回应"
    assert told.reason is not None
    assert words in told.reason.zh
    assert told.advice is not None
    assert told.installer is not None
    assert (told.installer.zh, told.installer.en) == ("请念给安装员听：", WHY)


@pytest.mark.parametrize("kind", ["NOT_SET_UP", "PORT_DENIED", "PORT_HELD"])
def test_nobody_is_sent_to_look_at_lamps_for_a_matter_of_settings(kind: str) -> None:
    (told,) = reader(online=False, state="OFFLINE", fault=fault(kind))
    assert told.advice is not None
    assert "打电话给安装员" in told.advice.zh


def test_a_reason_of_a_newer_gateway_is_left_out() -> None:
    (told,) = reader(online=False, state="OFFLINE", fault=fault("CHARRED"))
    assert told.reason is None
    assert told.installer is not None


@pytest.mark.parametrize("is_online", [True, False])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("TAMPERED", "厨房门读卡器好像被人动过"),
        ("CONFLICT", "厨房门读卡器那里有两台设备抢着回答"),
    ],
)
def test_what_outweighs_a_silence_is_told_alone(
    state: str,
    words: str,
    is_online: bool,  # noqa: FBT001
) -> None:
    (told,) = reader(online=is_online, state=state, fault=fault(state, "the lid"))
    assert (told.tone, told.title.zh) == (Tone.BAD, words)
    assert told.advice is not None
    assert "安装员" in told.advice.zh
    assert told.installer is not None
    assert told.installer.en == "the lid"


def test_a_self_test_that_was_not_passed_is_a_warning_while_the_device_answers() -> (
    None
):
    failed = {"passed": False, "why": "output 1 is on", "at_ms": NOW_MS}
    (told,) = reader(state="ONLINE", self_test=failed)
    assert (told.tone, told.title.zh) == (
        Tone.WARN,
        "厨房门读卡器夜里自己检查，没通过",
    )
    assert told.installer is not None
    assert told.installer.en == "output 1 is on"
    (told,) = reader(online=False, state="OFFLINE", self_test=failed)
    assert "没有回应" in told.title.zh
    passed = {"passed": True, "why": "", "at_ms": NOW_MS}
    assert reader(state="ONLINE", self_test=passed) == ()


@pytest.mark.parametrize("driver", ["uhppote", "gpio_lines", "modbus_relay_board"])
def test_whatever_the_locks_hang_on_sends_to_the_key(driver: str) -> None:
    fields = {"driver": driver, "opens": True, "online": False, "state": "OFFLINE"}
    (told,) = reader(**fields, fault=fault("SILENT"))
    assert told.advice is not None
    assert "请用钥匙" in told.advice.zh


def box(**parts: bool) -> tuple[Notice, ...]:
    """Return the notices of a calm site whose box is not so calm."""
    good_ms = NOW_MS - 5 * MINUTE_MS
    told = {name: {"good": good, "good_ms": good_ms} for name, good in parts.items()}
    return shown(calm() | {"parts": told}).troubles


@pytest.mark.parametrize(
    ("part", "words"), [("disk", "存储快满了"), ("power", "供电不足")]
)
def test_disk_and_power_say_what_to_look_at_and_when_they_were_good(
    part: str, words: str
) -> None:
    (told,) = box(**{part: False})
    assert told.tone is Tone.WARN
    assert words in told.title.zh
    assert told.advice is not None
    assert "安装员" in told.advice.zh
    assert told.note is not None
    assert told.note.zh == "上次正常 14:27"
    assert box(**{part: True}) == ()


@pytest.mark.parametrize("parts", [None, 7, {"disk": 3}, {"power": {"good": "no"}}])
def test_what_nobody_knows_of_the_box_is_no_trouble(parts: Any) -> None:
    assert shown(calm() | {"parts": parts}).troubles == ()


def test_records_that_cannot_be_written_say_when_they_last_could() -> None:
    status = calm() | {"parts": {"storage": {"good": False, "good_ms": NOW_MS}}}
    status["events"]["storage_fault"] = True
    (told,) = shown(status).troubles
    assert (told.tone, told.title.zh) == (Tone.BAD, "记录暂时写不进存储卡")
    assert told.advice is not None
    assert "别断电" in told.advice.zh
    assert told.note is not None
    assert told.note.zh == "上次正常 14:32"


@pytest.mark.parametrize(
    ("panel", "title", "advice"),
    [
        ({"pins_lost": 2}, "有 2 个人的密码用不了了", "换密码"),
        ({"set_aside": True}, "人员和平板的记录坏了", "再加一遍"),
        ({"set_aside": True, "pins_lost": 1}, "人员和平板的记录坏了", "再加一遍"),
    ],
)
def test_lost_pins_and_lost_people_say_who_mends_it(
    panel: dict[str, Any], title: str, advice: str
) -> None:
    (told,) = shown(calm() | {"panel": panel}).troubles
    assert told.tone is Tone.WARN
    assert title in told.title.zh
    assert told.advice is not None
    assert advice in told.advice.zh
    assert "站长" in told.advice.zh
    assert shown(calm() | {"panel": {"pins_lost": "many"}}).troubles == ()


def test_a_wrong_clock_is_bad_once_the_network_could_have_set_it() -> None:
    status = calm()
    status["clock"]["known"] = False
    assert shown(status).troubles[0].tone is Tone.BAD
    (told,) = shown(status | {"uptime_s": 60}).troubles
    assert told.tone is Tone.WARN
    assert told.advice is not None
    assert "安装员" in told.advice.zh


def test_a_fault_that_is_over_is_no_trouble() -> None:
    past = fault("SILENT", "no answer")
    assert reader(state="ONLINE", fault=None, last_fault=past) == ()


@pytest.mark.parametrize("value", [None, 7, "x", [], {"kind": 1, "why": ["x"]}])
def test_a_fault_of_the_wrong_shape_is_not_known(value: Any) -> None:
    (told,) = reader(online=False, state=value, fault=value, self_test=value)
    assert (told.reason, told.installer) == (None, None)


def test_a_long_reason_is_cut() -> None:
    status = calm()
    status["devices"]["board"] |= {"fault": fault("SILENT", "w" * 9_000)}
    report = read_status(status)
    assert report is not None
    (why,) = (device.why for device in report.devices if device.id == "board")
    assert why == "w" * MAX_WHY


async def test_the_words_of_a_device_are_escaped(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    evil = "<b>{why}</b>"
    gateway.status["devices"]["board"] |= {
        "online": False,
        "state": "OFFLINE",
        "fault": fault("PORT_HELD", evil),
    }
    gateway.show()
    await asyncio.sleep(0.1)
    page = (await http.get("/")).text
    assert html.escape(evil) in page
    assert "<b>" not in page
    assert "它的插口被另一个程序占着。" in page


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["AGREED", "AGREED", "WAITING"], "这 2 天的记录，平台都收齐了"),
        (["AGREED", "DIFFERS", "WAITING"], "11-21 的记录跟平台对不上"),
        (["WAITING"], None),
        ([], None),
    ],
)
def test_whether_the_platform_holds_the_last_days(
    states: list[str], told: str | None
) -> None:
    status = calm()
    days = [f"2026-11-{20 + n}" for n in range(len(states))]
    status["days"] = [
        {"day": day, "events": 9, "state": state}
        for day, state in zip(days, states, strict=True)
    ]
    report = read_status(status)
    assert report is not None
    standing = reported(Standing(), report, 100.0)
    page = health(standing, WORDS, 100.0)
    said = [notice.title.zh for notice in page.notices]
    assert said == ([told] if told else [])
    assert (page.title.zh == WORDS.say("health.good").zh) is ("DIFFERS" not in states)
