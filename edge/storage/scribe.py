# SPDX-License-Identifier: Apache-2.0
"""Who writes the journal: one at a time, and never on from a doubt.

The law of the module: ``position`` moves only when the database has said so. After
anything that went wrong while writing, the outcome counts as unknown, and before the
next write the database is asked what it holds.
Source: sqlite.org lang_transaction.html (an error may or may not have rolled back).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.storage.connection import transaction
from edge.storage.errors import DamagedError
from edge.storage.position import Position, read_position
from edge.storage.rows import select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge.core.record import Record
    from edge.storage.connection import Connection

#: Rows that one commit of unknown outcome can have left: far above any batch.
UNCONFIRMED_ROWS_MAX = 20_000


class Scribe:
    """The writing connection, the position in the file, and the lock on both.

    ``unconfirmed`` are rows that turned out to be stored by a write whose outcome was
    unknown; whoever sends the same events again finds them here.
    """

    def __init__(self, connection: Connection, position: Position) -> None:
        self.connection = connection
        self.position = position
        self.unconfirmed: list[Record] = []
        self._lock = asyncio.Lock()
        self._is_unsure = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """Hold the pen for the block; whatever the block raises leaves a doubt."""
        async with self._lock:
            try:
                if self._is_unsure:
                    await self._relearn()
                yield self.connection
            except BaseException:
                self._is_unsure = True
                raise

    async def _relearn(self) -> None:
        """Ask the database where the journal stands.

        A transaction may have stayed open, and in it an INSERT would seem committed.
        That BEGIN succeeds proves that none is open any more.
        """
        before = self.position
        with suppress(sqlite3.Error):
            await self.connection.execute("ROLLBACK")
        async with transaction(self.connection):
            found = await read_position(self.connection)
            rows = await select(
                self.connection,
                after=before.last,
                base=before.base,
                max_rows=UNCONFIRMED_ROWS_MAX,
            )
        if found is None:
            raise DamagedError("the journal has lost its epoch")
        is_same_epoch = found.epoch == before.epoch
        self.unconfirmed = self.unconfirmed + rows if is_same_epoch else []
        self.position = replace(
            found,
            acked=max(self.position.acked if is_same_epoch else 0, found.acked),
            floor_ms=max(found.floor_ms, before.floor_ms),
            missing=before.missing,
        )
        self._is_unsure = False
