# SPDX-License-Identifier: Apache-2.0
"""The embedded database: one SQLite file, written by one connection at a time.

The law of the module: a writer's commit is on the disk (WAL, synchronous=FULL) before
its block is left, since an acknowledgement follows it; readers have a connection of
their own and hold up no writer. Other processes may read and write the file meanwhile.
Source: sqlite.org wal.html, pragma.html.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import asynccontextmanager, suppress
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import aiosqlite

from cloud_sync.platform import schema
from cloud_sync.platform.database import DatabaseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from cloud_sync.platform.database import Bulk, Database, Row, Value, Work

#: Another process writes a second at most (an import); longer and it is stuck.
BUSY_TIMEOUT_S = 10.0
#: Rows of one INSERT: half of what each costs by itself is the statement's. 128 of
#: eleven values stay far below SQLite's 32,766.
ROWS_A_STATEMENT = 128
#: Pages between two checkpoints, 64 MiB: one in seconds of a full drain.
CHECKPOINT_PAGES = 16_384


class _SqliteWork:
    """Statements on a connection whose transaction is open."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, *values: Value) -> Sequence[Row]:
        return list(await self._connection.execute_fetchall(sql, values))

    async def execute(self, sql: str, *values: Value) -> None:
        await self._connection.execute(sql, values)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        await self._connection.executemany(sql, rows)

    async def add(self, table: Bulk, rows: Sequence[Sequence[Value]]) -> None:
        whole = len(rows) - len(rows) % ROWS_A_STATEMENT
        sql = _insert(table, ROWS_A_STATEMENT)
        for start in range(0, whole, ROWS_A_STATEMENT):
            values = chain.from_iterable(rows[start : start + ROWS_A_STATEMENT])
            await self._connection.execute(sql, tuple(values))
        if whole < len(rows):
            await self._connection.executemany(_insert(table, 1), rows[whole:])


class SqliteDatabase:
    """Two connections to one file, each with a queue of one."""

    def __init__(
        self, writer: aiosqlite.Connection, reader: aiosqlite.Connection
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        """Open a transaction that is durable once the block is left in order."""
        async with self._writing, _transaction(self._writer, "IMMEDIATE") as work:
            yield work

    async def scour(self) -> bool:
        """Move the log into the file and cut it; False if somebody reads it now."""
        async with self._writing, self._reading:
            try:
                rows = await self._writer.execute_fetchall(
                    "PRAGMA wal_checkpoint(TRUNCATE)"
                )
            except sqlite3.Error as fault:
                raise DatabaseError(str(fault)) from fault
            return not any(is_busy for is_busy, *_ in rows)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        """Open a transaction that reads one state of everything."""
        async with self._reading, _transaction(self._reader, "DEFERRED") as work:
            yield work


@asynccontextmanager
async def open_sqlite(path: Path) -> AsyncIterator[Database]:
    """Hold the file at ``path`` open, made with its tables if it is not there."""
    try:
        async with _connect(path) as writer:
            await writer.execute("PRAGMA synchronous = FULL")
            await writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            await writer.execute("PRAGMA secure_delete = ON")
            async with _transaction(writer, "IMMEDIATE") as work:
                await schema.create(
                    work, identity="INTEGER PRIMARY KEY", clustered="WITHOUT ROWID"
                )
            async with _connect(path) as reader:
                await reader.execute("PRAGMA query_only = ON")
                yield SqliteDatabase(writer, reader)
    except sqlite3.Error as fault:
        raise DatabaseError(f"{path}: {fault}") from fault


@cache
def _insert(table: Bulk, rows: int) -> str:
    row = f"({', '.join('?' * len(table.columns))})"
    return (
        f"INSERT INTO {table.name} ({table.names}) "  # noqa: S608
        f"VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"
    )


@asynccontextmanager
async def _connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    # Made here, its owner's alone; what SQLite puts beside it then is, too. A file that
    # is there is not touched: closing a descriptor of it would drop SQLite's own locks.
    try:
        with suppress(FileExistsError):  # it is there, and is nobody else's business
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as fault:
        raise DatabaseError(f"{path}: {fault.strerror}") from fault
    connection = aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    opening = asyncio.ensure_future(_opened(connection))
    try:
        opened = await asyncio.shield(opening)
        await opened.execute_fetchall("PRAGMA journal_mode = WAL")
        yield opened
    finally:
        await asyncio.wait([opening])  # for whoever was cancelled meanwhile
        if opening.exception() is None:
            await connection.close()


async def _opened(connection: aiosqlite.Connection) -> aiosqlite.Connection:
    return await connection


@asynccontextmanager
async def _transaction(
    connection: aiosqlite.Connection, how: str
) -> AsyncIterator[Work]:
    try:
        await connection.execute(f"BEGIN {how}")
        yield _SqliteWork(connection)
        await connection.commit()
    except BaseException as fault:
        # Unasked: whoever was cancelled while he waited for BEGIN has begun after all.
        # A commit leaves nothing to roll back, and neither does a refused BEGIN.
        with suppress(sqlite3.Error):
            await connection.rollback()
        if isinstance(fault, sqlite3.Error):
            raise DatabaseError(str(fault)) from fault
        raise
