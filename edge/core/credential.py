# SPDX-License-Identifier: Apache-2.0
"""What somebody holds up at a reader, as a pseudonym.

The law of the module: a token is keyed to the site and says nothing of the number
it came from; it is compared, never shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

TOKEN_BYTES = 16


class CredentialKind(StrEnum):
    """The kinds of credential (ONVIF: credential identifier type)."""

    ID_CARD = "ID_CARD"
    CARD = "CARD"
    QR = "QR"
    PIN = "PIN"
    PANEL = "PANEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A credential's kind and its 16-byte keyed pseudonym."""

    kind: CredentialKind
    token: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.token) != TOKEN_BYTES:
            raise ValueError(f"a token has {TOKEN_BYTES} bytes, not {len(self.token)}")
