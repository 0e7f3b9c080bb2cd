# SPDX-License-Identifier: Apache-2.0
"""Hours, roster, sheet, thanks and notices, as a browser without scripts has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.report import MAX_NOTICE
from edge.panel.shift_report import read_hours, read_notices, read_roster, read_shift
from tests.panel.readings import FORGOTTEN, READINGS, shift
from tests.panel.scripted_gateway import TABLET, ScriptedGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.panel.conftest import PanelProcess

#: What no page may be bigger than.
PAGE_BYTES = 15_000
TOKEN = re.compile(r'name="token" value="([^"]+)"')


@pytest.fixture
async def manager(panel: PanelProcess) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Origin": panel.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    held = {"tablet": TABLET, "session": "manager"}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=held
    ) as client:
        yield client


async def seen(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    assert len(answer.content) <= PAGE_BYTES, path
    return answer.text


async def post(
    client: httpx.AsyncClient, page: str, path: str, **form: str
) -> tuple[str, str]:
    """Send a form of a page; return where it leads and what it says there."""
    found = TOKEN.search(await seen(client, page))
    assert found is not None
    answer = await client.post(path, data={"token": found.group(1), **form})
    assert answer.status_code == 303, answer.text
    led = str(answer.headers["location"])
    return led, await seen(client, led)


async def test_a_month_of_my_hours_is_its_minutes(http: httpx.AsyncClient) -> None:
    page = await seen(http, "/hours")
    assert "12.5 小时 = 12.5 分" in page
    assert "平台已经确认 2.4 小时" in page, "145 minutes, never more than there were"
    assert "12:27–14:32" in page
    assert "李站长和林叔改成 2 小时 5 分钟" in page
    assert "待确认" in page
    assert 'href="/hours/end"' in page


async def test_a_busy_month_and_a_busy_week_stay_small_pages(
    gateway: ScriptedGateway, http: httpx.AsyncClient, manager: httpx.AsyncClient
) -> None:
    many = [shift(n % 7, 60 + n, "PROVISIONAL", seq=n) for n in range(100)]
    month = {"month": "2026-11", "minutes": 9_999, "confirmed": 0, "shifts": many[:60]}
    gateway.answers["hours"] = {"has_card": True, "months": [month], "asks": []}
    week = READINGS["roster"] | {"shifts": many, "waiting": [FORGOTTEN] * 50}
    people = [
        {"holder": f"h-{n:04}", "name": f"志愿者{n}", "may_begin": True}
        for n in range(40)
    ]
    gateway.answers["roster"] = week | {"people": people}
    first, second = await seen(http, "/hours"), await seen(http, "/hours?page=1")
    assert (first.count("/hours/wrong"), second.count("/hours/wrong")) == (15, 15)
    assert "/hours?page=1" in first
    page = await seen(manager, "/roster?day=6")
    assert page.count("/roster/shift?n=") == 15 + 3
    assert "还有 47 班" in page
    for odd in ("/hours?page=x", "/roster?day=9", "/roster?week=99"):
        assert (await manager.get(odd)).status_code == 422


async def test_a_forgotten_end_is_asked_for_with_four_tiles(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = await seen(http, "/hours/end")
    assert re.findall(r'name="minutes" value="(\d+)">([0-9:]+)', page) == [
        ("480", "14:32"),
        ("420", "13:32"),
        ("360", "12:32"),
        ("300", "11:32"),
    ]
    form = {"n": "3", "minutes": "420", "why": "forgot"}
    led, _ = await post(http, "/hours/end", "/hours/ask", **form)
    assert led == "/?told=hours.asked"
    [order] = gateway.orders
    told = {k: order[k] for k in ("verb", "seq", "minutes", "reason")}
    assert told == {
        "verb": "duty-question",
        "seq": 3,
        "minutes": 420,
        "reason": "forgot",
    }


async def test_nothing_forgotten_and_the_page_leads_on(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["hours"] = {"has_card": True, "months": [], "asks": []}
    answer = await http.get("/hours/end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_who_logs_in_after_a_forgotten_end_is_asked_first(
    gateway: ScriptedGateway, panel: PanelProcess
) -> None:
    gateway.answers["login-pin"] = {"state": "in", "session": "v", "forgot": True}
    headers = {"Origin": panel.url.rstrip("/")}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies={"tablet": TABLET}
    ) as client:
        found = TOKEN.search(await seen(client, "/login/pin/acc-1"))
        assert found is not None
        form = {"token": found.group(1), "account": "acc-1", "pin": "274916"}
        answer = await client.post("/login/pin", data=form)
        assert answer.headers["location"] == "/hours/end"


async def test_a_doubt_is_noted_and_a_refusal_told(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    form = {"n": "3", "minutes": "450", "why": "wrong"}
    led, page = await post(http, "/hours/wrong?n=3", "/hours/ask", **form)
    assert led == "/hours?told=hours.asked"
    assert "等站长确认" in page
    gateway.does_refuse = True
    led, _ = await post(http, "/hours/wrong?n=3", "/hours/ask", **form)
    assert led == "/hours?told=hours.not"
    gateway.answers["shift"] = {"shift": None}
    assert (await http.get("/hours/wrong?n=9")).status_code == 404


async def test_the_end_of_a_shift_is_thanked_for(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["logout"] = {"state": "out", "thanks": True}
    led, page = await post(http, "/more", "/logout", ends="shift")
    assert led == "/thanks"
    for words in ("今天开了 41 次门，谢谢您", "2 小时 25 分钟", "12.5 小时 = 12.5 分"):
        assert words in page
    gateway.answers["farewell"] = {"state": "thanks", "opened": 0}
    assert "辛苦了，谢谢您" in await seen(http, "/thanks")
    gateway.answers["farewell"] = {"state": "none"}
    assert (await http.get("/thanks")).headers["location"] == "/"


async def test_the_roster_shows_who_is_there_and_what_waits(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    page = await seen(manager, "/roster")
    for words in (
        "现在在值班",
        "陈姨",
        "忘了下班，盒子到关门时间记的",
        "没写名字的 0077",
    ):
        assert words in page
    assert page.count("没有人来值班") == 5, "seven days, shifts on two of them"
    form = {"who": "h-0077", "does": "begin"}
    led, page = await post(manager, "/roster", "/roster/duty", **form)
    assert "上班了" in page
    assert gateway.orders[-1]["verb"] == "duty"
    assert gateway.orders[-1]["is_start"] is True
    gateway.does_refuse = True
    led, _ = await post(manager, "/roster", "/roster/duty", who="x", does="end")
    assert led == "/roster?told=roster.neither"


async def test_a_correction_takes_a_second_person_and_a_reason(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    form = {"n": "3", "minutes": "420", "why": "early"}
    vouched = {"second": "acc-1", "second_pin": "613950"}
    page = "/roster/shift?n=3"
    assert (await seen(manager, page)).count('<option value="480">') == 1
    led, told = await post(manager, page, "/roster/correct", **form, **vouched)
    assert (led, "改好了" in told) == ("/roster?told=roster.corrected", True)
    [order] = gateway.orders
    assert (order["verb"], order["seq"], order["minutes"]) == ("duty-correct", 3, 420)
    assert (order["second_account"], order["second_pin"]) == ("acc-1", "613950")
    gateway.does_refuse = True
    led, told = await post(manager, page, "/roster/correct", **form)
    assert led == "/roster/shift?n=3&told=roster.not"
    assert "613950" not in told


async def test_the_sheet_has_start_end_content_and_recorder(
    manager: httpx.AsyncClient,
) -> None:
    page = await seen(manager, "/roster/sheet?who=h-0042&month=2026-11")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))
    for words in (
        "开始",
        "结束",
        "服务内容",
        "记录人",
        "社区值班",
        "本人刷卡",
        "李站长、林叔改",
    ):
        assert words in text
    assert "12 小时 30 分钟" in text, "the sum of the minutes"
    bad = await manager.get("/roster/sheet?who=h-0042&month=2026-13")
    assert bad.status_code == 422


async def test_notices_stand_urgent_first_and_the_door_s_own_is_set(
    gateway: ScriptedGateway, manager: httpx.AsyncClient
) -> None:
    page = await seen(manager, "/notices")
    assert page.index("台风") < page.index("停水")
    assert "今天消毒" in page
    gateway.answers["door-notice"] = {"state": "done"}
    form = {"text": "今天休息", "does": "set"}
    led, _ = await post(manager, "/notices", "/notices/door", **form)
    assert led == "/notices?told=notices.set"
    assert gateway.orders[-1]["text"] == "今天休息"
    led, _ = await post(manager, "/notices", "/notices/door", text="x", does="remove")
    assert (led, gateway.orders[-1]["text"]) == ("/notices?told=notices.gone", "")
    gateway.answers["door-notice"] = {"state": "form"}
    led, page = await post(
        manager, "/notices", "/notices/door", text="990101199003070017"
    )
    assert led == "/notices?told=notices.form"
    assert "990101" not in page


async def test_the_notice_at_the_door_stands_on_the_duty_page(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.status["panel"] = {"notice": "今天消毒" + "长" * MAX_NOTICE + "<b>"}
    gateway.show()
    for _ in range(200):
        page = await seen(http, "/")
        if "今天消毒" in page:
            break
    assert "门口告示" in page
    assert "<b>" not in page


@pytest.mark.parametrize("odd", [None, 7, [], {}, "x", [None, 3, {"seq": "a"}]])
def test_whatever_the_gateway_says_is_read(odd: Any) -> None:
    answer = dict.fromkeys(("months", "asks", "shifts", "waiting", "people"), odd)
    assert read_hours(answer).asks == ()
    assert read_roster(answer | {"on_duty": odd}).shifts == ()
    assert read_shift(odd) is None
    assert all(each.title == "" for each in read_notices(odd))
    known = read_shift({"seq": 1, "from_ms": 5, "minutes": -3, "words": odd})
    assert known is not None
    assert (known.minutes, known.to_ms, known.asked) == (0, 5, None)
