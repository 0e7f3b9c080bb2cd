# SPDX-License-Identifier: Apache-2.0
"""README's pictures, taken of the demonstration's house while people come and go.

The law of the module: nothing is arranged on a page: a real gateway with simulated
devices, its panel, Debian's Chromium and a Chinese font. ``make shots`` takes them
anew into ``docs/pictures``; what they show was so at that moment.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from edge.control.client import ask
from edge.panel.routes import ROUTES
from tests.panel.conftest import FLAGS, page_of, start_panel, stop_panel
from tests.system.house import living_house

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.panel.conftest import PanelProcess
    from tests.system.house import House

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
#: Pages by the name of their picture; who is logged in for each.
PAGES = {
    "duty": ("/", "volunteer"),
    "emergency": ("/emergency", "volunteer"),
    "lockers": ("/lockers", "volunteer"),
    "letin": ("/letin", "volunteer"),
    "devices": ("/devices", "manager"),
    "today": ("/today", "manager"),
}
#: An old tablet, held upright or on its stand.
TABLET: dict[str, Any] = {"viewport": {"width": 1024, "height": 768}}
PIN = "274916"
MOST_BYTES = 150_000
#: Who comes while the volunteer looks on, and who of them is let in.
COMING = (
    *("on time", "too early", "with friends", "without a booking", "on time"),
    *("too late", "with friends", "on time"),
)
DOORS = ("living-room-front", "kitchen-front")
SETTLES_MS = 1_200


async def told(house: House, verb: str, **fields: Any) -> dict[str, Any]:
    socket = house.stage.control_socket
    answer: dict[str, Any] = await asyncio.to_thread(ask, socket, verb, **fields)
    return answer


async def log_in(house: House, name: str, role: str) -> dict[str, str]:
    """Pair a tablet and log somebody in there; return what its browser holds."""
    code = (await told(house, "pair-begin"))["code"]
    paired = await told(house, "pair", code=code, name="前台平板")
    added = await told(house, "account-add", name=name, role=role, pin=PIN)
    login = {"tablet": paired["tablet"], "account": added["account"], "pin": PIN}
    session = (await told(house, "login-pin", **login))["session"]
    return {"tablet": paired["tablet"], "session": session}


async def let_people_come(house: House) -> None:
    """Have residents walk up to both doors, one after the other."""
    for point in DOORS:
        for part in COMING:
            known = [one for one in house.people[point] if one.part.name == part]
            for one in known[:1]:
                await house.visit(point, one)


async def take(page: Page, panel: PanelProcess, name: str, path: str) -> None:
    """Take one picture as a tablet shows it."""
    await page.goto(panel.url.rstrip("/") + path)
    await page.wait_for_timeout(SETTLES_MS)
    picture = FOLDER / f"{name}.png"
    await page.screenshot(path=picture, scale="css")
    size = picture.stat().st_size
    sys.stdout.write(f"{picture.name}: {size:,} bytes\n")
    if size > MOST_BYTES:
        raise SystemExit(f"{picture.name} is over {MOST_BYTES:,} bytes")


async def shoot(house: House, panel: PanelProcess) -> None:
    """Take every picture of a page that there is."""
    held = {
        "volunteer": await log_in(house, "陈姨", "VOLUNTEER"),
        "manager": await log_in(house, "李站长", "MANAGER"),
    }
    await let_people_come(house)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(FLAGS)
        )
        for name, (path, who) in PAGES.items():
            if ("GET", path) in ROUTES:
                page = await page_of(browser, panel, held[who], **TABLET)
                if path == "/":
                    await let_one_in(house, page, panel)
                await take(page, panel, name, path)
                await page.context.close()
        await browser.close()


async def let_one_in(house: House, page: Page, panel: PanelProcess) -> None:
    """Have somebody come just before, so that the last verdict is a fresh one."""
    await page.goto(panel.url)
    point = DOORS[0]
    await house.visit(point, house.part(point, "on time"))


async def main() -> None:
    """Open a house, let people come, take the pictures, end everything."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with living_house(Path(folder)) as house:
            panel = await start_panel(house.stage.control_socket)
            try:
                await shoot(house, panel)
            finally:
                await stop_panel(panel)


if __name__ == "__main__":
    asyncio.run(main())
