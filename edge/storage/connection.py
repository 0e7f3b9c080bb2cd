# SPDX-License-Identifier: Apache-2.0
"""The four things that storage asks of a database, and who can do them.

The law of the module: storage is written once, against :class:`Connection`. On site
``aiosqlite`` does the work in a thread; the simulation runs ``sqlite3`` on the spot.
Connections are opened and closed here alone, in autocommit; whoever needs more than
one statement to hold together says :func:`transaction`.
Source: sqlite.org pragma.html and wal.html (WAL with synchronous=FULL is durable).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import aiosqlite

from edge.storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable
    from pathlib import Path

#: Only a second process (a backup, a check) can hold the file's lock; longer than
#: this and it is stuck, not busy.
BUSY_TIMEOUT_S = 5.0
#: What a write-ahead log keeps of the disk after its checkpoint; beyond it the file
#: is cut. Four times the 1,000 pages at which SQLite checkpoints would be waste.
LOG_BYTES_KEPT = 4 * 1024 * 1024
#: SQLite's own choice.
PAGE_BYTES = 4096


class Connection(Protocol):
    """What ``aiosqlite.Connection`` and :class:`InlineConnection` have in common.

    A SELECT goes through ``execute_fetchall`` only: a cursor left open would hold
    its snapshot, and the write-ahead log would grow behind it.
    """

    def execute(self, sql: str, parameters: Iterable[Any] = ..., /) -> Awaitable[Any]:
        """Run one statement whose rows nobody wants."""

    def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> Awaitable[Any]:
        """Run one statement for each set of parameters."""

    def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = ..., /
    ) -> Awaitable[Iterable[Any]]:
        """Run one statement and return all its rows."""

    def commit(self) -> Awaitable[None]:
        """End the open transaction, durably."""


class InlineConnection:
    """``sqlite3`` behind the same four names; no method ever suspends."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> None:
        """Run one statement whose rows nobody wants."""
        self._connection.execute(sql, tuple(parameters))

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> None:
        """Run one statement for each set of parameters."""
        self._connection.executemany(sql, map(tuple, parameters))

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> list[Any]:
        """Run one statement and return all its rows."""
        return self._connection.execute(sql, tuple(parameters)).fetchall()

    async def commit(self) -> None:
        """End the open transaction, durably."""
        self._connection.commit()


class Synchronous(StrEnum):
    """When a commit is on the disk: at once, or with the next checkpoint."""

    FULL = "FULL"
    NORMAL = "NORMAL"


@asynccontextmanager
async def open_aiosqlite(
    path: Path | str,
    *,
    synchronous: Synchronous = Synchronous.FULL,
    is_reader: bool = False,
    page_bytes: int = PAGE_BYTES,
) -> AsyncIterator[Connection]:
    """Open ``path`` in a thread of its own; the thread ends with the block.

    ``page_bytes`` counts for a file that does not exist yet.
    Raises ``sqlite3.DatabaseError`` if the file is none of SQLite's.
    """
    failures: list[sqlite3.Error] = []

    def connect() -> sqlite3.Connection:
        # aiosqlite does not wait for the thread of a connection that never came to
        # be, and the thread then speaks to a loop that is gone: so it always does.
        try:
            return _connect(path)
        except sqlite3.Error as error:
            failures.append(error)
            return _connect(":memory:")

    connection = aiosqlite.Connection(connect, iter_chunk_size=64)
    opening = asyncio.ensure_future(connection)
    try:
        await asyncio.shield(opening)
        if failures:
            raise failures[0]
        await _prepare(
            connection, synchronous, page_bytes=page_bytes, is_reader=is_reader
        )
        yield connection
    finally:
        await asyncio.wait([opening])  # for whoever was cancelled meanwhile
        await connection.close()


@asynccontextmanager
async def open_inline(
    path: Path | str,
    *,
    synchronous: Synchronous = Synchronous.FULL,
    is_reader: bool = False,
    page_bytes: int = PAGE_BYTES,
) -> AsyncIterator[Connection]:
    """Open ``path`` on the spot; every call blocks its caller until it is done."""
    connection = _connect(path)
    try:
        inline = InlineConnection(connection)
        await _prepare(inline, synchronous, page_bytes=page_bytes, is_reader=is_reader)
        yield inline
    finally:
        connection.close()


def _connect(path: Path | str) -> sqlite3.Connection:
    """Open in autocommit: no statement begins a transaction unasked."""
    return sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)


async def _prepare(
    connection: Connection,
    synchronous: Synchronous,
    *,
    page_bytes: int = PAGE_BYTES,
    is_reader: bool,
) -> None:
    await connection.execute_fetchall(f"PRAGMA page_size = {page_bytes}")
    [(mode,)] = await connection.execute_fetchall("PRAGMA journal_mode = WAL")
    if mode not in ("wal", "memory"):
        raise StorageError(f"no write-ahead log here (journal_mode is {mode})")
    for pragma in (
        f"synchronous = {synchronous}",
        f"journal_size_limit = {LOG_BYTES_KEPT}",
        "secure_delete = ON",  # what is erased is overwritten, not only unlinked
        "temp_store = MEMORY",  # no personal text in a temporary file
        "trusted_schema = OFF",
        f"query_only = {int(is_reader)}",
    ):
        await connection.execute_fetchall(f"PRAGMA {pragma}")


@asynccontextmanager
async def transaction(
    connection: Connection, synchronous: Synchronous | None = None
) -> AsyncIterator[None]:
    """Hold the statements of the block together: all of them, or none.

    ``synchronous`` changes the connection's setting first. BEGIN stands inside the
    ``try``: a caller cancelled while it waits for BEGIN has begun nevertheless, and
    a transaction that a failed ROLLBACK left open ends with the next error.
    """
    try:
        if synchronous is not None:
            await connection.execute(f"PRAGMA synchronous = {synchronous}")
        await connection.execute("BEGIN IMMEDIATE")
        yield
        await connection.commit()
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
            await connection.execute("ROLLBACK")
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether the error means a broken file, not a disk that failed or is full.

    A text with a bad byte in it is Python's own error, and has no code of SQLite's.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return str(error).startswith("Could not decode")
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


if TYPE_CHECKING:

    def _aiosqlite_conforms(connection: aiosqlite.Connection) -> Connection:
        return connection

    def _inline_conforms(connection: InlineConnection) -> Connection:
        return connection
