# SPDX-License-Identifier: Apache-2.0
"""What comes up from gateways, read strictly.

The law of the module: bytes from the wire never raise; what is not the contract's
shape becomes a :class:`Garbled` with its reason. Unknown fields are ignored; items
are left as they came, since one bad item must not cost the batch.
Source: docs/sync-contract.md sections 1 to 3; CloudEvents 1.0, structured mode.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

#: A payload of the contract; also what a broker must let through.
MAXIMUM_PAYLOAD_BYTES = 64 * 1024
#: A seq is a positive 64-bit integer, as SQLite keeps it.
_MAXIMUM_SEQ = 2**63 - 1

_TOPIC = re.compile(
    r"mn/v1/up/(\d\d)/([a-z0-9][a-z0-9-]{2,30})/(hello|evt|pull|res|csr)"
)
_EPOCH = re.compile(r"\d{4}-[0-9a-f]{8}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|\+00:00)")
_TYPES = {
    "hello": "mn.hello.v1",
    "evt": "mn.evt.batch.v1",
    "pull": "mn.pull.v1",
    "res": "mn.res.v1",
    "csr": "mn.csr.v1",
}
_CSR = re.compile(
    r"-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+"
    r"-----END CERTIFICATE REQUEST-----\n"
)
_CSR_CHARACTERS = 4096
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_STATES = {
    *("received", "accepted", "deferred", "actuated"),
    *("confirmed", "rejected", "unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A gateway's greeting: where its journal stands and which feed it holds."""

    gateway: str
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
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of items from ``first``; ``previous`` is ``h_{first-1}`` as claimed."""

    gateway: str
    epoch: str
    first: int
    previous: bytes
    items: list[Any]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A wish for the feed; ``("", 0)`` is the cursor of one who holds none."""

    gateway: str
    nonce: str
    epoch: str
    rev: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Early word of a command; ``seq`` of the event that tells of it, 0 for none."""

    gateway: str
    jti: str
    state: str
    reason: str
    why: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateWish:
    """A wish for the next certificate, which this platform does not issue."""

    gateway: str
    nonce: str
    csr: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """A payload outside the contract; ``gateway`` is empty where unknown."""

    gateway: str
    why: str
    raw: bytes


Upward = Hello | Batch | Pull | Result | CertificateWish | Garbled


def parse(topic: str, payload: bytes, registry: dict[str, str]) -> Upward:
    """Read one message; ``registry`` gives every known gateway's shard."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        return Garbled(gateway="", why=f"topic {topic!r}", raw=payload)
    shard, gateway, leaf = found.groups()
    if registry.get(gateway) != shard:
        why = f"{gateway} is not registered in shard {shard}"
        return Garbled(gateway="", why=why, raw=payload)
    try:
        return _read(gateway, leaf, payload)
    except (KeyError, TypeError, ValueError, RecursionError) as flaw:
        why = f"{leaf}: {type(flaw).__name__}: {flaw}"
        return Garbled(gateway=gateway, why=why, raw=payload)


def _read(gateway: str, leaf: str, payload: bytes) -> Upward:
    if len(payload) > MAXIMUM_PAYLOAD_BYTES:
        raise ValueError(f"{len(payload)} bytes")
    envelope = _DECODER.decode(payload.decode())
    _check(envelope["specversion"] == "1.0", "specversion")
    _check(envelope["type"] == _TYPES[leaf], "type")
    _check(envelope["source"] == f"/gw/{gateway}", "source")
    _check(envelope["datacontenttype"] == "application/json", "datacontenttype")
    _matched(_TIME, envelope["time"])
    data = envelope["data"]
    match leaf:
        case "hello":
            return _hello(gateway, envelope["id"], data)
        case "evt":
            return _batch(gateway, envelope["id"], data)
        case "res":
            return _result(gateway, envelope["id"], data)
        case "csr":
            _check(len(data["csr"]) <= _CSR_CHARACTERS, "csr")
            return CertificateWish(
                gateway=gateway,
                nonce=_matched(_NONCE, envelope["id"]),
                csr=_matched(_CSR, data["csr"]),
                signature=_matched(_SIGNATURE, data["signature"]),
            )
        case _:
            return _pull(gateway, envelope["id"], data)


def _hello(gateway: str, name: Any, data: Any) -> Hello:
    _check(name == data["nonce"], "id is not the nonce")
    _check(isinstance(data["caps"], list), "caps")
    feed_epoch, feed_rev = _cursor(data["feed"])
    return Hello(
        gateway=gateway,
        epoch=_matched(_EPOCH, data["epoch"]),
        last_seq=_integer(data["last_seq"]),
        head=bytes.fromhex(_matched(_HASH, data["head"])),
        nonce=_matched(_NONCE, data["nonce"]),
        boot=_string(data["boot"]),
        earliest_ms=_integer(data["lo"]),
        latest_ms=_integer(data["hi"]),
        firmware=_string(data["fw"]),
        feed_epoch=feed_epoch,
        feed_rev=feed_rev,
        capabilities=tuple(_string(word) for word in data["caps"]),
    )


def _batch(gateway: str, name: Any, data: Any) -> Batch:
    epoch, first = _matched(_EPOCH, data["epoch"]), _integer(data["first"])
    items = data["items"]
    _check(isinstance(items, list) and items != [], "items")
    last = first + len(items) - 1
    _check(1 <= first <= last <= _MAXIMUM_SEQ, "first")
    _check(name == f"{epoch}:{first}-{last}", "id is not epoch:first-last")
    return Batch(
        gateway=gateway,
        epoch=epoch,
        first=first,
        previous=bytes.fromhex(_matched(_HASH, data["prev"])),
        items=items,
        name=name,
    )


def _pull(gateway: str, name: Any, data: Any) -> Pull:
    epoch, rev = _cursor(data)
    nonce = _matched(_NONCE, name)
    return Pull(gateway=gateway, nonce=nonce, epoch=epoch, rev=rev)


def _result(gateway: str, name: Any, data: Any) -> Result:
    jti, state = _matched(_NONCE, data["jti"]), _string(data["state"])
    _check(state in _STATES, "state")
    _check(name == f"{jti}:{state}", "id is not jti:state")
    return Result(
        gateway=gateway,
        jti=jti,
        state=state,
        reason=_string(data.get("reason", "")),
        why=_string(data.get("why", "")),
        seq=_integer(data.get("seq", 0)),
    )


def _cursor(data: Any) -> tuple[str, int]:
    epoch, rev = data["epoch"], _integer(data["rev"])
    _check((epoch == "" and rev == 0) or _matched(_EPOCH, epoch) == epoch, "cursor")
    return epoch, rev


def _check(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        raise ValueError(what)


def _matched(pattern: re.Pattern[str], value: Any) -> str:
    _check(isinstance(value, str) and pattern.fullmatch(value) is not None, "form")
    return str(value)


def _integer(value: Any) -> int:
    # bool is an int to Python and nothing of the kind on the wire.
    _check(type(value) is int and 0 <= value <= _MAXIMUM_SEQ, "integer")
    return int(value)


def _string(value: Any) -> str:
    _check(isinstance(value, str), "string")
    return str(value)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
