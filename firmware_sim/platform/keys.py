# SPDX-License-Identifier: Apache-2.0
"""The platform's signing key, and every downlink body signed with it.

The law of the module: the private half never leaves the state folder, whose file is
readable by its owner alone; what gateways need is the public half under its ``kid``.
Source: docs/sync-contract.md section 4; RFC 7515 (JWS), RFC 8037 (EdDSA).
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWS

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES = 32
#: Hex digits of a ``kid``: enough to tell the few keys of a lifetime apart.
_KID_DIGITS = 16


class Signer:
    """One Ed25519 key and the name it goes by."""

    def __init__(self, key: Ed25519PrivateKey, kid: str | None = None) -> None:
        """``kid`` names the key; without one it is drawn from the public half."""
        self._key = key
        self._jws = PyJWS(algorithms=["EdDSA"])
        public = key.public_key().public_bytes_raw()
        self.public_hex = public.hex()
        self.kid = kid or sha256(public).hexdigest()[:_KID_DIGITS]

    @property
    def public_keys(self) -> dict[str, str]:
        """The public half as gateways keep it: ``{kid: hex}``."""
        return {self.kid: self.public_hex}

    def sign(self, kind: str, body: str) -> bytes:
        """Return ``body`` as a compact JWS whose ``typ`` binds it to ``kind``."""
        headers = {"kid": self.kid, "typ": kind}
        text = self._jws.encode(body.encode(), self._key, "EdDSA", headers)
        return text.encode()

    def forger(self) -> Signer:
        """Return a stranger who signs in this key's name."""
        return Signer(Ed25519PrivateKey.generate(), self.kid)


def load_signer(path: Path) -> Signer:
    """Read the key at ``path``; make it there, mode 0600, if there is none."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return _make(path)
    if len(secret) != _KEY_BYTES:
        raise ValueError(f"{path}: expected {_KEY_BYTES} bytes in hex")
    return Signer(Ed25519PrivateKey.from_private_bytes(secret))


def _make(path: Path) -> Signer:
    key = Ed25519PrivateKey.generate()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as opened:
        opened.write(key.private_bytes_raw().hex())
    return Signer(key)
