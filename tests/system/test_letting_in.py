# SPDX-License-Identifier: Apache-2.0
"""A volunteer lets people in without a card, in a living house, without a script.

One house for all of it; what is concluded, is concluded from the strike and from the
journal's file.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.cli.files import config_folder
from edge.control.client import ask
from edge.panel.presses import PAUSE_S
from tests.panel.conftest import start_panel, stop_panel
from tests.system.house import living_house

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.house import House

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

KITCHEN, HALL, POINT = "kitchen-door", "living-room-door", "living-room-front"
BELL, PIN = 5, "274916"


def with_bell(folder: Path) -> Path:
    """Return the demonstration's site with a bell, and room for many in its hall."""
    text = (config_folder() / "demo.toml").read_text(encoding="utf-8")
    bell = f'bell = {{ device = "board", input = {BELL} }}'
    text = text.replace(f"# {bell}", bell)
    text = text.replace('name = "城市客厅"\n', 'name = "城市客厅"\ncapacity = 900\n')
    site = folder / "site.toml"
    site.write_text(text, encoding="utf-8")
    return site


async def told(house: House, verb: str, **fields: Any) -> dict[str, Any]:
    """Ask the gateway as its own shell."""
    socket = house.stage.control_socket
    answer: dict[str, Any] = await asyncio.to_thread(ask, socket, verb, **fields)
    return answer


async def log_in(house: House, name: str, role: str) -> tuple[dict[str, str], str]:
    """Return what somebody's browser holds, and how events name him."""
    code = (await told(house, "pair-begin"))["code"]
    tablet = (await told(house, "pair", code=code, name=name))["tablet"]
    added = await told(house, "account-add", name=name, role=role, pin=PIN)
    login = {"tablet": tablet, "account": added["account"], "pin": PIN}
    session = (await told(house, "login-pin", **login))["session"]
    return {"tablet": tablet, "session": session}, added["account"]


class Hand:
    """Somebody at a tablet: reads pages, and sends the form of the last one."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.page = ""
        self.at = ""

    async def read(self, path: str) -> str:
        answer = await self._client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code)
        self.page, self.at = answer.text, str(answer.url)
        assert len(self.page.encode()) <= 15_000, path
        return self.page

    async def send(self, path: str, **fields: str) -> str:
        """Send a form with the page's token and read where it leads."""
        found = re.search(r'name="token" value="([^"]+)"', self.page)
        assert found is not None, self.at
        answer = await self._client.post(path, data={"token": found[1], **fields})
        assert answer.status_code == 303, (path, answer.status_code)
        return await self.read(answer.headers["location"])


async def test_a_volunteer_lets_in_corrects_answers_and_confirms(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path, site=with_bell(tmp_path)) as house:
        keys, who = await log_in(house, "陈姨", "VOLUNTEER")
        manager, boss = await log_in(house, "李站长", "MANAGER")
        panel = await start_panel(house.stage.control_socket)
        try:
            async with (
                _client(panel.url, keys) as mine,
                _client(panel.url, manager) as other,
            ):
                hand, chief = Hand(mine), Hand(other)
                await _two_without_a_booking(house, hand, who)
                await _the_room_is_counted(house, hand, who)
                await _a_bell_is_answered_once(house, hand, chief, who)
                await _who_waits_is_let_in(house, hand, who)
                await _a_door_stands_free_for_an_hour(house, chief, boss)
                await _a_door_is_out_of_use(house, chief, boss)
                await _somebody_needs_longer(house, hand, who)
        finally:
            assert await stop_panel(panel) == ""


def _client(url: str, keys: dict[str, str]) -> httpx.AsyncClient:
    headers = {"Origin": url.rstrip("/")}
    return httpx.AsyncClient(base_url=url, headers=headers, cookies=keys)


async def _two_without_a_booking(house: House, hand: Hand, who: str) -> None:
    await _until_page(hand, "/letin", "没有预约，有空位")
    before = (await house.status())["rooms"]["living-room"]["free"]
    await hand.read("/letin?why=NO_BOOKING")
    begun_s = asyncio.get_running_loop().time()
    page = await hand.send("/letin", why="NO_BOOKING", door=HALL, count="2")
    assert "10 秒内可以改" in page
    assert "2 人" in page
    await _push(house, HALL, begun_s)
    await house.until("two inside", lambda s: s["rooms"]["living-room"]["inside"] == 2)
    seq = re.search(r"seq=(\d+)", hand.at)
    assert seq is not None
    await hand.read(f"/letin/fix?seq={seq[1]}")
    assert "改好了" in await hand.send("/letin/fix", seq=seq[1], right="1")
    await house.until("one inside", lambda s: s["rooms"]["living-room"]["inside"] == 1)
    [entry] = house.events("MANUAL_ENTRY")
    assert (entry["actor"], entry["count"]) == (who, 2)
    assert (entry["at"], entry["reason"]) == (HALL, "NO_BOOKING")
    [fixed] = house.events("ENTRY_CORRECTED")
    assert (fixed["actor"], fixed["persons"], fixed["was"]) == (who, 1, 2)
    assert fixed["cause"] == int(seq[1])
    await _until_page(hand, "/", f"还能进 {before - 1} 人")


