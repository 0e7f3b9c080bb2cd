# SPDX-License-Identifier: Apache-2.0
"""The duty page in a real browser: with and without scripts, measured and judged.

Set ``PANEL_SHOTS`` to a folder to keep the screenshots.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.panel.conftest import VOLUNTEER, page_of, start_panel, stop_panel
from tests.panel.readings import MINUTE_MS, NOW_MS
from tests.panel.scripted_gateway import DENIED, GRANTED

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

pytestmark = pytest.mark.needs("chromium", "fonts-wqy-microhei")

#: What axe must judge: WCAG 2.2 A and AA, AAA where it has rules, and good practice.
TAGS = (
    *("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"),
    *("wcag2aaa", "best-practice"),
)
#: A node of each rule that passed is enough, since all of them are looked at anyway.
AXE = {
    "runOnly": {"type": "tag", "values": list(TAGS)},
    "resultTypes": ["violations", "incomplete"],
}
#: Rules that must have looked at something, or the zero would mean nothing.
BITING = {"color-contrast-enhanced", "target-size", "button-name", "region"}
TABLET = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}
SMALLEST_TEXT_PX = 16
SMALLEST_TARGET_PX = 60

TEXT_SIZES = """() => [...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .filter(e => e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize))"""
TARGETS = """() => [...document.querySelectorAll('a, button, input:not([type=hidden])')]
  .filter(e => e.getClientRects().length)
  .map(e => [e.offsetWidth, e.offsetHeight])"""


def trouble(gateway: ScriptedGateway) -> None:
    """Make the site look like a weekday afternoon with a loose cable."""
    gateway.status["devices"]["kitchen-reader"] |= {
        "online": False,
        "since_ms": NOW_MS - 5 * MINUTE_MS,
    }
    gateway.status["doors"]["living-room-door"]["phase"] = "OPEN"
    gateway.status["events"]["waiting"] = 38
    gateway.status["platform"]["connected"] = False
    gateway.show()


async def axe(page: Page) -> dict[str, Any]:
    """Have axe judge a page as it stands; return its answer."""
    found: dict[str, Any] = (await Axe().run(page, options=AXE)).response
    return found


async def keep(page: Page, name: str) -> None:
    """Keep a screenshot where somebody asked for them."""
    folder = os.environ.get("PANEL_SHOTS")
    if folder:
        await page.screenshot(path=Path(folder, f"{name}.png"))


def opener(page: Page, door: str) -> Locator:
    """Find the button that opens a door for the usual time."""
    return page.get_by_role("button", name=re.compile(f"开门.*{door}"))


async def visit(browser: Browser, panel: PanelProcess, **context: Any) -> Page:
    """Open the duty page, ready to hear news."""
    shown = {"viewport": TABLET} | context
    page = await page_of(browser, panel, VOLUNTEER, **shown)
    await page.goto(panel.url)
    return page


async def listening(browser: Browser, panel: PanelProcess, **context: Any) -> Page:
    """Open the duty page and wait until its stream stands."""
    page = await visit(browser, panel, **context)
    await expect(page.locator("#still")).to_be_hidden()
    return page


async def test_without_scripts_a_press_opens_the_door(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await visit(browser, panel, java_script_enabled=False)
    await expect(page.locator("#still")).to_be_visible()
    await opener(page, "厨房门").click()
    await expect(page.locator("#told")).to_contain_text("锁开了，请推门")
    assert [order["door"] for order in gateway.orders] == ["kitchen-door"]
    gateway.tell(DENIED)
    await asyncio.sleep(0.1)
    await page.get_by_role("link", name="看最新的").click()
    await expect(page.locator("#verdict")).to_contain_text("15:50 起可以进")
    await keep(page, "no-script")


async def test_a_hasty_double_click_opens_once(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    await opener(page, "厨房门").dblclick()
    await expect(page.locator("#told")).not_to_be_empty()
    await opener(page, "厨房门").click()
    await expect(page.locator("#told")).to_contain_text("刚开过")
    assert len(gateway.orders) == 1
    # Reloading must not show the old outcome again.
    await expect(page).to_have_url(panel.url)


async def test_the_keyboard_alone_opens_a_door(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    await page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert await page.evaluate(outline) == "4px"
    await page.keyboard.press("Enter")
    await expect(page.locator("#told")).to_contain_text("锁开了")
    assert [order["door"] for order in gateway.orders] == ["kitchen-door"]


async def test_news_change_the_page_without_loading_it_anew(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    await page.evaluate("window.sameLoad = true")
    gateway.tell(GRANTED)
    await expect(page.locator("#verdict")).to_contain_text("可以进，欢迎")
    gateway.tell(DENIED)
    await expect(page.locator("#verdict")).to_contain_text("现在还不能进")
    await expect(page.get_by_role("status")).to_contain_text("来早了一点")
    gateway.status["doors"]["kitchen-door"]["phase"] = "FORCED"
    gateway.status["events"]["waiting"] = 3
    gateway.show()
    await expect(page.locator("#door-1")).to_contain_text("没刷卡就开了")
    await expect(page.locator("#links")).to_contain_text("还有 3 条没上传，不影响开门")
    assert await page.evaluate("window.sameLoad") is True


async def test_a_part_with_the_focus_inside_waits_until_focus_leaves(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    focus = "const e = document.querySelector('#verdict p'); e.tabIndex = -1; e.focus()"
    await page.evaluate(f"() => {{ {focus} }}")
    gateway.tell(GRANTED)
    await expect(page.get_by_role("status")).to_contain_text("可以进")
    await expect(page.locator("#verdict")).to_contain_text("准备好了")
    await page.evaluate("() => document.activeElement.blur()")
    await expect(page.locator("#verdict")).to_contain_text("可以进，欢迎")


async def test_the_same_news_are_not_announced_twice(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    gateway.tell(GRANTED)
    page = await listening(browser, panel)
    watch = """() => { window.changes = 0; new MutationObserver(() => window.changes++)
      .observe(document.getElementById('said'), {childList: true, subtree: true}); }"""
    await page.evaluate(watch)
    for waiting in range(1, 4):
        gateway.status["events"]["waiting"] = waiting
        gateway.show()
        await expect(page.locator("#links")).to_contain_text(f"还有 {waiting} 条")
    assert await page.evaluate("window.changes") == 0


async def test_a_lost_gateway_is_told_and_healed_by_itself(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    await gateway.close()
    await expect(page.locator("#verdict")).to_contain_text("正在等盒子回应")
    await keep(page, "gone")
    await opener(page, "厨房门").click()
    await expect(page.locator("#told")).to_contain_text("请用钥匙")
    await gateway.open()
    await expect(page.locator("#verdict")).to_contain_text("准备好了")
    await expect(page.locator("#door-1")).to_contain_text("锁好")


async def test_a_lost_panel_is_told_and_its_return_heals_the_page(
    gateway: ScriptedGateway, browser: Browser
) -> None:
    first = await start_panel(gateway.path)
    await gateway.watched()
    page = await listening(browser, first)
    await expect(page.locator("#lost")).to_be_hidden()
    assert await stop_panel(first) == ""
    await expect(page.locator("#lost")).to_be_visible()
    await keep(page, "lost")
    second = await start_panel(gateway.path, port=first.port)
    await expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    await expect(page.locator("#door-1")).to_contain_text("锁好")
    await opener(page, "厨房门").click()
    await expect(page.locator("#told")).to_contain_text("锁开了")
    assert len(gateway.orders) == 1
    assert await stop_panel(second) == ""


async def test_a_new_door_appears_by_itself(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    page = await listening(browser, panel)
    gateway.status["doors"]["back-door"] = {
        "mode": "LOCKED",
        "phase": "SECURE",
        "name": "后门",
    }
    gateway.show()
    await expect(opener(page, "后门")).to_be_visible()


async def test_axe_finds_nothing_whatever_stands_there(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    trouble(gateway)
    page = await listening(browser, panel)
    for state, bring in STATES.items():
        await page.goto(panel.url)
        await expect(page.locator("#still")).to_be_hidden()
        await bring(page, gateway)
        await keep(page, f"tablet-{state}")
        found = await axe(page)
        bad = [(rule["id"], rule["nodes"]) for rule in found["violations"]]
        assert bad == [], state
        assert [rule["id"] for rule in found["incomplete"]] == [], state
        assert {rule["id"] for rule in found["passes"]} >= BITING, state


async def _ready(page: Page, _: ScriptedGateway) -> None:
    await expect(page.locator("#verdict")).to_contain_text("准备好了")


async def _told(page: Page, _: ScriptedGateway) -> None:
    await opener(page, "厨房门").click()
    await expect(page.locator("#told")).to_contain_text("锁开了")


async def _granted(page: Page, gateway: ScriptedGateway) -> None:
    gateway.tell(GRANTED)
    await expect(page.locator("#verdict")).to_contain_text("可以进，欢迎")


async def _denied(page: Page, gateway: ScriptedGateway) -> None:
    gateway.tell(DENIED)
    await expect(page.locator("#verdict")).to_contain_text("现在还不能进")


async def _fire(page: Page, gateway: ScriptedGateway) -> None:
    gateway.status["fire"] = True
    gateway.show()
    await expect(page.locator("#emergency")).to_contain_text("逃生门")


async def _gone(page: Page, gateway: ScriptedGateway) -> None:
    gateway.status["fire"] = False
    gateway.show()
    await gateway.close()
    await expect(page.locator("#verdict")).to_contain_text("正在等盒子回应")


#: What may stand on the duty page, each after the one before.
STATES = {
    "ready": _ready,
    "told": _told,
    "granted": _granted,
    "denied": _denied,
    "fire": _fire,
    "gone": _gone,
}


async def test_axe_would_find_a_bad_page(panel: PanelProcess, browser: Browser) -> None:
    page = await listening(browser, panel)
    spoil = """() => { document.querySelector('h1').style.color = '#666';
      document.querySelector('button').textContent = ''; }"""
    await page.evaluate(spoil)
    rules = {rule["id"] for rule in (await axe(page))["violations"]}
    assert {"color-contrast-enhanced", "button-name"} <= rules


async def test_texts_and_targets_are_large_enough(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    trouble(gateway)
    for viewport in (TABLET, PHONE):
        page = await page_of(browser, panel, VOLUNTEER, viewport=viewport)
        for path in ("nothing", ""):
            await page.goto(panel.url + path)
            assert min(await page.evaluate(TEXT_SIZES)) >= SMALLEST_TEXT_PX
            targets = await page.evaluate(TARGETS)
            assert targets
            assert min(min(size) for size in targets) >= SMALLEST_TARGET_PX
            root = "getComputedStyle(document.documentElement).fontSize"
            assert await page.evaluate(root) == "20px"
        height = "document.querySelector('button').offsetHeight"
        assert await page.evaluate(height) >= 110


async def test_a_narrow_page_never_scrolls_sideways(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    trouble(gateway)
    gateway.status["doors"]["kitchen-door"] |= {"mode": "LOCKED", "phase": "FORCED"}
    gateway.status["doors"]["living-room-door"]["name"] = "Back-door-of-the-big-hall"
    gateway.show()
    page = await listening(browser, panel, viewport=PHONE)
    for root_px in (20, 24, 30):
        size = f"document.documentElement.style.fontSize = '{root_px}px'"
        await page.evaluate(size)
        for event, told in ((GRANTED, "可以进，欢迎"), (DENIED, "现在还不能进")):
            gateway.tell(event)
            await expect(page.locator("#verdict")).to_contain_text(told)
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"], (root_px, told)
        await keep(page, f"phone-{root_px}")


async def test_a_tablet_shows_verdict_doors_and_records_without_scrolling(
    gateway: ScriptedGateway, panel: PanelProcess, browser: Browser
) -> None:
    trouble(gateway)
    gateway.status["devices"]["kitchen-reader"]["online"] = True
    gateway.show()
    page = await listening(browser, panel)
    gateway.tell(DENIED)
    await expect(page.locator("#verdict")).to_contain_text("15:50 起可以进")
    await expect(page.locator("#links")).to_contain_text("还有 38 条没上传")
    for name in ("verdict", "door-1", "door-2", "links"):
        box = await page.locator(f"#{name}").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= TABLET["height"], name
    await keep(page, "panel")
