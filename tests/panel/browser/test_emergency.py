# SPDX-License-Identifier: Apache-2.0
"""Clocks, holds by hand, finger and key, and a page that keeps what it asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.panel.conftest import VOLUNTEER, page_of
from tests.panel.readings import NOW_MS
from tests.panel.scripted_gateway import TABLET

if TYPE_CHECKING:
    from playwright.async_api import Browser, CDPSession, Locator

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(120),
    pytest.mark.needs("chromium", "fonts-wqy-microhei"),
]

#: How far the bar of a held button has come.
BAR = "button => parseFloat(getComputedStyle(button, '::after').width)"
HOLD_MS = 1_500
NOTES_BUZZES = """window.buzzes = [];
  navigator.vibrate = ms => window.buzzes.push(ms) > 0;"""


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


async def test_a_hold_by_a_finger_fills_its_bar_and_buzzes(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await page_of(browser, panel, VOLUNTEER, has_touch=True)
    await page.add_init_script(NOTES_BUZZES)
    await page.goto(f"{panel.url}emergency")
    button = page.locator("[data-hold]")
    for unwanted in ("userSelect", "webkitUserSelect"):
        style = f"button => getComputedStyle(button).{unwanted}"
        assert await button.evaluate(style) == "none"
    screen = await page.context.new_cdp_session(page)
    await _finger(screen, button, "touchStart")
    await page.wait_for_timeout(HOLD_MS / 2)
    assert await button.evaluate(BAR) > 0
    await _finger(screen, button, "touchEnd")
    assert await button.evaluate(BAR) == 0
    await page.wait_for_timeout(HOLD_MS)
    assert gateway.orders == [], "let go, nothing done"
    assert await page.evaluate("window.buzzes") == [60]
    await _finger(screen, button, "touchStart")
    await expect(page.locator("#told")).to_contain_text("逃生门都开着")
    assert [order["state"] for order in gateway.orders] == ["FIRE"]


async def _finger(screen: CDPSession, button: Locator, kind: str) -> None:
    """Put a finger on a button, or take it away."""
    box = await button.bounding_box()
    assert box is not None
    spot = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    points = [spot] if kind == "touchStart" else []
    event = {"type": kind, "touchPoints": points}
    await screen.send("Input.dispatchTouchEvent", event)


@pytest.mark.parametrize("key", ["Enter", "Space"])
async def test_a_hold_by_a_key_needs_no_pointer_and_moves_nothing_where_none_is_wanted(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser, key: str
) -> None:
    page = await page_of(browser, panel, VOLUNTEER, reduced_motion="reduce")
    await page.goto(f"{panel.url}emergency")
    button = page.locator("[data-hold]")
    await button.focus()
    await page.keyboard.down(key)
    await page.wait_for_timeout(HOLD_MS / 3)
    assert "held" in str(await button.get_attribute("class"))
    assert await button.evaluate(BAR) == 0
    await page.keyboard.up(key)
    await page.wait_for_timeout(HOLD_MS)
    assert gateway.orders == [], "let go, nothing done"
    await page.keyboard.down(key)
    await expect(page.locator("#told")).to_contain_text("逃生门都开着")
    await page.keyboard.up(key)
    assert [order["state"] for order in gateway.orders] == ["FIRE"]


async def test_the_start_page_s_clock_runs_on_by_itself(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    gateway.status["clock"]["earliest_ms"] = NOW_MS + 56_000
    gateway.show()
    page = await page_of(browser, panel, {"tablet": TABLET})
    await page.goto(panel.url)
    await page.evaluate("window.sameLoad = true")
    await expect(page.locator("#glance .ticks")).to_have_text("14:33", timeout=20_000)
    assert await page.evaluate("window.sameLoad") is True


async def test_a_page_that_loads_anew_keeps_what_it_asked_for(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await page_of(browser, panel, VOLUNTEER)
    await page.goto(f"{panel.url}letin?why=HELP&told=again")
    await expect(page.locator("#told")).not_to_be_empty()
    gateway.turns["volunteer"]["is_asked"] = True
    gateway.show()
    await expect(page.locator("main")).to_contain_text("要下班吗", timeout=20_000)
    await expect(page.locator("main")).to_contain_text("需要帮忙")
    await expect(page.get_by_role("radio", name="厨房门")).to_be_visible()
    await expect(page.locator("#told")).to_be_empty()
