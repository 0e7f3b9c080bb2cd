# SPDX-License-Identifier: Apache-2.0
"""What the synchronisation client borrows of the gateway: journal, clock.

The law of the module: adapters without a thought of their own; a storage fault ends
the client's connection, never the client.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cloud_sync.ports import PortFaultError
from edge.core.clock import ClockAnswer
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from edge.storage.errors import LocalError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloud_sync.outputs import ClockBounds, EpochReason
    from edge.cli.system_clock import SystemClock
    from edge.core.moment import Moment
    from edge.core.record import Record
    from edge.gateway.gateway import Gateway
    from edge.storage.journal import Journal

#: One read feeds a few batches of 64 KiB.
READ_BYTES = 256 * 1024


@contextmanager
def port_faults() -> Iterator[None]:
    """Turn a disk's failure into the client's own word for it."""
    try:
        yield
    except (sqlite3.Error, StorageError, OSError) as error:
        raise PortFaultError(str(error)) from error


class JournalForSync:
    """The journal as the client knows it."""

    def __init__(self, journal: Journal, gateway: Gateway) -> None:
        self._journal = journal
        self._gateway = gateway

    @property
    def epoch(self) -> str:
        """The journal epoch."""
        return self._journal.epoch

    @property
    def last_seq(self) -> int:
        """The last committed event."""
        return self._journal.last_seq

    @property
    def acked(self) -> int:
        """The watermark."""
        return self._journal.acked

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return rows that follow ``after``."""
        with port_faults():
            return await self._journal.read(after, max_rows=limit, max_bytes=READ_BYTES)

    async def hash_at(self, seq: int) -> bytes | None:
        """Return ``h_seq``, None where it is gone."""
        try:
            with port_faults():
                return await self._journal.hash_at(seq)
        except PortFaultError as error:
            if isinstance(error.__cause__, LocalError):
                return None
            raise

    async def acknowledge(self, hi: int) -> None:
        """Move the watermark."""
        with port_faults():
            await self._journal.acknowledge(hi)

    async def new_epoch(self, why: EpochReason) -> None:
        """Begin a new epoch and say why."""

        def told() -> Noted:
            return Noted(
                kind=EventKind.EPOCH_STARTED,
                subject="journal",
                facts=(("epoch", self._journal.epoch), ("why", why.value)),
            )

        with port_faults():
            await self._gateway.new_epoch(told)


class ClockForSync:
    """The clock as the client knows it."""

    def __init__(self, clock: SystemClock, note: Callable[[Noted], None]) -> None:
        self._clock = clock
        self._note = note

    def now(self) -> Moment:
        """Return this instant."""
        return self._clock.now()

    def bound(self, bounds: ClockBounds) -> None:
        """Take the platform's signed time; tell when it settles or contradicts."""
        age_ms = int((self.now().monotonic_s - bounds.monotonic_s) * 1000)
        was_sure = self._clock.is_bounded
        answer = self._clock.bound(
            bounds.earliest_ms + age_ms, bounds.latest_ms + age_ms
        )
        if answer is ClockAnswer.TIGHTENED and was_sure:
            return
        if answer is ClockAnswer.UNCHANGED:
            return
        self._note(
            Noted(
                kind=EventKind.CLOCK_FIXED,
                subject="gateway",
                facts=(("answer", answer.value), ("source", "platform")),
            )
        )
