# SPDX-License-Identifier: Apache-2.0
"""A site whose roster comes by the feed, over a file that may fail."""

from __future__ import annotations

import json
import sqlite3
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cloud_sync.feed import FeedCursor, FeedRow
from cloud_sync.outputs import SnapshotComplete
from edge.cli.roster_feed import RosterFeed
from edge.storage.connection import open_aiosqlite
from edge.storage.roster import RosterStore
from tests.edge.stage import Stage, settle
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from edge.core.event import EventKind
    from edge.storage.connection import Connection

EPOCH = "0001-0a1b2c3d"
#: No person has this token in the stage's own roster.
TOKEN = "f0" * 16


def row(kind: str, row_id: str, **body: object) -> FeedRow:
    text = json.dumps(body)
    digest = sha256(text.encode()).digest()
    return FeedRow(kind=kind, id=row_id, ver=1, body=text, digest=digest)


def holder(row_id: str, token: str = TOKEN) -> FeedRow:
    return row(
        "holder",
        row_id,
        enabled=1,
        extended=0,
        language="zh-CN",
        roles=["resident"],
        credentials=[f"CARD:{token}"],
    )


def many(count: int) -> list[FeedRow]:
    return [holder(f"h-{n}", f"{n:032x}") for n in range(count)]


class Disk:
    """A connection that fails while it is broken."""

    def __init__(self, connection: Connection) -> None:
        self.is_broken = False
        self._connection = connection
        self._left: int | None = None

    def fail_after(self, statements: int) -> None:
        """Break for good once so many statements were done."""
        self._left = statements

    def mend(self) -> None:
        """Work again."""
        self._left, self.is_broken = None, False

    def _sound(self) -> Connection:
        if self._left is not None:
            self._left -= 1
            self.is_broken = self._left < 0
        if self.is_broken:
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> Any:
        return await self._sound().execute(sql, parameters)

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> Any:
        return await self._sound().executemany(sql, parameters)

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> Iterable[Any]:
        return await self._sound().execute_fetchall(sql, parameters)

    async def commit(self) -> None:
        await self._sound().commit()


class Site:
    """A stage whose roster comes by the feed, over a file of its own."""

    def __init__(
        self, stage: Stage, feed: RosterFeed, store: RosterStore, disk: Disk
    ) -> None:
        self.stage = stage
        self.disk = disk
        self.feed = feed
        self.store = store

    def knows(self, token: str = TOKEN) -> bool:
        """Say whether the rules know a token."""
        return self.stage.controller.roster.find(bytes.fromhex(token)) is not None

    async def stage_rows(self, rows: Sequence[FeedRow], name: str = "s1") -> None:
        """Let rows arrive, a few at a time."""
        for start in range(0, len(rows), 40):
            await self.feed.stage(name, rows[start : start + 40])

    async def take(
        self, rows: Sequence[FeedRow], rev: int = 1, name: str = "s1"
    ) -> None:
        """Let a whole snapshot arrive."""
        await self.stage_rows(rows, name)
        await self.feed.complete(complete(len(rows), rev, name))
        await settle()

    def told(self, kind: EventKind) -> list[str]:
        """Return why, of each event of a kind."""
        stored = self.stage.journal.stored
        return [str(e.fact("why")) for e in stored if e.kind is kind]


def complete(count: int, rev: int = 1, name: str = "s1") -> SnapshotComplete:
    cursor = FeedCursor(epoch=EPOCH, rev=rev)
    return SnapshotComplete(snapshot=name, cursor=cursor, hash=bytes(32), count=count)


@asynccontextmanager
async def running(path: Path, stage: Stage) -> AsyncIterator[Site]:
    """Run a site on the file until the block ends."""
    async with open_aiosqlite(path) as connection:
        disk = Disk(connection)
        store = await RosterStore.open(disk, SEAL)
        feed = await RosterFeed.open(store, stage.gateway)
        await settle()
        yield Site(stage, feed, store, disk)


@asynccontextmanager
async def second_run(path: Path, first: Stage) -> AsyncIterator[Site]:
    """Run the site again, on the same clock and file."""
    stage = Stage(first.clock, is_prompt=True)
    try:
        async with running(path, stage) as site:
            yield site
    finally:
        stage.gateway.close()
