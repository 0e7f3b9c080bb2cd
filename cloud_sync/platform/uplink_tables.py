# SPDX-License-Identifier: Apache-2.0
"""The tables of what gateways say beside their events.

The law of the module: as in ``schema.py``, of which these are a part.
"""

from __future__ import annotations

UPLINK_TABLES = (
    # ``lease_ms`` 0: none was granted on this connection. ``offset_ms`` is how far the
    # gateway's interval of time lies off ours, ``width_ms`` how wide it is, -1 for one
    # without an end.
    """CREATE TABLE IF NOT EXISTS presence (
        gateway TEXT PRIMARY KEY,
        beat_ms BIGINT NOT NULL,
        lease_ms BIGINT NOT NULL,
        nonce TEXT NOT NULL,
        waiting BIGINT NOT NULL,
        oldest_s BIGINT NOT NULL,
        offset_ms BIGINT NOT NULL,
        width_ms BIGINT NOT NULL)""",
    # ``item`` is the hash of the item standing alone; ``joined_ms`` is 0 until the
    # journal has brought the event itself, and ``differs`` says that it was another.
    """CREATE TABLE IF NOT EXISTS early (
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq BIGINT NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        lo BIGINT NOT NULL,
        core TEXT NOT NULL,
        item BYTEA NOT NULL,
        heard_ms BIGINT NOT NULL,
        joined_ms BIGINT NOT NULL DEFAULT 0,
        differs BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (gateway, epoch, seq))""",
    "CREATE INDEX IF NOT EXISTS early_joined ON early (gateway, joined_ms)",
    # A stretch of a journal as its gateway counted it, and how it compared when it
    # was told last; ``hash`` is the gateway's.
    """CREATE TABLE IF NOT EXISTS day_told (
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        first_seq BIGINT NOT NULL,
        last_seq BIGINT NOT NULL,
        day TEXT NOT NULL,
        hash BYTEA NOT NULL,
        told_ms BIGINT NOT NULL,
        verdict TEXT NOT NULL,
        held BIGINT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (gateway, epoch, first_seq, last_seq))""",
    "CREATE INDEX IF NOT EXISTS day_told_day ON day_told (day)",
)
