# SPDX-License-Identifier: Apache-2.0
"""Who is known and who has booked, as plain lists.

The law of the module: values and searches from end to end, no index; a roster is
read once when it is adopted, and the rows of the feed can be read the same way, so
that both can be compared.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edge.core.moment import UNBOUNDED_MS
from edge.core.people.entries import EVERYWHERE, Booking, Cardholder
from edge.core.schedule import Schedule, read_hours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edge.core.people.roster import Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """A policy: for whom, where (ids; all, if EVERYWHERE is one) and when."""

    role: str
    places: frozenset[str]
    hours: Schedule | None = None

    def reaches(self, *places: str) -> bool:
        """Say whether it is for one of these places."""
        return EVERYWHERE in self.places or not self.places.isdisjoint(places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One roster: holders by id, whose a token is, bookings with their holders."""

    revision: int = 0
    holders: Mapping[str, Cardholder] = field(default_factory=dict)
    tokens: Mapping[bytes, str] = field(default_factory=dict, repr=False)
    bookings: tuple[tuple[str, Booking], ...] = ()
    revoked_tokens: frozenset[bytes] = field(default=frozenset(), repr=False)
    revoked_holders: frozenset[str] = frozenset()
    revoked_tickets: frozenset[str] = frozenset()
    policies: tuple[Grounds, ...] = ()

    def whose(self, token: bytes) -> Cardholder | None:
        """Return the holder of a token."""
        return self.holders.get(self.tokens.get(token, ""))

    def booked_by(self, holder: str, space: str) -> list[Booking]:
        """Return what a holder has booked in a space, rooms and compartments."""
        return [
            booking
            for whose, booking in self.bookings
            if whose == holder and booking.space_id == space
        ]


NO_KEYS: Mapping[bytes, bytes] = MappingProxyType({})


def read_roster(
    roster: Roster,
    holders: Mapping[bytes, str],
    utc_offset_ms: int,
    first: Mapping[bytes, bytes] = NO_KEYS,
) -> Book:
    """Read what a roster says of everybody who may come (``holders`` by token).

    Every token stands for the one under the site's first key (``first``).
    """
    known = {token: roster.find(token) for token in holders}
    found = {token: holder for token, holder in known.items() if holder is not None}
    names = set(holders.values()) | {one.holder_id for one in found.values()}
    people = {name: roster.holder(name) for name in sorted(names)}
    tables = roster.tables
    return Book(
        revision=roster.cursor.revision,
        holders={name: one for name, one in people.items() if one is not None},
        tokens={first.get(t, t): one.holder_id for t, one in found.items()},
        bookings=tuple(
            (name, booking)
            for name, one in people.items()
            if one is not None
            for booking in roster.bookings(name)
        ),
        revoked_tokens=frozenset(first.get(t, t) for t in tables.revoked),
        revoked_holders=frozenset(tables.revoked_holders),
        revoked_tickets=frozenset(tables.revoked_tickets),
        policies=tuple(
            Grounds(
                role=row.role,
                places=row.places,
                hours=None
                if row.week is None
                else Schedule(week=row.week, utc_offset_ms=utc_offset_ms),
            )
            for row in tables.policies
        ),
    )


def read_rows(
    texts: Iterable[str],
    revision: int,
    utc_offset_ms: int,
    first: Mapping[bytes, bytes] = NO_KEYS,
) -> Book:
    """Read the canonical rows of the feed, which the platform wrote."""
    rows = [json.loads(text) for text in texts]
    of = {
        kind: {row["id"]: row["body"] for row in rows if row["kind"] == kind}
        for kind in ("holder", "booking", "revocation", "policy")
    }
    holders = {name: _holder(name, body) for name, body in of["holder"].items()}
    owners: dict[bytes, set[str]] = {}
    for name, body in of["holder"].items():
        for credential in body.get("credentials", []):
            token = _token(credential)
            owners.setdefault(first.get(token, token), set()).add(name)
    bookings = [
        (body["holder"], _booking(name, body))
        for name, body in of["booking"].items()
        if body["state"] == "CONFIRMED" and body["holder"] in holders
    ]
    cancelled = {
        body["ticket"]
        for body in of["booking"].values()
        if body["state"] != "CONFIRMED" and body.get("ticket")
    }
    lost = list(of["revocation"].values())
    called_back = [bytes.fromhex(b["token"]) for b in lost if b.get("token")]
    return Book(
        revision=revision,
        holders=holders,
        tokens={token: min(who) for token, who in owners.items() if len(who) == 1},
        bookings=tuple(bookings),
        revoked_tokens=frozenset(first.get(token, token) for token in called_back),
        revoked_holders=frozenset(b["holder"] for b in lost if b.get("holder")),
        revoked_tickets=frozenset(b["ticket"] for b in lost if b.get("ticket"))
        | cancelled,
        policies=tuple(_grounds(body, utc_offset_ms) for body in of["policy"].values()),
    )


def _token(credential: str) -> bytes:
    return bytes.fromhex(credential.rpartition(":")[2])


def _holder(name: str, body: Mapping[str, Any]) -> Cardholder:
    return Cardholder(
        holder_id=name,
        roles=tuple(body["roles"]),
        language=body["language"],
        is_enabled=bool(body["enabled"]),
        needs_extended_time=bool(body["extended"]),
        valid_from_ms=body.get("valid_from", 0),
        valid_to_ms=body.get("valid_to", UNBOUNDED_MS),
        care_days=body.get("care_days", 0),
    )


def _booking(name: str, body: Mapping[str, Any]) -> Booking:
    return Booking(
        booking_id=name,
        space_id=body["space"],
        from_ms=body["from"],
        to_ms=body["to"],
        party=body["party"],
        size=body.get("size"),
        due_fen=body.get("due", 0),
        counts_all=bool(body.get("counts_all", 0)),
        ticket=body.get("ticket", ""),
    )


def _grounds(body: Mapping[str, Any], utc_offset_ms: int) -> Grounds:
    told = body.get("hours")
    hours = None
    if told:
        hours = Schedule(week=read_hours(told), utc_offset_ms=utc_offset_ms)
    places = body["places"]
    named = [places] if isinstance(places, str) else places
    return Grounds(role=body["role"], places=frozenset(named), hours=hours)