async def _the_room_is_counted(house: House, hand: Hand, who: str) -> None:
    await hand.read("/")
    assert "/count?space=living-room" in hand.page
    page = await hand.read("/count?space=living-room&persons=4")
    assert "盒子现在记的是 1 人" in page
    page = await hand.send("/count", space="living-room", persons="4")
    assert "照您数的算" in page
    await house.until("counted", lambda s: s["rooms"]["living-room"]["inside"] == 4)
    [counted] = house.events("OCCUPANCY_SET")
    assert (counted["actor"], counted["at"]) == (who, "living-room")
    assert (counted["persons"], counted["was"]) == (4, 1)


async def _a_bell_is_answered_once(
    house: House, hand: Hand, chief: Hand, who: str
) -> None:
    for is_closed in (True, False):
        field = {"board": "board", "channel": BELL, "is_closed": is_closed}
        await house.firmware.do("set_input", **field)
        await asyncio.sleep(0.3)
    for each in (hand, chief):
        await _until_page(each, "/", "厨房门有人按铃")
        assert 'src="/chime.wav"' in each.page
    await chief.read(f"/call?door={KITCHEN}")
    await hand.read(f"/call?door={KITCHEN}")
    begun_s = asyncio.get_running_loop().time()
    assert "10 秒内可以改" in await hand.send("/call", door=KITCHEN, what="open")
    await _push(house, KITCHEN, begun_s)
    page = await chief.send("/call", door=KITCHEN, what="open")
    assert "已经有人接了" in page
    assert "有人按铃" not in page
    [answered] = house.events("CALL_ANSWERED")
    assert (answered["actor"], answered["at"]) == (who, KITCHEN)
    assert [e["reason"] for e in house.events("MANUAL_ENTRY")][1:] == ["DOORBELL"]


async def _who_waits_is_let_in(house: House, hand: Hand, who: str) -> None:
    await told(house, "emergency", state="CHECKPOINT", reason="a test", actor="shell")
    porch, resident = house.porches[POINT], house.part(POINT, "on time")
    show = {"scanner": porch.reader, "text": resident.code}
    await house.firmware.do("show_code", **show)
    await _until_page(hand, "/", "客厅门有人等您确认")
    await hand.read(f"/confirm?at={POINT}")
    begun_s = asyncio.get_running_loop().time()
    assert "请他推门" in await hand.send("/confirm", at=POINT)
    await _push(house, HALL, begun_s)
    [given] = house.events("CONFIRMATION_GIVEN")
    assert (given["at"], given["actor"]) == (POINT, who)
    await _until_page(hand, "/", "有人等您确认", is_there=False)
    state = {"state": "CHECKPOINT", "reason": "a test", "actor": "shell"}
    await told(house, "end-emergency", **state)


async def _a_door_stands_free_for_an_hour(house: House, chief: Hand, boss: str) -> None:
    page = await chief.read(f"/door?door={KITCHEN}&mode=UNLOCKED")
    assert "到关门" in page
    page = await chief.send("/door", door=KITCHEN, mode="UNLOCKED", span="hour")
    assert "到时候自己锁好" in page
    await house.until("free", lambda s: s["doors"][KITCHEN]["mode"] == "UNLOCKED")
    [changed] = house.events("DOOR_MODE_CHANGED")
    assert (changed["actor"], changed["mode"], changed["timed"]) == (
        boss,
        "UNLOCKED",
        1,
    )
    left_s = (changed["until"] - changed["lo"]) / 1000
    assert abs(left_s - 3_600) < 30
    shown = (await house.status())["doors"][KITCHEN]
    assert shown["until_ms"] == changed["until"]
    await _until_page(chief, "/", "常开到")


async def _a_door_is_out_of_use(house: House, chief: Hand, boss: str) -> None:
    await chief.read(f"/door?door={KITCHEN}&mode=BLOCKED")
    page = await chief.send("/door", door=KITCHEN, mode="BLOCKED")
    assert "这扇门停用了" in page
    await house.until("blocked", lambda s: s["doors"][KITCHEN]["mode"] == "BLOCKED")
    changed = house.events("DOOR_MODE_CHANGED")[-1]
    assert (changed["actor"], changed["mode"]) == (boss, "BLOCKED")
    await chief.read("/letin?why=HELP")
    assert "现在不能" in await chief.send("/letin", why="HELP", door=KITCHEN)


async def _somebody_needs_longer(house: House, hand: Hand, who: str) -> None:
    slow_s = (await house.status())["doors"][HALL]["slow_s"]
    assert f"慢慢来 {slow_s:.0f} 秒" in await hand.read("/")
    await asyncio.sleep(PAUSE_S)  # this door was opened from the panel just now
    begun_s = asyncio.get_running_loop().time()
    assert "锁开了" in await hand.send("/open", door=HALL, slow="yes")
    await _push(house, HALL, begun_s)
    entry = house.events("MANUAL_ENTRY")[-1]
    assert (entry["actor"], entry["at"], entry["extended"]) == (who, HALL, 1)


async def _push(house: House, door: str, begun_s: float) -> None:
    """Go through a door that was released since."""
    released_s = await house.firmware.wait_for(
        "strike_released", after_s=begun_s, within_s=5.0, door=door
    )
    assert released_s is not None, f"the strike of {door} did not move"
    await house.firmware.do("push", door=door)
    await asyncio.sleep(0.5)
    await house.firmware.do("pull_shut", door=door)


async def _until_page(
    hand: Hand, path: str, words: str, *, is_there: bool = True
) -> None:
    """Read a page until it says something, or says it no more."""
    until_s = asyncio.get_running_loop().time() + 10
    while (words in await hand.read(path)) is not is_there:
        assert asyncio.get_running_loop().time() < until_s, (words, hand.page)
        await asyncio.sleep(0.1)
