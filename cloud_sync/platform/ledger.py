# SPDX-License-Identifier: Apache-2.0
"""Batches into journals: in order, once, and never over what is there.

The law of the module: one ledger lives for one transaction, and nothing that it says
may leave the house before that has been committed. A journal's watermark moves over
contiguous items that continue its chain, and over nothing else; what came again is
compared, and what differs is an alarm that changes nothing.
Source: docs/sync-contract.md, sections 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_sync.platform import early_words, times
from cloud_sync.platform.contradictions import AlarmKind, raise_alarm
from cloud_sync.platform.database import Bulk, filled
from cloud_sync.platform.items import UNPROVEN, anchored, follow
from cloud_sync.platform.uplink import RefusalKind, Refused, refused
from edge.core.chain import genesis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.items import Entry
    from cloud_sync.platform.uplink import Batch

# Taking the row holds it until the commit, so that two platforms on one database
# add to one journal after each other.
_TAKE = """
INSERT INTO journal (gateway, epoch, hi, hash, begun_ms) VALUES (?1, ?2, 0, ?3, ?4)
ON CONFLICT (gateway, epoch) DO UPDATE SET hi = journal.hi
"""
_HELD = "SELECT gateway, epoch, id, hi, hash FROM journal WHERE (gateway, epoch) IN "
_EVENT = Bulk(
    name="event",
    columns=(
        *(("journal", "bigint"), ("seq", "bigint"), ("kind", "text"), ("at", "text")),
        *(("lo", "bigint"), ("core", "text"), ("salt", "bytea"), ("pii", "text")),
        *(("com", "bytea"), ("hash", "bytea"), ("stored_ms", "bigint")),
    ),
)
_SET_ASIDE = """
INSERT INTO quarantine (journal, seq, why) VALUES (?1, ?2, ?3)
ON CONFLICT (journal, seq) DO NOTHING
"""
_MOVE = """
UPDATE journal SET hi = ?2, hash = ?3, repeated = repeated + ?4 WHERE id = ?1
"""
_AROUND = """
SELECT e.seq, e.hash, e.stored_ms FROM event AS e
JOIN journal AS j ON j.id = e.journal
WHERE j.gateway = ?1 AND j.epoch = ?2 AND e.seq IN (?3, ?4)
"""
#: A broker keeps a hello at most so long behind what followed it (a stream: two
#: minutes), and nobody changes a card in such a time.
LATE_MS = 180_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a journal has come here: what an acknowledgement says."""

    gateway: str
    epoch: str
    hi: int
    hash: bytes


@dataclass(slots=True, kw_only=True)
class _Journal:
    """A journal's row; ``fresh`` entries follow what is stored, up to ``hi``."""

    id: int
    gateway: str
    epoch: str
    hi: int
    hash: bytes
    repeated: int = 0
    fresh: list[Entry] = field(default_factory=list)


