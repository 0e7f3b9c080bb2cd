# SPDX-License-Identifier: Apache-2.0
"""Alarms on their way past the backlog.

The law of the module: the journal's event stays the truth and goes its own way, in
order; what goes ahead is a copy without a person, told once a connection until the
event itself is acknowledged. The number of them is bounded, and what does not fit
waits for the normal way: nothing is lost by that.
Source: docs/sync-contract.md, section 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.outputs import Output, Publish

if TYPE_CHECKING:
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment
    from edge.core.record import Record

#: Alarms that are not acknowledged yet; a site that raises more at once has one cause.
MAX_EARLY = 64


class EarlyWords:
    """The alarms of one journal epoch that the platform has not acknowledged."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._epoch = ""
        #: By seq, in order; whether this connection has told it.
        self._kept: dict[int, bool] = {}
        self._is_open = False

    def tell(self, epoch: str, seq: int) -> None:
        """Keep an alarm that is on disk now; numbers only grow within an epoch."""
        self._of(epoch)
        if len(self._kept) < MAX_EARLY:
            self._kept[seq] = False

    def open(self, epoch: str, hi: int) -> None:
        """Begin a connection: all that is not acknowledged is told on it."""
        self._of(epoch)
        self._kept = {seq: False for seq in self._kept if seq > hi}
        self._is_open = True

    def close(self) -> None:
        """End a connection."""
        self._is_open = False

    def confirmed(self, hi: int) -> None:
        """Forget what the platform has stored by now."""
        if self._kept and next(iter(self._kept)) <= hi:
            self._kept = {seq: out for seq, out in self._kept.items() if seq > hi}

    def wanted(self) -> int | None:
        """Return the event that ``offer`` should get now, None for none."""
        if not self._is_open:
            return None
        return next((seq for seq, is_told in self._kept.items() if not is_told), None)

    def offer(self, seq: int, record: Record | None, now: Moment) -> list[Output]:
        """Tell ``seq`` early, as it was read; None where it is gone."""
        if seq not in self._kept:
            return []
        self._kept[seq] = True
        if record is None or record.seq != seq:
            return []
        payload = envelope.early(
            self._topics.gateway, self._epoch, record, now.earliest_ms
        )
        return [Publish(topic=self._topics.alarm, payload=payload)]

    def _of(self, epoch: str) -> None:
        """Forget alarms of another epoch: their numbers mean other events now."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._kept.clear()
