# SPDX-License-Identifier: Apache-2.0
"""``menshen bench panel``: from a code at the door to the tablets, and what pages cost.

The law of the module: a real gateway with simulated devices, the real panel process
and ten streams; times are CLOCK_MONOTONIC, from the last byte that a scanner sent to
the part that a tablet got. ``browser_ms`` ends in the DOM of Debian's Chromium (with
the word back to us), and says so where there is none. ``floor_ms`` is an empty answer
through the same server. Memory is read with all streams still open, when every page
has been drawn in every language; ``panel_rss_mb`` is the most it ever was (MiB).
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import tempfile
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edge.cli.bench.panel_clients import Browser, Stream, browser
from edge.cli.bench.process_figures import SiteError, memory_mib, peak_mib
from edge.cli.bench.scan import at
from edge.cli.children import Child, free_port
from edge.cli.demo.play import Play
from edge.cli.demo.residents import LOCKED_WITHIN_S, visit
from edge.cli.demo.stage import Stage
from edge.cli.demo.tablet import new_pin
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.control.client import ask
from edge.panel.look import COOKIE, Look
from edge.panel.routes import ROUTES
from edge.panel.visitor import Kind
from edge.panel.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge.cli.demo.cast import Resident
    from edge.cli.demo.residents import Porch

#: Whoever is let in; two of them in turn, so that each code changes the card.
PART = "on time"
#: A stream gathers news for a tenth of a second after a send; somebody who comes when
#: the door has fallen shut finds it at rest.
REST_S = 0.3
CALM_S = 3.0
WITHIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOptions:
    """Tablets that listen, codes shown at the door, and loads of each page."""

    tablets: int = 10
    scans: int = 30
    loads: int = 40


@dataclass(slots=True)
class _Waits:
    streams_ms: list[float] = field(default_factory=list)
    browser_ms: list[float] = field(default_factory=list)


def run_panel_bench(options: PanelOptions) -> dict[str, Any]:
    """Measure and return the figures; SiteError if the site does not come alive."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))


async def _measure(options: PanelOptions, folder: Path) -> dict[str, Any]:
    site = config_folder() / "demo.toml"
    stage = Stage(folder=folder)
    play = Play(settings=load_site(site), site=site, stage=stage, seed=1, panel_port=0)
    play.prepare()
    watching = None
    try:
        await play.open(asyncio.Event())
        watching = asyncio.create_task(play.firmware.watch())
        await asyncio.sleep(CALM_S)
        async with _tablets(options, play) as streams:
            waits = await _news(options, play, streams)
            pages = await _pages(options, play)
            memory = _memory(play.children["panel"])
        floor = await _floor(options, stage)
    finally:
        if watching is not None:
            watching.cancel()
        await play.end()
    return {
        "tablets": options.tablets,
        "scans": options.scans,
        "lost": options.scans * options.tablets - len(waits.streams_ms),
        "door_to_tablet_ms": _quantiles(waits.streams_ms),
        "browser_ms": _quantiles(waits.browser_ms) or "no browser here",
        **memory,
        "floor_ms": floor,
        **pages,
    }


def _quantiles(waits_ms: list[float]) -> dict[str, float]:
    """Return median, p99 and maximum; empty for nothing."""
    if not waits_ms:
        return {}
    ordered = sorted(waits_ms)
    told = {"p50": at(ordered, 0.50), "p99": at(ordered, 0.99), "max": ordered[-1]}
    return {name: round(value, 2) for name, value in told.items()}


@contextlib.asynccontextmanager
async def _tablets(options: PanelOptions, play: Play) -> AsyncIterator[list[Stream]]:
    async with contextlib.AsyncExitStack() as stack:
        streams = [Stream(play.panel_url) for _ in range(options.tablets)]
        for stream in streams:
            held = await _paired(play)
            await stream.open({"tablet": held})
            stack.push_async_callback(stream.close)
        yield streams


def _memory(panel: Child) -> dict[str, Any]:
    """Return the most that the panel's process held, and what it holds now."""
    if panel.process is None:
        raise SiteError("the panel does not run")
    pid = panel.process.pid
    return {"panel_rss_mb": peak_mib(pid), "panel_memory_mib": memory_mib(pid)}


async def _news(options: PanelOptions, play: Play, streams: list[Stream]) -> _Waits:
    """Show codes at a door, one after the other, and time them at every tablet."""
    porch, people = _known(play)
    waits = _Waits()
    async with browser(play.panel_url, await _paired(play)) as page:
        for _, one in zip(range(options.scans), cycle(people), strict=False):
            await _show(play, porch, one, streams=streams, page=page, waits=waits)
    return waits


