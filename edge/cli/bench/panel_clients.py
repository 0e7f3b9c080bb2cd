# SPDX-License-Identifier: Apache-2.0
"""Tablets of the bench: streams as bytes on a line, and one page in a real browser.

The law of the module: a tablet notes when a verdict reached it, and reads no more of
it. The browser is a tool of developers: without it, or its driver, there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

VERDICT = b'data: {"name": "verdict"'
#: Notes each change of the card, and calls back at once.
WATCH = """() => new MutationObserver(() => window.seen()).observe(
  document.getElementById('verdict'), {childList: true, subtree: true})"""
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
LISTENS_WITHIN_MS = 10_000


class Sight:
    """When a verdict was seen, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._seen_s: float | None = None
        self._news = asyncio.Event()

    def forget(self) -> None:
        """Wait for the next one."""
        self._seen_s = None
        self._news.clear()

    def note(self) -> None:
        """Note the first one since."""
        if self._seen_s is None:
            self._seen_s = time.monotonic()
            self._news.set()

    async def verdict_s(self, within_s: float) -> float | None:
        """Return when it came; None if it did not come in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._news.wait()
        return self._seen_s


class Stream(Sight):
    """One tablet that follows the first page's stream."""

    def __init__(self, url: str) -> None:
        super().__init__()
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def open(self, held: dict[str, str]) -> None:
        """Begin to listen, with these cookies."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        cookies = "; ".join(f"{name}={value}" for name, value in held.items())
        head = f"GET /live HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        writer.write(f"{head}Cookie: {cookies}\r\n\r\n".encode())
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader))

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            if line.startswith(VERDICT):
                self.note()


class Browser(Sight):
    """One page whose card is watched in its DOM."""


@contextlib.asynccontextmanager
async def browser(url: str, tablet: str) -> AsyncIterator[Browser | None]:
    """Have the first page open in Debian's Chromium; None where there is none."""
    program = shutil.which("chromium")
    try:
        # A developer's tool, and the bench does without it.
        from playwright.async_api import async_playwright  # noqa: PLC0415
    except ImportError:
        program = None
    if program is None:
        yield None
        return
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=program, args=list(FLAGS)
        )
        context = await launched.new_context()
        await context.add_cookies([{"name": "tablet", "value": tablet, "url": url}])
        page = await context.new_page()
        seen = Browser()
        await page.expose_function("seen", seen.note)
        await page.goto(url)
        still = page.locator("#still")
        await still.wait_for(state="hidden", timeout=LISTENS_WITHIN_MS)
        await page.evaluate(WATCH)
        yield seen
        await launched.close()
