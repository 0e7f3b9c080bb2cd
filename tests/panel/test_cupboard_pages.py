# SPDX-License-Identifier: Apache-2.0
"""Lockers, parcels and first aid over HTTP, as a browser without scripts sees them."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from typing import TYPE_CHECKING

import pytest

from edge.panel.locker_pages import Cells
from edge.panel.medicine_view import end_of_month_ms
from edge.panel.visitor import Keys, Kind, Visitor
from tests.panel.readings import READINGS
from tests.panel.scripted_gateway import TABLET
from tests.panel.test_gated import app_of

if TYPE_CHECKING:
    import httpx

    from tests.panel.scripted_gateway import ScriptedGateway

MARK = f"r{'ab' * 9}"


async def press(http: httpx.AsyncClient, page: str, path: str, **form: str) -> str:
    """Send a form of a page; return where it leads."""
    found = re.search(r'name="token" value="([^"]+)"', (await http.get(page)).text)
    assert found is not None, page
    answer = await http.post(path, data={**form, "token": found.group(1)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def stand(gateway: ScriptedGateway, number: int, phase: str) -> None:
    """Have a cell stand so from now on."""
    [cell] = [
        each
        for each in gateway.readings["lockers"]["banks"]["lockers"]["cells"]
        if each["number"] == number
    ]
    cell["phase"] = phase


async def test_the_grid_says_each_state_in_words_with_the_box_on_top(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = (await http.get("/lockers")).text
    words = ("空", "有东西", "超时", "坏了", "停用了", "门开着", "要擦一擦", "有包裹")
    for word in (*words, "正在开"):
        assert re.search(rf"</svg>\s+{word} <", page), (
            f"{word}: no word, or no shape beside it"
        )
    assert page.index("药箱") < page.index('"tile-lockers-1"')
    assert len(page) < 15_000
    assert gateway.orders == []
    assert (await http.get("/lockers/lockers-12")).status_code == 404, "its own page"
    assert (await http.get("/lockers/lockers-77")).status_code == 404


async def test_a_cell_opens_for_one_of_our_reasons_and_its_board_says_whether(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page, cell = "/lockers/lockers-3", {"cell": "lockers-3"}
    for odd in ({"reason": "<b>"}, {"cell": "lockers-77", "reason": "check"}):
        where = await press(http, page, "/lockers/open", **(cell | odd))
        assert where == "/lockers?told=again"
    assert gateway.orders == []
    results = {
        ("OPEN", "check"): "opened",
        ("OPEN", "overdue"): "opened_overdue",
        ("FAULT", "check"): "jammed",
        ("OVERDUE", "check"): "silent",
    }
    for (phase, reason), told in results.items():
        stand(gateway, 3, phase)
        where = await press(http, page, "/lockers/open", **cell, reason=reason)
        assert where == f"{page}?told=lockers.{told}"
        order = gateway.orders.pop()
        assert order["verb"] == "compartment-open"
        assert (order["bank"], order["number"], order["reason"]) == (
            *("lockers", 3),
            reason,
        )
    gateway.does_refuse = True
    where = await press(http, page, "/lockers/open", **cell, reason="check")
    assert where == f"{page}?told=lockers.refused"


async def test_an_installer_puts_aside_and_mends_but_opens_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    http.cookies.update({"tablet": TABLET, "session": "installer"})
    page = (await http.get("/lockers/lockers-5")).text
    assert 'action="/lockers/open"' not in page
    assert 'action="/lockers/mend"' in page
    assert 'action="/lockers/out"' not in page, "it is put aside already"
    cell = {"cell": "lockers-5"}
    where = await press(http, "/lockers/lockers-5", "/lockers/mend", **cell)
    assert where == "/lockers/lockers-5?told=lockers.mended"
    [order] = gateway.orders
    assert (order["verb"], order["number"]) == ("mend", 5)


async def test_a_parcel_s_receiver_is_a_mark_and_nothing_typed_comes_back(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.answers["parcel-for"] = {"state": "done", "number": 6}
    listed = (await http.get("/lockers/parcel?typed=%3Cb%3E0031")).text
    assert f'href="/lockers/parcel/{MARK}"' in listed
    assert "共享厨房" in listed
    assert "<b>" not in listed
    for odd in ("990101199003070017", "r1", MARK.upper()):
        assert (await http.get(f"/lockers/parcel/{odd}")).status_code == 404
    form = {"mark": MARK, "bank": "lockers", "size": "M", "days": "3"}
    page = f"/lockers/parcel/{MARK}"
    for odd_field in ({"size": "XXL"}, {"days": "365"}, {"mark": "h-0001"}):
        where = await press(http, page, "/lockers/parcel", **(form | odd_field))
        assert where == "/lockers/parcel?told=again"
    assert gateway.orders == []
    where = await press(http, page, "/lockers/parcel", **form)
    assert where == "/lockers/lockers-6?told=lockers.put"
    [order] = gateway.orders
    assert (order["mark"], order["size"], order["days"]) == (MARK, "M", 3)
    gateway.answers["parcel-for"] = {"state": "full"}
    where = await press(http, page, "/lockers/parcel", **form)
    assert where == f"{page}?told=lockers.no_room"


async def test_what_was_used_is_ticked_and_only_what_is_listed_counts_down(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = (await http.get("/medicine/used/lockers")).text
    assert 'href="tel:120"' in page
    keys = re.findall(r'name="used" value="(\w+)"', page)
    assert len(keys) == 4, "a thermometer is put back"
    where = await press(
        http, "/medicine/used/lockers", "/medicine/used", bank="lockers", used=keys[0]
    )
    assert where == "/medicine?told=medicine.noted&n=1"
    [order] = gateway.orders
    assert (order["item"], order["count"]) == ("碘伏棉签", 1)
    told = (await http.get(where)).text
    assert "记下了 1 样" in told
    where = await press(
        http, "/medicine/used/lockers", "/medicine/used", bank="lockers", used="<b>"
    )
    assert where == "/medicine?told=medicine.nothing"
    assert len(gateway.orders) == 1


async def test_a_count_needs_a_number_an_end_and_another_s_pin(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    page = "/medicine/count/lockers"
    form = {"bank": "lockers", "item": "ice", "count": "6", "year": "2028"}
    form |= {"month": "2", "second": "acc-2", "second_pin": "274916"}
    for odd in ({"count": "many"}, {"count": "1001"}, {"year": "1999"}, {"month": ""}):
        where = await press(http, page, "/medicine/count", **(form | odd))
        assert where == f"{page}?told=medicine.form", odd
    where = await press(http, page, "/medicine/count", **(form | {"second": ""}))
    assert where == f"{page}?told=second"
    assert gateway.orders == []
    where = await press(http, page, "/medicine/count", **form)
    assert where == f"{page}?told=medicine.counted"
    [order] = gateway.orders
    assert (order["item"], order["count"]) == ("冰袋", 6)
    assert order["expires_ms"] == end_of_month_ms(2028, 2, 8)
    assert (order["second_account"], order["second_pin"]) == ("acc-2", "274916")
    gateway.does_refuse = True
    where = await press(http, page, "/medicine/count", **form)
    assert where == f"{page}?told=second"


async def test_an_open_grid_follows_and_without_the_gateway_knows_nothing(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    stand(gateway, 1, "OPEN")
    await http.get("/lockers")
    async with asyncio.timeout(10), http.stream("GET", "/lockers/live") as stream:
        lines = stream.aiter_lines()
        seen: dict[str, str] = {}
        async for line in lines:
            if line.startswith("data: {"):
                part = json.loads(line.removeprefix("data: "))
                seen[part["name"]] = part["html"]
            if "tile-lockers-9" in seen:
                break
        assert "门开着" in seen["tile-lockers-1"]
        stand(gateway, 1, "FREE")
        gateway.show()
        async for line in lines:
            if line.startswith("data: {"):
                part = json.loads(line.removeprefix("data: "))
                break
    assert part["name"] == "tile-lockers-1"
    assert "空" in part["html"]
    _, ground = app_of(gateway)
    cells, keys = Cells(ground), Keys(tablet=TABLET, session="volunteer")
    visitor = Visitor(keys=keys, kind=Kind.VOLUNTEER)
    assert (await cells.look(visitor))["lockers"][1].rental is not None
    await gateway.close()
    gone = (await cells.look(visitor))["lockers"]
    assert [(cell.phase, cell.rental) for cell in gone] == [("", None)] * len(gone)
    assert copy.deepcopy(READINGS)["lockers"]["banks"], "the script itself is unharmed"
    await gateway.open()


@pytest.mark.parametrize("whom", ["resident", "self", "drill"])
async def test_for_whom_the_box_is_opened_goes_to_the_gateway(
    gateway: ScriptedGateway, http: httpx.AsyncClient, whom: str
) -> None:
    gateway.readings["medicine"]["boxes"]["lockers"]["cells"][0]["phase"] = "OPEN"
    form = {"bank": "lockers", "whom": whom}
    where = await press(http, "/medicine", "/medicine/open", **form)
    is_drill = whom == "drill"
    page = "/medicine" if is_drill else "/medicine/used/lockers"
    assert where == f"{page}?told=medicine.{'drill' if is_drill else 'opened'}"
    [order] = gateway.orders
    assert (order["verb"], order["whom"]) == ("medicine-open", whom)


@pytest.mark.parametrize(
    ("form", "told", "bag"),
    [
        ({"how": "bag", "bag": " b017 "}, "bags.kept", "B017"),
        ({"how": "empty"}, "lockers.ended", None),
        ({"how": "bag", "bag": ""}, "bags.form", ""),
        ({"how": "bag", "bag": "A-17"}, "bags.form", ""),
        ({"how": "bag", "bag": "１７"}, "bags.form", ""),
        ({"how": "bag", "bag": "A" * 13}, "bags.form", ""),
        ({"how": "empty", "bag": "A17"}, "bags.either", ""),
    ],
)
async def test_a_cell_is_given_up_into_a_bag_or_empty(
    gateway: ScriptedGateway,
    http: httpx.AsyncClient,
    form: dict[str, str],
    told: str,
    bag: str | None,
) -> None:
    page = "/lockers/lockers-3/end"
    where = await press(http, page, "/lockers/end", cell="lockers-3", **form)
    is_done = bag != ""
    assert where == f"{page.removesuffix('/end') if is_done else page}?told={told}"
    assert [order.get("bag") for order in gateway.orders] == [bag] * is_done
    answer = (await http.get(where)).text
    assert 'class="told"' in answer
    assert form.get("bag", "").strip() not in answer or not form.get("bag")


async def test_a_bag_s_number_that_waits_already_is_told_apart(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.does_refuse = True
    form = {"cell": "lockers-3", "how": "bag"}
    page = "/lockers/lockers-3/end"
    where = await press(http, page, "/lockers/end", **form, bag="b017")
    assert where == f"{page}?told=bags.twice"
    where = await press(http, page, "/lockers/end", **form, bag="b999")
    assert where == "/lockers/lockers-3?told=lockers.refused"


async def test_bags_are_listed_and_given_back(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    assert "2 个袋子等主人来拿" in (await http.get("/lockers")).text
    page = (await http.get("/lockers/bags")).text
    for told in ("B017", "3 号，11-21 14:32", "预约尾号 0032", "不知道是谁的"):
        assert told in page
    assert gateway.orders == []
    assert await press(http, "/lockers/bags", "/lockers/bags", bag="<b>") == (
        "/lockers/bags?told=again"
    )
    where = await press(http, "/lockers/bags", "/lockers/bags", bag="B018")
    assert where == "/lockers/bags?told=bags.given"
    [order] = gateway.orders
    assert (order["verb"], order["bag"]) == ("bag-back", "B018")
    http.cookies.update({"tablet": TABLET, "session": "installer"})
    assert (await http.get("/lockers/bags")).status_code != 200
    assert "等主人来拿" not in (await http.get("/lockers")).text


async def test_however_many_bags_wait_a_page_stays_light(
    gateway: ScriptedGateway, http: httpx.AsyncClient
) -> None:
    gateway.readings["bags"]["bags"] = [
        {
            "bag": f"B{n:011}",
            "bank": "lockers",
            "number": 64,
            "since_ms": 1,
            "tail": "A",
        }
        for n in range(200)
    ]
    page = await http.get("/lockers/bags?n=2")
    assert "B00000000012" in page.text
    assert len(page.content) < 15_000
