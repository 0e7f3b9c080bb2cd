# SPDX-License-Identifier: Apache-2.0
"""The chain written a second time, with hashlib alone, to check the first by."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def links(epoch: str, items: Sequence[dict[str, Any]]) -> list[str]:
    """The hashes of ``items`` (core text, then salt hex and pii text, or com hex)."""
    head, hashes = sha(f"menshen:{epoch}".encode()), []
    for item in items:
        if "com" in item:
            com = bytes.fromhex(item["com"])
        else:
            com = sha(bytes.fromhex(item["salt"]) + item["pii"].encode())
        head = sha(head + sha(item["core"].encode()) + com)
        hashes.append(head.hex())
    return hashes


def as_items(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Rows of the table ``event`` as items."""
    return [
        {"core": core, "com": com.hex()}
        if com is not None
        else {"core": core, "salt": salt.hex(), "pii": pii}
        for _, core, salt, pii, com, _ in rows
    ]
