# SPDX-License-Identifier: Apache-2.0
"""Bad heartbeats, alarms and days, each with why and what becomes of it.

The law of the module: as in spoiling.py.
"""

from __future__ import annotations

from tests.cloud_sync.contract.spoiling import Spoilt, bad, unsaid, without

HEARTBEAT: tuple[Spoilt, ...] = (
    *without(
        "GARBLED",
        *(f"data/{name}" for name in ("nonce", "n", "lease_s", "boot", "epoch")),
        *(f"data/{name}" for name in ("last_seq", "waiting", "oldest_s", "lo", "hi")),
    ),
    *bad(
        "GARBLED",
        ("a lease of nothing", "data/lease_s", 0),
        ("a lease of more than an hour", "data/lease_s", 3601),
        ("heartbeat 0", "data/n", 0),
        ("a negative backlog", "data/waiting", -1),
        ("an age that is text", "data/oldest_s", "old"),
        ("an id without the number", "id", "00112233445566778899aabbccddeeff"),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("the id names another heartbeat", "data/n", 2),
    ),
)
HEARTBEAT_ANSWER: tuple[Spoilt, ...] = (
    *without("BODY", "nonce", "n"),
    *bad("BODY", ("a number that is text", "n", "1")),
    *unsaid(
        "IGNORED",
        "which heartbeat waits for an answer",
        ("to one of another connection", "nonce", "f" * 32),
        ("to one that never was", "n", 7),
    ),
)
ALARM: tuple[Spoilt, ...] = (
    *without("GARBLED", "data/epoch", "data/item", "data/item/seq", "data/item/core"),
    *bad(
        "GARBLED",
        ("without what stands for the person", "data/item/com", "ab"),
        ("a kind in small letters", "data/item/core/k", "door_forced_open"),
        ("a fraction in core", "data/item/core/m", 1.5),
        ("an id without the event", "id", "0001-00c0ffee"),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("the id names another event", "data/item/seq", 6),
        ("the id names another journal", "data/epoch", "0002-00c0ffee"),
    ),
)
DAY: tuple[Spoilt, ...] = (
    *without(
        "GARBLED",
        *(f"data/{name}" for name in ("epoch", "day", "first", "last", "count", "h")),
    ),
    *bad(
        "GARBLED",
        ("a day in another order", "data/day", "09.10.2025"),
        ("begins with 0", "data/first", 0),
        ("a hash of 63 digits", "data/h", "a" * 63),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("more events than from first to last", "data/count", 4),
        ("the id names another stretch", "data/last", 4),
    ),
)
DAY_ANSWER: tuple[Spoilt, ...] = (
    *without("BODY", "epoch", "first", "last", "verdict", "count"),
    *bad(
        "BODY",
        ("a verdict of tomorrow", "verdict", "perhaps"),
        ("a negative count", "count", -1),
        ("a hash of 63 digits", "h", "a" * 63),
        ("why is a number", "why", 7),
    ),
    *unsaid(
        "IGNORED",
        "which day was told",
        ("about another journal", "epoch", "0002-00c0ffee"),
        ("about another stretch", "last", 2),
    ),
)
