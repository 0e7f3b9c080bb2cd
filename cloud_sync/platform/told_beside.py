# SPDX-License-Identifier: Apache-2.0
"""What gateways say beside their events, read: heartbeats, alarms, days.

The law of the module: as in ``uplink.py``. An alarm's item is hashed here as it will be
when the journal brings it, and its person, should one come along, is not kept.
Source: docs/sync-contract.md, sections 10 to 12.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cloud_sync.envelope import DayStretch
from cloud_sync.platform.fields import (
    EPOCH,
    HASH,
    LARGEST,
    NONCE,
    UnfitError,
    number,
    object_of,
    text,
)
from cloud_sync.platform.items import follow
from edge.core.chain import HASH_BYTES

#: Nobody is online for longer than this by one word of his.
LONGEST_LEASE_S = 3600
#: What an item hashes on from when it stands alone.
ALONE = bytes(HASH_BYTES)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|\+00:00)", re.ASCII)
_ANY = re.compile(r".*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A gateway is there, for ``lease_s``; what waits with it; what time it has."""

    nonce: str
    number: int
    lease_s: int
    epoch: str
    last_seq: int
    waiting: int
    oldest_s: int
    earliest_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """An event ahead of its turn; ``item`` is its hash, standing alone."""

    epoch: str
    seq: int
    kind: str
    at: str
    lo: int
    core: str
    item: bytes


def heartbeat(envelope: dict[str, Any], data: dict[str, Any]) -> Heartbeat:
    """Read a heartbeat; UnfitError if it is none."""
    text(envelope, "time", _TIME)
    text(data, "boot", _ANY)
    beat = Heartbeat(
        nonce=text(data, "nonce", NONCE),
        number=number(data, "n", least=1),
        lease_s=number(data, "lease_s", least=1, most=LONGEST_LEASE_S),
        epoch=text(data, "epoch", EPOCH),
        last_seq=number(data, "last_seq"),
        waiting=number(data, "waiting"),
        oldest_s=number(data, "oldest_s"),
        earliest_ms=number(data, "lo"),
        latest_ms=number(data, "hi"),
    )
    if envelope.get("id") != f"{beat.nonce}:{beat.number}":
        raise UnfitError("'id' is not nonce:n")
    return beat


def early(envelope: dict[str, Any], data: dict[str, Any]) -> Early:
    """Read an alarm; UnfitError if it is none."""
    text(envelope, "time", _TIME)
    epoch, item = text(data, "epoch", EPOCH), object_of(data.get("item"), "'item'")
    seq = number(item, "seq", least=1)
    if envelope.get("id") != f"{epoch}:{seq}":
        raise UnfitError("'id' is not epoch:seq")
    [entry] = follow(seq, ALONE, [item])
    if entry.why:
        raise UnfitError(f"'item': {entry.why}")
    return Early(
        epoch=epoch,
        seq=seq,
        kind=entry.kind,
        at=entry.at,
        lo=entry.lo,
        core=entry.core,
        item=entry.hash,
    )


def day(envelope: dict[str, Any], data: dict[str, Any]) -> DayStretch:
    """Read a day; UnfitError if it is none."""
    text(envelope, "time", _TIME)
    told = DayStretch(
        epoch=text(data, "epoch", EPOCH),
        day=text(data, "day", _DAY),
        first=number(data, "first", least=1),
        last=number(data, "last", least=1, most=LARGEST),
        hash=bytes.fromhex(text(data, "h", HASH)),
    )
    if number(data, "count", least=1) != told.count:
        raise UnfitError("'count' is not that of 'first' to 'last'")
    if envelope.get("id") != told.name:
        raise UnfitError("'id' is not epoch:first-last")
    return told
