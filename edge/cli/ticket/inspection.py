# SPDX-License-Identifier: Apache-2.0
"""``menshen ticket inspect``: what a ticket says, and all that speaks against it.

The law of the module: it judges with the gateway's own reader and rules, at one exact
time; what it shows of a ticket whose signature does not hold is marked so. It opens
nothing, so it looks at published test keys too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.bindings.ticket_claims import read_claims
from edge.bindings.ticket_form import form_of
from edge.bindings.ticket_keys import TicketKeys
from edge.bindings.ticket_reader import TicketReader
from edge.cli.exits import GOOD, TROUBLE
from edge.cli.ticket.key_files import read_ticket_keys
from edge.cli.ticket.times import said
from edge.core.access.ticket import Rotation, SpoiltTicket, Ticket, TicketFlaw
from edge.core.access.ticket_rules import (
    TicketPlace,
    candidate_steps,
    refusal,
    refusals,
)
from edge.core.moment import Moment

if TYPE_CHECKING:
    from pathlib import Path

    from edge.core.access.ticket_rules import TicketRefusal

WORDS: dict[TicketFlaw, str] = {
    TicketFlaw.FORMAT: "a part or claim is missing, unknown or out of its range",
    TicketFlaw.TOO_LONG: "it is longer than 512 bytes",
    TicketFlaw.PREFIX: "it does not begin with MS1: or MSR:",
    TicketFlaw.BASE45: "it is not base45; was it copied through a chat or a web page?",
    TicketFlaw.CBOR: "its inside is not the plain CBOR of a ticket",
    TicketFlaw.ALG: "it is signed by another method than Ed25519",
    TicketFlaw.KID_UNKNOWN: "no key here has its key's id and issuer",
    TicketFlaw.KID_EXPIRED: "its key is not in use at that time",
    TicketFlaw.SIGNATURE: "its signature does not hold",
    TicketFlaw.NOT_YET: "it has not begun, or was issued in the future",
    TicketFlaw.EXPIRED: "it has ended",
    TicketFlaw.DOOR: "it is for another door or site",
    TicketFlaw.REVOKED: "it was called back",
    TicketFlaw.USED: "it was used as often as it may",
    TicketFlaw.REPLAY: "this code was shown before",
    TicketFlaw.ROTATION: "its changing code is missing, wrong or of another time",
    TicketFlaw.CLOCK_UNKNOWN: "nobody knows what time it is",
    TicketFlaw.RATE_LIMITED: "too many wrong codes at this reader",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found: the ticket as far as it was readable, and its flaws."""

    ticket: Ticket | None
    is_verified: bool
    flaws: tuple[TicketRefusal, ...]

    @property
    def opens(self) -> bool:
        """Whether a gateway would let it in, if it was not used before."""
        return not self.flaws


def inspect(
    text: str, keys: TicketKeys, at_ms: int, *, site: str | None, door: str | None
) -> Inspection:
    """Judge a text at a time; without a site or door, at those that it names."""
    now = Moment(monotonic_s=0.0, earliest_ms=at_ms, latest_ms=at_ms, boot="inspect")
    payload = text.encode(errors="replace")
    shown = TicketReader(keys).read(payload, candidate_steps(now))
    spoilt: tuple[TicketRefusal, ...] = ()
    ticket: Ticket | None
    if isinstance(shown, SpoiltTicket):
        spoilt, ticket = (refusal(shown.flaw),), _unverified(payload)
    else:
        ticket = shown
    if ticket is None:
        return Inspection(ticket=None, is_verified=False, flaws=spoilt)
    place = _place(ticket, site, door)
    flaws = (*spoilt, *refusals(ticket, place, now))
    return Inspection(ticket=ticket, is_verified=not spoilt, flaws=flaws)


