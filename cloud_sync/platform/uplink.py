# SPDX-License-Identifier: Apache-2.0
"""What gateways send, read: hello, batches of events, pulls, and what goes beside.

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

from cloud_sync.envelope import BATCH_BYTES, DayStretch
from cloud_sync.feed import FeedCursor
from cloud_sync.platform import told_beside
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
from cloud_sync.platform.told_beside import Early, Heartbeat
from cloud_sync.renewing import CertificateWish
from edge.core.remote.command import CommandState

#: What a gateway says, by the last level of its topic.
_TYPES = {
    "hello": "mn.hello.v1",
    "evt": "mn.evt.batch.v1",
    "pull": "mn.pull.v1",
    "res": "mn.res.v1",
    "hb": "mn.hb.v1",
    "alm": "mn.alm.v1",
    "day": "mn.day.v1",
    "csr": "mn.csr.v1",
}
LEAVES = tuple(_TYPES)
_TOPIC = re.compile(
    rf"mn/v1/up/(\d\d)/([a-z0-9][a-z0-9-]{{2,30}})/({'|'.join(LEAVES)})"
)
_CSR = re.compile(
    r"(?=.{1,4096}\Z)-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+"
    r"-----END CERTIFICATE REQUEST-----\n",
    re.DOTALL,
)
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_WHY_CHARACTERS = 160
_WORD = re.compile(r"[a-z0-9-]{1,32}")
_STATES = frozenset(str(state) for state in CommandState)
#: Of one hello that are looked at: there are a few.
MAX_CAPABILITIES = 64
#: So that there is always a next one, for a reader with floating numbers too.
LAST_REV = 2**53 - 2


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
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of items from ``first``; ``previous`` is ``h_{first-1}`` as claimed.

    ``head`` is ``h_last`` as claimed, None from a gateway of before it told one.
    """

    epoch: str
    first: int
    previous: bytes
    items: tuple[Any, ...]
    head: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A wish for the feed after ``held``; ``may_fetch``: a snapshot by HTTPS, too."""

    nonce: str
    held: FeedCursor
    may_fetch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Early word of a command; ``why`` is printable and short."""

    jti: str
    state: str
    why: str


Said = Hello | Batch | Pull | Result | Heartbeat | Early | DayStretch | CertificateWish


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
    said: Said | Refused


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


def _read(gateway: str, leaf: str, payload: bytes) -> Said | Refused:
    try:
        return _opened(gateway, leaf, payload)
    except UnfitError as unfit:
        return refused(RefusalKind.MALFORMED, f"{leaf}: {unfit}")
    except (ValueError, RecursionError):
        return refused(RefusalKind.MALFORMED, f"{leaf}: not a JSON text")


def _opened(gateway: str, leaf: str, payload: bytes) -> Said:
    if len(payload) > BATCH_BYTES:
        raise UnfitError(f"{len(payload)} bytes, {BATCH_BYTES} at most")
    envelope = object_of(json.loads(payload.decode()), "the message")
    expected = {
        "specversion": "1.0",
        "type": _TYPES[leaf],
        "source": f"/gw/{gateway}",
        "datacontenttype": "application/json",
    }
    for field, value in expected.items():
        if envelope.get(field) != value:
            raise UnfitError(f"{field!r} is not {value!r}")
    name, data = envelope.get("id"), object_of(envelope.get("data"), "'data'")
    match leaf:
        case "hello":
            return _hello(name, data)
        case "evt":
            return _batch(name, data)
        case "res":
            return _result(name, data)
        case "hb":
            return told_beside.heartbeat(envelope, data)
        case "alm":
            return told_beside.early(envelope, data)
        case "day":
            return told_beside.day(envelope, data)
        case "csr":
            return CertificateWish(
                nonce=text(envelope, "id", NONCE),
                csr=text(data, "csr", _CSR),
                signature=text(data, "signature", _SIGNATURE),
            )
        case _:
            return Pull(
                nonce=text(envelope, "id", NONCE),
                held=_cursor(data),
                may_fetch=data.get("https") == 1,
            )


def _hello(name: object, data: dict[str, Any]) -> Hello:
    nonce = text(data, "nonce", NONCE)
    if name != nonce:
        raise UnfitError("'id' is not the nonce")
    firmware = data.get("fw")
    is_shown = isinstance(firmware, str) and firmware.isprintable()
    return Hello(
        epoch=text(data, "epoch", EPOCH),
        last_seq=number(data, "last_seq"),
        head=bytes.fromhex(text(data, "head", HASH)),
        nonce=nonce,
        firmware=str(firmware)[:64] if is_shown else "",
        feed=_cursor(object_of(data.get("feed"), "'feed'")),
        capabilities=_capabilities(data.get("caps")),
    )


def _capabilities(told: object) -> frozenset[str]:
    """Return what a gateway says it takes; what makes no sense it does not take."""
    names = told[:MAX_CAPABILITIES] if isinstance(told, list) else []
    return frozenset(
        each for each in names if isinstance(each, str) and _WORD.fullmatch(each)
    )


def _result(name: object, data: dict[str, Any]) -> Result:
    jti, state = text(data, "jti", NONCE), data.get("state")
    if state not in _STATES or name != f"{jti}:{state}":
        raise UnfitError("'state' is none, or 'id' is not jti:state")
    told = [data.get(field, "") for field in ("reason", "why")]
    if not all(isinstance(each, str) and each.isprintable() for each in told):
        raise UnfitError("'reason' or 'why' is no text")
    why = ": ".join(each for each in told if each)[:_WHY_CHARACTERS]
    return Result(jti=jti, state=str(state), why=why)


def _batch(name: object, data: dict[str, Any]) -> Batch:
    epoch, first = text(data, "epoch", EPOCH), number(data, "first")
    items = data.get("items")
    if not isinstance(items, list) or not items:
        raise UnfitError("'items' is no list, or empty")
    last = first + len(items) - 1
    if not 1 <= first <= last <= LARGEST:
        raise UnfitError("'first' is out of bounds")
    if name != f"{epoch}:{first}-{last}":
        raise UnfitError("'id' is not epoch:first-last")
    if any(_seq(item, seq) != seq for seq, item in enumerate(items, first)):
        raise UnfitError("the items' 'seq' do not follow each other")
    previous = bytes.fromhex(text(data, "prev", HASH))
    head = data.get("head")
    is_told = isinstance(head, str) and HASH.fullmatch(head) is not None
    return Batch(
        epoch=epoch,
        first=first,
        previous=previous,
        items=tuple(items),
        head=bytes.fromhex(str(head)) if is_told else None,
    )


def _seq(item: object, place: int) -> object:
    """Return an item's own number; one without any stands where it stands."""
    return item.get("seq", place) if isinstance(item, dict) else place


def _cursor(data: dict[str, Any]) -> FeedCursor:
    epoch, rev = data.get("epoch"), number(data, "rev")
    if rev > LAST_REV:
        raise UnfitError("'rev' is out of bounds")
    if not isinstance(epoch, str) or (epoch and not EPOCH.fullmatch(epoch)):
        raise UnfitError("'epoch' of the feed")
    return FeedCursor(epoch=epoch, rev=rev)
