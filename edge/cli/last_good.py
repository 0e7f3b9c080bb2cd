# SPDX-License-Identifier: Apache-2.0
"""When each device was last good, kept over starts and power cuts.

The law of the module: it looks and never asks a device. A start turns nothing into
"just now" and forgets nothing: a device that was silent before is as long silent
after. The file is small, replaced whole, and written seldom; without it only these
times are unknown.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.core.moment import Moment

FILE = "last-good.json"
#: How near to the truth a last good time is while the gateway runs.
LOOK_EVERY_S = 2.0
#: … and after a power cut: a block of flash six times an hour.
KEEP_EVERY_S = 600.0
#: A device that comes and goes is written down so often, no oftener.
CHANGE_EVERY_S = 60.0

log = structlog.get_logger()


class LastGood:
    """Watches who answers; ``online`` and ``now`` say it, times are UTC ms."""

    def __init__(
        self,
        path: Path,
        online: Callable[[], frozenset[str]],
        now: Callable[[], Moment],
    ) -> None:
        self._path = path
        self._online = online
        self._now = now
        self._good_ms = _read(path)
        self._before: frozenset[str] = frozenset()
        self._kept_s = now().monotonic_s
        self._is_changed = False

    def of(self, device: str) -> int | None:
        """Return when it last answered; None if nobody ever saw it answer."""
        return self._good_ms.get(device)

    async def run(self) -> None:
        """Look and keep until cancelled, and keep once more then."""
        try:
            while True:
                if self.look():
                    await asyncio.to_thread(self.keep)
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            self.look()
            self.keep()

    def look(self) -> bool:
        """Note who answers now; say whether the file is to be written."""
        now, online = self._now(), self._online()
        for device in online:
            self._good_ms[device] = now.earliest_ms
        self._is_changed |= online != self._before
        self._before = online
        every_s = CHANGE_EVERY_S if self._is_changed else KEEP_EVERY_S
        if now.monotonic_s - self._kept_s < every_s:
            return False
        self._kept_s = now.monotonic_s
        self._is_changed = False
        return True

    def keep(self) -> None:
        """Write the file; a disk that fails costs these times alone."""
        try:
            _write(self._path, json.dumps(self._good_ms))
        except OSError as fault:
            log.warning("last good times cannot be kept", why=str(fault))


def _read(path: Path) -> dict[str, int]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): int(good_ms) for name, good_ms in told.items()}
    except FileNotFoundError:
        return {}  # a first start: nothing was good yet
    except (OSError, ValueError, TypeError, AttributeError) as flaw:
        log.warning("last good times are forgotten", file=str(path), why=str(flaw))
    return {}


def _write(path: Path, text: str) -> None:
    """Replace the file: after a power cut the old one stands there, or the new."""
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
