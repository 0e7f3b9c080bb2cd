# SPDX-License-Identifier: Apache-2.0
"""The journal's chain of hashes, verified a second time and on a codec of its own.

The law of the module: every hash is computed here from what arrived, never taken
from a gateway's word; an item that cannot be hashed still gets a place in the
chain, so that it holds up nothing, and the gateway sees by the hash that the
platform did not understand.
Source: docs/sync-contract.md sections 2 and 3.
"""

from __future__ import annotations

import json
from hashlib import sha256
from json import encoder as json_encoder
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
SALT_BYTES = 16
#: The commitment of an item whose own cannot be computed: no preimage is known.
NO_COMMITMENT = bytes(HASH_BYTES)
#: What a hashed object may hold. ``bool`` is another type than ``int`` here.
_all_plain = frozenset({int, str}).issuperset

_SLOW = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _encoder() -> Callable[[object], str]:
    """Return ``_SLOW.encode`` without its set-up of 1.5 µs a call, where C allows.

    ``JSONEncoder.encode`` builds a new C encoder for every value, which is half of
    what a small object costs; one encoder kept gives the same text.
    """
    make = getattr(json_encoder, "c_make_encoder", None)
    if make is None:
        return _SLOW.encode
    quote = json_encoder.encode_basestring
    encode = make(None, _SLOW.default, quote, None, ":", ",", True, False, False)  # noqa: FBT003
    join = "".join
    return lambda value: join(encode(value, 0))


#: The one JSON text of a value that is ever hashed (contract section 2).
canonical = _encoder()


#: One item in the ledger's order of columns: stream, seq, core, salt, pii, com, hash.
#: ``salt`` and ``pii`` are None once erased; then ``com`` stands for them. A bare
#: tuple, since sqlite3 binds its subclasses half as fast.
Entry = tuple[int, int, str, bytes | None, str | None, bytes | None, bytes]


class Poison(NamedTuple):
    """An item that the platform cannot understand, and why."""

    seq: int
    why: str
    raw: str


def genesis(epoch: str) -> bytes:
    """Return ``h_0`` of a journal epoch."""
    return sha256(b"menshen:" + epoch.encode()).digest()


def link(previous: bytes, core: str, com: bytes) -> bytes:
    """Return ``h_n`` from ``h_{n-1}``, the core's canonical text and the commitment."""
    return sha256(previous + sha256(core.encode()).digest() + com).digest()


def commitment(salt: bytes, pii: str) -> bytes:
    """Return the salted commitment to a person's part."""
    return sha256(salt + pii.encode()).digest()


def follow(
    stream: int, first: int, previous: bytes, items: Sequence[Any]
) -> tuple[list[Entry], list[Poison]]:
    """Hash a batch's items on from ``previous`` = ``h_{first-1}``.

    Every item yields an entry; those that make no sense yield a poison as well.
    """
    entries: list[Entry] = []
    poisons = []
    # Nine parts in ten of what the platform computes happen in this loop, which is
    # why it calls as little as it can.
    for seq, item in enumerate(items, first):
        salt = pii = com = None
        try:
            text = canonical(item["core"])
            core = text.encode()
            if "pii" in item:
                salt, pii = _unhex(item["salt"], SALT_BYTES), canonical(item["pii"])
                sealed = sha256(salt + pii.encode()).digest()
            else:
                sealed = com = _unhex(item["com"], HASH_BYTES)
            if not _is_plain(item):
                poisons.append(Poison(seq, "values other than integers, strings", text))
        except (KeyError, TypeError, ValueError, RecursionError) as flaw:
            text, salt, pii, com = _stand_in(item), None, None, NO_COMMITMENT
            core, sealed = text.encode(), com
            poisons.append(Poison(seq, f"{type(flaw).__name__}: {flaw}", text))
        previous = sha256(previous + sha256(core).digest() + sealed).digest()
        entries.append((stream, seq, text, salt, pii, com, previous))
    return entries, poisons


def first_break(epoch: str, entries: Iterable[Entry]) -> int | None:
    """Walk a whole stored journal again; return the seq that fails, or None."""
    previous = genesis(epoch)
    for expected, (_, seq, core, salt, pii, com, held) in enumerate(entries, 1):
        sealed = com or commitment(salt or b"", pii or "")
        previous = link(previous, core, sealed)
        if seq != expected or held != previous:
            return expected
    return None


def _unhex(text: str, length: int) -> bytes:
    value = bytes.fromhex(text)
    if len(value) != length:
        raise ValueError(f"{len(value)} bytes where {length} belong")
    return value


def _is_plain(item: Any) -> bool:
    """Tell whether both parts are objects of integers and strings (no pii: erased)."""
    core, pii = item["core"], item.get("pii", {})
    return (
        type(core) is dict
        and type(pii) is dict
        and _all_plain(map(type, core.values()))
        and _all_plain(map(type, pii.values()))
    )


def _stand_in(item: Any) -> str:
    """Return some ASCII text of an item that has no canonical one."""
    try:
        return json.dumps(item, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        return '"no text"'
