# SPDX-License-Identifier: Apache-2.0
"""What gateways send, read: hello, batches of events, pulls.

The law of the module: bytes from the wire never raise; what is not the contract's
shape is a :class:`Refused` with its reason and counts as nothing else. Unknown fields
are passed over. Items stay as they came, since one bad item must not cost its batch.
Source: docs/sync-contract.md, sections 1 to 3; CloudEvents 1.0, structured mode.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cloud_sync.envelope import BATCH_BYTES
from cloud_sync.feed import FeedCursor

#: Of an INTEGER and a BIGINT.
LARGEST = 2**63 - 1
_TOPIC = re.compile(r"mn/v1/up/(\d\d)/([a-z0-9][a-z0-9-]{2,30})/(hello|evt|pull)")
_EPOCH = re.compile(r"\d{4}-[0-9a-f]{8}", re.ASCII)
_NONCE = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TYPES = {"hello": "mn.hello.v1", "evt": "mn.evt.batch.v1", "pull": "mn.pull.v1"}
_WHY_CHARACTERS = 160
#: So that there is always a next one, for a reader with floating numbers too.
_LAST_REV = 2**53 - 2


class RefusalKind(StrEnum):
    """Why a message was not taken; a closed set, so that counting is bounded."""

    TOPIC = "TOPIC"
    UNKNOWN_GATEWAY = "UNKNOWN_GATEWAY"
    WRONG_SHARD = "WRONG_SHARD"
    MALFORMED = "MALFORMED"
    GAP = "GAP"
    FORK = "FORK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A gateway's greeting: where its journal stands and which feed it holds."""

    epoch: str
    last_seq: int
    head: bytes
    nonce: str
    firmware: str
    feed: FeedCursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of items from ``first``; ``previous`` is ``h_{first-1}`` as claimed."""

    epoch: str
    first: int
    previous: bytes
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A wish for the feed after ``held``."""

    nonce: str
    held: FeedCursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A message that was not taken; ``why`` is printable and short."""

    kind: RefusalKind
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message with who sent it, as its topic says; '' where it says nothing."""

    gateway: str
    shard: str
    said: Hello | Batch | Pull | Refused


class _UnfitError(Exception):
    """A field is not what the contract says; never leaves this module."""


def read(topic: str, payload: bytes) -> Heard:
    """Read one message."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        said = refused(RefusalKind.TOPIC, f"a message under {topic!a}")
        return Heard(gateway="", shard="", said=said)
    shard, gateway, leaf = found.groups()
    return Heard(gateway=gateway, shard=shard, said=_read(gateway, leaf, payload))


def refused(kind: RefusalKind, why: str) -> Refused:
    """Return a refusal whose reason is safe to store and to print."""
    return Refused(kind=kind, why=why[:_WHY_CHARACTERS])


def _read(gateway: str, leaf: str, payload: bytes) -> Hello | Batch | Pull | Refused:
    try:
        return _opened(gateway, leaf, payload)
    except _UnfitError as unfit:
        return refused(RefusalKind.MALFORMED, f"{leaf}: {unfit}")
    except (ValueError, RecursionError):
        return refused(RefusalKind.MALFORMED, f"{leaf}: not a JSON text")


def _opened(gateway: str, leaf: str, payload: bytes) -> Hello | Batch | Pull:
    if len(payload) > BATCH_BYTES:
        raise _UnfitError(f"{len(payload)} bytes, {BATCH_BYTES} at most")
    envelope = _object(json.loads(payload.decode()), "the message")
    expected = {
        "specversion": "1.0",
        "type": _TYPES[leaf],
        "source": f"/gw/{gateway}",
        "datacontenttype": "application/json",
    }
    for field, value in expected.items():
        if envelope.get(field) != value:
            raise _UnfitError(f"{field!r} is not {value!r}")
    name, data = envelope.get("id"), _object(envelope.get("data"), "'data'")
    match leaf:
        case "hello":
            return _hello(name, data)
        case "evt":
            return _batch(name, data)
        case _:
            return Pull(nonce=_text(envelope, "id", _NONCE), held=_cursor(data))


def _hello(name: object, data: dict[str, Any]) -> Hello:
    nonce = _text(data, "nonce", _NONCE)
    if name != nonce:
        raise _UnfitError("'id' is not the nonce")
    firmware = data.get("fw")
    is_shown = isinstance(firmware, str) and firmware.isprintable()
    return Hello(
        epoch=_text(data, "epoch", _EPOCH),
        last_seq=_number(data, "last_seq"),
        head=bytes.fromhex(_text(data, "head", _HASH)),
        nonce=nonce,
        firmware=str(firmware)[:64] if is_shown else "",
        feed=_cursor(_object(data.get("feed"), "'feed'")),
    )


def _batch(name: object, data: dict[str, Any]) -> Batch:
    epoch, first = _text(data, "epoch", _EPOCH), _number(data, "first")
    items = data.get("items")
    if not isinstance(items, list) or not items:
        raise _UnfitError("'items' is no list, or empty")
    last = first + len(items) - 1
    if not 1 <= first <= last <= LARGEST:
        raise _UnfitError("'first' is out of bounds")
    if name != f"{epoch}:{first}-{last}":
        raise _UnfitError("'id' is not epoch:first-last")
    if any(_seq(item, seq) != seq for seq, item in enumerate(items, first)):
        raise _UnfitError("the items' 'seq' do not follow each other")
    previous = bytes.fromhex(_text(data, "prev", _HASH))
    return Batch(epoch=epoch, first=first, previous=previous, items=tuple(items))


def _seq(item: object, place: int) -> object:
    """Return an item's own number; one without any stands where it stands."""
    return item.get("seq", place) if isinstance(item, dict) else place


def _cursor(data: dict[str, Any]) -> FeedCursor:
    epoch, rev = data.get("epoch"), _number(data, "rev")
    if rev > _LAST_REV:
        raise _UnfitError("'rev' is out of bounds")
    if not isinstance(epoch, str) or (epoch and not _EPOCH.fullmatch(epoch)):
        raise _UnfitError("'epoch' of the feed")
    return FeedCursor(epoch=epoch, rev=rev)


def _object(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _UnfitError(f"{name} is no object")
    return value


def _number(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _UnfitError(f"{name!r} is no integer")
    if not 0 <= value <= LARGEST:
        raise _UnfitError(f"{name!r} is out of bounds")
    return value


def _text(data: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _UnfitError(f"{name!r} is missing or not what the contract says")
    return value
