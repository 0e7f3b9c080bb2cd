# SPDX-License-Identifier: Apache-2.0
"""What the claims of a verified ticket mean.

The law of the module: whatever is not understood is a flaw, since a claim that nobody
reads could be the one that was to forbid. Numbers are bounded before they are used.
Source: docs/tickets.md, "Claims"; RFC 8392 (CWT) for labels 1 to 7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.bindings.ticket_keys import MAX_ISSUER_LENGTH
from edge.core.access.ticket import Ticket
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

ISSUER, AUDIENCE, EXPIRES, NOT_BEFORE, ISSUED, TICKET_ID = 1, 3, 4, 5, 6, 7
#: The private claim [doors, flags]; and both alone, as the short test vector has them.
DOORS_AND_FLAGS, DOORS, FLAGS = -65537, -1, -2
ID_LENGTHS = (8, 16)
MAX_DOORS = 8
MAX_DOOR_NUMBER = 65_535

#: Of the flags: uses in bits 0 to 7, persons beyond the first in bits 8 to 15 …
USES_MASK, PARTY_SHIFT, PARTY_MASK = 0xFF, 8, 0xFF
#: … and what kind of ticket it is.
EMERGENCY, ROTATES = 1 << 16, 1 << 17
_ALL_FLAGS = USES_MASK | PARTY_MASK << PARTY_SHIFT | EMERGENCY | ROTATES

_KNOWN = {
    *(ISSUER, AUDIENCE, EXPIRES, NOT_BEFORE, ISSUED, TICKET_ID),
    *(DOORS_AND_FLAGS, DOORS, FLAGS),
}
_LAST_S = UNBOUNDED_MS // 1000
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{1,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClaims:
    """A ticket as far as its claims go, and whether it must show a rotating code."""

    ticket: Ticket
    must_rotate: bool


def ticket_id_of(claims: Mapping[int, Any]) -> bytes | None:
    """Return the ticket's id, None if it has none of a good length."""
    ticket_id = claims.get(TICKET_ID)
    is_good = isinstance(ticket_id, bytes) and len(ticket_id) in ID_LENGTHS
    return ticket_id if is_good else None


def read_claims(claims: Mapping[int, Any]) -> ReadClaims | None:
    """Return what the claims say, or None if one of them is not as it must be."""
    ticket_id = ticket_id_of(claims)
    start_s, end_s = _seconds(claims, NOT_BEFORE), _seconds(claims, EXPIRES)
    doors, flags = _doors_and_flags(claims)
    if not claims.keys() <= _KNOWN or ticket_id is None or not doors:
        return None
    if start_s is None or end_s is None or start_s >= end_s:
        return None
    if type(flags) is not int or not 0 <= flags <= _ALL_FLAGS:
        return None
    named = _issuer_and_audience(claims)
    issued_s = _seconds(claims, ISSUED)
    if named is None or (issued_s is None and ISSUED in claims):
        return None
    ticket = Ticket(
        ticket_id=ticket_id.hex(),
        not_before_ms=start_s * 1000,
        expires_ms=end_s * 1000,
        issued_ms=None if issued_s is None else issued_s * 1000,
        doors=doors,
        issuer=named[0],
        audience=named[1],
        uses=flags & USES_MASK,
        party=1 + (flags >> PARTY_SHIFT & PARTY_MASK),
        is_emergency=bool(flags & EMERGENCY),
    )
    return ReadClaims(ticket=ticket, must_rotate=bool(flags & ROTATES))


def _seconds(claims: Mapping[int, Any], label: int) -> int | None:
    value = claims.get(label)
    is_good = type(value) is int and 0 <= value <= _LAST_S
    return value if is_good else None


def _issuer_and_audience(claims: Mapping[int, Any]) -> tuple[str, str | None] | None:
    issuer, audience = claims.get(ISSUER, ""), claims.get(AUDIENCE)
    if not isinstance(issuer, str) or len(issuer) > MAX_ISSUER_LENGTH:
        return None
    if AUDIENCE in claims and not _is_identifier(audience):
        return None
    return issuer, audience


def _doors_and_flags(claims: Mapping[int, Any]) -> tuple[tuple[int | str, ...], Any]:
    """Return the doors, empty if they are not as they must be, and the flags."""
    short = {DOORS, FLAGS} & claims.keys()
    match claims.get(DOORS_AND_FLAGS):
        case None if DOORS_AND_FLAGS not in claims:
            doors, flags = claims.get(DOORS), claims.get(FLAGS, 0)
        case [doors, flags] if not short:
            pass
        case _:
            return (), None
    several = doors if isinstance(doors, list) else [doors]
    if len(several) > MAX_DOORS or not all(map(_is_door, several)):
        return (), None
    return tuple(several), flags


def _is_door(name: object) -> bool:
    if type(name) is int:
        return 0 <= name <= MAX_DOOR_NUMBER
    return _is_identifier(name)


def _is_identifier(name: object) -> bool:
    return isinstance(name, str) and _IDENTIFIER.fullmatch(name) is not None
