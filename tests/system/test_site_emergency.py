# SPDX-License-Identifier: Apache-2.0
"""A site's emergencies and drills, led from two tablets at a real gateway."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.control.client import ask
from tests.panel.conftest import start_panel, stop_panel
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from pathlib import Path

    from tests.panel.conftest import PanelProcess

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

HALL, HALL_DOOR, PIN = "living-room-front", "living-room-door", "274916"
#: The escape door's relay on the board.
ESCAPE = 1


@dataclass(slots=True, kw_only=True)
class Tablet:
    """A paired tablet's browser, without scripts."""

    http: httpx.AsyncClient

    async def read(self, path: str) -> str:
        return (await self.http.get(path)).text

    async def post(self, path: str, page: str, **fields: str) -> str:
        """Fill in a form that stands on ``page``; return where it leads."""
        found = re.search(r'name="token" value="([^"]+)"', await self.read(page))
        assert found is not None, page
        form = {"token": found.group(1), **fields}
        answer = await self.http.post(path, data=form)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


class Place:
    """The house, and who stands at which tablet."""

    def __init__(self, house: House, panel: PanelProcess) -> None:
        self.house = house
        self._panel = panel

    async def told(self, verb: str, **fields: Any) -> dict[str, Any]:
        socket = self.house.stage.control_socket
        return await asyncio.to_thread(ask, socket, verb, **fields)

    async def tablet(self, account: str = "") -> Tablet:
        """Pair a tablet, and log somebody in there."""
        code = (await self.told("pair-begin"))["code"]
        held = {"tablet": (await self.told("pair", code=code, name="平板"))["tablet"]}
        if account:
            login = await self.told("login-pin", account=account, pin=PIN, **held)
            held["session"] = login["session"]
        headers = {"Origin": self._panel.url.rstrip("/")}
        url = self._panel.url
        return Tablet(
            http=httpx.AsyncClient(base_url=url, headers=headers, cookies=held)
        )

    async def volunteer(self, role: str = "VOLUNTEER", name: str = "陈姨") -> str:
        added = await self.told("account-add", name=name, role=role, pin=PIN)
        return str(added["account"])


async def written(house: House, kind: str, count: int) -> list[dict[str, Any]]:
    """Return the events of a kind, once so many are in the journal."""
    what = f"{count} x {kind}"
    await house.until_true(what, lambda: len(house.events(kind)) >= count)
    return house.events(kind)


async def test_emergencies_and_drills_are_led_from_tablets(tmp_path: Path) -> None:
    async with living_house(tmp_path) as house:
        panel = await start_panel(house.stage.control_socket)
        try:
            place = Place(house, panel)
            account = await place.volunteer()
            hall, desk = await place.tablet(), await place.tablet(account)
            await _fire_opens_without_a_name_and_ends_in_two_steps(place, hall, desk)
            await _a_shelter_fetches_elders_and_calls_contacts(place, hall, desk)
            await _a_lock_down_keeps_cards_out_and_lets_people_out(place, desk)
            await _a_drill_is_timed_and_compared(place, desk)
            for tablet in (hall, desk):
                await tablet.http.aclose()
        finally:
            errors = await stop_panel(panel)
        assert errors == ""


async def _fire_opens_without_a_name_and_ends_in_two_steps(
    place: Place, hall: Tablet, desk: Tablet
) -> None:
    house = place.house
    assert "名单" in await hall.read("/emergency/elders")
    assert "东巷 3 号" not in await hall.read("/emergency/elders"), "nobody's turn"
    listed = await desk.read("/emergency/elders")
    assert all(told in listed for told in ("陈*", "东巷 3 号", "左边楼梯", "要轮椅"))
    page = "/emergency/fire"
    led = await hall.post(page, "/emergency", hold="held")
    assert led == "/emergency?told=fire"
    await house.until_true("escape door open", lambda: house.is_relay_on(ESCAPE))
    shown = await hall.read("/emergency")
    for words in ("着火了：逃生门都开着", "平板", "要结束，请先登录", "陈姨"):
        assert words in shown, words
    assert "东巷 3 号" in await hall.read("/emergency/elders"), "people are in danger"
    led = await hall.post("/emergency/end", "/emergency", state="FIRE", answer="safe")
    assert led == "/?told=login"
    end = {"state": "FIRE"}
    led = await desk.post("/emergency/end", "/emergency", **end)
    assert led == "/emergency/end/FIRE", "not in one step"
    assert "大家都安全了吗" in await desk.read(led)
    assert "恢复" in await desk.read(f"{led}/safe")
    led = await desk.post("/emergency/end", f"{led}/safe", **end, answer="safe")
    assert led == "/emergency?told=danger.ended"
    await house.until_true("locked", lambda: not house.is_relay_on(ESCAPE))
    [ended] = await written(house, "EMERGENCY_ENDED", 1)
    assert ended["actor"].startswith("acc-")


