# SPDX-License-Identifier: Apache-2.0
"""A roster of before, sealed: its rows move from the open table into the sealed one.

The law of the module: it runs inside the migration's own transaction, so that a power
cut leaves a file that is open whole or sealed whole. The open pages are overwritten
(``secure_delete``), and what a log holds of them goes with the next checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.storage.roster_row import RosterRow

if TYPE_CHECKING:
    from edge.storage.connection import Connection
    from edge.storage.seal import RosterSeal

#: Rows that are sealed at once: some milliseconds.
CHUNK_ROWS = 500
PUT = "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)"


async def seal_rows(connection: Connection, seal: RosterSeal) -> None:
    """Seal every row that stands open, and note the key."""
    last = 0
    while found := list(
        await connection.execute_fetchall(
            "SELECT place, kind, id, ver, body, digest FROM open_entry"
            " WHERE place > ? ORDER BY place LIMIT ?",
            (last, CHUNK_ROWS),
        )
    ):
        last = found[-1][0]
        await connection.executemany(
            PUT,
            [
                entry
                for place, *row in found
                for entry in seal.entries([RosterRow(*row)], place)
            ],
        )
    await connection.execute("DROP TABLE open_entry")
    await connection.execute("UPDATE current SET key = ?", (seal.key_id,))
