# SPDX-License-Identifier: Apache-2.0
"""The emergency pages over HTTP: gestures, steps, lists, and what they may weigh."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.gate import Gate
from tests.panel.conftest import VOLUNTEER
from tests.panel.readings import NOW_MS
from tests.panel.scripted_gateway import TABLET
from tests.panel.test_gated import app_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.panel.scripted_gateway import ScriptedGateway

MAX_PAGE = 15_000
FIRE = {"state": "FIRE", "since_ms": NOW_MS, "by": "input", "who": ""}
STAGES = [
    {"name": "responded", "within_s": 60, "after_s": 75},
    {"name": "evacuated", "within_s": 0, "after_s": None},
]
RUNNING = {
    "seq": 50,
    "drill": "fire",
    "elapsed_s": 3675,
    "with_doors": True,
    "stages": STAGES,
}


@pytest.fixture
async def http(gateway: ScriptedGateway) -> AsyncIterator[httpx.AsyncClient]:
    """A volunteer's browser, before the panel's own pages and gate."""
    app, ground = app_of(gateway)
    watching = asyncio.create_task(ground.link.run())
    gate = Gate(app, frozenset({"h"}), ground.pages.error)
    async with httpx.AsyncClient(
        base_url="http://h",
        headers={"Origin": "http://h"},
        cookies=VOLUNTEER,
        transport=httpx.ASGITransport(app=gate),
    ) as client:
        while not ground.hub.standing.is_live:
            await ground.hub.wait(ground.hub.version)
        yield client
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def post(http: httpx.AsyncClient, path: str, page: str, **fields: str) -> str:
    """Fill in a form of a page; return where it leads."""
    text = (await http.get(page)).text
    found = re.search(r'name="token" value="([^"]+)"', text)
    assert found is not None, text
    answer = await http.post(path, data={"token": found.group(1), **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def told(gateway: ScriptedGateway) -> dict[str, Any]:
    """Return the one order that came, without the secrets it came with."""
    [order] = gateway.orders
    return {k: v for k, v in order.items() if k not in ("tablet", "session")}


async def test_entry_is_paused_by_a_hold_with_a_reason_of_ours(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = "/emergency/lockdown"
    assert 'data-hold="3000"' in (await http.get(page)).text
    sure = f"{page}/sure"
    assert await post(http, page, page, reason="police") == sure
    assert await post(http, page, sure, reason="<b>", hold="sure") == sure
    assert gateway.orders == []
    led = await post(http, page, sure, reason="police", hold="sure")
    assert led == "/emergency?told=danger.locked"
    wanted = {"verb": "emergency", "state": "LOCK_DOWN", "reason": "police"}
    assert told(gateway) == wanted


@pytest.mark.parametrize(
    ("state", "answer", "leads_to"),
    [
        ("FIRE", "", "/emergency/end/FIRE"),
        ("SHELTER", "yes", "/emergency/end/SHELTER"),
        ("FIRE", "safe", "/emergency?told=danger.ended"),
        ("LOCK_DOWN", "", "/emergency?told=danger.ended"),
        ("DANCE", "safe", "/emergency?told=danger.refused"),
    ],
)
async def test_danger_ends_in_two_steps_and_a_pause_in_one(
    gateway: ScriptedGateway,
    http: httpx.AsyncClient,
    state: str,
    answer: str,
    leads_to: str,
) -> None:
    led = await post(http, "/emergency/end", "/emergency", state=state, answer=answer)
    assert led == leads_to
    assert len(gateway.orders) == ("ended" in leads_to)
    said = {"LOCK_DOWN": "people are let in again"}.get(state, "all are safe")
    assert all(order["reason"] == said for order in gateway.orders)


async def test_the_page_behind_an_act_shows_doors_as_it_set_them(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    """Nobody who watches was told yet, and no script will mend the page."""
    gateway.status["doors"]["kitchen-door"]["mode"] = "LOCKED_OPEN"
    gateway.answers["emergency-now"] = {"standing": [FIRE]}
    assert "逃生，一直开着" not in (await http.get("/emergency")).text
    led = await post(http, "/emergency/fire", "/emergency/fire", hold="sure")
    assert "逃生，一直开着" in (await http.get(led)).text


async def test_the_page_behind_a_press_has_the_lock_released(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.status["doors"]["kitchen-door"]["phase"] = "RELEASED"
    assert "锁开了，可以推门" not in (await http.get("/")).text
    led = await post(http, "/open", "/", door="kitchen-door")
    assert led == "/?told=opened"
    assert "锁开了，可以推门" in (await http.get(led)).text


@pytest.mark.parametrize("page", ["/emergency/fire", "/emergency/shelter"])
async def test_a_token_of_yesterday_is_told_where_it_leads(
    gateway: ScriptedGateway, http: httpx.AsyncClient, page: str
) -> None:
    answer = await http.post(page, data={"token": "old", "hold": "held"})
    assert answer.headers["location"] == f"{page}?told=again"
    assert "这一页旧了，请再按一次" in (await http.get(f"{page}?told=again")).text
    assert gateway.orders == []


async def test_the_steps_ask_and_say_why_it_may_not_end_yet(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    assert (await http.get("/emergency/end/FIRE")).status_code == 404
    assert (await http.get("/emergency/end/<b>")).status_code == 404
    gateway.readings["emergency-now"] |= {"standing": [FIRE], "fire_bar": "active"}
    first = (await http.get("/emergency/end/FIRE")).text
    assert "大家都安全了吗" in first
    assert "请先到火警主机上复位" in first
    assert "<form" not in first, "the first step only asks"
    page = (await http.get("/emergency")).text
    assert "着火了：逃生门都开着" in page
    assert "火警线" in page
    gateway.does_refuse = True
    end = {"state": "FIRE", "answer": "safe"}
    led = await post(http, "/emergency/end", "/emergency/end/FIRE/safe", **end)
    assert led == "/emergency?told=danger.still"


async def test_a_site_without_a_shelter_opens_none(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    assert "里面 7 人，可以到 40 人" in (await http.get("/emergency/shelter")).text
    gateway.readings["emergency-now"]["shelter"] = []
    assert "/emergency/shelter" not in (await http.get("/emergency")).text
    led = await post(http, "/emergency/shelter", "/emergency")
    assert led == "/emergency?told=danger.not_here"
    assert gateway.orders == []


async def test_calls_and_elders_are_marked_by_two_words(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = "/emergency/contacts"
    assert 'href="tel:000-1"' in (await http.get(page)).text
    assert (
        await post(http, page, page, mark="c-1:dance") == f"{page}?told=danger.unmarked"
    )
    assert gateway.orders == []
    assert (
        await post(http, page, page, mark="c:1:reached") == f"{page}?told=danger.marked"
    )
    assert told(gateway) == {"verb": "contact", "contact": "c:1", "call": "reached"}


async def test_who_is_not_logged_in_sees_and_marks_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies = httpx.Cookies({"tablet": TABLET})
    for page in ("/emergency", "/emergency/contacts", "/emergency/elders"):
        text = (await http.get(page)).text
        for mark in ('form="mark"', "lockdown", "/drill", "/care"):
            assert mark not in text, (page, mark)
    assert "接老人" in (await http.get("/emergency")).text
    gateway.readings["emergency-now"]["shows_elders"] = False
    assert "接老人" not in (await http.get("/emergency")).text


async def test_care_is_answered_in_two_taps(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = (await http.get("/care")).text
    assert "3 天没见到" in page
    assert page.index("<summary") < page.index("见到人了，平安")
    gateway.answers["care-mark"] = {}
    assert await post(http, "/care", "/care", mark="k1") == "/care?told=danger.marked"
    assert told(gateway) == {"verb": "care-mark", "key": "k1"}


async def test_a_drill_s_clock_is_drawn_and_its_end_leads_to_the_sheet(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    begin = "/drill/begin"
    assert await post(http, begin, "/drill", kind="x") == "/drill?told=drill.refused"
    flood = {"kind": "flood", "doors": "yes"}
    assert await post(http, begin, "/drill", **flood) == "/drill?told=drill.no_doors"
    gateway.readings["emergency-now"]["drill"] = RUNNING
    page = (await http.get("/drill")).text
    assert '<b class="ticks" data-s="3675">1:01:15</b>' in page
    assert page.count('name="stage"') == 1, "what is reached is not pressed again"
    ends = {"mend": "light", "owner": "acc-1"}
    led = await post(http, "/drill/end", "/drill", **ends)
    assert led == "/drills/50?told=drill.ended"
    wanted = {"verb": "drill-end", "action": "light", "owner": "acc-1"}
    assert told(gateway) == wanted
    assert (await http.get("/drills/50")).status_code == 404, "not kept any more"
    done = {"duration_s": 90, "outcome": "done", "action": "light"}
    sheet = {"seq": 50, "drill": "fire", "stages": STAGES, **done}
    gateway.readings["drills"] = {"drills": [sheet]}
    text = (await http.get("/drills/50")).text
    for words in ("1:15", "没做", "1:30", "灯不亮"):
        assert words in text, words


async def test_no_page_is_too_heavy_however_long_the_lists(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    readings = gateway.readings
    contact = readings["emergency-contacts"]["contacts"][0]
    long = {"needs": ["带" * 24] * 4, "grid": "东" * 40}
    unseen = readings["care"]["care"][0]
    readings["emergency-contacts"]["contacts"] = [
        contact | {"contact_id": f"c-{n}", "name": "陈" * 40} for n in range(400)
    ]
    readings["elders"]["elders"] = [
        {"key": f"{n:016}", "name": "欧" * 8 + "*", "order": n}
        | ({"route": "路" * 64, "place": "巷" * 64} | long if n < 30 else {})
        for n in range(500)
    ]
    readings["care"]["care"] = [unseen | {"key": f"{n:016}"} for n in range(600)]
    sheet = RUNNING | {"duration_s": 90, "outcome": "done", "stages": STAGES * 6}
    readings["drills"] = {"drills": [sheet | {"seq": n} for n in range(30)]}
    http.cookies = httpx.Cookies({"tablet": TABLET, "session": "manager"})
    for path in (
        *("/emergency", "/emergency/contacts", "/emergency/contacts?n=42"),
        *("/emergency/elders?n=3", "/emergency/elders/print", "/emergency/card"),
        *("/care", "/drill", "/drills", "/drills/9"),
    ):
        answer = await http.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) <= MAX_PAGE, (path, len(answer.content))
