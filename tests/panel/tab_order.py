# SPDX-License-Identifier: Apache-2.0
"""The order in which the Tab key walks each page, as it was written down.

The law of the module: whoever learned the order by hand keeps it, so a change is made
on purpose: ``python -m tests.panel.tab_order`` writes ``tab_order.txt`` anew, and its
difference is read before it is committed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright

from tests.panel.conftest import FLAGS, start_panel, stop_panel
from tests.panel.every_page import WALKERS, every_page, populate
from tests.panel.scripted_gateway import ScriptedGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

    from tests.panel.conftest import PanelProcess
    from tests.panel.every_page import Found

FILE = Path(__file__).with_name("tab_order.txt")
STOPS = Path(__file__).with_name("stops.js").read_text(encoding="utf-8")
#: What the norm asks of the ring around the thing that has the focus.
RING_PX = 4
WALKED = "window.stops"
#: A field for a date, or a sound, has stops of its own within.
MAX_WITHIN = 20
#: A live page shows how to look by hand until its stream stands.
STILL = """() => !document.body.dataset.live
  || !document.querySelector('#still:not([hidden])')"""
AGAIN = "python -m tests.panel.tab_order writes it down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Where the Tab key stopped, and what was wrong on the way."""

    stops: list[str]
    faults: list[str]


async def walk_of(page: Page) -> Walk:
    """Press Tab through a page once."""
    expected: int = await page.evaluate(STOPS)
    for presses in range(expected + MAX_WITHIN):
        if presses >= expected and len(await page.evaluate(WALKED)) >= expected:
            break
        await page.keyboard.press("Tab")
    walked = await page.evaluate(WALKED)
    stops = [stop for stop, _ in walked]
    faults = [f"no ring at {stop}" for stop, ring in walked if ring < RING_PX]
    if len(stops) != expected:
        faults.append(f"{len(stops)} stops of {expected}: {stops}")
    return Walk(stops=stops, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """A panel at a house where all is in use, and one browser for every kind."""

    panel: PanelProcess
    browser: Browser
    contexts: dict[str, BrowserContext]

    async def open(self, found: Found) -> Page:
        """Open a page for whom it was found, once what it shows stands still."""
        if found.walker not in self.contexts:
            self.contexts[found.walker] = await self._context(found.walker)
        page = await self.contexts[found.walker].new_page()
        await page.goto(self.panel.url.rstrip("/") + found.address)
        await page.wait_for_function(STILL)
        return page

    async def _context(self, walker: str) -> BrowserContext:
        """Return a browser of somebody who wants no movement."""
        size: ViewportSize = {"width": 800, "height": 1280}
        context = await self.browser.new_context(viewport=size, reduced_motion="reduce")
        held = WALKERS[walker][1].items()
        await context.add_cookies(
            [{"name": name, "value": v, "url": self.panel.url} for name, v in held]
        )
        return context


@asynccontextmanager
async def visiting() -> AsyncIterator[Visits]:
    """Have the panel at work, and a browser."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = ScriptedGateway(Path(folder, "control.sock"))
        await gateway.open()
        populate(gateway)
        panel = await start_panel(gateway.path)
        try:
            await gateway.watched()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=list(FLAGS)
                )
                yield Visits(panel=panel, browser=browser, contexts={})
                await browser.close()
        finally:
            errors = await stop_panel(panel)
            await gateway.close()
        assert errors == ""


def read_orders() -> dict[str, list[str]]:
    """Return what was written down: a page's name, and its stops indented below."""
    orders: dict[str, list[str]] = {}
    stops: list[str] = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            stops.append(line.strip())
        elif line and not line.startswith("#"):
            stops = orders.setdefault(line, [])
    return orders


def short(stops: list[str]) -> list[str]:
    """Write stops of one kind that follow each other once, with their number."""
    told = []
    for stop, same in groupby(stops):
        times = len(list(same))
        told.append(f"{stop} × {times}" if times > 1 else stop)
    return told


def difference(
    frozen: dict[str, list[str]], walked: dict[str, list[str]], there: set[str]
) -> list[str]:
    """Return what is not as it was written down, a line each; ``there``: all pages."""
    told = [f"{name}: not there any more; {AGAIN}" for name in frozen.keys() - there]
    for name, stops in walked.items():
        if name not in frozen:
            told.append(f"{name}: a page without its order; {AGAIN}")
        elif short(stops) != frozen[name]:
            told.append(f"{name}: was {frozen[name]}, is {short(stops)}; {AGAIN}")
    return sorted(told)


async def _walk() -> dict[str, list[str]]:
    orders = {}
    async with visiting() as visit:
        for found in await every_page(visit.panel):
            page = await visit.open(found)
            orders[found.name] = (await walk_of(page)).stops
            await page.close()
    return orders


def main() -> int:
    """Write every page's order down."""
    orders = asyncio.run(_walk())
    lines = ["# Stops of the Tab key, page by page; see tab_order.py."]
    for name, stops in sorted(orders.items()):
        lines += [name, *(f"  {stop}" for stop in short(stops))]
    FILE.write_text("\n".join([*lines, ""]), encoding="utf-8")
    sys.stdout.write(f"{len(orders)} pages\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
