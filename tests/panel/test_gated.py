# SPDX-License-Identifier: Apache-2.0
"""Whose each page is, walked whole; and nothing that was typed comes back."""

from __future__ import annotations

import asyncio
import contextlib
import re
from random import Random
from typing import TYPE_CHECKING

import httpx
import pytest

from edge.panel.app import make_app
from edge.panel.gate import Gate
from edge.panel.gateway_link import GatewayLink
from edge.panel.ground import Address, Ground
from edge.panel.hub import Hub
from edge.panel.pages import Pages
from edge.panel.report import read_status
from edge.panel.routes import ROUTES
from edge.panel.standing import Standing, reported
from edge.panel.troubles import troubles
from edge.panel.upload import UPLOADS
from edge.panel.visitor import Kind
from edge.panel.words import Words
from tests.panel.conftest import start_panel, stop_panel
from tests.panel.scripted_gateway import CALM, TABLET, ScriptedGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from tests.panel.conftest import PanelProcess

#: What each kind's browser holds.
HELD: dict[Kind, dict[str, str]] = {
    Kind.STRANGER: {},
    Kind.TABLET: {"tablet": TABLET},
    Kind.VOLUNTEER: {"tablet": TABLET, "session": "volunteer"},
    Kind.MANAGER: {"tablet": TABLET, "session": "manager"},
    Kind.INSTALLER: {"tablet": TABLET, "session": "installer"},
}
#: An identity number of no region, and what else must never be shown again.
NUMBER, PIN, CODE = "990101199003070017", "274916", "AB3D57XK2M"
#: Every field of any form of ours.
FIELDS = {
    "token": "x",
    "door": "kitchen-door",
    "account": "acc-1",
    "id": "tablet-1",
    "name": "林叔",
    "pin": PIN,
    "again": PIN,
    "code": CODE,
    "hold": "sure",
    "leaves": "yes",
    "ends": "shift",
    "role": "VOLUNTEER",
    "n": "3",
    "minutes": "420",
    "why": "forgot",
    "who": "h-0042",
    "does": "begin",
    "text": "今天消毒",
    "seq": "1",
    "right": "2",
    "at": "kitchen-front",
    "mode": "LOCKED",
    "space": "kitchen",
    "persons": "4",
}


def app_of(gateway: ScriptedGateway) -> tuple[FastAPI, Ground]:
    hub, words = Hub(asyncio.get_running_loop().time), Words()
    ground = Ground(
        hub=hub,
        pages=Pages(words),
        link=GatewayLink(gateway.path, hub),
        address=Address(url="http://h/", is_secure=False),
    )
    return make_app(ground), ground


async def test_every_route_is_in_the_table_and_no_other(
    gateway: ScriptedGateway,
) -> None:
    app, _ = app_of(gateway)
    there = {
        (method, route.path)  # type: ignore[attr-defined]
        for route in app.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert there == set(ROUTES)


@pytest.mark.parametrize("kind", Kind)
async def test_each_kind_has_its_pages_and_no_others(
    panel: PanelProcess, gateway: ScriptedGateway, kind: Kind
) -> None:
    headers = {"Origin": panel.url.rstrip("/")}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=HELD[kind]
    ) as client:
        for (method, path), whom in ROUTES.items():
            if "live" in path and kind in whom:
                continue  # a stream does not end
            where = path.replace("{account}", "acc-1")
            before = len(gateway.orders)
            if method == "GET":
                answer = await client.get(where)
                is_refused = answer.status_code == 403
            else:
                files = {"file": b"x"} if path in UPLOADS else None
                answer = await client.post(where, data=FIELDS, files=files)
                assert answer.status_code == 303, (method, path, answer.text)
                is_refused = answer.headers["location"] == "/?told=login"
            assert is_refused is (kind not in whom), (kind, method, path)
            assert len(gateway.orders) == before, "no token, no order"


