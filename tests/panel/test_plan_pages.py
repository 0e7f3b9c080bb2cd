# SPDX-License-Identifier: Apache-2.0
"""The plan of shifts and star levels, as a browser without scripts has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.hours import stars
from edge.panel.plan import read_plan
from edge.panel.words import Words
from tests.panel.readings import NOW_MS, READINGS, planned, shift
from tests.panel.scripted_gateway import TABLET, ScriptedGateway
from tests.panel.test_shift_pages import manager, seen

if TYPE_CHECKING:
    from tests.panel.conftest import PanelProcess

__all__ = ["manager"]
WORDS = Words()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))


async def test_the_week_shows_who_and_when_with_masked_names(
    http: httpx.AsyncClient,
) -> None:
    page = await seen(http, "/roster/plan")
    text = text_of(page.partition("</header>")[2])
    for words in (
        "周日 11-22",
        "13:32–17:32 陈* · 客厅 · 前台",
        "16:32–20:32 林* · 客厅",
        "14:32–18:32 没写名字的 0077 · 客厅 · 巡楼",
    ):
        assert words in text, words
    assert text.count("周") == 8 * 1, "today and seven days"
    assert "陈姨" not in text
    assert "林叔" not in text, "what nobody took up hangs on no wall"


async def test_the_first_page_says_who_is_on_duty_today(
    gateway: ScriptedGateway, http: httpx.AsyncClient, panel: PanelProcess
) -> None:
    page = await seen(http, "/")
    assert "今天值班：陈* 13:32–17:32、林* 16:32–20:32" in page
    assert 'href="/roster/plan"' in page
    gateway.answers["plan"] = READINGS["plan"] | {"shifts": []}
    assert "今天值班" not in await seen(http, "/")
    gateway.answers["plan"] = {"ok": False, "error": "out of order"}
    assert "今天值班" not in await seen(http, "/"), "and the page is there all the same"
    async with httpx.AsyncClient(
        base_url=panel.url, cookies={"tablet": TABLET}
    ) as nobody:
        assert "陈*" not in await seen(nobody, "/")
        assert (await nobody.get("/roster/plan")).status_code == 403


async def test_a_manager_sees_what_nobody_took_up(
    gateway: ScriptedGateway, manager: httpx.AsyncClient, http: httpx.AsyncClient
) -> None:
    text = text_of(await seen(manager, "/roster"))
    for words in ("陈姨", "还没有人来，请打个电话问问", "林叔", "这一班没有人上"):
        assert words in text, words
    many = [planned("林叔", -1_440, standing="NOBODY")] * 50
    gateway.answers["plan"] = READINGS["plan"] | {"open": many}
    text = text_of(await seen(manager, "/roster"))
    assert text.count("这一班没有人上") == 3
    assert "还有 47 班" in text
    gateway.answers["plan"] = READINGS["plan"] | {"open": []}
    assert "还没有人来" not in await seen(manager, "/roster")
    assert (await http.get("/roster")).status_code == 403


async def test_my_next_shifts_stand_above_my_hours(
    http: httpx.AsyncClient, gateway: ScriptedGateway
) -> None:
    text = text_of(await seen(http, "/hours"))
    assert "我接下来的班" in text
    assert text.index("13:32–17:32") < text.index("12.5 小时 = 12.5 分")
    assert "16:32–20:32" not in text, "another's"
    assert "星" not in text.replace("星期", ""), "star levels are off"
    gateway.answers["hours"] = READINGS["hours"] | {"ever": 301 * 60}
    text = text_of(await seen(http, "/hours"))
    assert "2 星志愿者：平台一共确认 301 小时，再 299 小时就是 3 星" in text


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "平台一共确认 0 小时，再 100 小时就是 1 星"),
        (6_000 - 1, "平台一共确认 99.9 小时，再 1 小时就是 1 星"),
        (6_000, "1 星志愿者：平台一共确认 100 小时，再 200 小时就是 2 星"),
        (90_000 - 61, "4 星志愿者：平台一共确认 1498.9 小时，再 2 小时就是 5 星"),
        (90_000, "5 星志愿者：平台一共确认 1500 小时，谢谢您"),
    ],
)
def test_a_star_is_reached_by_the_full_hour(minutes: int, said: str) -> None:
    assert stars(minutes, WORDS).zh == said


async def test_the_sheet_s_content_is_what_was_planned(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    did = [shift(1, 60, "CONFIRMED", task="前台"), shift(2, 60, "CONFIRMED")]
    month = READINGS["hours"]["months"][0] | {"shifts": did}
    gateway.answers["hours"] = READINGS["hours"] | {"months": [month]}
    text = text_of(await seen(manager, "/roster/sheet?who=h-0042&month=2026-11"))
    assert (text.count("前台"), text.count("社区值班")) == (1, 1)


async def test_a_full_week_is_a_small_page(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    full = [planned("陈*", n * 400, task="前台") for n in range(28)]
    gateway.answers["plan"] = READINGS["plan"] | {"shifts": full}
    assert (await seen(http, "/roster/plan")).count("陈*") >= 24


@pytest.mark.parametrize("odd", [None, 7, [], {}, "x", [None, 3, {"from_ms": "a"}]])
def test_whatever_the_gateway_says_of_a_plan_is_read(odd: Any) -> None:
    assert read_plan({"today_ms": odd}, WORDS, 8).is_empty
    plan = read_plan({"today_ms": NOW_MS, "shifts": odd, "open": odd}, WORDS, 8)
    assert (plan.is_empty, plan.open, len(plan.days)) == (True, (), 8)
    far = planned("陈*", 99 * 1_440)
    assert read_plan({"today_ms": NOW_MS, "shifts": [far]}, WORDS, 8).is_empty
    night = planned("陈*", -16 * 60)
    assert read_plan({"today_ms": NOW_MS, "shifts": [night]}, WORDS, 8).today
