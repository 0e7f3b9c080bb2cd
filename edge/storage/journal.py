# SPDX-License-Identifier: Apache-2.0
"""The journal: what happened, in order, durable before anybody acts on it.

The law of the module: memory moves only when the database has said so. An append that
raises has moved nothing and may be repeated; after any doubt the database is asked
again before the next write. Rows are never changed, but for a person who is erased.
Sources: sqlite.org wal.html (WAL, synchronous=FULL); docs/sync-contract.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

from edge.storage.connection import transaction
from edge.storage.errors import LocalError, TracesRemainError
from edge.storage.finding import Finder
from edge.storage.lookback import Lookback
from edge.storage.marks import Mark, marks_after
from edge.storage.position import Position, lowest_ms, mend_marks, read_position
from edge.storage.recovery import Recovery, recover
from edge.storage.retention import (
    CHECKPOINT_TRIES,
    TRIM_ROWS,
    bookings_of,
    empty_log,
    erase_places,
    find_holder,
    trim_limit,
    trim_through,
    used_bytes,
)
from edge.storage.rows import TYPICAL_BYTES, are_first, chained, select, store, within
from edge.storage.schema import JOURNAL, migrate
from edge.storage.scribe import Scribe
from edge.storage.shield import begin, finish
from edge.storage.succession import start_epoch, succeed
from edge.storage.verification import Anchor, Verification, hash_at, verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.event import Event
    from edge.core.record import Record
    from edge.storage.connection import Connection

#: Acknowledged events after which the mark is written: one more updated row costs
#: 4.1 kB of flash, and a mark that is lost is healed by the platform's next hello.
ACKED_A_MARK = 64
#: Rows of one read: about 1 MB, and 5 ms of the reader's thread.
READ_ROWS_MAX = 5_000
#: The controller's snapshot of a big site is some 100 kB; more is a mistake.
STATE_CHARACTERS_MAX = 4 * 1024 * 1024


class Journal:
    """One journal file through a writing and a reading connection.

    Both belong to their openers and outlive the journal. Where sequence numbers
    appear they are those of the present epoch. Writes are carried through even if
    their caller is cancelled; ``sqlite3.Error`` of a failing disk passes unchanged.
    """

    def __init__(
        self,
        writer: Connection,
        reader: Connection,
        position: Position,
        *,
        new_epoch: Callable[[], str],
        salt: Callable[[], bytes],
    ) -> None:
        self._scribe = Scribe(writer, position)
        self._reader = reader
        self._marked = position.acked
        self._new_suffix = new_epoch
        self._salt = salt
        self._mean_bytes = TYPICAL_BYTES
        # Held by whoever walks or reshapes many rows, so that a walk never meets a
        # row vanishing; appends and reads go on beside it.
        self._upkeep = asyncio.Lock()
        #: For whoever keeps a book of some kinds of events.
        self.finder = Finder(reader, lambda: self._position)

    @classmethod
    async def open(
        cls,
        writer: Connection,
        reader: Connection,
        *,
        new_epoch: Callable[[], str],
        salt: Callable[[], bytes],
    ) -> Self:
        """Create or migrate the schema and learn where the journal stands.

        ``new_epoch`` gives the 8 hex digits of an epoch's name, ``salt`` 16 random
        bytes. Raises ForeignFileError or SchemaTooNewError.
        """
        await migrate(writer, JOURNAL)
        missing = await mend_marks(writer)
        position = await read_position(writer)
        if position is None:
            async with transaction(writer):
                await start_epoch(writer, new_epoch(), 0)
            position = await read_position(writer)
        if position is None:
            raise LocalError("the epoch that was just written is not there")
        position = replace(position, missing=missing)
        return cls(writer, reader, position, new_epoch=new_epoch, salt=salt)

    @property
    def _position(self) -> Position:
        return self._scribe.position

    @property
    def epoch(self) -> str:
        """The journal epoch, such as ``0001-9f2c8a10``."""
        return self._position.epoch

    @property
    def next_seq(self) -> int:
        """The number of the next event; an epoch begins with 1."""
        return self.last_seq + 1

    @property
    def last_seq(self) -> int:
        """The number of the newest event of this epoch, 0 for none."""
        return self._position.last - self._position.base

    @property
    def first_seq(self) -> int:
        """The number of the oldest event of this epoch that the file still holds."""
        return max(self._position.trimmed - self._position.base, 0) + 1

    @property
    def head(self) -> bytes:
        """The hash of the newest event, or the epoch's ``h_0``."""
        return self._position.head

    @property
    def acked(self) -> int:
        """The newest event that the platform says it has committed."""
        return self._position.acked - self._position.base

    @property
    def waiting(self) -> int:
        """How many events are stored and not acknowledged."""
        return self._position.last - self._position.acked

    @property
    def count(self) -> int:
        """How many events the file holds, acknowledged ones included."""
        return self._position.last - self._position.trimmed

    @property
    def floor_ms(self) -> int:
        """UTC milliseconds that had surely passed at the newest events; 0 if empty."""
        return self._position.floor_ms

    @property
    def missing(self) -> int:
        """How many rows the file spoke of at opening and no longer had.

        More than 0 means a cut tail: somebody's hand, or a card that lies.
        """
        return self._position.missing

    async def append(self, events: Sequence[Event], state: str | None = None) -> None:
        """Store ``events``, and ``state`` as the snapshot after them, in one commit.

        Raises LocalError unless the events continue from ``next_seq``. Without state
        and up to 64 events it is one statement. After an unknown outcome the same
        events may come again; those already stored are recognised.
        """
        await finish(self._append(tuple(events), state))

    def begin_append(
        self, events: Sequence[Event], state: str | None = None
    ) -> asyncio.Future[None]:
        """Do as :meth:`append`, begun on the spot; nobody may cancel the future."""
        return begin(self._append(tuple(events), state))

    async def _append(self, events: tuple[Event, ...], state: str | None) -> None:
        if state is not None and len(state) > STATE_CHARACTERS_MAX:
            raise LocalError(f"a state of {len(state)} characters is too long")
        async with self._scribe.write() as writer:
            is_news = bool(events)
            events = self._without_stored(events)
            position = self._position
            rows = chained(events, position.last + 1, position.head, self._salt)
            if rows or state is not None:
                await store(writer, rows, position.last + len(rows), state)
            if rows:
                lowest = (event.moment.earliest_ms for event in events)
                self._scribe.position = replace(
                    self._position,
                    last=rows[-1].place,
                    head=rows[-1].hash,
                    floor_ms=max(position.floor_ms, *lowest),
                )
            if is_news:
                self._scribe.unconfirmed = []

    def _without_stored(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Leave out what a commit of unknown outcome stored; assert the rest."""
        if are_first(self._scribe.unconfirmed, events):
            events = events[len(self._scribe.unconfirmed) :]
        for expected, event in enumerate(events, self.next_seq):
            if event.seq != expected:
                raise LocalError(f"event {event.seq} came where {expected} was due")
        return events

    async def read(self, after: int, *, max_rows: int, max_bytes: int) -> list[Record]:
        """Return the records that follow ``after``, as stored.

        At most ``max_rows`` (and READ_ROWS_MAX), and at most ``max_bytes`` of texts
        with RECORD_OVERHEAD_BYTES each; the first comes even if it is bigger. Only an
        empty answer means that there are no more.
        """
        position = self._position
        fitting = max(0, max_bytes) // self._mean_bytes + 1  # fetch little in vain
        records = await select(
            self._reader,
            after=position.base + max(after, 0),
            base=position.base,
            max_rows=max(0, min(max_rows, READ_ROWS_MAX, fitting)),
        )
        if position.epoch != self._position.epoch:
            return []  # numbered anew meanwhile; the session starts over
        records, self._mean_bytes = within(records, max_bytes)
        return records

    async def oldest_ms(self) -> int | None:
        """Return the lower bound (UTC ms) of the oldest event that waits; None: none.

        0 if its row was tampered with.
        """
        records = await self.read(self.acked, max_rows=1, max_bytes=1)
        return lowest_ms(records[0].core) if records else None

    async def hash_at(self, seq: int) -> bytes | None:
        """Return ``h_seq`` of this epoch; None if it never was or is trimmed away."""
        if not 0 <= seq <= self.last_seq:
            return None
        position = self._position
        return await hash_at(self._reader, position, position.base + seq)

    async def marks(self, epoch: str, seq: int, max_rows: int) -> list[Mark]:
        """Return where acknowledged events after ``(epoch, seq)`` are, and when."""
        return await marks_after(self._reader, self._position, epoch, seq, max_rows)

    def lookback(self) -> Lookback:
        """Return a way to read what happened, in pieces, beside everything else."""
        return Lookback(self._reader, lambda: self._position)

    async def acknowledge(self, seq: int) -> None:
        """Take the platform's watermark over, forward only and never past the last.

        Memory moves at once. The file follows every ACKED_A_MARK events and with
        :meth:`settle`; a disk that fails here is left for the next append to find.
        """
        position = self._position
        place = min(position.base + seq, position.last)
        self._scribe.position = replace(position, acked=max(position.acked, place))
        if self._position.acked - self._marked >= ACKED_A_MARK:
            with suppress(sqlite3.Error):
                await self.settle()

    async def settle(self) -> None:
        """Write the mark if it has moved: when idle, and before closing."""
        await finish(self._settle())

    async def _settle(self) -> None:
        async with self._scribe.write() as writer:
            acked = self._position.acked
            if acked != self._marked:
                await writer.execute("UPDATE mark SET acked = ?", (acked,))
                self._marked = acked

    async def new_epoch(self) -> str:
        """Open the next epoch and return its name; see edge.storage.succession.

        What is not acknowledged is numbered from 1 under the new name, so the caller
        takes ``next_seq`` anew, and appends nothing meanwhile. Raises DamagedError,
        having changed nothing.
        """
        return await finish(self._succeed())

    async def _succeed(self) -> str:
        async with self._upkeep, self._scribe.write() as writer:
            async with transaction(writer):
                position = await succeed(writer, self._position, self._new_suffix())
            self._scribe.position = position
            self._scribe.unconfirmed = []
            self._marked = position.acked
            return position.epoch

    async def recover(self) -> Recovery:
        """Return the last snapshot and the events after it."""
        return await recover(self._reader)

    async def verify(self, anchor: Anchor | None = None) -> Verification:
        """Check the whole chain; ``anchor`` also shows a tail that was cut off."""
        async with self._upkeep:
            return await verify(self._reader, self._position, anchor)

    async def bookings_of(self, holder: str) -> tuple[str, ...]:
        """Return the bookings that any event names beside ``holder``."""
        return await bookings_of(self._reader, holder)

    async def count_of(self, holder: str, bookings: Sequence[str] = ()) -> int:
        """Return how many events :meth:`erase` would change."""
        last = self._position.last
        find = find_holder(self._reader, holder, after=0, upto=last, bookings=bookings)
        return len(await find)

    async def erase(self, holder: str, bookings: Sequence[str] = ()) -> int:
        """Erase the person ``holder`` from all events; return from how many.

        So is a row that names nobody but one of his ``bookings``. The chain still
        verifies and no copy is left in file or log. The snapshot is the caller's:
        append a new one. Raises TracesRemainError if a reader keeps the old log;
        :meth:`scour` then finishes the work.
        """
        rows = await self.erase_rows(holder, bookings)
        await self.scour()
        return rows

    async def erase_rows(self, holder: str, bookings: Sequence[str] = ()) -> int:
        """Do the first half of :meth:`erase`: old pages may still name the person."""
        return await finish(self._erase(holder, bookings))

    async def _erase(self, holder: str, bookings: Sequence[str]) -> int:
        async with self._upkeep:
            seen = self._position.last  # the long search holds nobody up
            find = partial(find_holder, holder=holder, bookings=bookings)
            found = await find(self._reader, after=0, upto=seen)
            async with self._scribe.write() as writer:
                found += await find(writer, after=seen, upto=self._position.last)
                await erase_places(writer, found)
            return len(found)

    async def scour(self) -> None:
        """Leave nothing in the file or its log that is not in a row.

        Raises TracesRemainError if a reader of another program keeps the old log.
        """
        await finish(self._scour())

    async def _scour(self) -> None:
        async with self._upkeep:
            for _ in range(CHECKPOINT_TRIES):
                async with self._scribe.write() as writer:
                    if await empty_log(writer):
                        return
        raise TracesRemainError(
            "what was erased is still in the write-ahead log, since another program "
            "reads it; close that program, this is tried again"
        )

    async def used_bytes(self) -> int:
        """Return the size of what the file holds, without the room that went free."""
        return await finish(used_bytes(self._reader))

    async def trim(self, max_rows: int) -> int:
        """Delete the oldest rows beyond ``max_rows``; return how many went.

        Never one that waits for its acknowledgement, nor one after the snapshot, nor
        the newest; so more than ``max_rows`` may stay.
        """
        return await finish(self._trim(max_rows))

    async def _trim(self, max_rows: int) -> int:
        async with self._upkeep:
            before = self._position.trimmed
            limit = await trim_limit(self._reader, self._position, max_rows)
            while self._position.trimmed < limit:
                async with self._scribe.write() as writer:
                    await self._trim_slice(writer, limit)
            return self._position.trimmed - before

    async def _trim_slice(self, writer: Connection, limit: int) -> None:
        place = min(limit, self._position.trimmed + TRIM_ROWS)
        acked = self._position.acked
        if place > self._position.trimmed:  # else an answer was lost, not the work
            kept = await trim_through(writer, place, acked)
            self._scribe.position = replace(
                self._position, trimmed=place, trimmed_hash=kept
            )
            self._marked = acked
