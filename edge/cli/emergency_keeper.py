# SPDX-License-Identifier: Apache-2.0
"""Keeps the emergency file in line with the fire release, off the loop.

The law of the module: the doors never wait for it; a write that failed is tried again
at the next occasion, and nothing counts as written that was not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from edge.storage.emergency_file import read_fire, write_fire

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger()


class FireKeeper:
    """Remembers in ``path`` whether a fire release stands."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_remembered = read_fire(path)
        self._writing: asyncio.Task[None] | None = None

    def keep(self, *, is_fire: bool) -> None:
        """Bring the file in line; called whenever something may have changed."""
        if is_fire != self.is_remembered and self._writing is None:
            loop = asyncio.get_running_loop()
            self._writing = loop.create_task(self._write(is_fire=is_fire))

    async def settle(self, *, is_fire: bool) -> None:
        """Wait for a write under way, and write what is still to be written."""
        if self._writing is not None:
            await self._writing
        self.keep(is_fire=is_fire)
        if self._writing is not None:
            await self._writing

    async def _write(self, *, is_fire: bool) -> None:
        try:
            await asyncio.to_thread(write_fire, self._path, is_fire=is_fire)
            self.is_remembered = is_fire
        except OSError as fault:
            log.warning("the emergency file cannot be written", why=str(fault))
        finally:
            self._writing = None
