# SPDX-License-Identifier: Apache-2.0
"""What the model of the feed stands on: tables in memory, a card, a gateway's rules.

The law of the module: the statements are the products' own; here they only fail.
"""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import schema
from edge.storage.connection import InlineConnection
from tests.cloud_sync.driving import moment
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Iterable, Sequence

    from cloud_sync.platform.database import Bulk, Row, Value, Work


class MemoryDatabase:
    """The platform's tables in memory; :meth:`backup` and :meth:`restore` are whole."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)

    async def create(self) -> None:
        async with self.writing() as work:
            await schema.create(
                work, identity="INTEGER PRIMARY KEY", clustered="WITHOUT ROWID"
            )

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        self.connection.execute("BEGIN")
        yield self
        self.connection.execute("COMMIT")

    reading = writing

    async def fetch(self, sql: str, *values: Value) -> Sequence[Row]:
        return self.connection.execute(sql, values).fetchall()

    async def execute(self, sql: str, *values: Value) -> None:
        self.connection.execute(sql, values)

    async def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        self.connection.executemany(sql, rows)

    async def add(self, table: Bulk, rows: Sequence[Sequence[Value]]) -> None:
        places = ", ".join("?" * len(table.columns))
        names = ", ".join(name for name, _ in table.columns)
        sql = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608
        self.connection.executemany(sql, rows)

    async def scour(self) -> bool:
        return True  # what is in memory has no log

    def backup(self) -> bytes:
        return self.connection.serialize()

    def restore(self, kept: bytes) -> None:
        self.connection.deserialize(kept)


class PowerCutError(Exception):
    """The gateway has lost its power."""


class Card:
    """The roster's file on a card that may be cut off at any statement."""

    def __init__(self) -> None:
        self._raw = sqlite3.connect(":memory:", isolation_level=None)
        self._connection = InlineConnection(self._raw)
        self.left: int | None = None

    def _spend(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise PowerCutError

    async def execute(self, sql: str, parameters: Iterable[Any] = (), /) -> None:
        self._spend()
        await self._connection.execute(sql, parameters)

    async def executemany(
        self, sql: str, parameters: Iterable[Iterable[Any]], /
    ) -> None:
        self._spend()
        await self._connection.executemany(sql, parameters)

    async def execute_fetchall(
        self, sql: str, parameters: Iterable[Any] = (), /
    ) -> list[Any]:
        self._spend()
        return await self._connection.execute_fetchall(sql, parameters)

    async def commit(self) -> None:
        self._spend()
        await self._connection.commit()

    def reboot(self) -> None:
        """Come back: what was not committed is gone, and so is what is temporary."""
        self.left = None
        if self._raw.in_transaction:
            self._raw.rollback()
        self._raw.execute("DROP TABLE IF EXISTS temp.changed")

    def rot(self, chance: random.Random) -> None:
        """Let a row in force be another, without anybody's knowing."""
        places = self._raw.execute(
            "SELECT place FROM entry, current WHERE place > after AND place <= upto"
            " AND NOT is_gone"
        ).fetchall()
        if places:
            (place,) = chance.choice(places)
            [sealed] = self._raw.execute(
                "SELECT kind, name, ver, cell FROM entry WHERE place = ?", (place,)
            )
            row = SEAL.row(*sealed)._replace(digest=bytes(32))
            [entry] = SEAL.entries([row], place)
            sql = "UPDATE entry SET cell = ? WHERE place = ?"
            self._raw.execute(sql, (entry[-1], place))

    def rows(self) -> set[tuple[str, str, int, str]]:
        found = self._raw.execute(
            "SELECT kind, name, ver, cell FROM entry, current"
            " WHERE place > after AND place <= upto AND NOT is_gone"
        )
        return {SEAL.row(*row)[:4] for row in found}


class Rules:
    """What a feed needs of a gateway: its controller's roster, and a clock."""

    def __init__(self) -> None:
        self.roster: Any = None
        self.notes = 0

    def note(self, _: object) -> None:
        self.notes += 1

    def now(self) -> Any:
        return moment(100.0)

    def do(self, order: Any) -> None:
        """Let the order see a controller that only keeps the roster."""
        order(self, None)

    def adopt(self, roster: Any, _: object, *, confirmed_ms: int) -> None:
        self.roster = roster

    @property
    def rolls(self) -> Any:
        return self

    def confirm(self, _: int) -> None:
        """Keep no time."""

    def tick(self, _: object) -> None:
        """Have nothing to do."""
