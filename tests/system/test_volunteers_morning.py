# SPDX-License-Identifier: Apache-2.0
"""A volunteer's morning, from the card at the desk to the platform's database.

What is concluded, is concluded from the page, from the simulated locks, and from what
the platform stored: every event that a volunteer caused, with who did it, and nobody's
identity number anywhere. Each step's picture is kept in ``build/shots/morning``.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from edge.cli.demo.tablet import MANAGER, VOLUNTEER
from tests.system.morning import VIEW, WITHIN_S, Morning, morning
from tests.system.platform_house import GATEWAY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.platform_house import Office

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(300),
    pytest.mark.needs("chromium", "fonts-wqy-microhei", "mosquitto"),
]

HALL, FRONT = "living-room-door", "living-room-front"
#: Relays of the board, leaves of the bank.
HALL_RELAY, ESCAPE_RELAY = 2, 1
CELL, MEDICINE = 1, 12
STAGES = ("有人响应", "到场", "门全开", "人都出来了")
MARKS = ["responded", "arrived", "doors_open", "evacuated"]


async def test_a_volunteers_morning_ends_at_the_platform(tmp_path: Path) -> None:
    async with morning(tmp_path) as here:
        await _a_card_begins_the_shift(here)
        await _somebody_without_a_booking_comes_in(here)
        await _a_cell_is_opened_and_shut(here)
        await _the_medicine_box_is_counted_and_used(here)
        await _a_drill_runs_by_the_clock(here)
        await _dangerous_acts_need_no_script(here)
        await _home_with_thanks(here)
        await here.house.until_sent()
        await _the_platform_has_it_all(here)
        _no_identity_number_is_anywhere(here)


async def _a_card_begins_the_shift(here: Morning) -> None:
    """Pair the tablet; whoever presses has a volunteer beside him with her card."""
    page, tablet = here.page, here.house.demo.tablet
    assert tablet is not None
    await page.goto(tablet.url)
    await here.seen("pair")
    await here.press("配对")
    await here.told("配对好了", "start")
    await here.press("我来值班")
    await expect(page.locator("h1")).to_contain_text("请刷卡")
    await here.seen("card")
    await expect(page.locator("h1")).to_contain_text("值班台", timeout=WITHIN_S * 1000)
    await expect(page.locator("header")).to_contain_text(VOLUNTEER)
    await here.seen("duty")


async def _somebody_without_a_booking_comes_in(here: Morning) -> None:
    """Three presses: why, which door, open; and somebody goes through."""
    page, firmware = here.page, here.house.firmware
    await here.tab("放行")
    await here.seen("letin-why")
    before = len(here.house.relay_spells(HALL_RELAY))
    await here.follow("没有预约，有空位")
    await page.get_by_text("客厅门").click()
    await expect(page.get_by_role("button", name="开门")).to_be_in_viewport(ratio=1)
    await here.seen("letin-where")
    begun_s = asyncio.get_running_loop().time()
    await here.press("开门")
    released_s = await firmware.wait_for(
        "strike_released", after_s=begun_s, within_s=WITHIN_S, door=HALL
    )
    assert released_s is not None, "the strike did not move"
    await firmware.do("push", door=HALL)
    await expect(page.locator("h1")).to_contain_text("10 秒内可以改")
    await expect(page.locator("main")).to_contain_text("客厅门 · 1 人")
    await here.seen("letin-done")
    await asyncio.sleep(0.3)
    await firmware.do("pull_shut", door=HALL)
    await here.relay(HALL_RELAY, is_on=False)
    assert len(here.house.relay_spells(HALL_RELAY)) == before + 1, "once"
    await here.tab("值班台")
    await expect(page.locator("#verdict")).to_contain_text("这次是人工开的")
    rooms = page.locator("#rooms .row").filter(has_text="城市客厅")
    await expect(rooms).to_contain_text("1 人")


async def _a_cell_is_opened_and_shut(here: Morning) -> None:
    page = here.page
    await here.tab("柜子")
    await here.seen("lockers")
    await page.locator(f"#tile-lockers-{CELL} a").click()
    await here.press("检查")
    await here.told("开了", "cell-open")
    assert here.openings(CELL) == 1
    state = page.locator(f"#cell-lockers-{CELL}")
    await expect(state).to_contain_text("门开着")
    await here.shut(CELL)
    await expect(state).to_contain_text("空", timeout=WITHIN_S * 1000)


async def _the_medicine_box_is_counted_and_used(here: Morning) -> None:
    """Two count the plasters; then a resident has cut a finger."""
    page, tablet = here.page, here.house.demo.tablet
    assert tablet is not None
    [pin] = [line[-6:] for line in tablet.lines if line.startswith(MANAGER)]
    await here.tab("柜子")
    await here.follow("药箱")
    await here.seen("medicine")
    await here.follow("两个人清点")
    await page.get_by_label("哪一样").select_option(label="创可贴 Plasters")
    await page.get_by_label("几个").fill("20")
    await page.get_by_label("用到哪一年").select_option(index=2)
    await page.get_by_label("几月").select_option("6")
    await page.get_by_label("另一位同意的人").select_option(MANAGER)
    await page.get_by_label("另一位的密码").fill(pin)
    await here.press("记下")
    await here.told("记好了", "medicine-counted")
    await here.follow("返回")
    await expect(page.locator("main")).to_contain_text("还有 20 个")
    await here.press("居民")
    await here.told("药箱开了", "medicine-used")
    assert here.openings(MEDICINE) == 1
    await page.get_by_text("创可贴").click()
    await here.press("记下")
    await here.told("记下了 1 样", "medicine-noted")
    await expect(page.locator("main")).to_contain_text("还有 19 个")
    await here.shut(MEDICINE)


async def _a_drill_runs_by_the_clock(here: Morning) -> None:
    """A fire is rehearsed with the doors; each stage is a press and is timed."""
    page = here.page
    await here.tab("紧急")
    await here.seen("emergency")
    await here.follow("演练")
    await page.get_by_text("门也真的打开").click()
    await here.press("火灾")
    await here.told("演练开始了", "drill")
    await here.relay(ESCAPE_RELAY, is_on=True)
    await expect(page.locator(".ticks")).to_have_text(re.compile(r"0:00:0[2-9]"))
    for stage in STAGES:
        await here.press(stage)
        done = page.locator("#stages .ok").filter(has_text=stage)
        await expect(done).to_contain_text("0:")
    await here.seen("drill-stages")
    await page.get_by_label("有什么要改").select_option(label="报警声听不清")
    await page.get_by_label("谁来改").select_option(VOLUNTEER)
    await here.press("结束演练")
    await here.told("演练结束了", "drill-sheet")
    await here.relay(ESCAPE_RELAY, is_on=False)
    await expect(page.locator("main")).to_contain_text("结束人：陈姨")


async def _dangerous_acts_need_no_script(here: Morning) -> None:
    """In the same turn, by a browser that knows no script: what is else a hold."""
    scripted = here.page
    kept: Any = await scripted.context.storage_state()
    context = await here.browser.new_context(
        viewport=VIEW, java_script_enabled=False, storage_state=kept
    )
    here.page = await context.new_page()
    await here.page.goto(here.house.demo.panel_url)
    await _a_fire_begins_and_ends(here)
    await _entry_is_paused_and_goes_on(here)
    await context.close()
    here.page = scripted


async def _a_fire_begins_and_ends(here: Morning) -> None:
    await here.tab("紧急")
    await here.press("着火了")
    await expect(here.page.locator("main")).to_contain_text("真的着火了吗")
    assert not here.house.is_relay_on(ESCAPE_RELAY), "a press alone opens nothing"
    await here.follow("返回")
    await here.follow("按不住")
    await here.seen("fire-sure")
    await here.press("是，开所有的门")
    await here.told("逃生门都开着", "fire")
    await here.relay(ESCAPE_RELAY, is_on=True)
    await here.door("厨房门", "逃生，一直开着")
    await here.follow("恢复")
    await expect(here.page.locator("main")).to_contain_text("大家都安全了吗")
    await here.seen("fire-safe")
    await here.follow("都安全了")
    await here.press("恢复")
    await here.told("恢复了", "fire-over")
    await here.relay(ESCAPE_RELAY, is_on=False)


async def _entry_is_paused_and_goes_on(here: Morning) -> None:
    house, page = here.house, here.page
    await here.follow("暂停进入")
    await here.seen("lock-down-hold")
    await here.follow("按不住")
    await expect(page.locator("main")).to_contain_text("真的要暂停进入吗")
    await here.seen("lock-down-sure")
    await here.press("外面不安全")
    await here.told("暂停进入了", "lock-down")
    await here.door("客厅门", "暂停进入，可以出去")
    resident = house.part(FRONT, "on time")
    assert (await house.visit(FRONT, resident)).released_s is None
    begun_s = asyncio.get_running_loop().time()
    await house.firmware.do("press_exit", door=HALL)
    released_s = await house.firmware.wait_for(
        "strike_released", after_s=begun_s, within_s=WITHIN_S, door=HALL
    )
    assert released_s is not None, "the way out is free"
    await here.press("恢复进入")
    await here.told("恢复了", "lock-down-over")
    await expect(page.locator("#emergency")).to_contain_text("现在平安无事")


async def _home_with_thanks(here: Morning) -> None:
    page = here.page
    await here.tab("更多")
    await here.seen("more")
    await here.press("下班")
    await expect(page.locator("h1")).to_contain_text("谢谢您")
    await expect(page.locator("main")).to_contain_text("今天开了 1 次门")
    await here.seen("thanks")
    await here.follow("下一位")
    await expect(page.locator("h1")).to_contain_text("社区的门")


# ---- at the platform ---------------------------------------------------------------


async def _the_platform_has_it_all(here: Morning) -> None:
    office, who = here.office, here.who
    stored = _stored(office)

    def of(kind: str) -> list[dict[str, Any]]:
        return [each for each in stored if each["k"] == kind]

    def acts(kind: str, *names: str) -> list[tuple[Any, ...]]:
        return [
            tuple(each.get(name) for name in ("actor", *names)) for each in of(kind)
        ]

    assert acts("LOGIN", "how") == [(who, "card")]
    shift = [each["holder"] for each in of("DUTY_STARTED") + of("DUTY_ENDED")]
    assert shift == [here.holder] * 2
    assert acts("MANUAL_ENTRY", "at", "reason", "count") == [
        (who, HALL, "NO_BOOKING", 1)
    ]
    assert (who, CELL, "check") in acts("ACCESS_GRANTED", "number", "reason")
    assert CELL in [each["number"] for each in of("COMPARTMENT_OPENED")]
    assert acts("MEDICINE_STOCKED", "item", "count", "second") == [
        (who, "创可贴", 20, here.manager)
    ]
    assert acts("MEDICINE_BOX_OPENED") == [(who,)]
    assert acts("MEDICINE_USED", "item", "left") == [(who, "创可贴", 19)]
    assert acts("DRILL_STARTED", "drill") == [(who, "fire")]
    assert acts("DRILL_MARKED", "stage") == [(who, mark) for mark in MARKS]
    assert acts("DRILL_ENDED", "outcome", "action") == [(who, "done", "bell")]
    states = [(who, "FIRE"), (who, "LOCK_DOWN")]
    assert acts("EMERGENCY_STARTED", "state") == states
    assert acts("EMERGENCY_ENDED", "state") == states
    said = [each["reason"] for each in of("EMERGENCY_ENDED")]
    assert said == ["all are safe", "people are let in again"]
    assert acts("LOGOUT") == [(who,)]
    await _its_questions_have_answers(here)


async def _its_questions_have_answers(here: Morning) -> None:
    """What the street office asks the platform, it is told."""

    async def told(*words: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(
            await here.office.good(*words, "--json")
        )
        return rows

    [row] = await told("reconcile", "--all")
    assert (row["gateway"], row["good"], row["missing"]) == (GATEWAY, "yes", 0)
    [drill] = await told("drills")
    assert (drill["drill"], drill["outcome"]) == ("fire", "done")
    assert [each.partition("=")[0] for each in drill["stages"].split()] == MARKS
    box = [(each["what"], each["by"]) for each in await told("medicine")]
    assert box == [("counted", here.who), ("opened", here.who), ("used", here.who)]
    [hours] = await told("hours")
    assert (hours["shifts"], hours["running"]) == (1, 0)


def _stored(office: Office) -> list[dict[str, Any]]:
    """Return every event in the platform's own database, with its personal part."""
    with closing(sqlite3.connect(office.folder / "platform.db", timeout=10.0)) as base:
        rows = base.execute("SELECT core, pii FROM event ORDER BY journal, seq")
        return [json.loads(core) | json.loads(pii or "{}") for core, pii in rows]


def _no_identity_number_is_anywhere(here: Morning) -> None:
    """Neither side's databases and logs have anybody's identity number."""
    folders = (here.office.folder, here.house.stage.folder)
    files = {
        path
        for folder in folders
        for pattern in ("*.db", "*.db-wal", "logs/*.log", "*.log")
        for path in folder.glob(pattern)
    }
    assert {"platform.db", "journal.db", "gateway.log"} <= {path.name for path in files}
    for path in files:
        held = path.read_bytes()
        found = [each for each in here.numbers if each.encode() in held]
        assert not found, path