async def test_a_stranger_sees_how_to_pair_and_nothing_of_the_site(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    async with httpx.AsyncClient(base_url=panel.url) as client:
        for path in ("/", "/pair", "/trust"):
            page = (await client.get(path)).text
            for word in ("厨房门", "陈姨", "锁好", "准备好了", "康乐"):
                assert word not in page, path
        assert "配对" in (await client.get("/")).text
        assert (await client.get("/healthz")).text == "ok\n"


async def test_fire_needs_a_tablet_no_name_and_a_second_step(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    headers = {"Origin": panel.url.rstrip("/")}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=HELD[Kind.TABLET]
    ) as client:
        token = await _token(client, "/emergency")
        form = {"token": token, "hold": ""}
        let_go = await client.post("/emergency/fire", data=form)
        assert let_go.headers["location"] == "/emergency/fire"
        assert gateway.orders == []
        token = await _token(client, "/emergency/fire")
        form = {"token": token, "hold": "sure"}
        done = await client.post("/emergency/fire", data=form)
        assert done.headers["location"] == "/emergency?told=fire"
        again = await client.post("/emergency/fire", data=form)
        assert again.headers["location"] == "/emergency/fire?told=again"
    [order] = gateway.orders
    assert (order["verb"], order["state"]) == ("emergency", "FIRE")


async def test_another_s_token_is_worth_nothing(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    headers = {"Origin": panel.url.rstrip("/")}
    async with httpx.AsyncClient(base_url=panel.url, headers=headers) as client:
        client.cookies.update(HELD[Kind.MANAGER])
        token = await _token(client, "/people")
        client.cookies.update(HELD[Kind.VOLUNTEER])
        form = {"token": token, "door": "kitchen-door"}
        answer = await client.post("/open", data=form)
        assert answer.headers["location"] == "/?told=again"
    assert gateway.orders == []


async def test_a_turn_s_cookie_is_for_this_host_alone_and_no_script_s(
    panel: PanelProcess, gateway: ScriptedGateway
) -> None:
    gateway.answers["login-pin"] = {"state": "in", "session": "s" * 43}
    headers = {"Origin": panel.url.rstrip("/")}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=HELD[Kind.TABLET]
    ) as client:
        token = await _token(client, "/login/pin/acc-1")
        form = {"token": token, "account": "acc-1", "pin": PIN}
        answer = await client.post("/login/pin", data=form)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"session={'s' * 43};")
        for word in ("HttpOnly", "SameSite=strict", "Path=/"):
            assert word in cookie
        assert "Domain" not in cookie
        assert PIN not in answer.text + str(answer.headers)


async def _token(client: httpx.AsyncClient, path: str) -> str:
    page = (await client.get(path)).text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None, page
    return found.group(1)


def _odd(random: Random) -> str:
    """Return something that a hostile hand types."""
    parts = [NUMBER, PIN, CODE, "\x00", "<b>", "'\"", "%s{}", "陈", "é", "..", "/", "𝄞"]
    return "".join(random.choices(parts, k=random.randrange(4)))


@contextlib.asynccontextmanager
async def _in_process(gateway: ScriptedGateway) -> AsyncIterator[httpx.AsyncClient]:
    app, ground = app_of(gateway)
    watching = asyncio.create_task(ground.link.run())
    gate = Gate(app, frozenset({"h"}), ground.pages.error)
    headers = {"Origin": "http://h"}
    transport = httpx.ASGITransport(app=gate)
    async with httpx.AsyncClient(
        base_url="http://h", headers=headers, transport=transport
    ) as client:
        yield client
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_typed_comes_back_in_no_answer_and_no_log(
    gateway: ScriptedGateway, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    random = Random(seed)
    places = [place for place in ROUTES if not place[1].endswith("live")]
    async with _in_process(gateway) as client:
        for number in range(250):
            method, path = random.choice(places)
            client.cookies = httpx.Cookies(random.choice(list(HELD.values())))
            where = path.replace("{account}", random.choice(["acc-1", NUMBER]))
            if random.random() < 0.1:
                where += f"/{NUMBER}"
            form = {name: _odd(random) or value for name, value in FIELDS.items()}
            kept = {name: form[name] for name in random.sample(sorted(form), 8)}
            query = {"told": _odd(random), "t": _odd(random), "n": _odd(random)}
            answer = await client.request(
                method,
                where,
                params=query if number % 2 else None,
                data=kept if method == "POST" else None,
            )
            assert answer.status_code < 500, (seed, number, method, where)
            said = answer.text + str(answer.headers)
            for secret in (NUMBER, PIN, "<b>"):
                assert secret not in said, (seed, number, method, where, secret)
    written = "".join(capsys.readouterr())
    assert NUMBER not in written
    assert PIN not in written


async def test_a_site_s_own_language_and_telephone_stand_on_its_pages(
    gateway: ScriptedGateway,
) -> None:
    words = ("--language", "yue", "--help-phone", "020-81234567")
    panel = await start_panel(gateway.path, 0, *words)
    await gateway.watched()
    async with httpx.AsyncClient(base_url=panel.url) as client:
        page = (await client.get("/")).text
        assert '<html lang="yue" class="s20">' in page
        assert "配对呢部平板" in page
        assert 'href="tel:020-81234567"' in page
        client.cookies.update(HELD[Kind.TABLET])
        assert 'href="tel:020-81234567"' in (await client.get("/emergency")).text
    assert await stop_panel(panel) == ""


@pytest.mark.parametrize(
    ("url", "is_secure", "is_exposed"),
    [
        ("http://127.0.0.1:8443/", False, False),
        ("http://[::1]:8443/", False, False),
        ("http://192.168.8.10:8443/", False, True),
        ("https://192.168.8.10:8443/", True, False),
    ],
)
def test_plain_http_in_a_network_is_told_among_the_troubles(
    url: str, *, is_secure: bool, is_exposed: bool
) -> None:
    address = Address(url=url, is_secure=is_secure)
    assert address.is_exposed is is_exposed
    report = read_status(CALM)
    assert report is not None
    standing = reported(Standing(), report, 1.0)
    found = troubles(standing, Words(), 1.0, is_exposed=address.is_exposed)
    titles = [trouble.title.zh for trouble in found]
    assert titles == (["平板和盒子之间没有加密"] if is_exposed else [])
