# SPDX-License-Identifier: Apache-2.0
"""The drill's clock and the long hold, as Debian's browser has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.panel.conftest import VOLUNTEER, page_of

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(120),
    pytest.mark.needs("chromium", "fonts-wqy-microhei"),
]


async def test_the_clock_runs_on_and_is_set_right_and_a_hold_pauses_entry(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    drill = {"seq": 50, "drill": "fire", "elapsed_s": 75, "stages": []}
    gateway.readings["emergency-now"]["drill"] = drill
    page = await page_of(browser, panel, VOLUNTEER)
    await page.goto(f"{panel.url}drill")
    clock = page.locator(".ticks")
    await expect(clock).to_have_text("0:01:17", timeout=20_000)
    gateway.readings["emergency-now"]["drill"] = drill | {"elapsed_s": 3725}
    gateway.show()
    await expect(clock).to_contain_text("1:02:0", timeout=20_000)

    await page.goto(f"{panel.url}emergency/lockdown")
    button = page.get_by_role("button", name="警察要求")
    await button.hover()
    await page.mouse.down()
    await page.wait_for_timeout(1_000)
    await page.mouse.up()
    await page.wait_for_timeout(2_500)
    assert gateway.orders == [], "let go, nothing done"
    await page.mouse.down()
    await page.wait_for_url("**/emergency*", timeout=20_000)
    await page.mouse.up()
    [order] = gateway.orders
    assert (order["state"], order["reason"]) == ("LOCK_DOWN", "police")
