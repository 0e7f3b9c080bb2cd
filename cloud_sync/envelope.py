# SPDX-License-Identifier: Apache-2.0
"""What a gateway sends: hello, events, pulls, results, each in a CloudEvent.

The law of the module: a stored row's canonical texts go out as they were hashed; they
are joined, never parsed, so that a week's backlog drains at the speed of the wire.
Every text made here is canonical JSON itself, and no payload exceeds 64 KiB.
Source: docs/sync-contract.md, sections 2 and 3; CloudEvents 1.0, structured mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.record import Record
    from edge.core.remote.command import CommandState

#: The contract's payload limit; the smallest that all brokers we know pass on.
BATCH_BYTES = 64 * 1024
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What hello says of this gateway; times are UTC ms, ``head`` is ``h_last``."""

    epoch: str
    last_seq: int
    head: bytes
    nonce: str
    boot: str
    earliest_ms: int
    latest_ms: int
    firmware: str
    feed_epoch: str
    feed_rev: int
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How far a command has come; ``seq`` of the event that tells of it, 0 for none."""

    jti: str
    state: CommandState
    reason: str = ""
    why: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A payload with the events ``first`` to ``last``, and their hashes in order."""

    first: int
    last: int
    hashes: tuple[bytes, ...]
    payload: bytes


def hello(gateway: str, greeting: Greeting) -> bytes:
    """Return the message that opens a connection."""
    data = {
        "boot": greeting.boot,
        "caps": list(greeting.capabilities),
        "epoch": greeting.epoch,
        "feed": {"epoch": greeting.feed_epoch, "rev": greeting.feed_rev},
        "fw": greeting.firmware,
        "head": greeting.head.hex(),
        "hi": greeting.latest_ms,
        "last_seq": greeting.last_seq,
        "lo": greeting.earliest_ms,
        "nonce": greeting.nonce,
    }
    return _cloud_event(
        "mn.hello.v1", gateway, greeting.nonce, greeting.earliest_ms, canonical(data)
    )


def pull(gateway: str, nonce: str, epoch: str, rev: int, time_ms: int) -> bytes:
    """Return the message that asks for the feed after ``(epoch, rev)``."""
    data = canonical({"epoch": epoch, "rev": rev})
    return _cloud_event("mn.pull.v1", gateway, nonce, time_ms, data)


def result(gateway: str, told: CommandResult, time_ms: int) -> bytes:
    """Return the message that tells early how far a command has come."""
    data: dict[str, int | str] = {"jti": told.jti, "state": told.state.value}
    if told.reason:
        data |= {"reason": told.reason, "why": told.why}
    if told.seq:
        data["seq"] = told.seq
    identity = f"{told.jti}:{told.state}"
    return _cloud_event("mn.res.v1", gateway, identity, time_ms, canonical(data))


def fill_batch(
    *,
    gateway: str,
    epoch: str,
    previous: bytes,
    records: Sequence[Record],
    time_ms: int,
) -> Batch:
    """Return a batch of the leading ``records`` as far as 64 KiB reach.

    ``previous`` is the hash before the first record. ValueError if the records are
    not contiguous or the first alone is too long: the journal's own limits make sure
    that neither happens.
    """
    first = records[0].seq
    widest = _batch(gateway, epoch, previous, first, records[-1].seq, time_ms, "")
    room = BATCH_BYTES - len(widest) + 1
    items: list[str] = []
    for seq, record in enumerate(records, first):
        if record.seq != seq:
            raise ValueError(f"event {record.seq} stands where {seq} should")
        text = _item(record)
        room -= (len(text) if text.isascii() else len(text.encode())) + 1
        if room < 0:
            break
        items.append(text)
    if not items:
        raise ValueError(f"event {first} alone exceeds {BATCH_BYTES} bytes")
    last = first + len(items) - 1
    joined = ",".join(items)
    return Batch(
        first=first,
        last=last,
        hashes=tuple(record.hash for record in records[: len(items)]),
        payload=_batch(gateway, epoch, previous, first, last, time_ms, joined),
    )


def _item(record: Record) -> str:
    if record.salt is None or record.pii is None:
        if record.commitment is None:
            raise ValueError(f"event {record.seq} has neither a person nor a com")
        com = record.commitment.hex()
        return f'{{"com":"{com}","core":{record.core},"seq":{record.seq}}}'
    return (
        f'{{"core":{record.core},"pii":{record.pii},'
        f'"salt":"{record.salt.hex()}","seq":{record.seq}}}'
    )


def _batch(  # noqa: PLR0917
    gateway: str,
    epoch: str,
    previous: bytes,
    first: int,
    last: int,
    time_ms: int,
    items: str,
) -> bytes:
    data = (
        f'{{"epoch":"{epoch}","first":{first},"items":[{items}],'
        f'"prev":"{previous.hex()}"}}'
    )
    identity = f"{epoch}:{first}-{last}"
    return _cloud_event("mn.evt.batch.v1", gateway, identity, time_ms, data)


def _cloud_event(
    kind: str, gateway: str, identity: str, time_ms: int, data: str
) -> bytes:
    return (
        f'{{"data":{data},"datacontenttype":"application/json","id":"{identity}",'
        f'"source":"/gw/{gateway}","specversion":"1.0",'
        f'"time":"{_rfc3339(time_ms)}","type":"{kind}"}}'
    ).encode()


def _rfc3339(time_ms: int) -> str:
    moment = _EPOCH_START + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
