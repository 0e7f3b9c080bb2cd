# SPDX-License-Identifier: Apache-2.0
"""Who is there: by lease, and by nothing that a broker says.

The law of the module: a heartbeat grants a lease, every message renews it, and when it
is over the gateway is offline, whatever TCP or a will may say. Gateways of before there
were heartbeats have the lease that the settings give them.
Source: docs/sync-contract.md, section 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.told_beside import Heartbeat

_BEAT = """
INSERT INTO presence
    (gateway, beat_ms, lease_ms, nonce, waiting, oldest_s, offset_ms, width_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (gateway) DO UPDATE SET
    beat_ms = excluded.beat_ms, lease_ms = excluded.lease_ms,
    nonce = excluded.nonce, waiting = excluded.waiting,
    oldest_s = excluded.oldest_s, offset_ms = excluded.offset_ms,
    width_ms = excluded.width_ms
"""
#: Of a clock that has no upper bound.
NO_WIDTH = -1


async def beat(work: Work, gateway: str, told: Heartbeat, now_ms: int) -> None:
    """Note a heartbeat."""
    offset_ms = _offset_ms(told.earliest_ms, told.latest_ms, now_ms)
    is_open = told.latest_ms >= UNBOUNDED_MS
    width_ms = NO_WIDTH if is_open else told.latest_ms - told.earliest_ms
    sql = "UPDATE gateway SET epoch = ?2, last_seq = ?3 WHERE gateway = ?1"
    await work.execute(sql, gateway, told.epoch, told.last_seq)
    await work.execute(
        _BEAT,
        gateway,
        now_ms,
        told.lease_s * 1000,
        told.nonce,
        told.waiting,
        told.oldest_s,
        offset_ms,
        max(NO_WIDTH, width_ms),
    )


async def begin(work: Work, gateway: str) -> None:
    """Take back the lease of an earlier connection: this one may grant none."""
    sql = "UPDATE presence SET lease_ms = 0 WHERE gateway = ?1"
    await work.execute(sql, gateway)


def _offset_ms(earliest_ms: int, latest_ms: int, now_ms: int) -> int:
    """Return how far a gateway's time is ahead of ours; 0 where they agree."""
    if now_ms < earliest_ms:
        return earliest_ms - now_ms
    return min(0, latest_ms - now_ms)
