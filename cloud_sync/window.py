# SPDX-License-Identifier: Apache-2.0
"""Which events are on their way, and which the platform has committed.

The law of the module: the watermark alone decides what is sent; it moves by a
platform's word whose hash was checked, never by a broker's PUBACK. At most eight
batches are unacknowledged, and silence makes the window begin again at the watermark.
Source: docs/sync-contract.md, sections 3 and 6.3.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.envelope import Batch

#: The contract's; at 64 KiB each, half a mebibyte is the most a crash sends twice.
WINDOW_BATCHES = 8
REWIND_AFTER_S = 10.0
REWIND_AT_MOST_S = 60.0
#: Added to a wait by chance, so that gateways do not resend in step after an outage.
JITTER = 0.25
#: 10 + 20 + 40 + 60 s without progress: perhaps only this connection is deaf.
REWINDS_BEFORE_LEAVING = 4
#: A journal row is about 250 bytes on the wire; corrected by the batches filled.
_ROWS_A_BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsWanted:
    """Read up to ``limit`` rows that follow ``after``."""

    after: int
    limit: int


class Window:
    """The sending half of a session within one connection and one epoch."""

    def __init__(
        self, *, hi: int, hash_at_hi: bytes, last_seq: int, chance: Callable[[], float]
    ) -> None:
        self.watermark = hi
        self.sent = hi
        self.sent_hash = hash_at_hi
        self.last_known = last_seq
        self.rewinds = 0
        self._watermark_hash = hash_at_hi
        self._in_flight: deque[Batch] = deque()
        self._rows_a_batch = _ROWS_A_BATCH
        self._patience_s = REWIND_AFTER_S
        self._deadline_s: float | None = None
        self._chance = chance

    @property
    def in_flight(self) -> int:
        """How many batches are unacknowledged."""
        return len(self._in_flight)

    @property
    def deadline_s(self) -> float | None:
        """When silence has lasted too long; None while nothing is on its way."""
        return self._deadline_s

    def wants(self) -> RowsWanted | None:
        """Return what would fill the window, or None while it is full."""
        free = WINDOW_BATCHES - len(self._in_flight)
        if not free:
            return None
        return RowsWanted(after=self.sent, limit=free * self._rows_a_batch)

    def push(self, batch: Batch, now_s: float) -> None:
        """Count a batch as sent."""
        self._in_flight.append(batch)
        self.sent, self.sent_hash = batch.last, batch.hashes[-1]
        if self._deadline_s is None:
            self._wait(now_s)

    def learn_rows_a_batch(self, rows: int) -> None:
        """Adjust the reading to a batch that 64 KiB cut off after ``rows``.

        A sixteenth more is read, so that batches grow again when rows get shorter.
        """
        self._rows_a_batch = rows + rows // 16 + 1

    def hash_at(self, seq: int) -> bytes | None:
        """Return the hash of an event on its way, None where it is not."""
        for batch in self._in_flight:
            if batch.first <= seq <= batch.last:
                return batch.hashes[seq - batch.first]
        return None

    def confirm(self, hi: int, hash_at_hi: bytes, now_s: float) -> None:
        """Move the watermark forward to ``hi``, whose hash has been checked."""
        self.watermark, self._watermark_hash = hi, hash_at_hi
        while self._in_flight and self._in_flight[0].last <= hi:
            self._in_flight.popleft()
        if hi > self.sent:
            # Committed out of an earlier sending; no need to send it again.
            self.sent, self.sent_hash = hi, hash_at_hi
        self.rewinds = 0
        self._patience_s = REWIND_AFTER_S
        self._deadline_s = None
        if self._in_flight:
            self._wait(now_s)

    def is_given_up(self, now_s: float) -> bool:
        """Rewind if silence has lasted too long; say whether it did so too often."""
        if self._deadline_s is None or now_s < self._deadline_s:
            return False
        self.rewind()
        return self.rewinds >= REWINDS_BEFORE_LEAVING

    def rewind(self) -> None:
        """Begin again at the watermark, and wait twice as long the next time."""
        self._in_flight.clear()
        self.sent, self.sent_hash = self.watermark, self._watermark_hash
        self.rewinds += 1
        self._patience_s = min(self._patience_s * 2, REWIND_AT_MOST_S)
        self._deadline_s = None

    def _wait(self, now_s: float) -> None:
        self._deadline_s = now_s + self._patience_s * (1 + JITTER * self._chance())
