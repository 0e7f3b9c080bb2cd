# SPDX-License-Identifier: Apache-2.0
"""Where the journal stands: what memory knows of the file.

The law of the module: a position is a value, read from the database or derived from
what the database has just confirmed; it is replaced whole, never amended in part.
``place`` counts rows over all epochs, ``seq`` within the epoch; only this floor
knows places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.chain import genesis, parse
from edge.storage.connection import transaction

if TYPE_CHECKING:
    from edge.storage.connection import Connection

#: The clock's floor is the highest ``lo`` of that many newest events: denials wait
#: up to a second for their batch, so the newest row alone may not be the latest.
FLOOR_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """All in places: ``base`` before the epoch, ``last`` row, ``acked``, ``trimmed``.

    ``head`` is the hash of ``last``; ``trimmed_hash`` that of the newest trimmed row.
    ``missing`` counts rows that the file speaks of and no longer has.
    """

    epoch: str
    base: int
    last: int
    head: bytes
    acked: int
    trimmed: int
    trimmed_hash: bytes | None
    floor_ms: int
    missing: int = 0


async def read_position(connection: Connection) -> Position | None:
    """Read the position; None while the journal has no epoch yet."""
    epochs = await connection.execute_fetchall(
        "SELECT name, base FROM epoch ORDER BY counter DESC LIMIT 1"
    )
    newest = list(
        await connection.execute_fetchall(
            "SELECT place, hash, core FROM event ORDER BY place DESC LIMIT ?",
            (FLOOR_ROWS,),
        )
    )
    [(acked, trimmed, trimmed_hash)] = await connection.execute_fetchall(
        "SELECT acked, trimmed, trimmed_hash FROM mark"
    )
    for name, base in epochs:
        last, head = newest[0][:2] if newest else (trimmed, trimmed_hash)
        return Position(
            epoch=name,
            base=base,
            last=last,
            head=genesis(name) if last == base else head,
            acked=acked,
            trimmed=trimmed,
            trimmed_hash=trimmed_hash,
            floor_ms=max((lowest_ms(core) for *_, core in newest), default=0),
        )
    return None


async def mend_marks(connection: Connection) -> int:
    """Take marks back that lie beyond the last row; return how many rows are missing.

    Every mark is written after the row it names, so only a cut tail (by hand, or by a
    card that lies about its syncs) leaves one beyond. Left there, the next events to
    take those places would count as acknowledged and never be sent, or be skipped by
    recovery.
    """
    [(last, named)] = await connection.execute_fetchall(
        "SELECT coalesce((SELECT max(place) FROM event), trimmed), max(acked,"
        " coalesce((SELECT place FROM state), 0),"
        " coalesce((SELECT max(base) FROM epoch), 0)) FROM mark"
    )
    missing = named - last
    if missing <= 0:
        return 0
    async with transaction(connection):
        await connection.execute("UPDATE mark SET acked = min(acked, ?)", (last,))
        await connection.execute("UPDATE state SET place = min(place, ?)", (last,))
        await connection.execute("UPDATE epoch SET base = min(base, ?)", (last,))
    return int(missing)


def lowest_ms(core: str) -> int:
    """Return the lower bound of an event's time, UTC ms; 0 if it says none."""
    try:
        return int(parse(core)["lo"])
    except (ValueError, KeyError):  # a tampered row must not stop the start
        return 0
