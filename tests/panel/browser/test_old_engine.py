# SPDX-License-Identifier: Apache-2.0
"""Tablets that nobody updates any more: an engine of 2016 draws every page.

Source: wkhtmltoimage (Debian) is QtWebKit 602, of the age of Safari 10: it knows
EventSource and flexbox, and neither grid nor fetch.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pyjsparser  # type: ignore[import-untyped]
import pytest

import edge.panel
from tests.panel.every_page import WALKERS, Found, every_page, populate
from tests.panel.scripted_gateway import DENIED

if TYPE_CHECKING:
    from tests.panel.conftest import PanelProcess
    from tests.panel.scripted_gateway import ScriptedGateway

pytestmark = [pytest.mark.needs("wkhtmltopdf"), pytest.mark.timeout(600)]

STATIC = Path(edge.panel.__file__).parent / "static"
#: What a page may weigh, for tablets and radio links that are slow.
MAX_BYTES = {"panel.js": 4_096, "panel.css": 8_192}
#: Less than this is a page on which nothing was drawn.
LEAST_PICTURE = 6_000
WAIT_MS = 150
#: How long a page stays open to hear news.
NEWS_MS = 2_000
#: Pixels in a row of the frame of a refusal (#8a1c12), as a bitmap has them.
VERDICT = b"\x12\x1c\x8a" * 40
#: Pages that are drawn side by side: each waits more than it works.
AT_ONCE = 4


async def draw(
    panel: PanelProcess, found: Found, picture: Path, wait_ms: int = WAIT_MS
) -> str:
    """Draw a page as the old engine sees it; return what it complained of."""
    held = WALKERS[found.walker][1]
    cookies = [word for pair in held.items() for word in ("--cookie", *pair)]
    runtime = picture.parent / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *("wkhtmltoimage", "--quiet", "--debug-javascript", "--width", "800"),
        *("--javascript-delay", str(wait_ms), "--format", picture.suffix[1:], *cookies),
        *(panel.url.rstrip("/") + found.address, str(picture)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ
        | {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(runtime)},
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    told = errors.decode(errors="replace").strip()
    return told if process.returncode == 0 else f"status {process.returncode}: {told}"


async def test_an_old_engine_draws_every_page(
    panel: PanelProcess, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    populate(gateway)
    # Once each: how a page differs for others is a matter of its links, but for the
    # first one, which is several. (A refusal's page it would draw, and say that it
    # failed: to wkhtmltoimage its status is an error.)
    found = reversed(await every_page(panel))
    pages = {page.name if page.route == "/" else page.route: page for page in found}
    assert {"manager /", "volunteer /", "tablet /", "stranger /"} <= pages.keys()
    side_by_side = asyncio.Semaphore(AT_ONCE)

    async def judge(found: Found, picture: Path) -> str:
        async with side_by_side:
            told = await draw(panel, found, picture)
        size = len(await asyncio.to_thread(picture.read_bytes)) if not told else 0
        is_drawn = size >= LEAST_PICTURE
        return "" if is_drawn else f"{found.name}: {told or f'{size} bytes drawn'}"

    numbered = enumerate(pages.values())
    judged = [judge(found, tmp_path / f"{number}.png") for number, found in numbered]
    faults = [fault for fault in await asyncio.gather(*judged) if fault]
    assert pages
    assert faults == [], "\n".join(["", *faults])


async def test_an_old_engine_follows_the_news(
    panel: PanelProcess, gateway: ScriptedGateway, tmp_path: Path
) -> None:
    first = Found(route="/", address="/", walker="manager", html="")
    before, after = tmp_path / "before.bmp", tmp_path / "after.bmp"
    assert await draw(panel, first, before, wait_ms=NEWS_MS) == ""
    drawing = asyncio.create_task(draw(panel, first, after, wait_ms=NEWS_MS))
    await asyncio.sleep(NEWS_MS / 2_000)
    gateway.tell(DENIED)
    assert await drawing == ""
    assert VERDICT not in before.read_bytes(), "nobody was refused yet"
    assert VERDICT in after.read_bytes(), "the card of the verdict is red by then"


def test_the_script_is_es5_and_small() -> None:
    for name, most in MAX_BYTES.items():
        assert (STATIC / name).stat().st_size <= most, name
    source = (STATIC / "panel.js").read_text(encoding="utf-8")
    assert pyjsparser.parse(source)["type"] == "Program"
    for newer in ("let a = () => 1", "async function f() {}", "a?.b", "class A {}"):
        with pytest.raises(pyjsparser.pyjsparserdata.JsSyntaxError):
            pyjsparser.parse(newer)
