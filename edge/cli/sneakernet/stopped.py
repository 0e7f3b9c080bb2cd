# SPDX-License-Identifier: Apache-2.0
"""The journal of a gateway that does not run, read for an export.

The law of the module: it reads alone and mends nothing, so that a gateway may start
beside it at any moment; it takes no lock.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED, FeedCursor
from edge.cli.journal_view import NoJournalError
from edge.storage.connection import open_aiosqlite
from edge.storage.position import Position, read_position
from edge.storage.rows import select, within
from edge.storage.verification import hash_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.core.record import Record
    from edge.storage.connection import Connection


class StoppedJournal:
    """What the file held when it was opened."""

    def __init__(self, reader: Connection, position: Position) -> None:
        self._reader = reader
        self._position = position

    @property
    def epoch(self) -> str:
        """The journal epoch."""
        return self._position.epoch

    @property
    def first_seq(self) -> int:
        """The oldest event of the epoch that is still held."""
        return max(self._position.trimmed - self._position.base, 0) + 1

    @property
    def last_seq(self) -> int:
        """The newest event."""
        return self._position.last - self._position.base

    @property
    def acked(self) -> int:
        """The watermark as the file has it: it may lag, and then more is exported."""
        acked = self._position.acked - self._position.base
        return min(max(acked, 0), self.last_seq)

    @property
    def floor_ms(self) -> int:
        """UTC milliseconds that had surely passed at the newest event."""
        return self._position.floor_ms

    async def read(self, after: int, *, max_rows: int, max_bytes: int) -> list[Record]:
        """Return the rows that follow ``after``."""
        base = self._position.base
        records = await select(
            self._reader, after=base + after, base=base, max_rows=max_rows
        )
        return within(records, max_bytes)[0]

    async def hash_at(self, seq: int) -> bytes | None:
        """Return ``h_seq``, None if it is gone."""
        place = self._position.base + seq
        return await hash_at(self._reader, self._position, place)


@asynccontextmanager
async def stopped_journal(state: Path) -> AsyncIterator[StoppedJournal]:
    """Open the journal of a state folder; NoJournalError if there is none."""
    path = state / "journal.db"
    if not path.is_file():
        raise NoJournalError(f"{path}: no journal here; is --state the right folder?")
    async with open_aiosqlite(path, is_reader=True) as reader:
        position = await read_position(reader)
        if position is None:
            raise NoJournalError(f"{path}: nothing was ever stored in this journal")
        yield StoppedJournal(reader, position)


async def held_feed(state: Path) -> FeedCursor:
    """Return which roster the folder holds."""
    path = state / "roster.db"
    if not path.is_file():
        return NO_FEED
    async with open_aiosqlite(path, is_reader=True) as reader:
        for epoch, rev in await reader.execute_fetchall(
            "SELECT epoch, rev FROM current"
        ):
            return FeedCursor(epoch=epoch, rev=rev)
    return NO_FEED
