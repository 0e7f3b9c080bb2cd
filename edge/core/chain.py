# SPDX-License-Identifier: Apache-2.0
"""The chain of hashes that makes the journal tamper-evident and still erasable.

The law of the module: only canonical JSON is hashed (sorted keys, no spaces, UTF-8,
integers and strings), and a person's part enters through a salted commitment:
``com = SHA256(salt || pii)``, ``h_n = SHA256(h_{n-1} || SHA256(core) || com)``,
``h_0 = SHA256("menshen:" || epoch)``. Erasing keeps ``com`` and drops salt and pii.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HASH_BYTES = 32
SALT_BYTES = 16

_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Mapping[str, object]) -> str:
    """Return the one JSON text of ``value`` that is ever hashed."""
    return _ENCODER.encode(value)


def parse(text: str) -> dict[str, int | str]:
    """Read an object of integers and strings; ValueError for anything else."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {type(value).__name__}")
    for key, entry in value.items():
        if not isinstance(entry, int | str) or isinstance(entry, bool):
            raise ValueError(f"{key!r} is neither an integer nor a string")
    return value


def genesis(epoch: str) -> bytes:
    """Return ``h_0`` of a journal epoch."""
    return sha256(b"menshen:" + epoch.encode()).digest()


def commitment(salt: bytes, pii: str) -> bytes:
    """Return the salted commitment to a person's part."""
    return sha256(salt + pii.encode()).digest()


def link(previous: bytes, core: str, com: bytes) -> bytes:
    """Return ``h_n`` from ``h_{n-1}``, the core text and the commitment."""
    return sha256(previous + sha256(core.encode()).digest() + com).digest()
