# SPDX-License-Identifier: Apache-2.0
"""What passers-by are told, longer openings, counts, ends that are asked once more."""

from __future__ import annotations

import asyncio
import copy
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.panel.app import First
from edge.panel.glance import glance
from edge.panel.report import read_status
from edge.panel.standing import Standing, gone, reported
from edge.panel.view import Glance
from edge.panel.visitor import Kind, Visitor
from edge.panel.words import Words
from tests.panel.conftest import VOLUNTEER
from tests.panel.readings import NOW_MS
from tests.panel.scripted_gateway import CALM
from tests.panel.test_gated import app_of
from tests.panel.test_letting_in import ENTRY, HALL, KITCHEN, room, send, shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from tests.panel.scripted_gateway import ScriptedGateway

WORDS = Words()
#: 14:32 of the site.
NOW_S = (14 * 60 + 32) * 60
FAULT = "site.toml:9 door.1.open_secs: unknown key"


@pytest.fixture
async def site(gateway: ScriptedGateway) -> AsyncIterator[tuple[FastAPI, Ground]]:
    """A panel in this loop that watches the gateway."""
    app, ground = app_of(gateway)
    watching = asyncio.create_task(ground.link.run())
    await ground.hub.wait(0)
    yield app, ground
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.fixture
def ground(site: tuple[FastAPI, Ground]) -> Ground:
    return site[1]


@pytest.fixture
async def http(site: tuple[FastAPI, Ground]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=site[0])
    async with httpx.AsyncClient(
        base_url="http://h", transport=transport, cookies=VOLUNTEER
    ) as client:
        yield client


def live(**fields: Any) -> Standing:
    report = read_status(copy.deepcopy(CALM) | fields)
    assert report is not None
    return reported(Standing(), report, 100.0)


# -- the start page --------------------------------------------------------------------


def test_passers_by_are_told_the_site_s_time_and_how_many_are_inside() -> None:
    rooms = {"kitchen": room(KITCHEN), "living-room": room(HALL, inside=4)}
    told = glance(live(rooms=rooms), WORDS, 100.0 + 75)
    assert told.clock_s == NOW_S + 75
    assert told.clock == "14:33"
    assert told.of_its_minute.clock_s == NOW_S + 60
    assert told.inside is not None
    assert told.inside.zh == "现在里面 7 人"
    assert told.fault is None


def test_what_is_not_known_is_left_out() -> None:
    unsure = CALM["clock"] | {"known": False}
    assert glance(live(clock=unsure), WORDS, 100.0) == Glance()
    assert glance(Standing(), WORDS, 100.0) == Glance()
    away = glance(gone(live(rooms={"kitchen": room(KITCHEN)})), WORDS, 130.0)
    assert away == Glance(clock_s=NOW_S + 30)


@pytest.mark.parametrize(
    ("later_s", "clock"), [(9 * 3600 + 1680, "0:00"), (18 * 3600, "8:32")]
)
def test_a_day_ends_at_midnight_of_the_site(later_s: int, clock: str) -> None:
    assert glance(live(), WORDS, 100.0 + later_s).clock == clock


