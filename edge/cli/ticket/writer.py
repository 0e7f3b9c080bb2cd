# SPDX-License-Identifier: Apache-2.0
"""How a platform writes a ticket: claims, signature, text.

The law of the module: it shares neither encoder nor constant with the code that reads
tickets, since a shared mistake would hide itself; the published vectors hold both.
Source: docs/tickets.md; RFC 8949 (CBOR), RFC 9052 (COSE), RFC 9285 (base45).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CONTEXT = b"menshen-pass-v1"
PRIVATE_CLAIM = -65537
MOST_USES, MOST_PERSONS = 255, 256
STEP_S = 30

Plain = int | bytes | str | list["Plain"] | dict[int, "Plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOrder:
    """What a ticket shall say; times are seconds since 1970, doors numbers or ids."""

    issuer: str
    site: str
    doors: tuple[int | str, ...]
    from_s: int
    to_s: int
    issued_s: int
    ticket_id: bytes
    uses: int = 0
    party: int = 1
    is_emergency: bool = False
    rotates: bool = False


def flags_of(order: TicketOrder) -> int:
    """Pack uses, party and kind; raises ValueError where one has no place."""
    if not 0 <= order.uses <= MOST_USES:
        raise ValueError(f"uses: 0 (any number) to {MOST_USES}")
    if not 1 <= order.party <= MOST_PERSONS:
        raise ValueError(f"party: 1 to {MOST_PERSONS} persons")
    kind = order.is_emergency * 0x10000 + order.rotates * 0x20000
    return order.uses + (order.party - 1) * 0x100 + kind


def payload_of(order: TicketOrder) -> bytes:
    """Return the claims as CBOR."""
    doors: list[Plain] = list(order.doors)
    claims: dict[int, Plain] = {
        1: order.issuer,
        3: order.site,
        4: order.to_s,
        5: order.from_s,
        6: order.issued_s,
        7: order.ticket_id,
        PRIVATE_CLAIM: [doors, flags_of(order)],
    }
    return encode(claims)


def signed(
    payload: bytes, key_id: bytes, private: bytes, *, context: bytes = CONTEXT
) -> bytes:
    """Return the payload as an untagged COSE_Sign1."""
    protected = encode({1: -8, 4: key_id})
    to_sign = encode(["Signature1", protected, context, payload])
    signature = Ed25519PrivateKey.from_private_bytes(private).sign(to_sign)
    return encode([protected, {}, payload, signature])


def static_text(ticket: bytes) -> str:
    """Return the text of a QR code that stays as it is."""
    return "MS1:" + base45(ticket)


def rotating_text(ticket: bytes, code: str) -> str:
    """Return the text of a QR code that changes with its code."""
    return "MSR:" + base45(ticket) + code


def secret_of(rotation_key: bytes, ticket_id: bytes) -> bytes:
    """Return what the holder's phone needs to show the codes of its ticket."""
    message = b"menshen-rot-v1" + ticket_id
    return hmac.new(rotation_key, message, hashlib.sha256).digest()[:20]


def code_of(secret: bytes, at_s: int) -> str:
    """Return the eight digits that a phone shows at a second."""
    counter = (at_s // STEP_S).to_bytes(8, "big")
    digest = hmac.new(secret, counter, hashlib.sha256).digest()
    start = digest[31] % 16
    number = int.from_bytes(digest[start : start + 4], "big") % 2**31
    return str(number % 10**8).zfill(8)


def encode(value: Plain) -> bytes:
    """Return a value as CBOR in its shortest form."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            text = value.encode()
            return _head(3, len(text)) + text
        case list():
            return _head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            pairs = (encode(label) + encode(entry) for label, entry in value.items())
            return _head(5, len(value)) + b"".join(pairs)


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for size in range(4):
        if number < 1 << (8 << size):
            return bytes([major << 5 | 24 + size]) + number.to_bytes(1 << size, "big")
    raise ValueError(f"{number} is too big")


def base45(data: bytes) -> str:
    """Return bytes as base45: two bytes in three characters, one in two."""
    text = ""
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            text += ALPHABET[digit]
    return text
