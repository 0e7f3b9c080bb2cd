# SPDX-License-Identifier: Apache-2.0
"""The shifts of the last hundred days, read from the journal once and then followed.

The law of the module: the first who asks has the journal read, in pieces between which
everything else has its turn; whoever asks later reads what came since. Erasing, or a
new epoch, and it is read anew: no name outlives its rows here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edge.cli.panel.shift_stories import KINDS, Stories
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.gateway.gateway import Gateway
    from edge.storage.journal import Journal

#: This month, the two before it, and a week for whoever settles them.
KEPT_MS = 100 * DAY_MS
#: What was done a moment ago is waited for so long, then told without it.
SETTLED_S = 0.25
_LOOK_S = 0.01


class ShiftBook:
    """What the journal tells of shifts."""

    def __init__(self, journal: Journal, gateway: Gateway) -> None:
        self._journal = journal
        self._gateway = gateway
        self._reading = asyncio.Lock()
        self._stories = Stories()
        self._epoch, self._reached = "", 0
        #: The last erasing that was heard of.
        self._erased: int | None = None

    async def look(self) -> Stories:
        """Return the shifts as they stand in the journal now."""
        await self._settled()
        async with self._reading:
            while not await self._next():
                continue  # each piece is read in the reader's thread
            return self._stories

    async def openings(self, after: int, actors: Collection[str]) -> int:
        """Return how often these opened a door by hand since the number ``after``."""
        await self._settled()
        count, is_over, epoch = 0, False, self._journal.epoch
        while not is_over and epoch == self._journal.epoch:
            found, after, is_over = await self._journal.finder.piece(
                (EventKind.MANUAL_ENTRY.value,), after
            )
            count += sum(each.event.fact("actor") in actors for each in found)
        return count

    async def _begin(self) -> None:
        self._stories = Stories()
        since_ms = self._gateway.now().earliest_ms - KEPT_MS
        self._reached = await self._journal.finder.since(since_ms)

    async def _next(self) -> bool:
        """Read a piece; say whether it was the last."""
        if self._epoch != self._journal.epoch:
            self._epoch, self._erased = self._journal.epoch, None
            await self._begin()
        epoch = self._epoch
        found, reached, is_over = await self._journal.finder.piece(KINDS, self._reached)
        if epoch != self._journal.epoch:
            return False
        erased = [e.event.seq for e in found if e.event.kind is EventKind.ERASED]
        if erased and (self._erased is None or erased[-1] > self._erased):
            # The rows were there when some were read: who is in them is nobody now.
            self._erased = erased[-1]
            await self._begin()
            return False
        for each in found:
            self._stories.follow(each)
        self._reached = reached
        return is_over

    async def _settled(self) -> None:
        """Let what was just done reach the disk."""
        for _ in range(int(SETTLED_S / _LOOK_S)):
            if not self._gateway.unstored:
                return
            await asyncio.sleep(_LOOK_S)