async def _a_shelter_fetches_elders_and_calls_contacts(
    place: Place, hall: Tablet, desk: Tablet
) -> None:
    assert "可以到 40 人" in await desk.read("/emergency/shelter")
    led = await desk.post("/emergency/shelter", "/emergency/shelter")
    assert led == "/emergency?told=danger.open"
    calls, elders = "/emergency/contacts", "/emergency/elders"
    async with hall.http.stream("GET", f"{calls}/live") as stream:
        seen = stream.aiter_lines()
        led = await desk.post(calls, calls, mark="c-1:reached")
        assert led == f"{calls}?told=danger.marked"
        async with asyncio.timeout(10):
            async for line in seen:
                if "已联系" in line.encode().decode("unicode_escape", "ignore"):
                    break
    assert "陈姨" in await hall.read(calls), "who, on the other tablet"
    led = await desk.post(calls, calls, mark="c-1:reached")
    assert led == f"{calls}?told=danger.unmarked", "somebody did already"
    key = re.search(r'value="(\w+):fetched"', await desk.read(elders))
    assert key is not None
    for mark in ("fetched", "arrived"):
        led = await desk.post(elders, elders, mark=f"{key.group(1)}:{mark}")
        assert led == f"{elders}?told=danger.marked"
    assert "还有 2 位没接到，一共 3 位" in await hall.read(elders)
    assert "东巷 3 号" in await desk.read(f"{elders}/print")
    marked = await written(place.house, "ELDER_MARKED", 2)
    marked += await written(place.house, "CONTACT_MARKED", 1)
    assert [each["mark"] for each in marked] == ["fetched", "arrived", "reached"]
    shown = await desk.read(elders)
    for several in place.house.people.values():
        for one in several:
            assert one.holder not in shown, "keys, no identifiers"
    safe = {"state": "SHELTER", "answer": "safe"}
    led = await desk.post("/emergency/end", "/emergency", **safe)
    assert led == "/emergency?told=danger.ended"


async def _a_lock_down_keeps_cards_out_and_lets_people_out(
    place: Place, desk: Tablet
) -> None:
    house, page = place.house, "/emergency/lockdown"
    led = await desk.post(page, page, reason="disturbance", hold="")
    assert led == f"{page}/sure", "a press alone is asked once more"
    led = await desk.post(page, page, reason="disturbance", hold="held")
    assert led == "/emergency?told=danger.locked"
    resident = house.part(HALL, "on time")
    assert (await house.visit(HALL, resident)).released_s is None
    begun_s = asyncio.get_running_loop().time()
    await house.firmware.do("press_exit", door=HALL_DOOR)
    released_s = await house.firmware.wait_for(
        "strike_released", after_s=begun_s, within_s=3.0, door=HALL_DOOR
    )
    assert released_s is not None, "the way out is free"
    led = await desk.post("/emergency/end", "/emergency", state="LOCK_DOWN")
    assert led == "/emergency?told=danger.ended", "one press ends it"
    begun = (await written(house, "EMERGENCY_STARTED", 3))[-1]
    assert (begun["state"], begun["reason"]) == ("LOCK_DOWN", "disturbance")


async def _a_drill_is_timed_and_compared(place: Place, desk: Tablet) -> None:
    house = place.house
    led = await desk.post("/drill/begin", "/drill", kind="flood", doors="yes")
    assert led == "/drill?told=drill.no_doors"
    await _drill(place, desk)
    led = await _drill(place, desk)
    sheet = await desk.read(led)
    for words in ("有人响应", "没做", "报警声听不清", "陈姨", "总共"):
        assert words in sheet, words
    assert sheet.count("<th>") == 5, "three columns, the drill before, and the sum"
    stamps = house.events("DRILL_MARKED")
    assert [each["stage"] for each in stamps] == ["responded", "evacuated"] * 2
    assert all(each["after_s"] < 30 for each in stamps)
    [_, last] = await written(house, "DRILL_ENDED", 2)
    assert (last["outcome"], last["action"]) == ("done", "bell")
    assert (await desk.http.get("/drills")).status_code == 403
    manager = await place.tablet(await place.volunteer("MANAGER", "李站长"))
    assert (await manager.read("/drills")).count("/drills/") >= 2
    await manager.http.aclose()


async def _drill(place: Place, desk: Tablet) -> str:
    """Rehearse a fire with doors; return where its sheet stands."""
    house = place.house
    led = await desk.post("/drill/begin", "/drill", kind="fire", doors="yes")
    assert led == "/drill?told=drill.began"
    await house.until_true("open in rehearsal", lambda: house.is_relay_on(ESCAPE))
    assert re.search(r'data-s="\d+">0:00:\d\d<', await desk.read("/drill"))
    for stage in ("responded", "evacuated"):
        led = await desk.post("/drill/mark", "/drill", stage=stage)
        assert led == "/drill?told=drill.marked"
    fields = {"mend": "bell", "owner": ""}
    led = await desk.post("/drill/end", "/drill", **fields)
    assert re.fullmatch(r"/drills/\d+\?told=drill.ended", led)
    await house.until_true("shut again", lambda: not house.is_relay_on(ESCAPE))
    return led
