# SPDX-License-Identifier: Apache-2.0
"""From a new tablet to a shift in a real browser, at a real gateway.

Set ``PANEL_SHOTS`` to a folder to keep the screenshots.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.edge.panel_site import Site, TabletOf, panel_site
from tests.panel.browser.test_duty_page import (
    PHONE,
    SMALLEST_TARGET_PX,
    SMALLEST_TEXT_PX,
    TABLET,
    TARGETS,
    TEXT_SIZES,
    axe,
    keep,
)
from tests.panel.conftest import PanelProcess, page_of, start_panel, stop_panel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.needs("chromium", "fonts-wqy-microhei")

PIN = "274916"
TARGETS_SHOWN = TARGETS.replace("a, button", "a, button, select")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Site, PanelProcess]]:
    async with panel_site(folder) as site:
        panel = await start_panel(site.socket)
        try:
            yield site, panel
        finally:
            errors = await stop_panel(panel)
        assert errors == ""


async def paired(
    site: Site, panel: PanelProcess, browser: Browser, **context: Any
) -> Page:
    """Open the first page on a tablet that is paired."""
    tablet = await TabletOf(site).pair()
    shown = {"viewport": TABLET} | context
    page = await page_of(browser, panel, {"tablet": tablet.tablet}, **shown)
    await page.goto(panel.url)
    return page


async def judge(page: Page, name: str) -> None:
    """Hold a page to what the norms for elders ask."""
    await keep(page, name)
    found = await axe(page)
    bad = [(rule["id"], rule["nodes"]) for rule in found["violations"]]
    assert bad == [], name
    assert min(await page.evaluate(TEXT_SIZES)) >= SMALLEST_TEXT_PX, name
    sizes = await page.evaluate(TARGETS_SHOWN)
    assert min(min(size) for size in sizes) >= SMALLEST_TARGET_PX, (name, sizes)
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], name
    await page.set_viewport_size(TABLET)  # type: ignore[arg-type]


async def test_a_new_box_is_set_up_from_the_browser(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        code = await site.runtime.desk.book.new_first_code()
        page = await page_of(browser, panel, {}, viewport=TABLET)
        await page.goto(panel.url)
        await judge(page, "pair")
        await page.goto(f"{panel.url}pair?t={code}")
        await expect(page.get_by_label("配对码")).to_have_value(code)
        assert "t=" not in page.url, "the code does not stay in the address"
        await page.get_by_role("button", name="配对").click()
        await judge(page, "first")
        await page.get_by_label("名字").fill("李站长")
        await page.get_by_label("六位密码").fill(PIN)
        await page.get_by_label("再输一次").fill(PIN)
        await page.get_by_role("button", name="就这样").click()
        await expect(page.locator("h1")).to_contain_text("人员")
        await page.get_by_label("名字").fill("陈姨")
        await page.get_by_label("名单上的编号").fill("h-chen")
        await page.get_by_role("button", name="加一个人").click()
        await expect(page.locator("#told")).to_contain_text("加好了")
        await expect(page.locator("main")).to_contain_text("能刷卡")
        await judge(page, "people")
        await page.get_by_role("link", name="陈姨").click()
        await judge(page, "person")
        await page.get_by_label("新的六位密码").fill(PIN)
        await page.get_by_role("button", name="换密码").click()
        await expect(page.locator("#told")).to_contain_text("密码换好了")
        await page.goto(f"{panel.url}tablets")
        await page.get_by_role("button", name="配对一台新平板").click()
        await expect(page.locator(".qr svg")).to_be_visible()
        await judge(page, "tablets")
        await page.goto(f"{panel.url}more")
        await judge(page, "more")
        await page.get_by_role("button", name="退出").click()
        await expect(page.locator("h1")).to_contain_text("社区的门")
        assert [e["what"] for e in site.events("SETTINGS_CHANGED")] == [
            *("tablet_paired", "account_added", "account_added", "pin_reset")
        ]


async def test_a_card_logs_in_by_itself_and_going_home_ends_the_shift(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        page = await paired(site, panel, browser)
        await judge(page, "start")
        await page.get_by_role("button", name="我来值班").click()
        await expect(page.locator("h1")).to_contain_text("请刷卡")
        await judge(page, "card")
        site.tap("h-chen")
        await expect(page.locator("h1")).to_contain_text("值班台")
        assert site.on_duty() == ("h-chen",)
        await keep(page, "duty")
        site.tap("h-lin")
        await expect(page.locator("main")).to_contain_text("有人接班了")
        await judge(page, "handover")
        await page.get_by_role("button", name="还在").click()
        await expect(page.locator("#told")).to_contain_text("继续值班")
        await page.get_by_role("link", name="更多").click()
        await page.get_by_role("button", name="下班").click()
        await expect(page.locator("h1")).to_contain_text("谢谢您")
        await judge(page, "thanks")
        await page.get_by_role("link", name="下一位").click()
        await expect(page.locator("h1")).to_contain_text("社区的门")
        assert site.on_duty() == ("h-lin",)


async def test_without_scripts_card_and_pin_log_in(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        added = await site.shell("account-add", name="林叔", role="VOLUNTEER", pin=PIN)
        assert added["state"] == "done"
        page = await paired(site, panel, browser, java_script_enabled=False)
        await page.get_by_role("button", name="我来值班").click()
        await page.get_by_role("button", name="刷好了").click()
        await expect(page.locator("h1")).to_contain_text("请刷卡")
        site.tap("h-chen")
        await site.until_told("DUTY_STARTED")
        await page.get_by_role("button", name="刷好了").click()
        await expect(page.locator("h1")).to_contain_text("值班台")
        await page.get_by_role("link", name="更多").click()
        await page.get_by_role("button", name="下班").click()
        await page.get_by_role("link", name="下一位").click()
        await page.get_by_role("link", name="点名字，输密码").click()
        await page.get_by_role("link", name="林叔").click()
        await page.get_by_label("六位密码").fill(PIN)
        await page.get_by_role("button", name="登录").click()
        await expect(page.locator("h1")).to_contain_text("值班台")
        assert "林叔" in await page.locator("header").inner_text()


async def test_a_pin_is_pressed_on_the_pad_and_a_wrong_one_is_told_kindly(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        await site.shell("account-add", name="林叔", role="VOLUNTEER", pin=PIN)
        page = await paired(site, panel, browser)
        await page.get_by_role("link", name="点名字，输密码").click()
        await judge(page, "login")
        await page.get_by_role("link", name="林叔").click()
        await judge(page, "pin")
        for pin, told in (("999998", "还可以试 4 次"), (PIN, "")):
            for digit in f"{pin}0":
                await page.get_by_role("button", name=digit, exact=True).click()
            await page.get_by_role("button", name="登录").click()
            if told:
                await expect(page.locator("#told")).to_contain_text(told)
                assert pin not in await page.content()
        await expect(page.locator("h1")).to_contain_text("值班台")


async def test_fire_is_held_by_anybody_and_a_tap_opens_nothing(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        page = await paired(site, panel, browser)
        await page.get_by_role("link", name="紧急").click()
        await judge(page, "emergency")
        button = page.get_by_role("button", name="着火了")
        await button.click()
        await page.wait_for_timeout(1_700)
        assert not site.runtime.controller.emergency.standing
        await page.get_by_role("link", name="按不住").click()
        await judge(page, "fire")
        await page.get_by_role("link", name="返回").click()
        await button.hover()
        await page.mouse.down()
        await expect(page.locator("#told")).to_contain_text("逃生门都开着")
        assert site.runtime.controller.emergency.is_fire
        begun = await site.until_told("EMERGENCY_STARTED")
        assert begun["actor"].startswith("tablet-")


async def test_a_turn_that_is_over_leaves_the_duty_page_by_itself(
    tmp_path: Path, browser: Browser
) -> None:
    async with served(tmp_path) as (site, panel):
        page = await paired(site, panel, browser)
        await page.get_by_role("button", name="我来值班").click()
        site.tap("h-chen")
        await expect(page.locator("h1")).to_contain_text("值班台")
        await page.wait_for_timeout(3_200)  # the same card at once is one tap
        site.tap("h-chen")
        await expect(page.locator("h1")).to_contain_text("社区的门", timeout=12_000)
        page = await paired(site, panel, browser)
        await page.goto(f"{panel.url}trust")
        await judge(page, "trust")
