# SPDX-License-Identifier: Apache-2.0
"""The one place where a number becomes a pseudonym, and dies.

The law of the module: an identity number exists only inside :meth:`id_card`; what
comes out is a 16-byte token, keyed to the site, that neither another site nor a thief
of the list can turn back. The buffer is overwritten before the function returns. Under
each key of before that is still held it makes a token too: a card is one, whichever
key it was written down under.
Source: docs/sync-contract.md section 7; docs/enrolment.md, "A new site key".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import scrypt

from edge.core.credential import (
    FIRST_KEY,
    TOKEN_BYTES,
    Credential,
    CredentialKind,
)

#: 16 MiB and tens of milliseconds a guess: a stolen list costs years, not seconds.
SCRYPT_N = 1 << 14
SCRYPT_R = 8
SITE_KEY_BYTES = 32
SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMaker:
    """Derives tokens with the site's key (32 bytes) and epoch salt (16 bytes).

    ``number`` is the key's; ``former`` are the makers of the keys before, newest first.
    """

    site_id: str
    site_key: bytes = field(repr=False)
    epoch_salt: bytes = field(repr=False)
    number: int = FIRST_KEY
    former: tuple[TokenMaker, ...] = ()

    def __post_init__(self) -> None:
        for name, value, length in (
            ("site_key", self.site_key, SITE_KEY_BYTES),
            ("epoch_salt", self.epoch_salt, SALT_BYTES),
        ):
            if len(value) != length:
                raise ValueError(
                    f"{name} has {len(value)} bytes, it must have {length}"
                )

    def id_card(self, number: bytearray) -> Credential:
        """Turn an identity number (ASCII) into its credential and wipe it.

        Takes tens of milliseconds and 16 MiB for each salt in use, one after another:
        call it in a worker thread.
        """
        salts = {maker.epoch_salt for maker in (self, *self.former)}
        try:
            secrets = {
                salt: scrypt(number, salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=1, dklen=32)
                for salt in salts
            }
        finally:
            number[:] = bytes(len(number))
        return Credential(
            kind=CredentialKind.ID_CARD,
            token=self._token(b"id1", secrets[self.epoch_salt]),
            key=self.number,
            former=tuple(
                (each.number, each._token(b"id1", secrets[each.epoch_salt]))  # noqa: SLF001
                for each in self.former
            ),
        )

    def code(self, payload: bytes) -> Credential:
        """Turn a scanned code's payload into its credential."""
        return self._credential(CredentialKind.QR, b"qr1", payload)

    def ticket(self, ticket_id: str) -> Credential:
        """Turn a ticket's identifier (hex) into its credential."""
        return self._credential(CredentialKind.QR, b"tkt1", ticket_id.encode())

    def pin(self, digits: bytearray) -> Credential:
        """Turn typed digits (ASCII) into their credential and wipe them.

        The site key alone keeps four digits from being guessed out of a token.
        """
        try:
            return self._credential(CredentialKind.PIN, b"pin1", bytes(digits))
        finally:
            digits[:] = bytes(len(digits))

    def tag(self, technology: str, bits: int, number: bytes) -> Credential:
        """Turn a card's own number into its credential; all three are its key.

        Four bytes padded with zeros are another card than the seven they came from.
        """
        secret = b"%s:%d:%s" % (technology.encode(), bits, number)
        return self._credential(CredentialKind.CARD, b"card1", secret)

    def _credential(
        self, kind: CredentialKind, label: bytes, secret: bytes
    ) -> Credential:
        if not self.former:  # nearly always
            token = self._token(label, secret)
            return Credential(kind=kind, token=token, key=self.number)
        return Credential(
            kind=kind,
            token=self._token(label, secret),
            key=self.number,
            former=tuple(
                (each.number, each._token(label, secret))  # noqa: SLF001
                for each in self.former
            ),
        )

    def _token(self, label: bytes, secret: bytes) -> bytes:
        message = b"|".join((label, self.site_id.encode(), secret))
        return hmac.digest(self.site_key, message, "sha256")[:TOKEN_BYTES]
