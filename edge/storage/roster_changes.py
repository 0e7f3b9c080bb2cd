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

import json
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from edge.core.chain import canonical
from edge.storage.connection import Synchronous, transaction
from edge.storage.errors import LocalError
from edge.storage.roster import CHUNK_ROWS, RosterCursor
from edge.storage.roster_row import FIELDS, RosterRow
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from edge.storage.roster import RosterStore

#: Places of one statement that looks for few rows among many: some milliseconds.
LOOK_PLACES = 5_000
#: Kinds of which there are many; the others are read anew with each change.
_MANY = "('holder', 'booking')"
_IS_CHANGED = (
    "EXISTS (SELECT 1 FROM temp.changed AS c WHERE c.kind = e.kind AND c.id = e.id)"
)
_BETWEEN = "e.place > ? AND e.place <= ?"


class Weight(NamedTuple):
    """What changes would make of the roster: rows added and gone, and their sums."""

    come: int
    come_sum: int
    gone: int
    gone_sum: int


class RosterChanges:
    """The changes staged under ``sid``, or none of them: the roster as it is.

    To be used by one caller at a time, beside whom nobody stages: first :meth:`begin`.
    """

    def __init__(self, store: RosterStore, sid: str) -> None:
        self._store = store
        self._sid = sid
        self._connection = store._connection  # noqa: SLF001  two rooms of one store
        self._after, self._upto = store.staged

    async def begin(self) -> None:
        """Note which rows are changed; LocalError if one is changed twice."""
        execute = self._connection.execute
        await execute("DROP TABLE IF EXISTS temp.changed")
        await execute(
            "CREATE TEMP TABLE changed (kind TEXT, id TEXT, PRIMARY KEY (kind, id))"
            " WITHOUT ROWID"
        )
        for low, high in _stretches(self._after, self._upto, LOOK_PLACES):
            await execute(
                "INSERT OR IGNORE INTO temp.changed SELECT kind, id FROM entry"
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
                "SELECT CASE WHEN digest IS NULL THEN kind ELSE '' END, id, ver,"
                " CASE WHEN digest IS NULL THEN body ELSE '' END, digest"
                f" FROM entry AS e WHERE {_BETWEEN} AND body != '' AND {which}",
                (low, high),
            )
            for row in rows:
                count += 1
                total += int.from_bytes(row[4] or _digest(RosterRow(*row)))
        return count, total

    async def keys(self) -> AsyncIterator[list[tuple[str, str]]]:
        """Yield holders and bookings that are not as the image has them any more."""
        base, (_, upto) = self._store.base, self._store.span
        places = [(base, upto), (self._after, self._upto)]
        for low, high in (pair for pair in places if pair[0] < pair[1]):
            for start, end in _stretches(low, high, LOOK_PLACES):
                yield list(
                    await self._connection.execute_fetchall(
                        f"SELECT kind, id FROM entry AS e WHERE {_BETWEEN}"
                        f" AND kind IN {_MANY}",
                        (start, end),
                    )
                )

    async def rows(self, *, is_whole: bool) -> AsyncIterator[list[RosterRow]]:
        """Yield what of the roster in force stays, in slices; the staged not.

        ``is_whole`` False: of holders and bookings only those behind the image's, and
        bookings that were cancelled, whose tickets stand in a small table.
        """
        after, upto = self._store.span
        which = f"{_BETWEEN} AND body != '' AND NOT {_IS_CHANGED}"
        values: tuple[int, ...] = ()
        if not is_whole:
            which += (
                f" AND (kind NOT IN {_MANY} OR place > ?"
                " OR kind = 'booking' AND instr(body, '\"CANCELLED\"') > 0"
                " AND json_extract(body, '$.state') = 'CANCELLED')"
            )
            values = (self._store.base,)
        step = CHUNK_ROWS if is_whole else LOOK_PLACES
        for low, high in _stretches(after, upto, step):
            found = await self._connection.execute_fetchall(
                f"SELECT {FIELDS} FROM entry AS e WHERE {which} ORDER BY place",
                (low, high, *values),
            )
            if chunk := [RosterRow(*row) for row in found]:
                yield chunk

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
                "DELETE FROM entry WHERE place > ? AND place <= ? AND body = ''",
                [(self._after, self._upto)],
            )
        )
        offset = self._upto - after
        store.reach(upto + offset)
        for low, high in _stretches(after, upto, CHUNK_ROWS):
            await finish(
                store._write(  # noqa: SLF001
                    f"INSERT INTO entry (place, {FIELDS}) SELECT place + ?, {FIELDS}"
                    f" FROM entry AS e WHERE {_BETWEEN} AND body != ''"
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


def _stretches(after: int, upto: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(after, upto, step):
        yield low, min(low + step, upto)
