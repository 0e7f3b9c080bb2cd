# SPDX-License-Identifier: Apache-2.0
"""A volunteer at the lockers and the medicine box: real gateway, simulated locks."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from edge.control.client import ControlError, ask
from tests.panel.conftest import start_panel, stop_panel
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]

TOKEN = re.compile(r'name="token" value="([^"]+)"')
TOLD = re.compile(r'<p class="told">([^<]*?) <')
PIN, OTHER = "274916", "613950"
PLASTERS, MEDICINE = "创可贴", 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tablet:
    """A paired tablet's browser; what it presses, it read on a page before."""

    http: httpx.AsyncClient

    async def read(self, path: str) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    async def press(self, page: str, path: str, **form: str) -> tuple[str, str]:
        """Send a form of a page; return where that leads, and what is told there."""
        token = TOKEN.search(await self.read(page))
        assert token is not None, page
        answer = await self.http.post(path, data={**form, "token": token.group(1)})
        assert answer.status_code == 303, answer.text
        where = answer.headers["location"]
        told = TOLD.search(await self.read(where))
        return where.partition("?")[0], told.group(1) if told else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A living house, a volunteer's tablet, and one at which nobody is logged in."""

    house: House
    volunteer: Tablet
    nobody: Tablet
    second: str

    def openings(self, number: int) -> int:
        """Count how often a leaf popped open."""
        seen = self.house.firmware.happenings
        return sum(
            each["what"] == "compartment_opened" and each["channel"] == number
            for each in seen
        )

    async def shut(self, number: int) -> None:
        """Close a leaf by hand, and wait until the gateway has seen it.

        While the coil still pulls it springs back, as a real one does.
        """
        is_shut = False
        while not is_shut:
            leaf = {"board": "locks", "channel": number}
            is_shut = (await self.house.firmware.do("shut", **leaf))["is_shut"]
            await asyncio.sleep(0.1)
        await self.until_phase(number, "FREE", "OCCUPIED", "FAULT")

    async def until_phase(self, number: int, *phases: str) -> None:
        def is_there(status: dict[str, Any]) -> bool:
            cells = status["banks"]["lockers"]["compartments"]
            return cells[str(number)] in phases

        await self.house.until(f"{number} {phases}", is_there)

    async def written(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Return the newest event of a kind, once there are so many on disk."""

        def is_there() -> bool:
            return len(self.house.events(kind)) >= count

        await self.house.until_true(kind, is_there, within_s=10)
        return self.house.events(kind)[-1]


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    async with living_house(folder) as house:
        socket = house.stage.control_socket

        async def told(verb: str, **fields: Any) -> dict[str, Any]:
            return await asyncio.to_thread(ask, socket, verb, **fields)

        async def paired() -> str:
            code = (await told("pair-begin"))["code"]
            return str((await told("pair", code=code, name="tablet"))["tablet"])

        mine = (await told("account-add", name="陈姨", pin=PIN))["account"]
        second = (await told("account-add", name="林叔", pin=OTHER))["account"]
        tablet, other = await paired(), await paired()
        login = {"tablet": tablet, "account": mine, "pin": PIN}
        session = (await told("login-pin", **login))["session"]
        panel = await start_panel(socket)
        headers = {"Origin": panel.url.rstrip("/")}
        try:
            async with (
                httpx.AsyncClient(
                    base_url=panel.url,
                    headers=headers,
                    timeout=20,
                    cookies={"tablet": tablet, "session": session},
                ) as volunteer,
                httpx.AsyncClient(
                    base_url=panel.url,
                    headers=headers,
                    timeout=20,
                    cookies={"tablet": other},
                ) as nobody,
            ):
                yield Place(
                    house=house,
                    volunteer=Tablet(http=volunteer),
                    nobody=Tablet(http=nobody),
                    second=second,
                )
        finally:
            errors = await stop_panel(panel)
        assert errors == ""


async def test_a_volunteer_sees_to_lockers_and_first_aid(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await _a_cell_opens_for_a_reason(here)
        await _two_count_and_what_is_used_is_less(here)
        await _a_jammed_cell_says_so_is_put_aside_and_mended(here)
        await _a_parcel_is_put_in_for_somebody_without_a_name(here)
        # By now the box's last opening is more than three seconds ago: another event.
        await _without_login_the_box_opens_in_an_emergency_alone(here)


async def _a_cell_opens_for_a_reason(here: Place) -> None:
    page = await here.volunteer.read("/lockers")
    assert page.count('id="tile-lockers-') == 12
    assert page.index("药箱") < page.index('id="tile-lockers-1"'), "the box is on top"
    form = {"cell": "lockers-1", "reason": "check"}
    where, told = await here.volunteer.press(
        "/lockers/lockers-1", "/lockers/open", **form
    )
    assert (where, told) == ("/lockers/lockers-1", "开了")
    assert here.openings(1) == 1
    granted = await here.written("ACCESS_GRANTED")
    assert (granted["number"], granted["reason"]) == (1, "check")
    assert granted["actor"].startswith("acc")
    _, told = await here.volunteer.press("/lockers/lockers-1", "/lockers/open", **form)
    assert told == "门已经开着"
    assert here.openings(1) == 1
    await here.shut(1)


async def _a_jammed_cell_says_so_is_put_aside_and_mended(here: Place) -> None:
    cell, page = {"cell": "lockers-2"}, "/lockers/lockers-2"
    await here.house.firmware.do("jam", board="locks", channel=2)
    form = {**cell, "reason": "forgot_code"}
    where, told = await here.volunteer.press(page, "/lockers/open", **form)
    assert where == page
    assert told.startswith("没弹开，请再试一次")
    assert here.openings(2) == 0
    assert "坏了" in await here.volunteer.read(page)
    _, told = await here.volunteer.press(page, "/lockers/out", **cell)
    assert told.startswith("停用了")
    out = await here.written("COMPARTMENT_OUT_OF_ORDER")
    assert (out["number"], out["reason"]) == (2, "broken")
    await here.house.firmware.do("jam", board="locks", channel=2, is_jammed=False)
    _, told = await here.volunteer.press(page, "/lockers/mend", **cell)
    assert told.startswith("好了")
    await here.until_phase(2, "FREE")
    _, told = await here.volunteer.press(page, "/lockers/open", **form)
    assert (told, here.openings(2)) == ("开了", 1)
    await here.shut(2)


async def _a_parcel_is_put_in_for_somebody_without_a_name(here: Place) -> None:
    house = here.house
    receiver = house.part("living-room-front", "on time")
    tail = receiver.holder[-4:]  # of the booking, too
    found = await here.volunteer.read(f"/lockers/parcel?typed={tail}")
    [mark] = re.findall(r'href="/lockers/parcel/(r\w+)"', found)
    assert receiver.holder not in found
    page = f"/lockers/parcel/{mark}"
    form = {"mark": mark, "bank": "lockers", "size": "L", "days": "3"}
    where, told = await here.volunteer.press(page, "/lockers/parcel", **form)
    assert told.startswith("开了，请放进去")
    number = int(where.rpartition("-")[2])
    assert number in (10, 11)
    assert here.openings(number) == 1
    assert "等您放进去" in await here.volunteer.read(where)
    await here.shut(number)
    assert (await here.written("PARCEL_DEPOSITED"))["number"] == number
    await _nothing_personal_leaves_the_gateway(here, receiver.holder)
    assert "等收件人来拿" in await here.volunteer.read(where)
    assert "有包裹" in await here.volunteer.read("/lockers")
    form = {"cell": f"lockers-{number}", "how": "bag"}
    end, press = f"{where}/end", here.volunteer.press
    for typed, word in (("", "袋子的号码写数字或字母"), ("b-17", "袋子的号码写")):
        back, told = await press(end, "/lockers/end", **form, bag=typed)
        assert (back, told.startswith(word)) == (end, True), "and may be mended"
    _, told = await press(end, "/lockers/end", **form, bag="b017")
    assert told.startswith("空出来了。袋子记下了")
    ended = await here.written("RENTAL_ENDED")
    assert (ended["reason"], ended["bag"]) == ("emptied", "B017")
    await _a_bag_waits_until_it_is_given_back(here, number)


async def _a_bag_waits_until_it_is_given_back(here: Place, number: int) -> None:
    assert "1 个袋子等主人来拿" in await here.volunteer.read("/lockers")
    page = "/lockers/bags"
    assert re.search(rf"B017.+ {number} 号", await here.volunteer.read(page), re.DOTALL)
    _, told = await here.volunteer.press(page, page, bag="B017")
    assert told.startswith("记好了，还给主人了")
    given = await here.written("BAG_RETURNED")
    assert (given["bag"], given["number"]) == ("B017", number)
    assert given["actor"].startswith("acc")
    assert "没有袋子在等主人" in await here.volunteer.read(page)
    assert "袋子 B017" in await here.volunteer.read("/log"), "in the log it stays"


async def _nothing_personal_leaves_the_gateway(here: Place, holder: str) -> None:
    socket = here.house.stage.control_socket

    async def told(verb: str, **fields: Any) -> dict[str, Any]:
        return await asyncio.to_thread(ask, socket, verb, **fields)

    [rental] = [
        cell["rental"]
        for cell in (await told("lockers"))["banks"]["lockers"]["cells"]
        if cell["rental"]
    ]
    assert set(rental) == {
        *("kind", "end_ms", "over_ms", "is_overdue", "is_deposited", "tail")
    }
    assert holder not in str(await told("receivers", typed=holder))
    nobody = {"tablet": here.nobody.http.cookies["tablet"], "session": ""}
    for verb in ("lockers", "bags", "medicine", "receivers", "parcel-for"):
        with pytest.raises(ControlError):
            await told(verb, **nobody, mark="r", bank="lockers", size="S", days=1)


async def _two_count_and_what_is_used_is_less(here: Place) -> None:
    tablet, bank = here.volunteer, {"bank": "lockers"}
    page = "/medicine/count/lockers"
    form = {"item": "plaster", "count": "9", "year": "none"}
    _, told = await tablet.press(page, "/medicine/count", **bank, **form)
    assert told.startswith("要另一位同意")
    form |= {"second": here.second, "second_pin": OTHER}
    _, told = await tablet.press(page, "/medicine/count", **bank, **form)
    assert told.startswith("记好了")
    stocked = await here.written("MEDICINE_STOCKED")
    assert (stocked["item"], stocked["second"]) == (PLASTERS, here.second)
    opened, told = await tablet.press(
        "/medicine", "/medicine/open", **bank, whom="resident"
    )
    assert opened == "/medicine/used/lockers"
    assert told.startswith("药箱开了")
    assert here.openings(MEDICINE) == 1
    told_of = await here.written("MEDICINE_BOX_OPENED")
    assert (told_of["actor"].startswith("acc"), told_of["whom"]) == (True, "resident")
    assert "给居民用" in await tablet.read("/log")
    [key] = re.findall(r'name="used" value="(\w+)"', await tablet.read(opened))
    where, told = await tablet.press(opened, "/medicine/used", **bank, used=key)
    assert (where, told) == ("/medicine", "记下了 1 样")
    used = await here.written("MEDICINE_USED")
    assert (used["item"], used["left"]) == (PLASTERS, 8)
    assert "还有 8 个" in await tablet.read("/medicine")
    await here.shut(MEDICINE)


async def _without_login_the_box_opens_in_an_emergency_alone(here: Place) -> None:
    form = {"bank": "lockers", "whom": "resident"}
    page = await here.nobody.read("/medicine")
    assert "还有 8 个" not in page
    assert 'href="tel:120"' in page
    _, told = await here.nobody.press("/emergency", "/medicine/open", **form)
    assert told.startswith("请先登录")
    assert here.openings(MEDICINE) == 1
    socket = here.house.stage.control_socket
    begun: dict[str, Any] = {"state": "SHELTER", "actor": "test", "reason": "typhoon"}
    await asyncio.to_thread(ask, socket, "emergency", **begun)
    where, told = await here.nobody.press("/medicine", "/medicine/open", **form)
    assert where == "/medicine", "what was used is noted by somebody by name"
    assert told.startswith("药箱开了")
    assert here.openings(MEDICINE) == 2
    opened = await here.written("MEDICINE_BOX_OPENED", 2)
    assert opened["actor"].startswith("tablet-")
