# SPDX-License-Identifier: Apache-2.0
"""A scripted gateway, the panel as its own process, and how a browser is had."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import async_playwright

from edge.cli.panel.verbs import PANEL
from tests.panel.scripted_gateway import TABLET, ScriptedGateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Browser, Page

#: The secrets of a volunteer's turn at the paired tablet.
VOLUNTEER = {"tablet": TABLET, "session": "volunteer"}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelProcess:
    """A panel that listens at ``url`` (with its closing slash)."""

    process: asyncio.subprocess.Process
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])


async def start_panel(socket: Path, port: int = 0, *words: str) -> PanelProcess:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *PANEL, "--socket", str(socket)),
        *("--port", str(port)),
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        line = await process.stdout.readline()
    return PanelProcess(process=process, url=json.loads(line)["panel_url"])


async def stop_panel(panel: PanelProcess) -> str:
    """End it and return what it wrote to its error output."""
    if panel.process.returncode is None:
        panel.process.terminate()
    async with asyncio.timeout(10):
        _, errors = await panel.process.communicate()
    return errors.decode()


@asynccontextmanager
async def scripting(path: Path) -> AsyncIterator[ScriptedGateway]:
    """Have a scripted gateway at a socket."""
    scripted = ScriptedGateway(path)
    await scripted.open()
    yield scripted
    await scripted.close()


@asynccontextmanager
async def serving(gateway: ScriptedGateway) -> AsyncIterator[PanelProcess]:
    """Have a panel that watches; whatever happened, it wrote nothing to its errors."""
    started = await start_panel(gateway.path)
    try:
        await gateway.watched()
        yield started
    finally:
        errors = await stop_panel(started)
    assert errors == ""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Have Debian's browser, without a window."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(FLAGS)
        )
        yield launched
        await launched.close()


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ScriptedGateway]:
    async with scripting(tmp_path / "control.sock") as scripted:
        yield scripted


@pytest.fixture
async def panel(gateway: ScriptedGateway) -> AsyncIterator[PanelProcess]:
    async with serving(gateway) as started:
        yield started


@pytest.fixture
async def http(panel: PanelProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client that behaves like a browser on our own page."""
    headers = {"Origin": panel.url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(
        base_url=panel.url, headers=headers, cookies=VOLUNTEER
    ) as client:
        yield client


async def page_of(
    browser: Browser, panel: PanelProcess, keys: dict[str, str], **context: Any
) -> Page:
    """Open a page in a browser of its own that holds these secrets."""
    opened = await browser.new_context(**context)
    url = panel.url
    await opened.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in keys.items()]
    )
    return await opened.new_page()
