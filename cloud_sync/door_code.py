# SPDX-License-Identifier: Apache-2.0
"""The code that changes on a door's screen: who has read it stood there just now.

The law of the module: pure, and the same at both ends. The box signs which door and
which half minute, with the key that the platform has compared; it needs no line for
that, and nobody else can make one. A code is no secret and opens nothing: it says
where somebody was. Its text is ``{slot}.{signature}``: half minutes since 1970 in
decimals, and 64 bytes in base64url.
Source: docs/commands.md, "At the door".
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.core.chain import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

#: What a box signs a code for; nothing else that it signs begins so.
PURPOSE = "mn.door.v1"
#: A screen shows one code for so long …
SLOT_MS = 30_000
#: … which counts until so long after its beginning: half a minute to press a button.
FRESH_MS = 60_000
#: A box's clock may be ahead of the platform's by so much.
AHEAD_MS = 10_000
_CODE = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{86})", re.ASCII)


class CodeFlaw(StrEnum):
    """Why a code says nothing of where somebody stands."""

    CODE_UNREADABLE = "CODE_UNREADABLE"
    CODE_STALE = "CODE_STALE"
    CODE_AHEAD = "CODE_AHEAD"
    CODE_FORGED = "CODE_FORGED"


def slot_of(now_ms: int) -> int:
    """Return the half minute in which a time (UTC ms) lies."""
    return now_ms // SLOT_MS


def make_code(
    sign: Callable[[bytes], bytes], gateway: str, door: str, now_ms: int
) -> str:
    """Return the code of a door at this time; ``sign`` is the box's Ed25519."""
    slot = slot_of(now_ms)
    signature = urlsafe_b64encode(sign(_signed_text(gateway, door, slot)))
    return f"{slot}.{signature.decode().rstrip('=')}"


def flaw_of(
    public: bytes, gateway: str, door: str, code: str, now_ms: int
) -> CodeFlaw | None:
    """Say why a code is not one of this door of just now; None if it is.

    ``public``: the 32 bytes of the box's key.
    """
    read = _CODE.fullmatch(code)
    if read is None:
        return CodeFlaw.CODE_UNREADABLE
    slot, signature = int(read[1]), urlsafe_b64decode(read[2] + "==")
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, _signed_text(gateway, door, slot))
    except (InvalidSignature, ValueError):
        return CodeFlaw.CODE_FORGED
    age_ms = now_ms - slot * SLOT_MS
    if age_ms > FRESH_MS:
        return CodeFlaw.CODE_STALE
    return CodeFlaw.CODE_AHEAD if age_ms < -AHEAD_MS else None


def _signed_text(gateway: str, door: str, slot: int) -> bytes:
    told = {"door": door, "gw": gateway, "n": slot}
    return f"{PURPOSE}\n{canonical(told)}".encode()
