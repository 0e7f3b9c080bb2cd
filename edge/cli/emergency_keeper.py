# SPDX-License-Identifier: Apache-2.0
"""Keeps the emergency file in line with what stands, off the loop.

The law of the module: the doors never wait for it; a write that failed is tried again
at the next occasion, and nothing counts as written that was not.
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
    """Remembers in ``path`` which emergencies stand."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.remembered = read_emergency(path)
        self._writing: asyncio.Task[None] | None = None

    def keep(self, standing: frozenset[EmergencyState]) -> None:
        """Bring the file in line; called whenever something may have changed."""
        if standing != self.remembered and self._writing is None:
            loop = asyncio.get_running_loop()
            self._writing = loop.create_task(self._write(standing))

    async def settle(self, standing: frozenset[EmergencyState]) -> None:
        """Wait for a write under way, and write what is still to be written."""
        if self._writing is not None:
            await self._writing
        self.keep(standing)
        if self._writing is not None:
            await self._writing

    async def _write(self, standing: frozenset[EmergencyState]) -> None:
        try:
            await asyncio.to_thread(write_emergency, self._path, standing)
            self.remembered = standing
        except OSError as fault:
            log.warning("the emergency file cannot be written", why=str(fault))
        finally:
            self._writing = None
