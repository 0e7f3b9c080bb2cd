# SPDX-License-Identifier: Apache-2.0
"""The file of accounts: entries by kind and name, on disk before anybody goes on.

The law of the module: it keeps JSON and understands none of it. Each write is a
durable transaction of its own (synchronous=FULL): a power cut gives nobody another
guess. A damaged file is set aside; people and tablets are then set up anew.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.storage.connection import Synchronous, is_damage, transaction
from edge.storage.quarantine import set_aside
from edge.storage.retention import empty_log
from edge.storage.schema import ACCOUNTS, migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from edge.storage.connection import Connection
    from edge.storage.roster_file import Opener

#: Kind, name and value of an entry; a value of None is an entry to be deleted.
Entry = tuple[str, str, dict[str, Any] | None]

_PUT = "INSERT OR REPLACE INTO entry (kind, id, body) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM entry WHERE kind = ? AND id = ?"


class AccountStore:
    """Reads all entries once, and writes each change through."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._writing = asyncio.Lock()

    async def read(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return kind, name and value of every entry, in the order of their names."""
        rows = await self._connection.execute_fetchall(
            "SELECT kind, id, body FROM entry ORDER BY kind, id"
        )
        return [(kind, name, json.loads(body)) for kind, name, body in rows]

    async def write(self, entries: Iterable[Entry]) -> None:
        """Put or delete entries, all of them or none; sqlite3.Error if it failed."""
        async with self._writing, transaction(self._connection):
            for kind, name, value in entries:
                if value is None:
                    await self._connection.execute(_DELETE, (kind, name))
                else:
                    body = json.dumps(value, ensure_ascii=False)
                    await self._connection.execute(_PUT, (kind, name, body))

    async def scour(self) -> bool:
        """Leave no deleted entry in the file's log; False if somebody reads it."""
        async with self._writing:
            return await empty_log(self._connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAccounts:
    """The store, and under which name a damaged file was set aside, if one was."""

    store: AccountStore
    set_aside: Path | None


@asynccontextmanager
async def open_accounts(path: Path, opener: Opener) -> AsyncIterator[OpenedAccounts]:
    """Open the accounts at ``path``; none if the file is damaged.

    Raises SchemaTooNewError or ForeignFileError for a file of somebody else, and
    ``sqlite3.Error`` for a disk that fails.
    """
    aside = None if await _is_sound(path, opener) else set_aside(path)
    async with opener(path, synchronous=Synchronous.FULL) as connection:
        await migrate(connection, ACCOUNTS)
        yield OpenedAccounts(store=AccountStore(connection), set_aside=aside)


async def _is_sound(path: Path, opener: Opener) -> bool:
    try:
        async with opener(path, synchronous=Synchronous.FULL) as connection:
            [(verdict,)] = await connection.execute_fetchall("PRAGMA quick_check(1)")
            await migrate(connection, ACCOUNTS)
            await AccountStore(connection).read()
            return bool(verdict == "ok")
    except ValueError:
        return False
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