def _known(play: Play) -> tuple[Porch, list[Resident]]:
    """Return a door with a scanner, and two people whom it lets in."""
    for porch in play.porches:
        people = play.people[porch.access_point]
        known = [one for one in people if one.part.name == PART]
        if porch.is_scanner and porch.door and known:
            return porch, known[:2]
    raise SiteError("the demonstration has no door with a scanner")


async def _show(
    play: Play,
    porch: Porch,
    one: Resident,
    *,
    streams: list[Stream],
    page: Browser | None,
    waits: _Waits,
) -> None:
    await play.firmware.until_locked(porch.door, within_s=LOCKED_WITHIN_S)
    await asyncio.sleep(REST_S)
    for stream in streams:
        stream.forget()
    if page is not None:
        page.forget()
    played = await visit(play.firmware, porch, one, linger_s=REST_S)
    if played is None:
        raise SiteError(f"the scanner {porch.reader} read nothing")
    read_s = played.read_s
    seen = await asyncio.gather(*(stream.verdict_s(WITHIN_S) for stream in streams))
    waits.streams_ms += [1000 * (s - read_s) for s in seen if s is not None]
    if page is not None:
        shown_s = await page.verdict_s(WITHIN_S)
        waits.browser_ms += [] if shown_s is None else [1000 * (shown_s - read_s)]


async def _paired(play: Play) -> str:
    """Pair a tablet, as the panel would; return its secret."""
    code = (await _told(play, "pair-begin"))["code"]
    return str((await _told(play, "pair", code=code, name="bench"))["tablet"])


async def _told(play: Play, verb: str, **fields: Any) -> dict[str, Any]:
    socket = play.stage.control_socket
    return await asyncio.to_thread(ask, socket, verb, **fields)


async def _pages(options: PanelOptions, play: Play) -> dict[str, Any]:
    """Load every page that a manager has and that needs no further word."""
    pin = new_pin()
    tablet = await _paired(play)
    account = {"name": "bench", "role": "MANAGER", "pin": pin}
    added = await _told(play, "account-add", **account)
    login = {"tablet": tablet, "account": added["account"], "pin": pin}
    told = await _told(play, "login-pin", **login)
    cookie = f"tablet={tablet}; session={told['session']}"
    pages = [
        path
        for (method, path), kinds in ROUTES.items()
        if method == "GET" and Kind.MANAGER in kinds and "{" not in path
    ]
    netloc = urlsplit(play.panel_url).netloc
    figures = {}
    for path in pages:
        if "live" not in path.split("/"):
            waits_ms, size = await asyncio.to_thread(
                _load, netloc, path, cookie, options.loads
            )
            if size:
                figures[path] = {**_quantiles(waits_ms), "bytes": size}
    for language in LANGUAGES:
        spoken = f"{cookie}; {COOKIE}={Look(language=language).text()}"
        for path in figures:
            await asyncio.to_thread(_load, netloc, path, spoken, 1)
    return figures


async def _floor(options: PanelOptions, stage: Stage) -> dict[str, float]:
    port = free_port()
    words = ["edge.cli.bench.panel_floor", str(port)]
    child = Child(name="floor", words=words, logs=stage.logs)
    await child.start()
    try:
        async with asyncio.timeout(WITHIN_S):
            while not await asyncio.to_thread(_answers, port):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        netloc = f"127.0.0.1:{port}"
        waits_ms, _ = await asyncio.to_thread(_load, netloc, "/", "", options.loads)
        return _quantiles(waits_ms)
    finally:
        await child.end()


def _answers(port: int) -> bool:
    try:
        return bool(_load(f"127.0.0.1:{port}", "/", "", 1)[0])
    except OSError:
        return False


def _load(netloc: str, path: str, cookie: str, loads: int) -> tuple[list[float], int]:
    """Load a page over one connection; return the times in ms, and its bytes.

    0 bytes for what is no page (a file, a redirect).
    """
    line = http.client.HTTPConnection(netloc, timeout=WITHIN_S)
    waits_ms, size = [], 0
    try:
        for _ in range(loads):
            begun_s = time.monotonic()
            line.request("GET", path, headers={"Cookie": cookie} if cookie else {})
            answer = line.getresponse()
            body = answer.read()
            waits_ms.append(1000 * (time.monotonic() - begun_s))
            is_page = (answer.getheader("content-type") or "").startswith("text/html")
            size = len(body) if is_page and answer.status == 200 else 0
    finally:
        line.close()
    return waits_ms, size
