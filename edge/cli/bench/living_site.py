# SPDX-License-Identifier: Apache-2.0
"""The demonstration's site with nobody at its doors, and a tablet at its panel.

The law of the module: inputs, readers and lockers are asked as often as on any site;
only the people are away.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edge.cli.bench.process_figures import peak_mib
from edge.cli.bench.scan import cpu_ms
from edge.cli.demo.play import Play
from edge.cli.demo.stage import Stage
from edge.cli.files import config_folder
from edge.cli.load_site import load_site
from edge.control.client import ask

if TYPE_CHECKING:
    from pathlib import Path

#: What a tablet loads at first, some times over as its keeper comes back to it.
PAGE_LOADS = 10
#: Leaves that open and shut while the stream is open, each telling the page twice.
MOVES = 5
MOVE_S = 0.3
#: The first answers of devices and platform belong to the start.
CALM_S = 3.0
ANSWER_WITHIN_S = 10.0


async def idle_and_panel(folder: Path, *, for_s: float) -> dict[str, Any]:
    """Return the gateway's CPU while nobody comes, and the panel's memory."""
    site = config_folder() / "demo.toml"
    stage = Stage(folder=folder)
    play = Play(settings=load_site(site), site=site, stage=stage, seed=1, panel_port=0)
    play.prepare()
    try:
        await play.open(asyncio.Event())
        await asyncio.sleep(CALM_S)
        percent = await _idle_percent(_pid(play, "gateway"), for_s)
        mib = await _panel_mib(play)
    finally:
        await play.end()
    return {"idle_cpu_percent": percent, "panel_rss_mb": mib}


def _pid(play: Play, name: str) -> int:
    process = play.children[name].process
    assert process is not None  # noqa: S101  it was started
    return process.pid


async def _idle_percent(pid: int, for_s: float) -> float:
    begun_s, before_ms = time.monotonic(), cpu_ms(pid)
    await asyncio.sleep(for_s)
    spent_s = (cpu_ms(pid) - before_ms) / 1000
    return round(100 * spent_s / (time.monotonic() - begun_s), 2)


async def _panel_mib(play: Play) -> float:
    """Load pages, then follow the stream while a leaf moves."""
    address = urlsplit(play.panel_url)
    host, port = address.hostname or "", address.port
    door = play.settings.door[0].id
    held = await _paired(play)
    stream = http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    try:
        for _ in range(PAGE_LOADS):
            await asyncio.to_thread(_load, host, port, held)
        stream.request("GET", "/live", headers=held)
        answer = await asyncio.to_thread(stream.getresponse)
        for _ in range(MOVES):
            for verb in ("force", "pull_shut"):
                await play.firmware.do(verb, door=door)
                await asyncio.sleep(MOVE_S)
        await asyncio.to_thread(answer.readline)
        return peak_mib(_pid(play, "panel"))
    finally:
        stream.close()


async def _paired(play: Play) -> dict[str, str]:
    """Pair a tablet, as the panel would; return the cookie that it then holds."""
    socket = play.stage.control_socket
    code = (await asyncio.to_thread(ask, socket, "pair-begin"))["code"]
    told = await asyncio.to_thread(ask, socket, "pair", code=code, name="bench")
    return {"Cookie": f"tablet={told['tablet']}"}


def _load(host: str, port: int | None, held: dict[str, str]) -> None:
    page = http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN_S)
    try:
        page.request("GET", "/", headers=held)
        page.getresponse().read()
    finally:
        page.close()
