# SPDX-License-Identifier: Apache-2.0
"""Pseudonyms of what people hold up at a reader, derived as the gateway must.

The law of the module: a token is all that leaves it; the same card gives another
token at another site and after a change of the epoch salt.
Source: docs/sync-contract.md section 7; RFC 7914 (scrypt), RFC 2104 (HMAC).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import scrypt

TOKEN_BYTES = 16
#: scrypt at N=2^14, r=8 works in 16 MiB; OpenSSL asks for a little more leave.
_SCRYPT_MEMORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudonyms:
    """The secrets that a platform and the gateways of one site share."""

    site: str
    site_key: bytes = field(repr=False)
    epoch_salt: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.site_key) != 32 or len(self.epoch_salt) != 16:
            raise ValueError("a site key has 32 bytes and an epoch salt 16")

    def of_identity_card(self, number: str) -> bytes:
        """Return the token of an 18-character identity number (takes 50 ms)."""
        stretched = scrypt(
            number.upper().encode("ascii"),
            salt=self.epoch_salt,
            n=2**14,
            r=8,
            p=1,
            maxmem=_SCRYPT_MEMORY_BYTES,
            dklen=32,
        )
        return self._keyed("id1", stretched)

    def of_code(self, payload: bytes) -> bytes:
        """Return the token of a QR code's payload, its terminator taken off."""
        return self._keyed("qr1", payload)

    def of_tag(self, technology: str, bits: int, number: bytes) -> bytes:
        """Return the token of a tag's own number, ``bits`` long, left-aligned."""
        return self._keyed("card1", f"{technology}:{bits}:".encode() + number)

    def _keyed(self, purpose: str, value: bytes) -> bytes:
        message = f"{purpose}|{self.site}|".encode() + value
        return hmac.digest(self.site_key, message, "sha256")[:TOKEN_BYTES]
