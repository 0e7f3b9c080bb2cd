# SPDX-License-Identifier: Apache-2.0
"""Changes to the roster in force: weighed against it, then added in one commit.

The law of the module: changes are staged as a snapshot is, behind all rows. Few of
them stay there, and one transaction takes away what they replace; many are merged with
what they leave into a snapshot of its own. Either way a power cut leaves the rows from
before or the rows from after. Nothing is applied that was not weighed: the caller
compares what it would all add up to.
Source: docs/sync-contract.md sections 4 and 5.
"""
# ruff: noqa: S608
# What is put into the statements are the names of columns, never a value.

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from itertools import starmap
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.core.chain import canonical
from edge.storage.connection import Synchronous, transaction
from edge.storage.errors import LocalError
from edge.storage.roster import CHUNK_ROWS, PIECE_ROWS, SEALED, RosterCursor
from edge.storage.seal import MANY
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

    from edge.storage.roster import RosterStore
    from edge.storage.roster_row import RosterRow

#: Places of one statement that looks for few rows among many: some milliseconds.
LOOK_PLACES = 5_000
_MANY = str(MANY)  # a tuple of Python is written as a list of SQL
_IS_CHANGED = "EXISTS (SELECT 1 FROM temp.changed AS c WHERE c.name = e.name)"
_COPIED = "kind, name, ver, is_gone, is_apart, cell"
_BETWEEN = "e.place > ? AND e.place <= ?"


class Weight(NamedTuple):
    """What changes would make of the roster: rows added and gone, and their sums."""

    come: int
    come_sum: int
    gone: int
    gone_sum: int


async def _at_once() -> None:
    """Rest for a turn of the loop alone."""
    await asyncio.sleep(0)


