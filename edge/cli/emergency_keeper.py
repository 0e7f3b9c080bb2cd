# SPDX-License-Identifier: Apache-2.0
"""Keeps the emergency file in line with what stands, off the loop.

The law of the module: the doors never wait for it; it is written again until it tells
what stands, a write that failed at the next occasion, and nothing counts as written
that was not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from edge.storage.emergency_file import read_emergency, write_emergency

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.emergency.state import EmergencyState

log = structlog.get_logger()


class EmergencyKeeper:
    """Remembers in ``path`` which emergencies stand.

    ``remembered``: those that stood when the box went down.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.remembered = read_emergency(path)
        self._standing = self.remembered
        #: What the file tells; None after a write that failed, since it may have come
        #: half the way.
        self._written: frozenset[EmergencyState] | None = self.remembered
        self._writing: asyncio.Task[None] | None = None

    def keep(self, standing: frozenset[EmergencyState]) -> None:
        """Bring the file in line; called whenever something may have changed."""
        self._standing = standing
        if standing != self._written and self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def settle(self, standing: frozenset[EmergencyState]) -> None:
        """Wait for a write under way, and write what is still to be written."""
        if self._writing is not None:
            await self._writing
        self.keep(standing)
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        try:
            while self._standing != self._written:
                standing, self._written = self._standing, None
                await asyncio.to_thread(write_emergency, self._path, standing)
                self._written = standing
        except OSError as fault:
            log.warning("the emergency file cannot be written", why=str(fault))
        finally:
            self._writing = None