async def test_the_start_page_has_a_clock_a_count_and_its_tablet_s_look(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.delete("session")
    page = (await http.get("/")).text
    assert re.search(r'class="ticks" data-s="523\d\d" data-n="16">14:3', page)
    assert "现在里面" not in page
    assert "设置文件" not in page
    for path in ("/", "/login"):
        assert 'href="/display"' in (await http.get(path)).text, path
    rooms = {"kitchen": room(KITCHEN), "living-room": room(HALL)}
    await shown(gateway, rooms=rooms, settings_faults=[FAULT])
    page = (await http.get("/")).text
    assert "现在里面 6 人" in page
    assert "设置文件里有个错" in page
    assert "open_secs" not in page, "where and what is for whoever is logged in"
    http.cookies.set("session", "volunteer")
    assert 'id="glance"' not in (await http.get("/")).text


async def test_an_open_start_page_hears_of_news_and_of_each_minute(
    gateway: ScriptedGateway, ground: Ground
) -> None:
    first = First(ground)

    async def part() -> Fragment:
        tablet = await first.parts(Visitor(kind=Kind.TABLET))
        assert "glance" not in await first.parts(Visitor(kind=Kind.VOLUNTEER))
        return tablet["glance"]

    async def at(later_s: int, **status: Any) -> Fragment:
        gateway.status["clock"]["earliest_ms"] = NOW_MS + later_s * 1_000
        await shown(gateway, uptime_s=float(later_s), **status)
        return await part()

    early, late = await at(2), await at(50)
    assert early.html != late.html, "a page that is opened now is right now"
    assert early.mark == late.mark, "an open page runs on by itself"
    assert (await at(61)).mark != early.mark, "and is set right each minute"
    counted = await at(3, rooms={"kitchen": room(KITCHEN)})
    assert counted.mark != early.mark


# -- the duty page ---------------------------------------------------------------------


async def test_a_door_opens_for_longer_by_a_button_of_its_own(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    doors = copy.deepcopy(CALM["doors"])
    doors[KITCHEN]["slow_s"] = 30.0
    await shown(gateway, doors=doors)
    page = (await http.get("/")).text
    assert "慢慢来 30 秒" in page
    assert re.search(r"慢慢来<span", page), "an older gateway does not say how long"
    for door, slow in ((KITCHEN, {"slow": "yes"}), (HALL, {})):
        told = await send(http, "/", "/open", door=door, **slow)
        assert told == "/?told=opened"
    assert [order["is_extended"] for order in gateway.orders] == [True, False]
    again = await send(http, "/", "/open", door=KITCHEN)
    assert again == "/?told=ignored", "however it was opened"


async def test_what_is_over_leads_to_the_devices(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    for device in gateway.status["devices"].values():
        device["online"] = False
    gateway.status["clock"]["known"] = False
    await shown(gateway)
    page = (await http.get("/")).text
    assert re.search(r'<a class="button" href="/devices">还有 2 样要看', page)


async def test_a_device_beeps_from_its_own_sentence(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.status["devices"]["kitchen-reader"] |= {"shows": True, "online": False}
    gateway.status["devices"]["board"]["shows"] = True
    await shown(gateway)
    page = (await http.get("/devices")).text
    sentence, _, folded = page.partition("<details>")
    button = '<button class="small" form="beep" name="device" value="{}">'
    assert sentence.count(button.format("kitchen-reader")) == 1
    assert folded.count(button.format("board")) == 1, "the well ones stay folded"
    gateway.answers["beep"] = {"state": "away"}
    told = await send(http, "/devices", "/devices/beep", device="kitchen-reader")
    assert told == "/devices?told=devices.away"


# -- who is asked, and where -----------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/lockers", "/letin?why=HELP", "/people/acc-1"])
async def test_whoever_is_asked_to_go_home_is_asked_on_every_page(
    gateway: ScriptedGateway, http: httpx.AsyncClient, path: str
) -> None:
    http.cookies.set("session", "manager")
    assert "要下班吗" not in (await http.get(path)).text
    gateway.turns["manager"]["is_asked"] = True
    gateway.answers["handover"] = {"state": "stays"}
    assert (await http.get(path)).text.count("有人接班了。李站长要下班吗？") == 1
    assert await send(http, path, "/handover", leaves="no") == "/?told=stays"
    assert gateway.orders[-1]["leaves"] is False
    gateway.answers["handover"] = {"state": "out", "thanks": True}
    assert await send(http, path, "/handover", leaves="yes") == "/thanks"


# -- what is asked once more -----------------------------------------------------------


async def test_somebody_is_retired_on_a_page_that_asks_once_more(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.set("session", "manager")
    gateway.answers["account-retire"] = {"state": "done"}
    person = (await http.get("/people/acc-1")).text
    assert 'action="/people/retire"' not in person
    assert 'href="/people/acc-1/retire"' in person
    page = (await http.get("/people/acc-1/retire")).text
    assert "陈姨" in page
    back, act = page.index('href="/people/acc-1"'), page.index("/people/retire")
    assert back < act, "the way back stands first"
    assert 'name="second"' not in page, "one is enough for a volunteer"
    sure = "/people/acc-1/retire"
    told = await send(http, sure, "/people/retire", account="acc-1")
    assert told == "/people?told=retired"
    assert [order["account"] for order in gateway.orders] == ["acc-1"]
    assert 'name="second"' in (await http.get("/people/acc-2/retire")).text
    assert (await http.get("/people/acc-9/retire")).status_code == 404
    gateway.turns["manager"]["account"] = "acc-2"
    own = await http.get("/people/acc-2/retire")
    assert own.status_code == 404, "nobody ends himself"


async def test_a_tablet_is_unpaired_on_a_page_that_asks_once_more(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.set("session", "installer")
    gateway.answers["tablet-retire"] = {"state": "done"}
    assert 'action="/tablets/retire"' not in (await http.get("/tablets")).text
    page = (await http.get("/tablets/tablet-1/retire")).text
    assert "前台平板" in page
    assert "就是这台" in page, "the tablet in one's hands is named as such"
    assert page.index('href="/tablets"') < page.index('action="/tablets/retire"')
    sure = "/tablets/tablet-1/retire"
    told = await send(http, sure, "/tablets/retire", id="tablet-1")
    assert told == "/tablets?told=tablet_retired"
    assert [order["id"] for order in gateway.orders] == ["tablet-1"]
    assert (await http.get("/tablets/tablet-9/retire")).status_code == 404


# -- counting people -------------------------------------------------------------------


async def test_people_are_counted_by_tiles_and_one_button(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    await shown(gateway, rooms={"kitchen": room(KITCHEN)})
    assert 'href="/count?space=kitchen"' in (await http.get("/")).text
    page = (await http.get("/count?space=kitchen")).text
    assert "共享厨房" in page
    assert "盒子现在记的是 3 人" in page
    assert re.findall(r"persons=(\d+)", page) == ["0", "2", "4", "13"]
    assert gateway.orders == []
    page = (await http.get("/count?space=kitchen&persons=4")).text
    assert '<button class="wide" name="persons" value="4">里面是 4 人' in page
    fields = {"space": "kitchen", "persons": "4"}
    told = await send(http, "/count?space=kitchen&persons=4", "/count", **fields)
    assert told == "/?told=count.set"
    [order] = gateway.orders
    assert (order["verb"], order["space"], order["persons"]) == ("count", "kitchen", 4)
    assert "actor" not in order, "the gateway finds out who counted"
    gateway.does_refuse = True
    told = await send(http, "/count?space=kitchen", "/count", **fields)
    assert told == "/?told=count.not"


async def test_a_count_stays_within_its_bounds(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    await shown(gateway, rooms={"kitchen": room(KITCHEN)})
    for asked, kept in (("-5", "0"), ("5000", "999")):
        page = (await http.get(f"/count?space=kitchen&persons={asked}")).text
        assert f'name="persons" value="{kept}"' in page
    assert (await http.get("/count?space=nowhere")).status_code == 404
    assert (await http.get("/count?space=kitchen&persons=x")).status_code == 422
    fields = {"space": "nowhere", "persons": "4"}
    told = await send(http, "/count?space=kitchen", "/count", **fields)
    assert told == "/?told=again"
    assert gateway.orders == []
    await gateway.close()
    await asyncio.sleep(0.1)
    away = await http.get("/count?space=kitchen")
    assert away.headers["location"] == "/?told=gone"


async def test_where_a_count_is_asked_for_a_way_leads_to_it(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    rooms = {"kitchen": room(KITCHEN), "living-room": room(HALL)}
    await shown(gateway, rooms=rooms)
    every = ["kitchen", "living-room"]

    async def ways(path: str) -> list[str]:
        return re.findall(r'href="/count\?space=([\w-]+)"', (await http.get(path)).text)

    assert await ways("/letin") == []
    assert await ways("/letin?told=letin.late") == every
    assert await ways("/letin/done?seq=77") == every
    gateway.answers["letin"] = {"entries": [ENTRY]}
    assert await ways("/letin/done?seq=77") == ["kitchen"], "the room of that door"
