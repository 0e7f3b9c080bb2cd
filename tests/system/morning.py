# SPDX-License-Identifier: Apache-2.0
"""The house of a volunteer's morning, and a hand at its tablet.

The law of the module: every part is a process of its own, as ``menshen demo`` starts
them: the reference platform behind mosquitto, the gateway, the panel, the simulated
boards and readers; and Debian's Chromium. Pictures are kept in ``build/shots``, or in
the folder that ``PANEL_SHOTS`` names.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright, expect

from edge.cli.demo.tablet import MANAGER, VOLUNTEER
from edge.cli.tasks import running
from edge.control.client import ask
from tests.panel.conftest import FLAGS, start_panel, stop_panel
from tests.system.platform_house import governed_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.system.house import House
    from tests.system.platform_house import Office

SHOTS = Path(__file__).parents[2] / "build" / "shots"
#: An old tablet on its stand.
VIEW: Any = {"width": 1024, "height": 768}
WITHIN_S = 15.0


@dataclass(slots=True, kw_only=True)
class Morning:
    """The house and its platform, the browser, and the page that somebody looks at."""

    office: Office
    browser: Browser
    page: Page
    #: Accounts of the volunteer and of the manager, and the volunteer on the roster.
    who: str
    manager: str
    holder: str
    #: Everybody's identity number.
    numbers: frozenset[str]
    #: How many pictures were kept.
    shots: int = 0

    @property
    def house(self) -> House:
        return self.office.house

    async def seen(self, name: str) -> None:
        """Keep a picture of the page, which has nobody's identity number."""
        self.shots += 1
        picture = _pictures() / f"{self.shots:02}-{name}.png"
        await self.page.screenshot(path=picture, full_page=True)
        shown = await self.page.content()
        assert not [each for each in self.numbers if each in shown], name

    async def told(self, words: str, name: str) -> None:
        """Be told something after a press, and keep a picture."""
        told = self.page.locator("#told")
        await expect(told).to_contain_text(words, timeout=WITHIN_S * 1000)
        await self.seen(name)

    async def tab(self, name: str) -> None:
        """Press a tab at the foot of the page."""
        await self.page.locator(".tabs").get_by_role("link", name=name).click()

    async def press(self, name: str) -> None:
        """Press a button by its word."""
        await self.page.get_by_role("button", name=name).click()

    async def follow(self, name: str) -> None:
        """Follow a link that looks like a button."""
        await self.page.get_by_role("link", name=name).first.click()

    async def door(self, name: str, state: str) -> None:
        """See how a door stands in the list of the page."""
        row = self.page.locator(".doors .about").filter(has_text=name)
        await expect(row).to_contain_text(state)

    async def shut(self, number: int) -> None:
        """Close a leaf by hand; while its coil still pulls it springs back."""
        is_shut = False
        while not is_shut:
            leaf = {"board": "locks", "channel": number}
            is_shut = (await self.house.firmware.do("shut", **leaf))["is_shut"]
            await asyncio.sleep(0.1)

    def openings(self, number: int) -> int:
        """Count how often a leaf popped open."""
        return sum(
            each["what"] == "compartment_opened" and each["channel"] == number
            for each in self.house.firmware.happenings
        )

    async def relay(self, channel: int, *, is_on: bool) -> None:
        """Wait until a relay of the simulated board has moved."""
        await self.house.until_true(
            f"relay {channel} {is_on=}",
            lambda: self.house.is_relay_on(channel) is is_on,
            within_s=WITHIN_S,
        )


def _pictures() -> Path:
    """Return the folder of the pictures, which are all of the last morning."""
    return Path(os.environ.get("PANEL_SHOTS") or SHOTS) / "morning"


@asynccontextmanager
async def morning(folder: Path) -> AsyncIterator[Morning]:
    """Open the demonstration's house with panel and platform, and a new tablet."""
    async with governed_house(folder) as office, _browser() as browser:
        play = office.house.demo
        panel = await start_panel(play.stage.control_socket)
        try:
            play.panel_url = panel.url
            async with running(await play.welcome()):
                yield await _begun(office, browser)
        finally:
            errors = await stop_panel(panel)
        assert errors == ""
        for log in play.stage.logs.glob("*.log"):
            assert "Traceback" not in log.read_text(encoding="utf-8"), log


async def _begun(office: Office, browser: Browser) -> Morning:
    """Put an empty page before a volunteer whom nobody knows yet."""
    house = office.house
    known = await asyncio.to_thread(ask, house.stage.control_socket, "accounts")
    accounts = {each["name"]: each["id"] for each in known["accounts"]}
    everybody = (one for people in house.people.values() for one in people)
    _pictures().mkdir(parents=True, exist_ok=True)
    for old in _pictures().glob("*.png"):
        old.unlink()
    context = await browser.new_context(viewport=VIEW)
    return Morning(
        office=office,
        browser=browser,
        page=await context.new_page(),
        who=accounts[VOLUNTEER],
        manager=accounts[MANAGER],
        holder=house.part("desk", "a volunteer").holder,
        numbers=frozenset(one.number for one in everybody),
    )


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(FLAGS)
        )
        yield launched
        await launched.close()
