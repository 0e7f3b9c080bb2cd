# SPDX-License-Identifier: Apache-2.0
"""Erased people whom the platform's feed still brings: by digest, and for a while.

The law of the module: it holds no name. A digest is salted with 16 random bytes drawn
for this site, so that a stolen card tells nothing by itself; whoever holds the card
and a list of ids can try them, and therefore each goes as soon as a whole feed has
come without it.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: More at a time than a platform takes away in a year; the oldest goes first.
MAX_DIGESTS = 1_024
DIGEST_BYTES = 16


class KeptOut:
    """Digests of names and tokens."""

    def __init__(self) -> None:
        self._salt = b""
        self._digests: dict[bytes, None] = {}

    def __bool__(self) -> bool:
        """Say whether anybody is kept out."""
        return bool(self._digests)

    def add(self, salt: bytes, names: Iterable[str]) -> None:
        """Keep these names out; ``salt`` counts where there is none yet."""
        self._salt = self._salt or salt
        for name in names:
            self._digests[self._digest(name)] = None
        while len(self._digests) > MAX_DIGESTS:
            del self._digests[next(iter(self._digests))]

    def met(self, kind: str, row_id: str, body: str) -> frozenset[bytes]:
        """Return which digests keep a row of the feed out; none if it may come in.

        A body that is no JSON object names nobody: the rules refuse it anyway.
        """
        if not self._digests:
            return frozenset()
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        told = told if isinstance(told, dict) else {}
        names = [row_id] if kind == "holder" else []
        names += [str(told[each]) for each in ("holder", "token") if each in told]
        return frozenset(map(self._digest, names)) & self._digests.keys()

    def agreed(self, met: frozenset[bytes]) -> bool:
        """Forget whom a whole feed came without; say whether anything changed."""
        before = len(self._digests)
        self._digests = {each: None for each in self._digests if each in met}
        return len(self._digests) != before

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        if not self._digests:
            return {}
        return {"kept_out": [self._salt.hex(), *(each.hex() for each in self._digests)]}

    def load(self, state: dict[str, Any]) -> None:
        """Take what :meth:`dump` returned; an older snapshot keeps nobody out."""
        salt, *digests = map(bytes.fromhex, state.get("kept_out", [""]))
        self._salt, self._digests = salt, dict.fromkeys(digests)

    def _digest(self, name: str) -> bytes:
        return sha256(self._salt + name.encode()).digest()[:DIGEST_BYTES]
