# SPDX-License-Identifier: Apache-2.0
"""A ticket that proves itself: what its signed claims say, or what spoils it.

The law of the module: values only. A :class:`Ticket` exists once its signature held;
nothing here says whether it opens. Of a spoilt one only the reason and the first four
bytes of its id may be told, never its text.
Source: docs/tickets.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.moment import UNBOUNDED_MS

#: Hexadecimal digits of a ticket's id that a log may show: four bytes.
PREFIX_DIGITS = 8


class TicketFlaw(StrEnum):
    """What is wrong with a ticket: the detail beside a refusal's reason."""

    FORMAT = "format"
    TOO_LONG = "too_long"
    PREFIX = "prefix"
    BASE45 = "base45"
    CBOR = "cbor"
    ALG = "alg"
    KID_UNKNOWN = "kid_unknown"
    KID_EXPIRED = "kid_expired"
    SIGNATURE = "signature"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    DOOR = "door"
    REVOKED = "revoked"
    USED = "used"
    REPLAY = "replay"
    ROTATION = "rotation"
    CLOCK_UNKNOWN = "clock_unknown"
    RATE_LIMITED = "rate_limited"


class Rotation(StrEnum):
    """How the changing code beside a ticket stands."""

    #: The ticket was issued without one and none was shown.
    STATIC = "static"
    #: The code is the one of ``rotation_step``.
    PROVEN = "proven"
    #: No step that could be now has this code, or the code is missing.
    WRONG = "wrong"
    #: Nobody knows what time it is, so no code can be expected.
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The claims of a ticket whose signature holds; times are UTC ms.

    ``audience`` and ``issued_ms`` are None where the ticket lacks them: it proves the
    codec and opens nothing. ``doors`` are numbers and ids of doors or spaces.
    ``uses`` is 0 where it is not limited; each use lets the whole ``party`` in. The
    life of the key that signed it stands beside it, since the reader knows no time.
    """

    ticket_id: str
    not_before_ms: int
    expires_ms: int
    doors: tuple[int | str, ...]
    issuer: str = ""
    audience: str | None = None
    issued_ms: int | None = None
    uses: int = 0
    party: int = 1
    is_emergency: bool = False
    key_id: str = ""
    key_from_ms: int = 0
    key_to_ms: int = UNBOUNDED_MS
    rotation: Rotation = Rotation.STATIC
    rotation_step: int | None = None

    @property
    def most_entries(self) -> int:
        """How many scans may enter with it, one person each; 0 for any number."""
        return self.uses * self.party

    @property
    def ticket_prefix(self) -> str:
        """What a log may show of its id."""
        return self.ticket_id[:PREFIX_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiltTicket:
    """Something that claims to be a ticket and is none.

    ``ticket_prefix`` is what a log may show of its id, "" where that was not read.
    """

    flaw: TicketFlaw
    ticket_prefix: str = ""


ShownTicket = Ticket | SpoiltTicket
