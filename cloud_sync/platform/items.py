# SPDX-License-Identifier: Apache-2.0
"""The items of a batch, hashed on from the one before and looked at one by one.

The law of the module: every hash is computed from what arrived, never taken from a
gateway's word. What makes no sense still gets its place in the chain and a reason for
the quarantine, so that it holds up nothing; a kind of event that is unknown here makes
sense. What cannot be hashed as its gateway did is anchored: the chain goes on from the
hash that the gateway claims for the batch's end, and what lies before it, unproven, is
marked as such for ever. Without that claim (a gateway of before it told one) the hash
is of what could be kept of the item, and the gateway opens a new epoch.
Source: docs/sync-contract.md, sections 2 and 3.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from json import encoder as json_encoder
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_sync.platform.fields import LARGEST
from edge.core.chain import HASH_BYTES, SALT_BYTES, canonical, commitment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: The commitment of an item whose own cannot be computed: no preimage is known.
NO_COMMITMENT = bytes(HASH_BYTES)
#: Stands for a hash that nobody here can vouch for; no SHA256 is so short.
UNPROVEN = b"?"
_KIND = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SUBJECT_CHARACTERS = 128
_is_plain = frozenset({int, str}).issuperset


def _one_encoder() -> Callable[[Any], str]:
    """Return ``canonical`` without its set-up for each value, where C allows that.

    It is half of what a small object costs; both give the same text.
    """
    make = getattr(json_encoder, "c_make_encoder", None)
    if make is None:
        return canonical
    quote = json_encoder.encode_basestring
    encode = make(None, None, quote, None, ":", ",", True, False, False)  # noqa: FBT003
    return lambda value: "".join(encode(value, 0))


_canonical = _one_encoder()


class Entry(NamedTuple):
    """An item as it is stored; ``why`` is '' unless it goes to the quarantine."""

    seq: int
    kind: str
    at: str
    lo: int
    core: str
    salt: bytes | None
    pii: str | None
    com: bytes | None
    hash: bytes
    why: str


def follow(first: int, previous: bytes, items: Iterable[Any]) -> Iterator[Entry]:
    """Yield the items hashed on from ``previous`` = ``h_{first-1}``."""
    for seq, item in enumerate(items, first):
        try:
            entry = _entry(seq, item, previous)
        except (KeyError, TypeError, ValueError, RecursionError) as flaw:
            why = f"cannot be hashed: {type(flaw).__name__}"
            entry = _unhashable(seq, item, previous, why)
        previous = entry.hash
        yield entry


def anchored(entries: list[Entry], head: bytes | None) -> tuple[list[Entry], int]:
    """Let the entries of a batch end with ``head``, what their gateway claims.

    Return them with the first seq that is unproven, 0 where all adds up.
    """
    if head is None or entries[-1].hash == head:
        return entries, 0
    flawed = (n for n, entry in enumerate(entries) if entry.com == NO_COMMITMENT)
    start = next(flawed, 0)
    unproven = [entry._replace(hash=UNPROVEN) for entry in entries[start:-1]]
    last = entries[-1]._replace(hash=head)
    return [*entries[:start], *unproven, last], entries[start].seq


def _entry(seq: int, item: Any, previous: bytes) -> Entry:
    value, salt, pii, com = item["core"], None, None, None
    core = _canonical(value)
    if "pii" in item:
        salt, pii = _bytes(item["salt"], SALT_BYTES), _canonical(item["pii"])
        sealed = commitment(salt, pii)
    else:
        sealed = com = _bytes(item["com"], HASH_BYTES)
    at_hand = sha256(previous + sha256(core.encode()).digest() + sealed).digest()
    why = _flaw(value, item.get("pii", {}))
    kind, at, lo = ("", "", 0) if why else (value["k"], value["at"], value["lo"])
    return Entry(seq, kind, at, lo, core, salt, pii, com, at_hand, why)


def _flaw(core: Any, pii: Any) -> str:
    """Say why an item is of no known shape; '' if it is of one."""
    for name, part in (("core", core), ("pii", pii)):
        if type(part) is not dict or not _is_plain(map(type, part.values())):
            return f"{name} is no object of integers and strings"
    kind, at, lo = core.get("k"), core.get("at"), core.get("lo")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        return "core.k is no kind of event"
    if not isinstance(at, str) or not at.isprintable() or len(at) > _SUBJECT_CHARACTERS:
        return "core.at is no subject"
    if not isinstance(lo, int) or not -LARGEST <= lo <= LARGEST:
        return "core.lo is no time"
    return ""


def _unhashable(seq: int, item: Any, previous: bytes, why: str) -> Entry:
    core, com = _stand_in(item), NO_COMMITMENT
    at_hand = sha256(previous + sha256(core.encode()).digest() + com).digest()
    return Entry(seq, "", "", 0, core, None, None, com, at_hand, why)


def _stand_in(item: Any) -> str:
    """Return some ASCII text of an item that has no canonical one."""
    try:
        return json.dumps(item, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return '"no text"'


def _bytes(text: str, length: int) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != length:
        raise ValueError(f"{len(value)} bytes where {length} belong")
    return value
