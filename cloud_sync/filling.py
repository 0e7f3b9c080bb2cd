# SPDX-License-Identifier: Apache-2.0
"""Rows of the journal put into batches, as many as the window lets out.

The law of the module: rows go out as they were stored, in order and without a gap; a
batch that is not full waits for its fellows unless the journal ends with it.
Source: docs/sync-contract.md, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.outputs import Output, Publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.topics import Topics
    from cloud_sync.window import RowsWanted, Window
    from edge.core.moment import Moment
    from edge.core.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Whose journal it is, and which epoch of it."""

    topics: Topics
    epoch: str


def fill_window(
    window: Window,
    ground: Ground,
    wanted: RowsWanted,
    records: Sequence[Record],
    now: Moment,
) -> list[Output]:
    """Return the batches that go out now; ``records`` follow ``wanted.after``."""
    outputs: list[Output] = []
    start, has_more = 0, len(records) >= wanted.limit
    while start < len(records) and window.wants() is not None:
        batch = envelope.fill_batch(
            gateway=ground.topics.gateway,
            epoch=ground.epoch,
            previous=window.sent_hash,
            records=records[start:],
            time_ms=now.earliest_ms,
            is_doubtful=window.rewinds > 0,
        )
        end = start + len(batch.hashes)
        if end < len(records):
            window.learn_rows_a_batch(len(batch.hashes))
        elif has_more and outputs:
            break
        window.push(batch, now.monotonic_s)
        outputs.append(Publish(topic=ground.topics.events, payload=batch.payload))
        start = end
    window.last_known = max(window.last_known, records[-1].seq)
    return outputs
