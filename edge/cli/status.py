# SPDX-License-Identifier: Apache-2.0
"""How the gateway stands, as one JSON object for panel and command line.

The law of the module: it reads and never waits; no person and no token is in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.cli.runtime import Runtime


def status(runtime: Runtime) -> dict[str, Any]:
    """Return doors, devices, what waits, roster and clock."""
    now = runtime.clock.now()
    sync = runtime.client.status
    last_ack_s = sync.last_ack_s
    roster = runtime.controller.roster
    doors = runtime.controller.doors
    online = runtime.bindings.online
    return {
        "pid": os.getpid(),
        "uptime_s": round(now.monotonic_s - runtime.started_s, 1),
        "fire": doors.is_fire,
        "doors": {
            name: {"mode": door.mode.value, "phase": door.phase.value}
            for name, door in doors.standing().items()
        },
        "devices": {name: name in online for name in sorted(runtime.bindings.devices)},
        "events": {
            "epoch": runtime.journal.epoch,
            "last_seq": runtime.journal.last_seq,
            "waiting": runtime.journal.waiting,
            "not_on_disk": runtime.gateway.unstored,
            "storage_fault": runtime.gateway.is_storage_faulty,
        },
        "platform": {
            "connected": sync.is_connected,
            "reconnects": sync.reconnects,
            "last_ack_age_s": (
                None if last_ack_s is None else round(now.monotonic_s - last_ack_s, 1)
            ),
        },
        "roster": {
            "epoch": roster.cursor.epoch,
            "revision": roster.cursor.revision,
            "credentials": roster.credentials,
            "confirmed_ms": runtime.feed.confirmed_ms,
        },
        "clock": {
            "earliest_ms": now.earliest_ms,
            "latest_ms": now.latest_ms,
            "known": runtime.clock.is_bounded,
        },
    }
