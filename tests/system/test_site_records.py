# SPDX-License-Identifier: Apache-2.0
"""A day at a living house as its people look back on it: today, log, export, devices.

The panel is its own process, asked as a browser without scripts asks it.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.control.client import ask
from tests.panel.conftest import PanelProcess, start_panel, stop_panel
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

HALL, KITCHEN = "living-room-front", "kitchen-front"
#: A reader that can be heard, beside the house's own.
TAGS = """
[[device]]
id = "studio-tags"
name = "排练室刷卡器"
driver = "osdp"
port = "ports/tags"
baud = 38400
options = { scbk = "E3915C7A08D42FB66E1B90C7A35DF218", poll_ms = 50 }

[[access_point]]
id = "studio-front"
door = "living-room-door"
readers = ["studio-tags"]
"""
HEADS = ["时间", "门", "方式", "结果", "原因", "人数", "值班员", "预约尾号"]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


async def told(house: House, verb: str, **fields: Any) -> dict[str, Any]:
    socket = house.stage.control_socket
    answer: dict[str, Any] = await asyncio.to_thread(ask, socket, verb, **fields)
    return answer


async def keys_of(house: House, role: str, name: str) -> dict[str, str]:
    """Return what a browser holds once its tablet is paired and somebody is in."""
    code = (await told(house, "pair-begin"))["code"]
    tablet = (await told(house, "pair", code=code, name="平板"))["tablet"]
    pin = "274916"
    added = await told(house, "account-add", name=name, role=role, pin=pin)
    login = {"tablet": tablet, "account": added["account"], "pin": pin}
    session = (await told(house, "login-pin", **login))["session"]
    return {"tablet": tablet, "session": session}


def browser(panel: PanelProcess, keys: dict[str, str]) -> httpx.AsyncClient:
    headers = {"Origin": panel.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    return httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=keys, timeout=10
    )


async def get(http: httpx.AsyncClient, url: str) -> str:
    answer = await http.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    assert len(answer.content) <= 15_000, (url, len(answer.content))
    return answer.text


async def press(http: httpx.AsyncClient, page: str, url: str, **fields: str) -> str:
    """Press a button of a page; return the page to which that leads."""
    found = re.search(r'name="token" value="([^"]+)"', await get(http, page))
    assert found is not None
    answer = await http.post(url, data={"token": found.group(1), **fields})
    assert answer.status_code == 303, answer.text
    return await get(http, answer.headers["location"])


async def test_a_day_is_looked_back_on_exported_and_its_devices_heard(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path, more=TAGS) as house:
        panel = await start_panel(house.stage.control_socket)
        try:
            manager = await keys_of(house, "MANAGER", "李站长")
            volunteer = await keys_of(house, "VOLUNTEER", "陈姨")
            async with browser(panel, manager) as m, browser(panel, volunteer) as v:
                await _people_come(house, v)
                await _today_counts_them(m, v)
                await _the_log_shows_and_filters_them(house, m, v)
                await _an_export_has_them_and_is_an_event(house, m)
                await _a_living_reader_beeps(house, v)
                await _a_dead_reader_is_told_and_remembered(house, v, m)
        finally:
            errors = await stop_panel(panel)
        assert errors == ""


async def _people_come(house: House, v: httpx.AsyncClient) -> None:
    """Two come in by themselves, one too early does not, one is let in by hand."""
    on_time = house.part(KITCHEN, "on time"), house.part(HALL, "on time")
    for point, resident in zip((KITCHEN, HALL), on_time, strict=True):
        assert (await house.visit(point, resident)).released_s is not None
    early = house.part(KITCHEN, "too early")
    assert (await house.visit(KITCHEN, early)).released_s is None
    begun_s = asyncio.get_running_loop().time()
    assert "锁开了" in await press(v, "/", "/open", door="kitchen-door")
    named = {"within_s": 3.0, "door": "kitchen-door"}
    assert await house.firmware.wait_for("strike_released", after_s=begun_s, **named)  # type: ignore[arg-type]
    await house.firmware.do("push", door="kitchen-door")
    await asyncio.sleep(0.5)  # a leaf that only twitches is no opening
    await house.firmware.do("pull_shut", door="kitchen-door")
    await house.until_true(
        "all four in the journal",
        lambda: (
            len(house.events("ACCESS_TAKEN")) == 2
            and len(house.events("ACCESS_DENIED")) == 1
            and len(house.events("MANUAL_ENTRY")) == 1
            and house.kinds().count("DOOR_OPENED") >= 3
        ),
    )


async def _today_counts_them(m: httpx.AsyncClient, v: httpx.AsyncClient) -> None:
    for http in (m, v):
        page = await get(http, "/today")
        assert "今天来了 3 人，现在里面 3 人。" in page
        assert "人工放行 1 人，占 33%。" in page
        assert "没进成 1 次。" in page
        assert "值班台按了开门" in page
        assert page.count("<svg") >= 2
    assert "这几天几点最忙" in await get(m, "/today")
    assert "这几天几点最忙" not in await get(v, "/today")


async def _the_log_shows_and_filters_them(
    house: House, m: httpx.AsyncClient, v: httpx.AsyncClient
) -> None:
    whole = await get(v, "/log")
    for words in ("可以进", "没进成", "来早了一点", "值班台按了开门", "厨房门"):
        assert words in whole, words
    refused = await get(v, "/log?group=refused")
    assert "来早了一点" in refused
    assert "值班台按了开门" not in refused
    assert refused.count('<th scope="row">') == 1
    tail = house.part(HALL, "on time").holder[-4:]
    found = await get(m, f"/log?find={tail}&day=week")
    assert f" · {tail}" in found
    assert "没进成 ·" not in found
    early = await get(m, "/log?reason=TOO_EARLY")
    assert early.count('<th scope="row">') == 1
    assert "没有这样的记录" in await get(m, "/log?day=yesterday")
    assert "昨天" not in await get(v, "/log?day=yesterday")
    assert "来早了一点" in await get(v, "/log/sheet")
    assert (await v.get("/export")).status_code == 403
    for page in (whole, found, early):
        for one in (one for people in house.people.values() for one in people):
            for secret in (one.number, one.code, one.holder, "陈姨 ·"):
                assert secret not in page


async def _an_export_has_them_and_is_an_event(
    house: House, m: httpx.AsyncClient
) -> None:
    for form in ("csv", "xlsx"):
        assert "准备好了" in await press(m, "/export", "/export", form=form)
        answer = await m.get("/export/file")
        assert "attachment" in answer.headers["content-disposition"]
        rows = _csv(answer.content) if form == "csv" else _xlsx(answer.content)
        heads, *rows = rows
        assert heads == HEADS
        results = [row[3] for row in rows]
        assert results.count("可以进") == 2
        [refused] = [row for row in rows if row[3] == "没进成"]
        assert refused[1:3] == ["厨房门", "身份证"]
        assert refused[4] == "来早了一点"
        [by_hand] = [row for row in rows if row[3] == "人工放行"]
        assert by_hand[5:7] == ["1", "陈*"]
        tails = {row[7] for row in rows if row[3] == "可以进"}
        assert tails == {house.part(p, "on time").holder[-4:] for p in (HALL, KITCHEN)}
    exports = [
        event
        for event in house.events("SETTINGS_CHANGED")
        if event["what"] == "records_exported"
    ]
    assert [event["detail"].split()[0] for event in exports] == ["csv", "xlsx"]
    assert all(event["actor"].startswith("acc-") for event in exports)
    assert "导出了记录" in await get(m, "/log")


def _csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def _xlsx(content: bytes) -> list[list[str]]:
    """Read a workbook's first sheet as the format says: cells by their place."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = ET.fromstring(packed.read("xl/worksheets/sheet1.xml"))  # noqa: S314  our own file
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        cells = [""] * 8
        for cell in row.iter(f"{SHEET}c"):
            text = "".join(part.text or "" for part in cell.iter(f"{SHEET}t"))
            value = cell.find(f"{SHEET}v")
            number = value.text if value is not None else ""
            cells[ord(cell.attrib["r"][0]) - ord("A")] = text or number or ""
            assert cell.find(f"{SHEET}f") is None, "no cell is a formula"
        rows.append(cells)
    return rows


