# SPDX-License-Identifier: Apache-2.0
"""What the platform has stored: two ledgers, one commit, one watermark a journal.

The law of the module: nothing is said of a batch before its commit; the watermark
moves over contiguous items alone; a key that is taken is never written again. The
effect of an item is run by the watermark, not by the key, and is written into a
ledger that has no key, so that a mistake here shows as a doubled effect.
Source: docs/sync-contract.md sections 3 and 6.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_sim.platform.chain import Entry, Poison, follow, genesis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firmware_sim.platform.envelope import Batch, Garbled

#: Whole payloads kept for a look: 64 MiB of rubbish at the very most.
MAXIMUM_GARBLED = 1000
#: Pages between two checkpoints, 64 MiB: at full drain one in three seconds instead
#: of SQLite's six a second.
_CHECKPOINT_PAGES = 16_384
_SCHEMA = Path(__file__).with_name("schema.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a journal has come here: the body of every acknowledgement."""

    gateway: str
    epoch: str
    hi: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class _Stream:
    """A journal's row: its number and its watermark."""

    id: int
    hi: int
    hash: bytes


class Ledger:
    """The platform's database; one writer, one thread."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at ``path``."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        self._connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
        self._streams: dict[tuple[str, str], _Stream] = {}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def apply(
        self, batches: Sequence[Batch], garbled: Sequence[Garbled] = ()
    ) -> list[Standing]:
        """Store what may be stored in one commit; return where each journal stands.

        One standing a journal, in the order of the last batch of each. A batch that
        leaves a gap or continues another chain changes no ledger.
        """
        if not batches and not garbled:
            return []
        with self._transaction():
            for batch in batches:
                self._apply(batch)
            for rubbish in garbled:
                self._set_aside(rubbish)
        touched = {(batch.gateway, batch.epoch): None for batch in batches}
        return [self.high(gateway, epoch) for gateway, epoch in touched]

    def high(self, gateway: str, epoch: str) -> Standing:
        """Return the watermark of a journal; 0 and its genesis for an unknown one."""
        stream = self._find(gateway, epoch)
        hi, at = (stream.hi, stream.hash) if stream else (0, genesis(epoch))
        return Standing(gateway=gateway, epoch=epoch, hi=hi, hash=at)

    def compare(self, gateway: str, epoch: str, seq: int, offered: bytes) -> bool:
        """Tell whether ``offered`` may be ``h_seq``; raise the alarm if it is not."""
        stream = self._find(gateway, epoch)
        if stream is None or seq > stream.hi:
            return True
        held = self._hash_at(stream, epoch, seq)
        if held != offered:
            with self._transaction():
                self._raise_alarm(stream, seq, held, offered)
        return held == offered

    def rewind(self, gateway: str, epoch: str, seq: int) -> None:
        """Forget all after ``seq``, as a platform restored from a backup would."""
        stream = self._find(gateway, epoch)
        if stream is None or seq >= stream.hi:
            return
        held = self._hash_at(stream, epoch, seq)
        place = (stream.id, seq)
        execute = self._connection.execute
        with self._transaction():
            execute("DELETE FROM keyed WHERE stream = ? AND seq > ?", place)
            execute("DELETE FROM quarantine WHERE stream = ? AND seq > ?", place)
            execute(
                "DELETE FROM applied WHERE seq > ?2"
                " AND batch IN (SELECT id FROM batch WHERE stream = ?1)",
                place,
            )
            self._move(gateway, epoch, _Stream(stream.id, seq, held))

    def _apply(self, batch: Batch) -> None:
        stream = self._find(batch.gateway, batch.epoch) or self._open(batch)
        gap = batch.first > stream.hi + 1 or not _is_contiguous(batch)
        if gap or not self._continues(stream, batch):
            self._refuse(stream, batch)
            return
        entries, poisons = follow(stream.id, batch.first, batch.previous, batch.items)
        known = min(stream.hi - batch.first + 1, len(entries))
        if self._is_forked(stream, batch.epoch, entries[:known]):
            self._refuse(stream, batch)
            return
        self._store(stream, batch, entries, poisons)

    def _store(
        self,
        stream: _Stream,
        batch: Batch,
        entries: list[Entry],
        poisons: list[Poison],
    ) -> None:
        execute, many = self._connection.execute, self._connection.executemany
        number = execute(
            "INSERT INTO batch (stream, name) VALUES (?, ?)", (stream.id, batch.name)
        ).lastrowid
        hi = stream.hi
        # 1 and 0, since sqlite3 asks its adapters about every bool: 1 µs each.
        arrivals = [
            (number, seq, at, 1 if seq > hi else 0)
            for _, seq, _, _, _, _, at in entries
        ]
        many("INSERT INTO applied VALUES (NULL, ?, ?, ?, ?)", arrivals)
        many("INSERT OR IGNORE INTO keyed VALUES (?, ?, ?, ?, ?, ?, ?)", entries)
        if poisons:
            aside = [(stream.id, *poison) for poison in poisons]
            many("INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?)", aside)
        _, last, *_, at = entries[-1]
        if last > hi:
            self._move(batch.gateway, batch.epoch, _Stream(stream.id, last, at))

    def _continues(self, stream: _Stream, batch: Batch) -> bool:
        """Tell whether the batch hangs on the chain held; alarm if on another."""
        seq = batch.first - 1
        held = self._hash_at(stream, batch.epoch, seq)
        if held != batch.previous:
            self._raise_alarm(stream, seq, held, batch.previous)
        return held == batch.previous

    def _is_forked(self, stream: _Stream, epoch: str, again: list[Entry]) -> bool:
        """Compare what came again with what is held; alarm at the first that differs.

        The last one stands for all: each hash covers everything before it.
        """
        if not again:
            return False
        _, last, *_, offered = again[-1]
        if self._hash_at(stream, epoch, last) == offered:
            return False
        for _, seq, *_, offered in again:
            held = self._hash_at(stream, epoch, seq)
            if held != offered:
                self._raise_alarm(stream, seq, held, offered)
                break
        return True

    def _refuse(self, stream: _Stream, batch: Batch) -> None:
        self._connection.execute(
            "UPDATE stream SET refused = refused + ? WHERE id = ?",
            (len(batch.items), stream.id),
        )

    def _raise_alarm(
        self, stream: _Stream, seq: int, held: bytes, offered: bytes
    ) -> None:
        row = (stream.id, seq, held, offered)
        self._connection.execute("INSERT OR IGNORE INTO alarm VALUES (?, ?, ?, ?)", row)

    def _set_aside(self, rubbish: Garbled) -> None:
        row = (rubbish.gateway, rubbish.why, rubbish.raw)
        execute = self._connection.execute
        number = execute("INSERT INTO garbled VALUES (NULL, ?, ?, ?)", row).lastrowid
        oldest = (number or 0) - MAXIMUM_GARBLED
        execute("DELETE FROM garbled WHERE id <= ?", (oldest,))

    def _hash_at(self, stream: _Stream, epoch: str, seq: int) -> bytes:
        """Return ``h_seq``, which must lie at or below the watermark."""
        if seq == 0:
            return genesis(epoch)
        if seq == stream.hi:
            return stream.hash
        row = self._connection.execute(
            "SELECT hash FROM keyed WHERE stream = ? AND seq = ?", (stream.id, seq)
        ).fetchone()
        return bytes(row[0])

    def _find(self, gateway: str, epoch: str) -> _Stream | None:
        known = self._streams.get((gateway, epoch))
        if known is None:
            row = self._connection.execute(
                "SELECT id, hi, hash FROM stream WHERE gateway = ? AND epoch = ?",
                (gateway, epoch),
            ).fetchone()
            if row is None:
                return None
            known = self._streams[gateway, epoch] = _Stream(*row)
        return known

    def _open(self, batch: Batch) -> _Stream:
        start = genesis(batch.epoch)
        number = self._connection.execute(
            "INSERT INTO stream (gateway, epoch, hash) VALUES (?, ?, ?)",
            (batch.gateway, batch.epoch, start),
        ).lastrowid
        return _Stream(number or 0, 0, start)

    def _move(self, gateway: str, epoch: str, stream: _Stream) -> None:
        self._connection.execute(
            "UPDATE stream SET hi = ?, hash = ? WHERE id = ?",
            (stream.hi, stream.hash, stream.id),
        )
        self._streams[gateway, epoch] = stream

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # What was not committed was never believed.
            self._streams.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _is_contiguous(batch: Batch) -> bool:
    """Tell whether the items that give a number stand where it says."""
    places = range(batch.first, batch.first + len(batch.items))
    numbers = [item.get("seq") if type(item) is dict else None for item in batch.items]
    # The common case costs one comparison of lists.
    return numbers == list(places) or all(
        type(number) is not int or number == place
        for number, place in zip(numbers, places, strict=True)
    )
