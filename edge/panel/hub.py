# SPDX-License-Identifier: Apache-2.0
"""Where news meets open pages.

The law of the module: it keeps one standing and its version; a page that reads slowly
skips what it missed, so nothing ever queues. Closing wakes everybody: it is the word
by which open streams end before the server waits for them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edge.panel.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

#: Minutes on the page ("for 5 minutes") are looked at anew so often.
BEAT_S = 10.0


class Hub:
    """One standing, and whoever waits for the next; ``now`` is in monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.standing = Standing()
        self.version = 0
        self.is_closed = False
        self.streams = 0
        self._news = asyncio.Event()

    def post(self, standing: Standing) -> None:
        """Replace the standing and wake who waits."""
        self.standing = standing
        self._wake()

    def close(self) -> None:
        """End every wait, now and later."""
        self.is_closed = True
        self._wake()

    async def wait(self, seen: int) -> None:
        """Return once the version is not ``seen`` any more, or the hub is closed."""
        while self.version == seen and not self.is_closed:
            await self._news.wait()

    async def beat(self) -> None:
        """Let ages on the pages grow, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._wake()

    def _wake(self) -> None:
        self.version += 1
        news, self._news = self._news, asyncio.Event()
        news.set()
