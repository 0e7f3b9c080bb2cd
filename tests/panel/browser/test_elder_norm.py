# SPDX-License-Identifier: Apache-2.0
"""The norms for elders, held by every page, each visited once a size.

A page that comes later is found by itself; ``python -m tests.panel.tab_order`` writes
down the order of its stops.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from edge.panel.look import SIZES
from tests.panel.browser.test_duty_page import (
    SMALLEST_TARGET_PX,
    SMALLEST_TEXT_PX,
    axe,
)
from tests.panel.every_page import Found, every_page, page_routes
from tests.panel.tab_order import difference, read_orders, visiting, walk_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = [
    pytest.mark.needs("chromium", "fonts-wqy-microhei"),
    pytest.mark.timeout(600),
]

NORM = Path(__file__).with_name("norm.js").read_text(encoding="utf-8")
#: The sizes of the text that a tablet may be set to, and the widths of screens.
TEXTS_PX = SIZES
WIDTHS_PX = (800, 360)
#: Rounding of a layout that is reckoned in fractions of a pixel.
SLACK_PX = 0.5
#: Browsers that visit the pages side by side, where there are processors for them.
SHARES = 2
MAX_PAGE_BYTES = 15_000


@pytest.mark.parametrize("share", range(SHARES))
async def test_every_page_holds_what_the_norms_for_elders_ask(
    browser: Browser, share: int
) -> None:
    faults: list[str] = []
    walked: dict[str, list[str]] = {}
    async with visiting(browser) as visit:
        pages = await every_page(visit.panel)
        for found in pages[share::SHARES]:
            page = await visit.open(found)
            walk = await walk_of(page)
            told = [*walk.faults, *await judge(page, found)]
            faults += [f"{found.name}: {fault}" for fault in told]
            walked[found.name] = walk.stops
    faults += difference(read_orders(), walked, {page.name for page in pages})
    reached = {page.route for page in pages}
    faults += [
        f"no page links to {route}: add an address to SAMPLES (every_page.py), or what "
        "the gateway must say for a link to be drawn"
        for route in sorted(page_routes().keys() - reached)
    ]
    assert faults == [], "\n".join(["", *faults])


async def judge(page: Page, found: Found) -> list[str]:
    """Return what is wrong with a page at any size."""
    faults = []
    weight = len(found.html.encode())
    if weight > MAX_PAGE_BYTES:
        faults.append(f"{weight} bytes")
    for width in WIDTHS_PX:
        await page.set_viewport_size({"width": width, "height": 1280})
        sizes = await page.evaluate(NORM, TEXTS_PX)
        for text, seen in zip(TEXTS_PX, sizes, strict=True):
            faults += [f"{text} px/{width}: {f}" for f in _sizes(seen, text, width)]
    # The narrowest page with the largest text comes last, and has most to hide.
    faults += _order(sizes[-1])
    faults += await _axe(page)
    if urlsplit(page.url).path != urlsplit(found.address).path:
        faults.append(f"leads elsewhere: {page.url}")
    return faults


def _sizes(seen: dict[str, Any], text: int, width: int) -> list[str]:
    faults = []
    if seen["root"] != text:
        faults.append(f"the text is {seen['root']} px")
    small = [what for size, what in seen["texts"] if size < SMALLEST_TEXT_PX - SLACK_PX]
    if small:
        faults.append(f"text too small: {small}")
    least = SMALLEST_TARGET_PX - SLACK_PX
    tiny = [target for target in seen["targets"] if min(target[:2]) < least]
    if tiny:
        faults.append(f"targets too small: {tiny}")
    if seen["width"] > width:
        faults.append(f"scrolls sideways, {seen['width']} px: {seen['wide']}")
    return faults


def _order(seen: dict[str, Any]) -> list[str]:
    faults = []
    levels = seen["levels"]
    steps = pairwise(levels)
    if levels[:1] != [1] or levels.count(1) != 1 or any(b > a + 1 for a, b in steps):
        faults.append(f"headings {levels}")
    if seen["lang"] not in ("zh-CN", "yue", "en"):
        faults.append(f"lang={seen['lang']!r}")
    if not seen["title"]:
        faults.append("no title")
    if seen["moving"]:
        faults.append(f"moves though nothing should: {seen['moving']}")
    return faults


async def _axe(page: Page) -> list[str]:
    found = await axe(page)
    bad = [
        f"axe {rule['id']}: {nodes[:3]}"
        for kind in ("violations", "incomplete")
        for rule in found[kind]
        if (
            nodes := [
                n["html"][:120]
                for n in rule["nodes"]
                if not (kind == "incomplete" and _is_drawn(rule, n))
            ]
        )
    ]
    return bad if found["passes"] else [*bad, "axe looked at nothing"]


def _is_drawn(rule: dict[str, Any], node: dict[str, Any]) -> bool:
    """Say whether axe only cannot tell: what lies behind the text of a drawing."""
    is_text = node["html"].startswith("<text")
    return is_text and str(rule["id"]).startswith("color-contrast")
