# SPDX-License-Identifier: Apache-2.0
"""The volunteers' panel beside a living house, as Debian's browser shows it.

Set ``PANEL_SHOTS`` to a folder to keep the screenshots.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import async_playwright, expect

from edge.cli.demo.residents import visit
from edge.control.client import ask
from tests.panel.browser.test_duty_page import opener
from tests.panel.conftest import FLAGS, page_of, start_panel, stop_panel
from tests.system.house import House, living_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

pytestmark = [
    pytest.mark.alone,
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.needs("chromium", "fonts-wqy-microhei"),
]

HALL, KITCHEN = "living-room-front", "kitchen-front"
SIZES = {
    "tablet": {"width": 1280, "height": 800},
    "phone": {"width": 360, "height": 740},
}


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(FLAGS)
        )
        yield launched
        await launched.close()


async def log_in(house: House) -> dict[str, str]:
    """Return what a browser holds once its tablet is paired and a volunteer is in.

    A volunteer's turn outlives a start of the gateway; a manager's does not.
    """

    async def told(verb: str, **fields: Any) -> dict[str, str]:
        socket = house.stage.control_socket
        answer: dict[str, str] = await asyncio.to_thread(ask, socket, verb, **fields)
        return answer

    code = (await told("pair-begin"))["code"]
    tablet = (await told("pair", code=code, name="tablet"))["tablet"]
    pin = "274916"
    added = await told("account-add", name="陈姨", role="VOLUNTEER", pin=pin)
    login = {"tablet": tablet, "account": added["account"], "pin": pin}
    session = (await told("login-pin", **login))["session"]
    return {"tablet": tablet, "session": session}


async def keep(page: Page, name: str) -> None:
    """Keep a screenshot of each size where somebody asked for them."""
    folder = os.environ.get("PANEL_SHOTS")
    if not folder:
        return
    for size, viewport in SIZES.items():
        await page.set_viewport_size(viewport)  # type: ignore[arg-type]
        await page.screenshot(path=Path(folder, f"{name}-{size}.png"), full_page=True)


async def assert_names_nobody(page: Page, house: House) -> None:
    """No name, number, code or identifier of anybody stands anywhere in the page."""
    shown = await page.content()
    everybody = [one for people in house.people.values() for one in people]
    for one in everybody:
        for secret in (one.holder, one.number, one.code, "示范居民"):
            assert secret not in shown, f"the page names {secret}"


async def test_the_panel_shows_a_living_house_and_opens_its_door(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house, browser() as chromium:
        panel = await start_panel(house.stage.control_socket)
        try:
            held = await log_in(house)
            page = await page_of(chromium, panel, held)
            await page.goto(panel.url)
            await expect(page.locator("#still")).to_be_hidden()
            await page.evaluate("window.sameLoad = true")
            await _visits_show_live(house, page)
            assert await page.evaluate("window.sameLoad") is True
            await _a_press_moves_the_strike(house, page)
            await _a_dead_gateway_is_told_and_comes_back(house, page)
        finally:
            errors = await stop_panel(panel)
        assert errors == ""


async def _visits_show_live(house: House, page: Page) -> None:
    hall, verdict = page.locator("#door-2"), page.locator("#verdict")
    await expect(hall).to_contain_text("客厅门")
    await expect(hall).to_contain_text("锁好")
    await keep(page, "ready")
    porch, resident = house.porches[HALL], house.part(HALL, "on time")
    strolling = visit(house.firmware, porch, resident, linger_s=3.0)
    visiting = asyncio.create_task(strolling)
    await expect(hall).to_contain_text("锁开了，可以推门")
    await expect(hall).to_contain_text("门开着")
    await expect(verdict).to_contain_text("可以进，欢迎")
    await keep(page, "granted")
    played = await visiting
    assert played is not None
    assert played.released_s is not None
    await expect(hall).to_contain_text("锁好")
    await assert_names_nobody(page, house)
    early = house.part(KITCHEN, "too early")
    assert (await house.visit(KITCHEN, early)).released_s is None
    await expect(verdict).to_contain_text("来早了一点")
    await expect(verdict).to_contain_text("厨房门")
    await assert_names_nobody(page, house)
    await keep(page, "denied")


async def _a_press_moves_the_strike(house: House, page: Page) -> None:
    begun_s = asyncio.get_running_loop().time()
    await opener(page, "客厅门").click()
    released_s = await house.firmware.wait_for(
        "strike_released", after_s=begun_s, within_s=3.0, door="living-room-door"
    )
    assert released_s is not None, "the strike did not move"
    await expect(page.locator("#told")).to_contain_text("锁开了，请推门")
    await expect(page.locator("#verdict")).to_contain_text("这次是人工开的")
    await keep(page, "pressed")
    await expect(page.locator("#door-2")).to_contain_text("锁好", timeout=10_000)
    await assert_names_nobody(page, house)
    [entry] = house.events("MANUAL_ENTRY")
    assert entry["at"] == "living-room-door"


async def _a_dead_gateway_is_told_and_comes_back(house: House, page: Page) -> None:
    gateway = house.demo.children["gateway"]
    gateway.kill()
    await gateway.end()
    verdict = page.locator("#verdict")
    await expect(verdict).to_contain_text("正在等盒子回应", timeout=10_000)
    await keep(page, "gone")
    await gateway.start()
    await house.until_ready()
    await expect(page.locator("#door-1")).to_contain_text("锁好", timeout=10_000)
    await expect(verdict).not_to_contain_text("正在等盒子回应")
