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

from tests.panel.conftest import chromium, scripting, serving
from tests.panel.every_page import WALKERS, every_page, populate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page, ViewportSize

    from tests.panel.conftest import PanelProcess
    from tests.panel.every_page import Found

FILE = Path(__file__).with_name("tab_order.txt")
STOPS = Path(__file__).with_name("stops.js").read_text(encoding="utf-8")
#: What the norm asks of the ring around the thing that has the focus.
RING_PX = 4
WALKED = "window.stops"
#: A tablet held upright; narrower screens are looked at when the keys are pressed.
SIZE: ViewportSize = {"width": 800, "height": 1280}
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
    """A panel at a house where all is in use, and one open page for every kind."""

    panel: PanelProcess
    browser: Browser
    pages: dict[str, Page]

    async def open(self, found: Found) -> Page:
        """Open a page for whom it was found, once what it shows stands still."""
        if found.walker not in self.pages:
            self.pages[found.walker] = await self._page(found.walker)
        page = self.pages[found.walker]
        await page.set_viewport_size(SIZE)
        await page.goto(self.panel.url.rstrip("/") + found.address)
        await page.wait_for_function(STILL)
        return page

    async def _page(self, walker: str) -> Page:
        """Return an empty page of somebody who wants no movement."""
        context = await self.browser.new_context(reduced_motion="reduce")
        held = WALKERS[walker][1].items()
        await context.add_cookies(
            [{"name": name, "value": v, "url": self.panel.url} for name, v in held]
        )
        return await context.new_page()


@asynccontextmanager
async def visiting(browser: Browser) -> AsyncIterator[Visits]:
    """Have the panel at work for a browser."""
    with tempfile.TemporaryDirectory() as folder:
        async with scripting(Path(folder, "control.sock")) as gateway:
            populate(gateway)
            async with serving(gateway) as panel:
                yield Visits(panel=panel, browser=browser, pages={})


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
    async with chromium() as browser, visiting(browser) as visit:
        for found in await every_page(visit.panel):
            page = await visit.open(found)
            orders[found.name] = (await walk_of(page)).stops
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
