# SPDX-License-Identifier: Apache-2.0
"""The pages over HTTP, as a browser without scripts sees them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyjsparser  # type: ignore[import-untyped]

import edge.panel
from edge.panel.assets import ASSETS
from edge.panel.gate import SECURITY_HEADERS
from edge.panel.look import COOKIE, SIZES, Look
from tests.panel.scripted_gateway import GRANTED, TABLET

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

STATIC = Path(edge.panel.__file__).parent / "static"


async def token(http: httpx.AsyncClient) -> str:
    page = (await http.get("/")).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


async def press(http: httpx.AsyncClient, door: str, used: str) -> str:
    """Press 开门 and return what the page then says."""
    answer = await http.post("/open", data={"token": used, "door": door})
    assert answer.status_code == 303, answer.text
    page = (await http.get(answer.headers["location"])).text
    found = re.search(r'<p class="told">([^<]*?) <', page)
    assert found is not None
    return found.group(1)


async def test_a_press_opens_the_door_once(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    used = await token(http)
    assert await press(http, "kitchen-door", used) == "锁开了，请推门"
    assert await press(http, "kitchen-door", used) == "刚开过，不用再按"
    assert await press(http, "kitchen-door", await token(http)) == "刚开过，不用再按"
    (order,) = gateway.orders
    assert order["door"] == "kitchen-door"
    assert (order["tablet"], order["session"]) == (TABLET, "volunteer")
    assert "actor" not in order, "the gateway finds out who acts"
    assert order["reason"]


async def test_two_presses_at_the_same_time_open_once(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    used = await token(http)
    form = {"token": used, "door": "kitchen-door"}
    answers = await asyncio.gather(*(http.post("/open", data=form) for _ in range(6)))
    told = sorted(answer.headers["location"] for answer in answers)
    assert told == [*["/?told=ignored"] * 5, "/?told=opened"]
    assert len(gateway.orders) == 1


async def test_a_door_that_refuses_says_so_kindly_and_may_be_tried_again(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.does_refuse = True
    told = await press(http, "kitchen-door", await token(http))
    assert told == "这扇门现在不能从这里开"
    gateway.does_refuse = False
    told = await press(http, "kitchen-door", await token(http))
    assert told == "锁开了，请推门"


async def test_an_old_page_and_a_door_that_is_not_there_open_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    assert await press(http, "kitchen-door", "long-gone") == "这一页旧了，请再按一次"
    assert await press(http, "no-door", await token(http)) == "这一页旧了，请再按一次"
    assert gateway.orders == []


async def test_a_mute_gateway_is_told_and_the_order_is_not_repeated(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    used = await token(http)
    gateway.is_mute = True
    told = await press(http, "kitchen-door", used)
    assert told == "盒子没有回应，请用钥匙"
    assert gateway.orders == []


async def test_names_are_escaped_wherever_they_stand(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    evil = "<script>alert(1)</script>"
    gateway.status["doors"]["\"'><i>"] = {
        "mode": "LOCKED",
        "phase": "SECURE",
        "name": evil,
    }
    gateway.status["devices"]["x"] = {"online": False, "name": evil}
    gateway.status["site"]["name"] = evil
    gateway.show()
    gateway.tell(GRANTED | {"at": "\"'><i>"})
    await asyncio.sleep(0.1)
    page = (await http.get("/")).text
    assert page.count("&lt;script&gt;") >= 4
    assert "<script>" not in page
    assert "<i>" not in page


async def test_every_answer_is_sealed(http: httpx.AsyncClient) -> None:
    for path in ("/", "/nothing", "/open", *ASSETS):
        headers = (await http.get(path)).headers
        for name, value in SECURITY_HEADERS:
            assert headers.get_list(name.decode()) == [value.decode()], path
        assert "server" not in headers


async def test_no_page_has_inline_scripts_or_styles(http: httpx.AsyncClient) -> None:
    for path in ("/", "/?told=opened", "/nothing"):
        page = (await http.get(path)).text
        assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page) == []
        assert re.findall(r'(?:src|href)="(?!/)', page) == []


async def test_unknown_words_in_the_address_change_nothing(
    http: httpx.AsyncClient,
) -> None:
    for query in ("told=evil", "told=", "x=%ff", "told=opened&told=evil"):
        answer = await http.get(f"/?{query}")
        assert answer.status_code == 200
        assert "evil" not in answer.text


async def test_there_is_no_documentation_and_no_schema(http: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await http.get(path)).status_code == 404


async def test_a_tablet_that_keeps_a_size_gets_its_class(
    http: httpx.AsyncClient,
) -> None:
    for size in SIZES:
        http.cookies.set(COOKIE, Look(size=size).text())
        assert f'class="s{size}"' in (await http.get("/")).text


def test_the_script_is_small_and_read_by_the_oldest_engine() -> None:
    script = (STATIC / "panel.js").read_text(encoding="utf-8")
    assert len(script.encode()) <= 4096
    pyjsparser.parse(script)


def test_the_gate_of_the_oldest_engine_bites() -> None:
    script = (STATIC / "panel.js").read_text(encoding="utf-8")
    for newer in ("var f = () => 1;", "var v = a?.b;", "class A {}", "f(...a);"):
        try:
            pyjsparser.parse(script + newer)
        except pyjsparser.pyjsparserdata.JsSyntaxError:
            continue
        raise AssertionError(f"{newer} passed as ES5")


def test_the_style_is_small_and_uses_nothing_new() -> None:
    style = (STATIC / "panel.css").read_text(encoding="utf-8")
    rules = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    assert len(style.encode()) <= 8192
    newer = (
        r"grid|var\(|--\w|\bgap\b|:is\(|:has\(|:where\(|@layer|clamp\(|https?:|@import"
    )
    assert re.findall(newer, rules) == []
    assert "line-height: 1.5" in rules
