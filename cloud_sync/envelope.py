# SPDX-License-Identifier: Apache-2.0
"""What a gateway sends: hello, events, pulls, results and more, each in a CloudEvent.

The law of the module: a stored row's canonical texts go out as they were hashed; they
are joined, never parsed, so that a week's backlog drains at the speed of the wire.
Every text made here is canonical JSON itself, and no payload exceeds 64 KiB.
Source: docs/sync-contract.md, sections 2 and 3; CloudEvents 1.0, structured mode.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from edge.core.chain import HASH_BYTES, canonical, commitment, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.renewing import CertificateWish
    from edge.core.record import Record
    from edge.core.remote.command import CommandState

#: The contract's payload limit; the smallest that all brokers we know pass on.
BATCH_BYTES = 64 * 1024
#: Of a damaged row, for whoever looks into it.
_RAW_CHARACTERS = 2_000
#: A hash of the length that all have.
_WIDE = bytes(HASH_BYTES)
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


def pull(
    gateway: str, nonce: str, epoch: str, rev: int, time_ms: int, *, https: bool = False
) -> bytes:
    """Return the message that asks for the feed after ``(epoch, rev)``.

    ``https``: a big snapshot may wait at the address that this gateway knows.
    """
    data = canonical({"epoch": epoch, "rev": rev, **({"https": 1} if https else {})})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """What a heartbeat says; ``oldest_s`` is the age of what waits longest, 0 of none.

    ``earliest_ms`` and ``latest_ms`` (UTC) are all that the gateway knows of the time:
    how far apart they lie says how good its clock is.
    """

    nonce: str
    number: int
    lease_s: int
    boot: str
    epoch: str
    last_seq: int
    waiting: int
    oldest_s: int
    earliest_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStretch:
    """The events ``first`` to ``last`` of a journal's epoch, called a day.

    ``day`` is a local date, ``YYYY-MM-DD``; ``hash`` is ``h_last``.
    """

    epoch: str
    day: str
    first: int
    last: int
    hash: bytes

    @property
    def count(self) -> int:
        """How many events it has."""
        return self.last - self.first + 1

    @property
    def name(self) -> str:
        """What it is called on the wire; no two stretches of a journal share one."""
        return f"{self.epoch}:{self.first}-{self.last}"


def heartbeat(gateway: str, beat: Beat) -> bytes:
    """Return the message that says that this gateway is there."""
    data = {
        "boot": beat.boot,
        "epoch": beat.epoch,
        "hi": beat.latest_ms,
        "last_seq": beat.last_seq,
        "lease_s": beat.lease_s,
        "lo": beat.earliest_ms,
        "n": beat.number,
        "nonce": beat.nonce,
        "oldest_s": beat.oldest_s,
        "waiting": beat.waiting,
    }
    identity = f"{beat.nonce}:{beat.number}"
    return _cloud_event(
        "mn.hb.v1", gateway, identity, beat.earliest_ms, canonical(data)
    )


def early(gateway: str, epoch: str, record: Record, time_ms: int) -> bytes:
    """Return the message that tells an event before those that wait in front of it.

    Its person stays behind the commitment: who it was comes with the journal.
    """
    item = (
        f'{{"com":"{_commitment(record).hex()}","core":{record.core},'
        f'"seq":{record.seq}}}'
    )
    data = f'{{"epoch":"{epoch}","item":{item}}}'
    return _cloud_event("mn.alm.v1", gateway, f"{epoch}:{record.seq}", time_ms, data)


def day(gateway: str, stretch: DayStretch, time_ms: int) -> bytes:
    """Return the message that counts a day, for the platform to compare."""
    data = {
        "count": stretch.count,
        "day": stretch.day,
        "epoch": stretch.epoch,
        "first": stretch.first,
        "h": stretch.hash.hex(),
        "last": stretch.last,
    }
    return _cloud_event("mn.day.v1", gateway, stretch.name, time_ms, canonical(data))


def certificate_wish(gateway: str, wish: CertificateWish, time_ms: int) -> bytes:
    """Return the message that asks for the next certificate."""
    data = canonical({"csr": wish.csr, "signature": wish.signature})
    return _cloud_event("mn.csr.v1", gateway, wish.nonce, time_ms, data)


def fill_batch(
    *,
    gateway: str,
    epoch: str,
    previous: bytes,
    records: Sequence[Record],
    time_ms: int,
    is_doubtful: bool = False,
) -> Batch:
    """Return a batch of the leading ``records`` as far as 64 KiB reach.

    ``previous`` is the hash before the first record. ``is_doubtful``: look at each
    row, since something among them may be what the platform could not read; one that
    is damaged goes out as a text. ValueError if the records are not contiguous or the
    first alone is too long: the journal's own limits make sure that neither happens.
    """
    first = records[0].seq
    put = _doubted if is_doubtful else _item
    span = _Span(gateway, epoch, previous, _WIDE, first, records[-1].seq)
    widest = _batch(span, time_ms, "")
    room = BATCH_BYTES - len(widest) + 1
    items: list[str] = []
    for seq, record in enumerate(records, first):
        if record.seq != seq:
            raise ValueError(f"event {record.seq} stands where {seq} should")
        text = put(record)
        room -= (len(text) if text.isascii() else len(text.encode())) + 1
        if room < 0:
            break
        items.append(text)
    if not items:
        raise ValueError(f"event {first} alone exceeds {BATCH_BYTES} bytes")
    last = first + len(items) - 1
    hashes = tuple(record.hash for record in records[: len(items)])
    span = _Span(gateway, epoch, previous, hashes[-1], first, last)
    payload = _batch(span, time_ms, ",".join(items))
    return Batch(first=first, last=last, hashes=hashes, payload=payload)


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


def _doubted(record: Record) -> str:
    """Return an item, or the text of one that no reader could hash as we did."""
    parts = (record.core,) if record.pii is None else (record.core, record.pii)
    with suppress(ValueError, RecursionError):  # no JSON any more: it goes as it is
        if all(canonical(parse(part)) == part for part in parts):
            return _item(record)
    raw = record.core[:_RAW_CHARACTERS].encode("ascii", "backslashreplace").decode()
    return canonical({"raw": raw, "seq": record.seq})


def _commitment(record: Record) -> bytes:
    if record.salt is None or record.pii is None:
        return record.commitment or b""
    return commitment(record.salt, record.pii)


class _Span(NamedTuple):
    gateway: str
    epoch: str
    previous: bytes
    head: bytes
    first: int
    last: int


def _batch(span: _Span, time_ms: int, items: str) -> bytes:
    data = (
        f'{{"epoch":"{span.epoch}","first":{span.first},"head":"{span.head.hex()}",'
        f'"items":[{items}],"prev":"{span.previous.hex()}"}}'
    )
    identity = f"{span.epoch}:{span.first}-{span.last}"
    return _cloud_event("mn.evt.batch.v1", span.gateway, identity, time_ms, data)


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