def run_inspect(
    text: str,
    keys: Path | None,
    at_ms: int,
    *,
    site: str | None,
    door: str | None,
    as_json: bool,
) -> int:
    """Print what a ticket says; 1 if it would not open."""
    known = TicketKeys(keys=())
    if keys is not None:
        known = read_ticket_keys(keys, accepts_test_patterns=True)
    found = inspect(text, known, at_ms, site=site, door=door)
    if as_json:
        print(json.dumps(as_values(found)))
    else:
        print("\n".join(in_words(found, at_ms)))
    return GOOD if found.opens else TROUBLE


def as_values(found: Inspection) -> dict[str, Any]:
    """Return what was found for a program."""
    flaws = [{"reason": flaw.reason.value, **dict(flaw.facts)} for flaw in found.flaws]
    told = {"opens": found.opens, "verified": found.is_verified, "flaws": flaws}
    return told | {"ticket": _claims(found.ticket) if found.ticket else None}


def in_words(found: Inspection, at_ms: int) -> list[str]:
    """Return what was found, line by line, for a person."""
    lines = []
    if found.ticket is not None:
        told = _told(found.ticket, is_verified=found.is_verified)
        lines = [f"{name:10} {value}" for name, value in told]
    if found.opens:
        lines.append(f"Opens at {said(at_ms)}, if it was not used up before.")
        return lines
    lines.append(f"Does not open at {said(at_ms)}:")
    lines += [f"- {_why(flaw)}" for flaw in found.flaws]
    return lines


def _unverified(payload: bytes) -> Ticket | None:
    form = form_of(payload)
    if isinstance(form, TicketFlaw):
        return None
    claims = read_claims(form.claims)
    return replace(claims.ticket, rotation=Rotation.UNCHECKED) if claims else None


def _place(ticket: Ticket, site: str | None, door: str | None) -> TicketPlace:
    names = frozenset[int | str](ticket.doors)
    if door is not None:
        names = frozenset[int | str]({int(door) if door.isdecimal() else door})
    return TicketPlace(site_id=site or ticket.audience or "", names=names)


def _why(flaw: TicketRefusal) -> str:
    facts = {name: value for name, value in flaw.facts if name != "detail"}
    more = "".join(f", {name} {_fact(name, value)}" for name, value in facts.items())
    return f"{flaw.reason} ({flaw.flaw}): {WORDS[flaw.flaw]}{more}"


def _fact(name: str, value: int | str) -> str:
    if name.endswith("_ms") and isinstance(value, int):
        return said(value)
    return str(value)


def _told(ticket: Ticket, *, is_verified: bool) -> list[tuple[str, str]]:
    issued, entries = ticket.issued_ms, ticket.uses
    sealed = f"key {ticket.key_id} holds" if is_verified else "not verified, read only"
    step = "" if ticket.rotation_step is None else f", step {ticket.rotation_step}"
    return [
        ("ticket", ticket.ticket_id),
        ("signature", sealed),
        ("issuer", ticket.issuer or "not said"),
        ("site", ticket.audience or "not said"),
        ("doors", ", ".join(map(str, ticket.doors))),
        ("begins", said(ticket.not_before_ms)),
        ("ends", said(ticket.expires_ms)),
        ("issued", "not said" if issued is None else said(issued)),
        ("uses", f"{entries}" if entries else "any number"),
        ("party", f"{ticket.party} person{'s' * (ticket.party > 1)}"),
        ("kind", "emergency" if ticket.is_emergency else "ordinary"),
        ("code", f"{ticket.rotation}{step}"),
    ]


def _claims(ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket_id": ticket.ticket_id,
        "key": ticket.key_id,
        "issuer": ticket.issuer,
        "site": ticket.audience,
        "doors": list(ticket.doors),
        "from_ms": ticket.not_before_ms,
        "to_ms": ticket.expires_ms,
        "issued_ms": ticket.issued_ms,
        "uses": ticket.uses,
        "party": ticket.party,
        "emergency": int(ticket.is_emergency),
        "rotation": ticket.rotation.value,
        "step": ticket.rotation_step,
    }