async def _a_living_reader_beeps(house: House, v: httpx.AsyncClient) -> None:
    page = await get(v, "/devices")
    assert re.search(r"让它叫一声 <span.*?</span><span.*?>排练室刷卡器<", page)
    assert "给安装员看" not in page
    begun_s = asyncio.get_running_loop().time()
    page = await press(v, "/devices", "/devices/beep", device="studio-tags")
    assert "叫它响了" in page
    heard = await house.firmware.wait_for(
        "buzzer_sounded", after_s=begun_s, within_s=3.0
    )
    assert heard is not None, "the reader was not heard"
    asked = [e for e in house.events("SELF_TEST") if e["at"] == "studio-tags"]
    assert [event["asked"] for event in asked] == ["beep"]
    page = await press(v, "/devices", "/devices/beep", device="kitchen-reader")
    assert "它不会叫" in page


async def _a_dead_reader_is_told_and_remembered(
    house: House, v: httpx.AsyncClient, m: httpx.AsyncClient
) -> None:
    """What was good when stays known over a start without warning."""
    await house.firmware.do("unplug", port="tags")
    begun_s = asyncio.get_running_loop().time()
    await house.until_device("studio-tags", is_online=False)
    within_s = asyncio.get_running_loop().time() - begun_s
    assert within_s < 10.0, "an OSDP reader is silent after 8 s"
    shown = await _until_said(v, "排练室刷卡器没有回应")
    assert "上次正常" in shown
    assert "正常的 7 样" in shown
    assert "开始检查了" in await press(v, "/devices", "/devices/test")
    installers = await get(m, "/devices")
    for words in ("给安装员看", "osdp ports/tags 0", "存储还剩", "程序版本"):
        assert words in installers, words
    good_ms = (await house.status())["devices"]["studio-tags"]["good_ms"]
    assert good_ms > 0
    gateway = house.demo.children["gateway"]
    await gateway.end()
    await gateway.start()
    await house.until("again", lambda s: s["devices"]["board"]["online"])
    device = (await house.status())["devices"]["studio-tags"]
    assert (device["online"], device["good_ms"]) == (False, good_ms)


async def _until_said(http: httpx.AsyncClient, words: str) -> str:
    """A box that has just started says nothing of devices for its first seconds."""
    for _ in range(100):
        page = await get(http, "/devices")
        if words in page:
            return page
        await asyncio.sleep(0.2)
    raise AssertionError(f"the page never said {words}")