class Ledger:
    """The journals that one transaction adds to."""

    def __init__(self, work: Work, now_ms: int) -> None:
        self._work = work
        self._now_ms = now_ms
        self._journals: dict[tuple[str, str], _Journal] = {}

    async def hold(self, keys: Sequence[tuple[str, str]]) -> None:
        """Take the journals ``(gateway, epoch)`` of all batches that will come.

        In one order for everybody: two platforms would wait for each other otherwise.
        """
        in_order = sorted(set(keys))
        if not in_order:
            return
        taken = [(*key, genesis(key[1]), self._now_ms) for key in in_order]
        await self._work.executemany(_TAKE, taken)
        wanted = filled(in_order)
        places = ", ".join(
            f"(?{2 * place + 1}, ?{2 * place + 2})" for place in range(len(wanted))
        )
        values = [word for key in wanted for word in key]
        rows = await self._work.fetch(f"{_HELD} (VALUES {places})", *values)
        for gateway, epoch, number, hi, held in rows:
            self._journals[gateway, epoch] = _Journal(
                id=number, gateway=gateway, epoch=epoch, hi=hi, hash=bytes(held)
            )

    async def add(self, gateway: str, batch: Batch) -> Refused | None:
        """Take one batch of a journal that is held, or say why it changes nothing."""
        journal = self._journals[gateway, batch.epoch]
        first, hi = batch.first, journal.hi
        if first > hi + 1:
            return refused(RefusalKind.GAP, f"{first} where {hi + 1} was to come")
        followed = list(follow(first, batch.previous, batch.items))
        entries, unproven = anchored(followed, batch.head)
        known = hi + 1 - first
        again = list(zip(followed[:known], entries[:known], strict=True))
        fork = await self._fork(journal, batch, again)
        if fork is not None:
            return fork
        if unproven and batch.head is not None:
            key = (gateway, batch.epoch, unproven)
            hashes = (followed[-1].hash, batch.head)
            await raise_alarm(
                self._work, key, AlarmKind.UNPROVEN, *hashes, self._now_ms
            )
        fresh = entries[known:]
        journal.repeated += len(entries) - len(fresh)
        if fresh:
            journal.fresh += fresh
            journal.hi, journal.hash = fresh[-1].seq, fresh[-1].hash
        return None

    def fresh(self) -> Iterator[tuple[str, str, Entry]]:
        """Yield what is new with its gateway and epoch, journal by journal."""
        for journal in self._journals.values():
            for entry in journal.fresh:
                yield journal.gateway, journal.epoch, entry

    async def finish(self) -> list[Standing]:
        """Write everything; return where each journal stands once this is committed."""
        journals = self._journals.values()
        rows = [
            (journal.id, *entry[:-1], self._now_ms)
            for journal in journals
            for entry in journal.fresh
        ]
        aside = [
            (journal.id, entry.seq, entry.why)
            for journal in journals
            for entry in journal.fresh
            if entry.why
        ]
        if rows:
            await self._work.add(_EVENT, rows)
        if aside:
            await self._work.executemany(_SET_ASIDE, aside)
        moved = [
            (journal.id, journal.hi, journal.hash, journal.repeated)
            for journal in journals
            if journal.fresh or journal.repeated
        ]
        if moved:
            await self._work.executemany(_MOVE, moved)
        for journal in journals:
            await early_words.join(
                self._work, journal.gateway, journal.epoch, journal.fresh, self._now_ms
            )
            await times.correct(self._work, journal.id, journal.fresh)
        return [
            Standing(
                gateway=journal.gateway,
                epoch=journal.epoch,
                hi=journal.hi,
                hash=journal.hash,
            )
            for journal in journals
        ]

    async def _fork(
        self, journal: _Journal, batch: Batch, again: list[tuple[Entry, Entry]]
    ) -> Refused | None:
        """Compare with what is held: what the batch hangs on, and what came again.

        What came again is here as it was computed and as its batch claims it.
        """
        before = batch.first - 1
        if await self._differs(journal, before, {batch.previous}):
            return refused(RefusalKind.FORK, f"h_{before} is another here")
        # The last one stands for all: each hash covers everything before it.
        if (
            again
            and await self._hash_at(journal, again[-1][0].seq) != again[-1][0].hash
        ):
            for computed, claimed in again:
                offered = {computed.hash, claimed.hash}
                if await self._differs(journal, computed.seq, offered):
                    why = f"{computed.seq} is another here"
                    return refused(RefusalKind.FORK, why)
        return None

    async def _differs(self, journal: _Journal, seq: int, offered: set[bytes]) -> bool:
        held = await self._hash_at(journal, seq)
        if held == UNPROVEN or held in offered:
            return False
        key = (journal.gateway, journal.epoch, seq)
        hashes = (held, next(iter(offered - {UNPROVEN})))
        await raise_alarm(self._work, key, AlarmKind.FORK, *hashes, self._now_ms)
        return True

    async def _hash_at(self, journal: _Journal, seq: int) -> bytes:
        """Return ``h_seq``, which lies at or below the watermark."""
        if seq == 0:
            return genesis(journal.epoch)
        if seq == journal.hi:
            return journal.hash
        if journal.fresh and seq >= journal.fresh[0].seq:
            return journal.fresh[seq - journal.fresh[0].seq].hash
        return await _stored_hash(self._work, journal.id, seq)


async def standing(work: Work, gateway: str, epoch: str) -> Standing:
    """Return where a journal stands; 0 and its genesis if it was never heard of."""
    rows = await work.fetch(
        "SELECT hi, hash FROM journal WHERE gateway = ?1 AND epoch = ?2", gateway, epoch
    )
    hi, held = rows[0] if rows else (0, genesis(epoch))
    return Standing(gateway=gateway, epoch=epoch, hi=hi, hash=bytes(held))


async def compare_head(
    work: Work, at: Standing, last_seq: int, head: bytes, now_ms: int
) -> None:
    """Raise an alarm if a gateway's journal cannot be the one that is held here.

    It was restored from a backup (it ends before what is held) or forked (its last
    event has another hash). The answer to its hello makes it open a new epoch.
    A hello may also be late, behind the events that followed it: what came next was
    then stored just now.
    """
    if last_seq > at.hi:
        return
    held, next_ms = at.hash if last_seq == at.hi else genesis(at.epoch), 0
    if last_seq < at.hi:
        around = (at.gateway, at.epoch, last_seq, last_seq + 1)
        rows = await work.fetch(_AROUND, *around)
        found = {seq: (bytes(value), stored_ms) for seq, value, stored_ms in rows}
        held = found.get(last_seq, (b"" if last_seq else held, 0))[0]
        next_ms = found.get(last_seq + 1, (b"", 0))[1]
    is_late = last_seq < at.hi and now_ms - next_ms < LATE_MS
    if held == head and (last_seq == at.hi or is_late):
        return
    is_fork = held not in {head, UNPROVEN}
    kind = AlarmKind.FORK if is_fork else AlarmKind.RESTORED
    key = (at.gateway, at.epoch, last_seq)
    await raise_alarm(work, key, kind, held, head, now_ms)


async def _stored_hash(work: Work, journal: int, seq: int) -> bytes:
    """Return ``h_seq``; nothing if somebody took the event out of the table."""
    rows = await work.fetch(
        "SELECT hash FROM event WHERE journal = ?1 AND seq = ?2", journal, seq
    )
    return bytes(rows[0][0]) if rows else b""
