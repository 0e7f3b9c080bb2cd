# SPDX-License-Identifier: Apache-2.0
"""The walk along the whole chain, from the first row that was kept to the head.

The law of the module: it reads and never mends. Whether rows were cut off at the end
no chain can tell by itself; the marks of the file, the memory of the running journal
and an anchor (what the platform last acknowledged) can.
Source: docs/sync-contract.md section 3.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edge.core.chain import genesis, link
from edge.storage.connection import is_damage
from edge.storage.rows import commitment_of, select

if TYPE_CHECKING:
    from edge.core.record import Record
    from edge.storage.connection import Connection
    from edge.storage.position import Position

#: Rows hashed between two turns of the loop: about 2 ms, a fiftieth of the 100 ms
#: in which a reader must have answered.
SLICE_ROWS = 500


class Anchor(NamedTuple):
    """A hash of the present epoch that somebody else keeps: the platform's ``h``."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the walk found: ``first_bad_seq`` is numbered in ``epoch``."""

    is_sound: bool
    checked: int
    epoch: str
    first_bad_seq: int | None = None


class Epochs:
    """Which epoch a place belongs to, and the chain's start in each."""

    def __init__(self, epochs: list[tuple[str, int]]) -> None:
        self._names = [name for name, _ in epochs]
        self._bases = [base for _, base in epochs]

    def numbered(self, place: int) -> tuple[str, int]:
        """Return the epoch of ``place`` and its seq in there."""
        index = bisect_left(self._bases, place) - 1
        return self._names[index], place - self._bases[index]

    def place(self, epoch: str, seq: int) -> int:
        """Return where an event of that epoch stands; 0 of an unknown one."""
        if epoch not in self._names:
            return 0
        return self._bases[self._names.index(epoch)] + seq

    def before(self, place: int, previous: bytes) -> bytes:
        """Return what ``place`` builds on; ``previous`` is its neighbour's hash."""
        name, seq = self.numbered(place)
        return genesis(name) if seq == 1 else previous


async def read_epochs(connection: Connection) -> Epochs:
    """Read all epochs, oldest first."""
    rows = await connection.execute_fetchall(
        "SELECT name, base FROM epoch ORDER BY counter"
    )
    return Epochs([(name, base) for name, base in rows])


async def verify(
    reader: Connection, position: Position, anchor: Anchor | None
) -> Verification:
    """Check every row up to ``position``, then the head, the marks and the anchor."""
    epochs = await read_epochs(reader)
    place, previous = await _walk(reader, epochs, position)
    bad = place + 1 if place < position.last else _bad_end(position, previous)
    if bad is None and anchor is not None:
        bad = await _bad_anchor(reader, position, anchor)
    name, seq = epochs.numbered(bad or position.last + 1)
    return Verification(
        is_sound=bad is None,
        checked=place - position.trimmed,
        epoch=name,
        first_bad_seq=None if bad is None else seq,
    )


async def _walk(
    reader: Connection, epochs: Epochs, position: Position
) -> tuple[int, bytes]:
    """Return the last place up to which the chain holds, and its hash."""
    place, previous = position.trimmed, position.trimmed_hash or b""
    while place < position.last:
        records = await _slice(reader, place)
        if not records:
            break
        for record in records[: position.last - place]:
            previous = epochs.before(record.seq, previous)
            if not _continues(record, place + 1, previous):
                return place, previous
            place, previous = record.seq, record.hash
    return place, previous


async def _slice(reader: Connection, place: int) -> list[Record]:
    try:
        return await select(reader, after=place, base=0, max_rows=SLICE_ROWS)
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return []
        raise


def _continues(record: Record, place: int, previous: bytes) -> bool:
    expected = link(previous, record.core, commitment_of(record))
    return record.seq == place and record.hash == expected


def _bad_end(position: Position, previous: bytes) -> int | None:
    """Return the first place that is wrong although every row continues the chain."""
    if position.missing:
        return position.last + 1
    has_rows = position.last > max(position.trimmed, position.base)
    return position.last if has_rows and previous != position.head else None


async def _bad_anchor(
    reader: Connection, position: Position, anchor: Anchor
) -> int | None:
    place = position.base + anchor.seq
    if place > position.last:
        return position.last + 1
    found = await hash_at(reader, position, place)
    return place if found is not None and found != anchor.hash else None


async def hash_at(reader: Connection, position: Position, place: int) -> bytes | None:
    """Return the present epoch's hash at ``place``; None if that row is trimmed."""
    if place == position.base:
        return genesis(position.epoch)
    if place == position.last:
        return position.head
    if place == position.trimmed:
        return position.trimmed_hash
    rows = await reader.execute_fetchall(
        "SELECT hash FROM event WHERE place = ?", (place,)
    )
    return next((bytes(found) for (found,) in rows), None)
