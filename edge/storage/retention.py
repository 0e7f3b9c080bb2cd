# SPDX-License-Identifier: Apache-2.0
"""What leaves the journal: a person who asks for it, and rows past their time.

The law of the module: erasing keeps the commitment, trimming keeps the last hash, so
that what stays still verifies. Nothing goes that the platform has not acknowledged or
that recovery needs.
Source: PIPL article 47 (deletion); sqlite.org pragma.html secure_delete,
wal_checkpoint: even overwritten text stands in the log until a TRUNCATE checkpoint,
and one open reader makes that return busy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.chain import commitment
from edge.storage.connection import BUSY_TIMEOUT_S, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.storage.connection import Connection
    from edge.storage.position import Position

#: Rows deleted in one transaction: some 15 ms during which no grant can commit.
TRIM_ROWS = 1_000
#: How long one try to empty the log waits for readers, and how many tries there are.
#: Appends stand behind a try, so it stays below the 250 ms that a grant may wait.
CHECKPOINT_WAIT_MS = 200
CHECKPOINT_TRIES = 5


async def find_holder(
    connection: Connection,
    holder: str,
    *,
    after: int,
    upto: int,
    bookings: Sequence[str] = (),
) -> list[tuple[bytes, int]]:
    """Return commitment and place of each row whose personal part names ``holder``.

    So does one that names nobody but one of his ``bookings``. A text that is no JSON
    (somebody was here) names nobody and stops nothing.
    """
    rows = await connection.execute_fetchall(
        "SELECT place, salt, pii FROM event WHERE place > ? AND place <= ? AND"
        " CASE WHEN json_valid(pii) THEN coalesce("
        "json_extract(pii, '$.holder') = ?,"
        " json_extract(pii, '$.booking') IN (SELECT value FROM json_each(?))) END",
        (after, upto, holder, json.dumps(list(bookings))),
    )
    return [(commitment(salt, pii), place) for place, salt, pii in rows]


async def bookings_of(connection: Connection, holder: str) -> tuple[str, ...]:
    """Return the bookings that stand beside ``holder`` anywhere."""
    rows = await connection.execute_fetchall(
        "SELECT DISTINCT json_extract(pii, '$.booking') FROM event WHERE"
        " CASE WHEN json_valid(pii) THEN json_extract(pii, '$.holder') END = ?",
        (holder,),
    )
    return tuple(str(booking) for (booking,) in rows if booking is not None)


async def erase_places(writer: Connection, found: list[tuple[bytes, int]]) -> None:
    """Put commitments where salt and person were, in all rows or in none."""
    if found:
        async with transaction(writer):
            await writer.executemany(
                "UPDATE event SET com = ?, salt = NULL, pii = NULL WHERE place = ?",
                found,
            )


async def empty_log(writer: Connection) -> bool:
    """Move the log into the file and cut it; False if a reader holds on to it."""
    try:
        await writer.execute_fetchall(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
        rows = await writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        return all(not is_busy for is_busy, *_ in rows)
    finally:
        usual_ms = int(BUSY_TIMEOUT_S * 1000)
        await writer.execute_fetchall(f"PRAGMA busy_timeout = {usual_ms}")


async def used_bytes(connection: Connection) -> int:
    """Return how many bytes of the file are in use; what was deleted is not."""
    [(used,)] = await connection.execute_fetchall(
        "SELECT (pages.page_count - free.freelist_count) * size.page_size"
        " FROM pragma_page_count pages, pragma_freelist_count free,"
        " pragma_page_size size"
    )
    return int(used)


async def trim_limit(connection: Connection, position: Position, max_rows: int) -> int:
    """Return the newest place that may go so that ``max_rows`` are left."""
    states = await connection.execute_fetchall("SELECT place FROM state")
    needed_after = min((place for (place,) in states), default=0)
    return min(position.last - max(max_rows, 1), position.acked, needed_after)


async def trim_through(writer: Connection, place: int, acked: int) -> bytes:
    """Delete the rows up to ``place`` in one transaction; return the hash of it.

    ``acked`` is stored along, lest a restart find the mark before the first row.
    """
    [(kept,)] = await writer.execute_fetchall(
        "SELECT hash FROM event WHERE place = ?", (place,)
    )
    async with transaction(writer):
        await writer.execute("DELETE FROM event WHERE place <= ?", (place,))
        await writer.execute(
            "UPDATE mark SET trimmed = ?, trimmed_hash = ?, acked = ?",
            (place, kept, acked),
        )
    return bytes(kept)
