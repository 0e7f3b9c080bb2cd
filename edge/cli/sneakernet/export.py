# SPDX-License-Identifier: Apache-2.0
"""What goes up on a stick: a signed header and the batches of the wire.

The law of the module: it reads and acknowledges nothing; the platform's signed word
alone does (law 6). What one header promises is of one epoch and one head, and the
batches are made as those of the wire are, by the same function.
Source: docs/sneakernet.md; docs/sync-contract.md section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cloud_sync import envelope
from cloud_sync.stick_file import UP, VERSION, signed_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloud_sync.feed import FeedCursor
    from edge.cli.box_key import BoxKey
    from edge.core.record import Record

#: Rows of a batch: never more than 64 KiB of JSON can hold.
ROWS = 1_000
WAITING, ALL = "waiting", "all"


class ExportJournal(Protocol):
    """The journal as far as exporting needs it; numbers are of its present epoch."""

    @property
    def epoch(self) -> str:
        """The journal epoch."""

    @property
    def first_seq(self) -> int:
        """The oldest event of the epoch that is still held."""

    @property
    def last_seq(self) -> int:
        """The newest event that is stored."""

    @property
    def acked(self) -> int:
        """The watermark."""

    async def read(
        self, after: int, *, max_rows: int, max_bytes: int
    ) -> Sequence[Record]:
        """Return the rows that follow ``after``."""

    async def hash_at(self, seq: int) -> bytes | None:
        """Return ``h_seq``, None if it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Exports one gateway's journal, in pieces that a caller asks for.

    What cannot be done is a ValueError that says what to do.
    """

    gateway: str
    journal: ExportJournal
    key: Callable[[], BoxKey]
    feed: Callable[[], FeedCursor]
    now_ms: Callable[[], int]

    async def header(self, wish: str | int) -> dict[str, Any]:
        """Return the signed first line of an export.

        ``wish`` is WAITING, ALL or the seq to begin with. ``first`` is beyond ``last``
        where nothing waits, and then there is nothing to export.
        """
        journal = self.journal
        epoch, last = journal.epoch, journal.last_seq
        first = self._first(wish, last)
        previous, head = await journal.hash_at(first - 1), await journal.hash_at(last)
        if previous is None or head is None or epoch != journal.epoch:
            raise ValueError("the journal has just moved on; export again")
        held, key = self.feed(), self.key()
        told: dict[str, Any] = {
            "at": self.now_ms(),
            "epoch": epoch,
            "feed": {"epoch": held.epoch, "rev": held.rev},
            "first": first,
            "gateway": self.gateway,
            "head": head.hex(),
            "key": key.public.hex(),
            "last": last,
            "prev": previous.hex(),
            "type": UP,
            "version": VERSION,
        }
        return {**told, "signature": key.sign(signed_text(told)).hex()}

    async def batch(self, epoch: str, after: int, last: int) -> tuple[str, int]:
        """Return the next payload after ``after``, and the seq it ends with."""
        journal = self.journal
        records = await journal.read(
            after, max_rows=min(ROWS, last - after), max_bytes=envelope.BATCH_BYTES
        )
        previous = await journal.hash_at(after)
        if epoch != journal.epoch:
            raise ValueError("a new journal epoch has begun meanwhile; export again")
        if previous is None or not records or records[0].seq != after + 1:
            raise ValueError(
                f"event {after + 1} was deleted meanwhile, as the oldest are; export "
                "again, without --all"
            )
        batch = envelope.fill_batch(
            gateway=self.gateway,
            epoch=epoch,
            previous=previous,
            records=records,
            time_ms=self.now_ms(),
            is_doubtful=True,  # nobody could ask for it once more
        )
        return batch.payload.decode(), batch.last

    def _first(self, wish: str | int, last: int) -> int:
        oldest = self.journal.first_seq
        if wish == WAITING:
            return self.journal.acked + 1
        if wish == ALL:
            return oldest
        if not isinstance(wish, int) or not oldest <= wish <= last:
            raise ValueError(
                f"--from-seq {wish}: this journal holds {oldest} to {last}; name one "
                "of them, or leave it away"
            )
        return wish
