# SPDX-License-Identifier: Apache-2.0
"""Room for what must be kept: the journal's caps, and what gives way at them.

The law of the module: acknowledged events go first, the oldest ahead; one that the
platform has not got is never dropped. Where that leaves no room, refusals are counted
before they are numbered, and everything else is stored as ever.
Source: design.md, ruling 2 (1,000,000 events or 500 MB).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.stimulus import RoomChanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.storage.journal import Journal

#: To this share of its bytes a journal is trimmed; room is there again only below
#: that share of a cap, lest it come and go.
_TRIMMED, _AGAIN = 0.9, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much the journal may hold, and what it leaves to everything else."""

    events: int = 1_000_000
    used_bytes: int = 500_000_000
    reserve_bytes: int = 100_000_000


class JournalRoom:
    """Trims the journal, and says when that is not enough."""

    def __init__(
        self,
        journal: Journal,
        folder: Path,
        tell: Callable[[RoomChanged], None],
        caps: Caps | None = None,
    ) -> None:
        self._journal = journal
        self._folder = folder
        self._tell = tell
        self._caps = caps or Caps()
        #: Whether refusals are only counted.
        self.is_crowded = False

    async def look(self) -> None:
        """Make room; ``sqlite3.Error`` of a failing disk passes unchanged."""
        journal, caps = self._journal, self._caps
        rows, used = caps.events, await journal.used_bytes()
        share = _AGAIN if self.is_crowded else 1.0
        if used > share * caps.used_bytes:
            rows = min(rows, int(journal.count * _TRIMMED * caps.used_bytes / used))
        if await journal.trim(rows):
            used = await journal.used_bytes()
        free = shutil.disk_usage(self._folder).free
        is_crowded = (
            journal.waiting > share * caps.events
            or used > share * caps.used_bytes
            or free * share < caps.reserve_bytes
        )
        if is_crowded is not self.is_crowded:
            self.is_crowded = is_crowded
            self._tell(RoomChanged(is_crowded=is_crowded, waiting=journal.waiting))
