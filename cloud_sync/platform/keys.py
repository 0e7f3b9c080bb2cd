# SPDX-License-Identifier: Apache-2.0
"""The key with which the platform signs, made here and kept in a file.

The law of the module: the private half is in a file that its owner alone may read, or
it is not used, and stands in no error and no log; the public half is exported in the
form that a gateway's ``keys/platform.json`` has.
Source: docs/sync-contract.md, section 4; RFC 8037 (Ed25519), RFC 7515 (compact JWS).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jws
from joserfc.jwk import OKPKey

from cloud_sync.signing import ALGORITHM, EdDSAOnly

if TYPE_CHECKING:
    from pathlib import Path

_KID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SEED_BYTES = 32


class SigningKeyError(Exception):
    """A key file is missing, too open or malformed; the text says what to do."""


class Signer:
    """Signs bodies as compact JWS, each for one purpose."""

    def __init__(self, kid: str, seed: bytes) -> None:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._kid = kid
        self._key = OKPKey.import_key(pem)
        self._registry = EdDSAOnly(algorithms=[ALGORITHM])
        #: What a gateway's ``keys/platform.json`` holds.
        self.public_keys = {kid: raw.hex()}

    def sign(self, purpose: str, body: str) -> bytes:
        """Return the JSON text ``body`` signed for ``purpose`` (``typ``)."""
        header = {"alg": ALGORITHM, "kid": self._kid, "typ": purpose}
        signed = jws.serialize_compact(header, body, self._key, registry=self._registry)
        return signed.encode()


def make(path: Path, kid: str | None = None) -> Signer:
    """Make a key in a new file of mode 0600; SigningKeyError if there is a file.

    ``kid`` is an operator's id; without it the key is a platform's.
    """
    kid = kid or f"platform-{secrets.token_hex(4)}"
    seed = secrets.token_bytes(_SEED_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as fault:
        raise SigningKeyError(
            f"{path}: there is a key already, and gateways may know it; to begin "
            "anew, move it away first"
        ) from fault
    except OSError as fault:
        raise SigningKeyError(f"{path}: {fault.strerror}") from fault
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump({"kid": kid, "seed": seed.hex()}, file)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    return Signer(kid, seed)


def load(path: Path) -> Signer:
    """Read a file that :func:`make` wrote; SigningKeyError says what is wrong."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SigningKeyError(
                f"{path}: others may read this secret; run: chmod 600 {path}"
            )
        content = json.loads(path.read_text(encoding="ascii"))
        kid, seed = content["kid"], bytes.fromhex(content["seed"])
    except OSError as fault:
        raise SigningKeyError(
            f"{path}: {fault.strerror}; `menshen platform init` makes the key"
        ) from fault
    except (ValueError, TypeError, LookupError) as flaw:
        raise SigningKeyError(f"{path}: no key; restore it from the backup") from flaw
    is_name = isinstance(kid, str) and _KID.fullmatch(kid)
    if not is_name or len(seed) != _SEED_BYTES:
        raise SigningKeyError(f"{path}: no key; restore it from the backup")
    return Signer(kid, seed)
