# SPDX-License-Identifier: Apache-2.0
"""Events as rows of the journal, and rows as records on their way out.

The law of the module: texts are made once, hashed, stored and sent as they are. An
ordinary commit is one statement, hence one hop to the database's thread.
Source: docs/sync-contract.md section 3 for the chain.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from itertools import chain as flatten
from typing import TYPE_CHECKING, NamedTuple

from edge.core.chain import SALT_BYTES, commitment, link
from edge.core.event import encode_core, encode_person
from edge.core.record import Record
from edge.storage.connection import transaction
from edge.storage.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge.core.event import Event
    from edge.storage.connection import Connection

#: Rows of one INSERT. A step of the gateway rarely has ten; 64 rows are 320
#: parameters, far below SQLite's 32,766, and keep the statement cache small.
ROWS_A_STATEMENT = 64
#: What a record costs on the wire beside its two texts: salt in hex, names, commas.
RECORD_OVERHEAD_BYTES = 80
#: What to expect of a record before any has been read.
TYPICAL_BYTES = 250


class Row(NamedTuple):
    """A row of the table ``event`` that is about to be written."""

    place: int
    core: str
    salt: bytes
    pii: str
    hash: bytes


def chained(
    events: Sequence[Event], place: int, head: bytes, salt: Callable[[], bytes]
) -> list[Row]:
    """Return the rows of ``events`` from ``place`` on, linked to ``head``."""
    rows = []
    for number, event in enumerate(events, place):
        core, pii, grain = encode_core(event), encode_person(event.person), salt()
        if len(grain) != SALT_BYTES:
            raise LocalError(f"a salt has {SALT_BYTES} bytes, not {len(grain)}")
        head = link(head, core, commitment(grain, pii))
        rows.append(Row(number, core, grain, pii, head))
    return rows


async def store(
    connection: Connection, rows: Sequence[Row], last: int, state: str | None
) -> None:
    """Write ``rows``, and ``state`` as the snapshot after the place ``last``.

    All or nothing; without a state and up to ROWS_A_STATEMENT rows in one statement.
    """
    if state is None and len(rows) <= ROWS_A_STATEMENT:
        await _insert(connection, rows)
        return
    async with transaction(connection):
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            await _insert(connection, rows[start : start + ROWS_A_STATEMENT])
        if state is not None:
            await connection.execute(
                "INSERT OR REPLACE INTO state (id, place, body) VALUES (1, ?, ?)",
                (last, state),
            )


async def _insert(connection: Connection, rows: Sequence[Row]) -> None:
    await connection.execute(_insert_sql(len(rows)), tuple(flatten(*rows)))


@cache
def _insert_sql(count: int) -> str:
    values = ",".join(["(?,?,?,?,?)"] * count)
    return f"INSERT INTO event (place, core, salt, pii, hash) VALUES {values}"  # noqa: S608  question marks alone


async def select(
    connection: Connection, *, after: int, base: int, max_rows: int
) -> list[Record]:
    """Return the records after the place ``after``, numbered from ``base``."""
    rows = await connection.execute_fetchall(
        "SELECT place - ?, core, salt, pii, com, hash FROM event"
        " WHERE place > ? ORDER BY place LIMIT ?",
        (base, after, max_rows),
    )
    return list(map(Record._make, rows))


def within(records: list[Record], max_bytes: int) -> tuple[list[Record], int]:
    """Return the longest prefix of at most ``max_bytes``, and a record's mean size.

    The first comes in any case: one too big alone would stop the line for ever.
    """
    totals = list(accumulate(map(_size, records)))
    count = max(1, bisect_right(totals, max_bytes))
    mean = totals[-1] // len(totals) if totals else TYPICAL_BYTES
    return records[:count], mean


def _size(record: Record) -> int:
    texts = record.core + (record.pii or "")
    return len(texts if texts.isascii() else texts.encode()) + RECORD_OVERHEAD_BYTES


def commitment_of(record: Record) -> bytes:
    """Return what stands for the person in the chain, erased or not."""
    if record.salt is None or record.pii is None:
        return record.commitment or b""
    return commitment(record.salt, record.pii)


def are_first(rows: Sequence[Record], events: Sequence[Event]) -> bool:
    """Say whether ``events`` begin with what ``rows`` hold; erased matches any."""
    return len(rows) <= len(events) and all(
        row.seq == event.seq
        and row.core == encode_core(event)
        and row.pii in (None, encode_person(event.person))
        for row, event in zip(rows, events, strict=False)
    )