class RosterChanges:
    """The changes staged under ``sid``, or none of them: the roster as it is.

    To be used by one caller at a time, beside whom nobody stages: first :meth:`begin`.
    ``rest`` is done between pieces of work. Whatever reads rows raises DamagedError
    where one does not open: the missing one may be a revocation.
    """

    def __init__(
        self,
        store: RosterStore,
        sid: str,
        rest: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._store = store
        self._rest = rest
        self._sid = sid
        self._connection = store._connection  # noqa: SLF001  two rooms of one store
        self._after, self._upto = store.staged

    async def begin(self) -> None:
        """Note which rows are changed; LocalError if one is changed twice."""
        execute = self._connection.execute
        await execute("DROP TABLE IF EXISTS temp.changed")
        await execute("CREATE TEMP TABLE changed (name BLOB PRIMARY KEY) WITHOUT ROWID")
        for low, high in _stretches(self._after, self._upto, LOOK_PLACES):
            await execute(
                "INSERT OR IGNORE INTO temp.changed SELECT name FROM entry"
                " WHERE place > ? AND place <= ?",
                (low, high),
            )
        [(keys,)] = await self._connection.execute_fetchall(
            "SELECT count(*) FROM temp.changed"
        )
        if keys != self._upto - self._after:
            raise LocalError(f"{self._upto - self._after} changes of {keys} rows")

    async def weigh(self) -> Weight:
        """Return what comes and what goes with the changes."""
        come, come_sum = await self._sum(self._after, self._upto, "1")
        gone, gone_sum = await self._sum(*self._store.span, _IS_CHANGED)
        return Weight(come, come_sum, gone, gone_sum)

    async def _sum(self, after: int, upto: int, which: str) -> tuple[int, int]:
        count = total = 0
        for low, high in _stretches(after, upto, LOOK_PLACES):
            rows = await self._connection.execute_fetchall(
                f"SELECT {SEALED} FROM entry AS e"
                f" WHERE {_BETWEEN} AND NOT is_gone AND {which}",
                (low, high),
            )
            for piece in _pieces(rows):
                count += len(piece)
                for row in starmap(self._store.seal.row, piece):
                    total += int.from_bytes(row.digest or _digest(row))
                await self._rest()
        return count, total

    async def keys(self) -> AsyncIterator[list[tuple[str, str]]]:
        """Yield holders and bookings that are not as the image has them any more."""
        base, (_, upto) = self._store.base, self._store.span
        places = [(base, upto), (self._after, self._upto)]
        for low, high in (pair for pair in places if pair[0] < pair[1]):
            for start, end in _stretches(low, high, LOOK_PLACES):
                found = await self._connection.execute_fetchall(
                    f"SELECT {SEALED} FROM entry AS e WHERE {_BETWEEN}"
                    f" AND kind IN {_MANY}",
                    (start, end),
                )
                for piece in _pieces(found):
                    rows = starmap(self._store.seal.row, piece)
                    yield [(row.kind, row.id) for row in rows]

    async def rows(self, *, is_whole: bool) -> AsyncIterator[list[RosterRow]]:
        """Yield what of the roster in force stays, in slices; the staged not.

        ``is_whole`` False: of holders and bookings only those behind the image's, and
        bookings that were cancelled, whose tickets stand in a small table.
        """
        after, upto = self._store.span
        which = f"{_BETWEEN} AND NOT is_gone AND NOT {_IS_CHANGED}"
        values: tuple[int, ...] = ()
        if not is_whole:
            which += " AND (is_apart OR place > ?)"
            values = (self._store.base,)
        step = CHUNK_ROWS if is_whole else LOOK_PLACES
        for low, high in _stretches(after, upto, step):
            found = await self._connection.execute_fetchall(
                f"SELECT {SEALED} FROM entry AS e WHERE {which} ORDER BY place",
                (low, high, *values),
            )
            for piece in _pieces(found):
                yield list(starmap(self._store.seal.row, piece))

    async def add(self, cursor: RosterCursor) -> None:
        """Put the changes in force where they stand, and take away what they replace.

        One transaction, for some thousands of changes at most.
        """
        await finish(self._add(cursor))

    async def _add(self, cursor: RosterCursor) -> None:
        store, execute = self._store, self._connection.execute
        async with store._promoting:  # noqa: SLF001
            after, upto = store.span
            self._check_staged()
            async with (
                store._writing,  # noqa: SLF001
                transaction(self._connection, Synchronous.FULL),
            ):
                await execute(
                    f"DELETE FROM entry AS e WHERE {_BETWEEN} AND {_IS_CHANGED}",
                    (after, upto),
                )
                # A promotion that was never swept may stand between the two.
                await execute(
                    "DELETE FROM entry WHERE place > ? AND place <= ?",
                    (upto, self._after),
                )
                await execute(
                    "UPDATE current SET upto = ?, epoch = ?, rev = ?, hash = ?,"
                    " count = ?, applied_ms = ?",
                    (
                        *(self._upto, cursor.epoch, cursor.rev, cursor.hash),
                        *(cursor.count, cursor.applied_ms),
                    ),
                )
            store.settle((after, self._upto), cursor)

    async def merge(self) -> None:
        """Stage, behind the changes, all that they leave: a snapshot to promote.

        In short transactions; what a power cut leaves of it was never in force.
        """
        self._check_staged()
        store, (after, upto) = self._store, self._store.span
        await finish(
            store._write(  # noqa: SLF001
                "DELETE FROM entry WHERE place > ? AND place <= ? AND is_gone",
                [(self._after, self._upto)],
            )
        )
        offset = self._upto - after
        store.reach(upto + offset)
        for low, high in _stretches(after, upto, CHUNK_ROWS):
            await finish(
                store._write(  # noqa: SLF001
                    f"INSERT INTO entry (place, {_COPIED}) SELECT place + ?, {_COPIED}"
                    f" FROM entry AS e WHERE {_BETWEEN} AND NOT is_gone"
                    f" AND NOT {_IS_CHANGED}",
                    [(offset, low, high)],
                )
            )

    def _check_staged(self) -> None:
        if self._store.staged != (self._after, self._upto):
            raise LocalError(f"what was staged for {self._sid} is gone")


def _digest(row: RosterRow) -> bytes:
    """Return the digest of a row that came before digests were kept."""
    body = json.loads(row.body)
    raw = {"kind": row.kind, "id": row.id, "ver": row.ver, "body": body}
    return sha256(canonical(raw).encode()).digest()


def _pieces(found: Iterable[Any]) -> Iterator[list[Any]]:
    rows = list(found)
    for start in range(0, len(rows), PIECE_ROWS):
        yield rows[start : start + PIECE_ROWS]


def _stretches(after: int, upto: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(after, upto, step):
        yield low, min(low + step, upto)
