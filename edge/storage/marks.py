# SPDX-License-Identifier: Apache-2.0
"""Where and when the acknowledged events of the journal are, over all its epochs.

The law of the module: it reads and never mends; an event is named by its epoch and its
number in there, and what the platform has not acknowledged is not told of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge.storage.verification import read_epochs

if TYPE_CHECKING:
    from edge.storage.connection import Connection
    from edge.storage.position import Position


class Mark(NamedTuple):
    """An event's number in ``epoch``, its ``lo`` (UTC ms) and its hash.

    ``lo_ms`` is None where somebody has changed the row into what is no event.
    """

    epoch: str
    seq: int
    lo_ms: int | None
    hash: bytes


async def marks_after(
    reader: Connection, position: Position, epoch: str, seq: int, max_rows: int
) -> list[Mark]:
    """Return marks that follow ``(epoch, seq)``; of an unknown epoch, from the first.

    The first may lie beyond the next number: what lay between was trimmed away.
    """
    epochs = await read_epochs(reader)
    rows = await reader.execute_fetchall(
        "SELECT place, CASE WHEN json_valid(core) THEN json_extract(core, '$.lo') END,"
        " hash FROM event WHERE place > ? AND place <= ? ORDER BY place LIMIT ?",
        (epochs.place(epoch, seq), position.acked, max_rows),
    )
    return [
        Mark(*epochs.numbered(place), lo if isinstance(lo, int) else None, bytes(held))
        for place, lo, held in rows
    ]
