# SPDX-License-Identifier: Apache-2.0
"""Without a mouse, without scripts: log in, open a door, do what wants a hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.panel.conftest import page_of
from tests.panel.scripted_gateway import TABLET
from tests.panel.tab_order import STILL

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

pytestmark = pytest.mark.needs("chromium", "fonts-wqy-microhei")

PIN = "274916"
#: More than the stops of any page.
MAX_STOPS = 40


async def press(page: Page, words: str) -> None:
    """Walk to what bears these words by the Tab key alone, and press Enter."""
    for _ in range(MAX_STOPS):
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement.textContent")
        if words in focused:
            await page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key does not reach {words}")


async def type_pin(page: Page) -> None:
    """Walk to the field for the PIN and type it there."""
    for _ in range(MAX_STOPS):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.name") == "pin":
            await page.keyboard.type(PIN)
            await page.keyboard.press("Enter")
            return
    raise AssertionError("the Tab key does not reach the PIN")


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
async def test_the_keyboard_alone_logs_in_opens_and_calls_fire(
    gateway: ScriptedGateway,
    panel: PanelProcess,
    browser: Browser,
    *,
    has_scripts: bool,
) -> None:
    gateway.answers["login-pin"] = {"state": "in", "session": "volunteer"}
    page = await page_of(
        browser, panel, {"tablet": TABLET}, java_script_enabled=has_scripts
    )
    await page.goto(f"{panel.url}login")
    await press(page, "陈姨")
    await expect(page.locator("input[name=pin]")).to_be_visible()
    await type_pin(page)
    await expect(page.locator("h1")).to_contain_text("值班台")
    if has_scripts:
        await page.wait_for_function(STILL)
    await press(page, "开门")
    await expect(page.locator("#told")).to_contain_text("锁开了")
    # What wants a hold has a page of its own for whoever cannot hold.
    await page.goto(f"{panel.url}emergency")
    await press(page, "按不住")
    await expect(page).to_have_url(f"{panel.url}emergency/fire")
    await press(page, "是，开所有的门")
    await expect(page).not_to_have_url(f"{panel.url}emergency/fire")
    orders = [(order["verb"], order["session"]) for order in gateway.orders]
    assert orders == [
        ("login-pin", ""),
        ("open", "volunteer"),
        ("emergency", "volunteer"),
    ]
