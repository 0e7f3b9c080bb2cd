# SPDX-License-Identifier: Apache-2.0
"""The last good copy of the platform's feed, for the start without a network.

The law of the module: a snapshot is in force whole or not at all, and so are changes
to it (:mod:`edge.storage.roster_changes`). What arrives is staged behind all other
rows, where nobody reads; promoting it changes two numbers, in one transaction. All of
it can be fetched again, so a doubt about what was staged
forgets it, and the journal stands in a file of its own.
Source: docs/sync-contract.md sections 4 and 5.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from edge.storage.connection import Synchronous, transaction
from edge.storage.errors import DamagedError, LocalError, OtherKeyError
from edge.storage.retention import empty_log
from edge.storage.roster_erasing import Taken, take_out, tokens_of
from edge.storage.roster_keys import tokens_under
from edge.storage.roster_sealing import PUT, seal_rows
from edge.storage.schema import ROSTER, migrate
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from edge.storage.connection import Connection
    from edge.storage.roster_row import RosterRow
    from edge.storage.seal import RosterSeal

#: Rows of one transaction, staged or deleted, and of one slice that is read: some
#: milliseconds each, so that the loop and the database's thread stay free in between.
CHUNK_ROWS = 500
#: Rows opened without a rest: a quarter of a millisecond.
PIECE_ROWS = 100
#: The contract's bound on a snapshot; a feed beyond it is refused, not truncated.
ROWS_MAX = 1_000_000

#: What a row is opened of.
SEALED = "kind, name, ver, cell"
_READ = (
    f"SELECT {SEALED}, place FROM entry WHERE place > ? AND place <= ?"  # noqa: S608
    " AND NOT is_gone ORDER BY place LIMIT ?"
)
_KEEP = "INSERT INTO image (part, body) VALUES (?, ?)"
_PROMOTE = (
    "UPDATE current SET after = ?, upto = ?, epoch = ?, rev = ?, hash = ?, count = ?,"
    " applied_ms = ?, image_of = ?"
)
_DELETE = (
    "DELETE FROM entry WHERE place IN (SELECT place FROM entry"
    " WHERE place > ? AND place <= ? ORDER BY place LIMIT ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterCursor:
    """The snapshot in force; ``epoch`` is empty and ``rev`` 0 before the first."""

    epoch: str
    rev: int
    hash: str
    count: int
    applied_ms: int

    @property
    def name(self) -> str:
        """What an image calls the feed that it is of."""
        return f"{self.epoch}@{self.rev} {self.hash}" if self.epoch else "none "


class _Span(NamedTuple):
    """The places of one snapshot: ``after < place <= upto``."""

    after: int
    upto: int


class RosterStore:
    """The roster's file through one connection, which belongs to its opener.

    One snapshot is staged at a time. The caller has checked its hash before it
    promotes; this floor counts rows and keys.
    """

    def __init__(
        self,
        connection: Connection,
        seal: RosterSeal,
        cursor: RosterCursor,
        span: _Span,
        highest: int,
    ) -> None:
        self._connection = connection
        self.seal = seal
        self._cursor = cursor
        self._span = span
        self._highest = highest
        self._staged: tuple[str, int] | None = None
        #: Up to where the image reaches, and the name of the feed it is of.
        self.base, self.image_of = span.upto, cursor.name
        self._readers: Counter[_Span] = Counter()
        self._writing = asyncio.Lock()
        #: Held while a snapshot becomes the one in force: nothing is swept meanwhile.
        self._promoting = asyncio.Lock()

    @classmethod
    async def open(cls, connection: Connection, seal: RosterSeal) -> Self:
        """Create or migrate the schema and read the cursor.

        What an earlier run staged is never used; :meth:`sweep` removes it. For files
        that may be damaged there is ``edge.storage.roster_file.open_roster``.
        Raises OtherKeyError for a file that another key has sealed.
        """
        sealing = {"roster_sealed.sql": lambda: seal_rows(connection, seal)}
        await migrate(connection, ROSTER, sealing)
        for row in await connection.execute_fetchall(
            "SELECT after, upto, epoch, rev, hash, count, applied_ms, base,"
            " image_of, key, coalesce((SELECT max(place) FROM entry), 0) FROM current"
        ):
            after, upto, epoch, rev, digest, count, applied_ms = row[:7]
            base, image_of, key, highest = row[7:]
            if key != seal.key_id:
                raise OtherKeyError(
                    f"the roster is sealed by the key {key}, not by {seal.key_id}; "
                    "start the gateway, which has the platform send it again"
                )
            cursor = RosterCursor(
                epoch=epoch, rev=rev, hash=digest, count=count, applied_ms=applied_ms
            )
            span, highest = _Span(after, upto), max(highest, upto)
            store = cls(connection, seal, cursor, span, highest)
            store.base, store.image_of = base, image_of
            return store
        raise DamagedError("the roster has lost its cursor")

    @property
    def cursor(self) -> RosterCursor:
        """The snapshot that :meth:`rows` reads."""
        return self._cursor

    @property
    def span(self) -> tuple[int, int]:
        """After and up to which place the rows in force stand."""
        return self._span

    @property
    def staged(self) -> tuple[int, int]:
        """After and up to which place the staged rows stand; of none: nowhere."""
        after = self._highest if self._staged is None else self._staged[1]
        return after, self._highest

    async def stage(self, sid: str, rows: Sequence[RosterRow]) -> None:
        """Keep ``rows`` aside under the snapshot's name ``sid``.

        Another name begins anew and forgets what was staged before. A call that
        raises or is cancelled forgets the snapshot: fetch it again.
        """
        if self._staged is None or self._staged[0] != sid:
            async with self._promoting:  # one whose caller gave up may still run
                self._staged = sid, self._highest
            await self.sweep()
        staged = self._staged
        try:
            for start in range(0, len(rows), CHUNK_ROWS):
                await self._stage(rows[start : start + CHUNK_ROWS])
        except BaseException:
            if self._staged == staged:
                self._staged = None
            raise

    async def _stage(self, rows: Sequence[RosterRow]) -> None:
        first = self._highest + 1
        self._highest += len(rows)
        # They are sealed as the database takes them, in its thread.
        await finish(self._write(PUT, self.seal.entries(rows, first)))

    async def promote(
        self,
        sid: str,
        *,
        epoch: str,
        rev: int,
        hash: str,  # noqa: A002  the contract's word
        count: int,
        applied_ms: int,
    ) -> None:
        """Put the staged snapshot in force; :meth:`sweep` then deletes the old one.

        Raises LocalError, and keeps what was in force, if ``sid`` is not the one that
        is staged, or if it is not ``count`` rows with as many keys.
        """
        cursor = RosterCursor(
            epoch=epoch, rev=rev, hash=hash, count=count, applied_ms=applied_ms
        )
        await finish(self._promote(sid, cursor))

    async def _promote(self, sid: str, cursor: RosterCursor) -> None:
        async with self._promoting:
            span = await self._whole(sid, cursor.count)
            row = (*span, cursor.epoch, cursor.rev, cursor.hash)
            async with (
                self._writing,
                transaction(self._connection, Synchronous.FULL),
            ):
                values = (*row, cursor.count, cursor.applied_ms, cursor.name)
                await self._connection.execute(_PROMOTE, values)
                await self._connection.execute("UPDATE current SET base = upto")
                # Of the snapshot before; it may hold who is to be forgotten.
                await self._connection.execute("DELETE FROM image")
            self._span, self._cursor, self._staged = span, cursor, None
            self.base, self.image_of = span.upto, cursor.name

    async def _whole(self, sid: str, count: int) -> _Span:
        """Return where the staged snapshot stands; LocalError if it is not whole."""
        after = self._staged[1] if self._staged and self._staged[0] == sid else None
        span = _Span(self._highest if after is None else after, self._highest)
        [(rows, keys)] = await self._connection.execute_fetchall(
            "SELECT count(*), count(DISTINCT name) FROM entry"
            " WHERE place > ? AND place <= ?",
            span,
        )
        if after is None or not rows == keys == count <= ROWS_MAX:
            staged = "nothing" if after is None else f"{rows} rows, {keys} keys"
            raise LocalError(f"{staged} staged for {sid}, not {count}")
        return span

    async def confirm(self, confirmed_ms: int) -> None:
        """Note that what is in force was called current at that moment (UTC ms)."""
        async with self._promoting:
            row = (confirmed_ms,)
            await finish(self._write("UPDATE current SET applied_ms = ?", [row]))
            self._cursor = replace(self._cursor, applied_ms=confirmed_ms)

    def settle(self, span: tuple[int, int], cursor: RosterCursor) -> None:
        """Note what a commit of changes has put in force."""
        self._span, self._cursor, self._staged = _Span(*span), cursor, None

    def reach(self, highest: int) -> None:
        """Keep the places up to ``highest`` for what is staged."""
        self._highest = max(self._highest, highest)

    async def discard(self, sid: str) -> None:
        """Forget what was staged under ``sid``; a name never heard of is no error."""
        async with self._promoting:
            is_staged = self._staged is not None and self._staged[0] == sid
            if is_staged:
                self._staged = None
        if is_staged:
            await self.sweep()

    async def rows(
        self, chunk_rows: int = CHUNK_ROWS
    ) -> AsyncIterator[list[RosterRow]]:
        """Read the snapshot in force, in slices; read ``cursor`` just before.

        A promotion meanwhile changes nothing for this reader: the snapshot it began
        with stays until it has finished (:meth:`sweep`). A row that does not open is
        left out: whoever counts them sees that one is missing.
        """
        span = self._span
        last = span.after
        self._readers[span] += 1
        try:
            while chunk := list(
                await self._connection.execute_fetchall(
                    _READ, (last, span.upto, chunk_rows)
                )
            ):
                last = chunk[-1][-1]
                for start in range(0, len(chunk), PIECE_ROWS):
                    piece = chunk[start : start + PIECE_ROWS]
                    yield list(self._opened(row[:-1] for row in piece))
        finally:
            self._readers[span] -= 1

    async def of_kind(self, kind: str) -> list[RosterRow]:
        """Read the rows of one kind, of which there are few, of what is in force."""
        found = await self._connection.execute_fetchall(
            f"SELECT {SEALED} FROM entry"  # noqa: S608
            " WHERE place > ? AND place <= ? AND kind = ? AND NOT is_gone",
            (*self._span, kind),
        )
        return sorted(self._opened(found), key=lambda row: row.id)

    def _opened(self, found: Iterable[Sequence[Any]]) -> Iterator[RosterRow]:
        for row in found:
            with suppress(DamagedError):  # what is missing is seen by the count
                yield self.seal.row(*row)

    async def tokens_under(self, number: int) -> int:
        """Count the rows in force with tokens of that site key, or of one before it."""
        return await tokens_under(self._connection, self.seal, self._span, number)

    async def forget_deleted(self) -> bool:
        """Overwrite what stands in the write-ahead log, where rows outlive deletion.

        False if another program's reader keeps the old log.
        """
        async with self._writing:
            return await empty_log(self._connection)

    async def tokens_of(self, holder: str) -> tuple[str, ...]:
        """Return the tokens (hex) of a person's cards, staged rows or old ones too."""
        return await tokens_of(self._connection, self.seal, holder)

    async def erase(self, holder: str) -> Taken:
        """Take a person out of all rows, and the image with him; forget what is staged.

        What is in force has fewer rows then, under the same cursor and hash.
        """
        return await finish(self._erase(holder))

    async def _erase(self, holder: str) -> Taken:
        async with self._promoting, self._writing:
            self._staged = None
            taken = await take_out(self._connection, self.seal, holder)
            count = self._cursor.count - taken.rows
            self._cursor = replace(self._cursor, count=count)
            return taken

    async def keep_image(self, parts: Iterable[bytes]) -> None:
        """Replace the image by these parts, one transaction each.

        A power cut leaves an image without its last part, the seal: none at all.
        """
        await finish(self._write("DELETE FROM image", [()]))
        for number, body in enumerate(parts):
            sealed = ((n, self.seal.part(n, part)) for n, part in [(number, body)])
            await finish(self._write(_KEEP, sealed))  # sealed in the thread, too

    async def image(self) -> AsyncIterator[bytes]:
        """Read the parts that :meth:`keep_image` was given, if they all stand.

        One that does not open ends it: without its seal an image is none.
        """
        number = 0
        while found := list(
            await self._connection.execute_fetchall(
                "SELECT body FROM image WHERE part = ?", (number,)
            )
        ):
            [(body,)] = found
            try:
                part = self.seal.opened_part(number, body)
            except DamagedError:
                return
            yield part
            number += 1

    async def sweep(self) -> None:
        """Delete, in chunks, the rows that are neither in force, staged nor read.

        Discarding and staging anew do it; whoever has promoted should, or is idle.
        """
        # The file is asked as well: a promotion whose answer was lost may hold there.
        [held] = await self._connection.execute_fetchall(
            "SELECT after, upto FROM current"
        )
        wanted = {_Span(*held), self._span, *(+self._readers)}
        if self._staged is not None:
            wanted.add(_Span(self._staged[1], self._highest))
        end = _Span(self._highest, self._highest)
        floor = 0
        for span in sorted([*wanted, end]):
            await self._delete(floor, span.after)
            floor = max(floor, span.upto)

    async def _delete(self, after: int, upto: int) -> None:
        while after < upto:
            [(first,)] = await self._connection.execute_fetchall(
                "SELECT min(place) FROM entry WHERE place > ? AND place <= ?",
                (after, upto),
            )
            if first is None:
                return
            after = first - 1
            await finish(self._write(_DELETE, [(after, upto, CHUNK_ROWS)]))

    async def _write(
        self,
        sql: str,
        rows: Iterable[tuple[Any, ...]],
        synchronous: Synchronous = Synchronous.NORMAL,
    ) -> None:
        """Commit one statement for all ``rows``.

        FULL for what must survive at once: it syncs all that NORMAL left in the log.
        """
        async with self._writing, transaction(self._connection, synchronous):
            await self._connection.executemany(sql, rows)
