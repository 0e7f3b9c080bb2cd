# SPDX-License-Identifier: Apache-2.0
"""What somebody holds up at a reader, as a pseudonym.

The law of the module: a token is keyed to the site and says nothing of the number
it came from; it is compared, never shown. While a site has keys of before, a thing
that is held up has a token under each of them, and every look-up asks for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

TOKEN_BYTES = 16
#: The number of a site's first key.
FIRST_KEY = 1
#: Site keys of before that a box holds at once: each costs a token of every scan.
MAX_FORMER_KEYS = 3


class CredentialKind(StrEnum):
    """The kinds of credential (ONVIF: credential identifier type)."""

    ID_CARD = "ID_CARD"
    CARD = "CARD"
    QR = "QR"
    PIN = "PIN"
    PANEL = "PANEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential's kind and its 16-byte keyed pseudonym.

    ``key`` is the number of the site key that made the token; ``former`` are the
    tokens of the same thing under keys of before, with their numbers, newest first.
    """

    kind: CredentialKind
    token: bytes = field(repr=False)
    key: int = FIRST_KEY
    former: tuple[tuple[int, bytes], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for token in self.tokens:
            if len(token) != TOKEN_BYTES:
                raise ValueError(f"a token has {TOKEN_BYTES} bytes, not {len(token)}")

    @property
    def tokens(self) -> tuple[bytes, ...]:
        """Every token by which this may be known, the current key's first."""
        if not self.former:
            return (self.token,)
        return (self.token, *(token for _, token in self.former))

    def is_same(self, other: Credential) -> bool:
        """Say whether both are one thing, be it that the site's key changed between."""
        if self.kind is not other.kind:
            return False
        return self.token == other.token or not set(self.tokens).isdisjoint(
            other.tokens
        )
