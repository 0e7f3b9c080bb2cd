# SPDX-License-Identifier: Apache-2.0
"""``menshen ticket new-key``: a key pair to issue tickets with, for a developer.

The law of the module: the secret's file is made for its owner alone and never written
over; what a gateway needs is printed, without the private half.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bindings.ticket_keys import ROTATION_KEY_BYTES, TicketKey
from edge.cli.exits import GOOD, WRONG_USE

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ALONE = 0o600


def run_new_key(path: Path, *, key_id: str, issuer: str, rotates: bool) -> int:
    """Write a new issuer's key to ``path`` and print the gateway's half."""
    private = Ed25519PrivateKey.generate()
    content = {
        "kid": key_id,
        "issuer": issuer,
        "private": private.private_bytes_raw().hex(),
        "rotation": secrets.token_hex(ROTATION_KEY_BYTES) if rotates else "",
    }
    public = private.public_key().public_bytes_raw()
    try:
        TicketKey(key_id=bytes.fromhex(key_id), public=public, issuer=issuer)
        _write(path, json.dumps(content))
    except OSError as error:
        print(f"{path}: {error.strerror}; name a new file", file=sys.stderr)
        return WRONG_USE
    except ValueError as error:
        print(f"no key: {error}; an id is 2 to 8 hex digits", file=sys.stderr)
        return WRONG_USE
    key = {"kid": key_id, "issuer": issuer, "public": public.hex()}
    rotation = [content["rotation"]] if rotates else []
    print(json.dumps({"keys": [key], "rotation": rotation}, indent=1))
    return GOOD


def _write(path: Path, text: str) -> None:
    create = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, create, OWNER_ALONE), "w", encoding="utf-8") as file:
        file.write(text)
