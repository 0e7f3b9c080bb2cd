# SPDX-License-Identifier: Apache-2.0
"""One row of the platform's feed as the rules understand it.

The law of the module: a row is checked here, once, before it can open anything; a
body that does not fit is a ValueError that says which row and which field. What
forbids is read more kindly than what allows: a revocation holds as soon as it is
known whom or what it means, and its flaw is told beside it.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.core.credential import CredentialKind
from edge.core.moment import UNBOUNDED_MS
from edge.core.people import community_rows
from edge.core.people.entries import EVERYWHERE, Elder
from edge.core.people.row_body import Body
from edge.core.people.shift_row import PlannedShift, ShiftRow, read_shift
from edge.core.plan import DAY_MS
from edge.core.schedule import read_hours

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.plan import Size
    from edge.core.schedule import Window

#: Bounds of one row: more is a mistake of the sender, not a bigger family.
MAX_PARTY = 500
MAX_BOOKING_MS = 31 * DAY_MS
MAX_FEN = 10_000_000
MAX_PLACES = 64
MAX_CARE_DAYS = 366
MAX_ORDER = 10_000
MAX_NEEDS = 4
#: Stands for what of a name is not shown.
MASK = "*"
#: Characters before a mask that the sender set: 欧阳*, Mrs Ch*.
MAX_HEAD = 8
#: As the reader of tickets takes them.
KEY_BYTES = 32
MAX_KEY_ID_BYTES = 4
MAX_TICKET_BYTES = 16
MAX_ISSUER = 8
#: The last moment that may stand in a row.
LATEST_MS = 1 << 52
#: The last number that a site key may have.
LATEST_KEY = (1 << 53) - 1
#: Why something was revoked, where the platform did not say it readably.
UNSTATED = "UNSTATED"
#: Why a ticket of a cancelled booking is.
CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderRow:
    """A person with roles and credentials ``(kind, token)``."""

    holder_id: str
    roles: tuple[str, ...]
    language: str
    is_enabled: bool
    needs_extended_time: bool
    credentials: tuple[tuple[CredentialKind, bytes], ...] = field(repr=False)
    valid_from_ms: int = 0
    valid_to_ms: int = UNBOUNDED_MS
    care_days: int = 0
    #: The number of the site key of these tokens; 0 where the row does not say.
    site_key: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRow:
    """A booking: UTC ms, half-open; of a compartment if it names a size."""

    booking_id: str
    holder_id: str
    space_id: str
    from_ms: int
    to_ms: int
    party: int
    is_confirmed: bool
    size: Size | None = None
    due_fen: int = 0
    counts_all: bool = False
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRow:
    """A token, a holder, a ticket, or several of them, that open nothing any more.

    ``flaw``: what else in the row could not be read, as an error would say it.
    """

    token: bytes = field(default=b"", repr=False)
    holder_id: str = ""
    ticket: str = ""
    reason: str
    flaw: str = ""
    site_key: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """What a role may enter; ``week`` as a schedule has it, None: at any time."""

    policy_id: str
    role: str
    places: frozenset[str]
    week: tuple[tuple[Window, ...], ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketKey:
    """A public key (Ed25519) that signs tickets, for these doors; none: for all."""

    key_id: bytes
    public: bytes
    from_ms: int
    to_ms: int
    issuer: str
    doors: tuple[str, ...]


TableRow = (
    PolicyRow
    | TicketKey
    | Elder
    | ShiftRow
    | PlannedShift
    | community_rows.CommunityRow
)
RosterRow = HolderRow | BookingRow | RevocationRow | TableRow


def parse_row(kind: str, row_id: str, body: object) -> RosterRow | None:
    """Check a row; None for a kind that this version does not know (ignored)."""
    parser = _PARSERS.get(kind)
    if parser is None:
        return None
    return parser(row_id, Body(kind, row_id, body))


def _holder(row_id: str, fields: Body) -> HolderRow:
    credentials = []
    for entry in fields.texts("credentials"):
        kind, _, token = entry.partition(":")
        if kind not in CredentialKind.__members__:
            raise fields.wrong("credentials", "KIND:TOKEN with a known kind")
        pair = (CredentialKind(kind), fields.token("credentials", token))
        credentials.append(pair)
    from_ms = fields.number("valid_from", 0, LATEST_MS, 0)
    return HolderRow(
        holder_id=row_id,
        roles=fields.roles("roles"),
        language=fields.text("language"),
        is_enabled=fields.flag("enabled"),
        needs_extended_time=fields.flag("extended"),
        credentials=tuple(credentials),
        valid_from_ms=from_ms,
        valid_to_ms=fields.number("valid_to", from_ms + 1, LATEST_MS, UNBOUNDED_MS),
        care_days=fields.number("care_days", 0, MAX_CARE_DAYS, 0),
        site_key=_site_key(fields),
    )


def _site_key(fields: Body) -> int:
    return fields.number("key", 1, LATEST_KEY) if "key" in fields else 0


def _booking(row_id: str, fields: Body) -> BookingRow | RevocationRow:
    state = fields.text("state")
    if state not in ("CONFIRMED", CANCELLED):
        raise fields.wrong("state", f"CONFIRMED or {CANCELLED}")
    ticket = _ticket(fields) if "ticket" in fields else ""
    try:
        return _whole_booking(row_id, fields, ticket, is_confirmed=state != CANCELLED)
    except ValueError as flaw:
        if state != CANCELLED or not ticket:
            raise
        return RevocationRow(ticket=ticket, reason=CANCELLED, flaw=str(flaw))


def _whole_booking(
    row_id: str, fields: Body, ticket: str, *, is_confirmed: bool
) -> BookingRow:
    from_ms = fields.number("from", 0, LATEST_MS - MAX_BOOKING_MS)
    return BookingRow(
        booking_id=row_id,
        holder_id=fields.text("holder"),
        space_id=fields.text("space"),
        from_ms=from_ms,
        to_ms=fields.number("to", from_ms + 1, from_ms + MAX_BOOKING_MS),
        party=fields.number("party", 1, MAX_PARTY),
        is_confirmed=is_confirmed,
        size=fields.size("size"),
        due_fen=fields.number("due", 0, MAX_FEN, 0),
        counts_all=fields.flag("counts_all", 0),
        ticket=ticket,
    )


def _ticket(fields: Body) -> str:
    """Return a ticket's id as the reader of tickets writes it."""
    return fields.hexadecimal("ticket", 1, MAX_TICKET_BYTES).hex()


def _revocation(_: str, fields: Body) -> RevocationRow:
    flaws: list[str] = []

    def read(name: str, reader: Callable[[], str]) -> str:
        if name not in fields:
            return ""
        try:
            return reader()
        except ValueError as flaw:
            flaws.append(str(flaw))
            return ""

    token = read("token", lambda: fields.token("token", fields.text("token")).hex())
    holder = read("holder", lambda: fields.text("holder"))
    ticket = read("ticket", lambda: _ticket(fields))
    if not (token or holder or ticket):
        if flaws:
            raise ValueError(flaws[0])
        raise fields.wrong("token", "a token, or a holder or ticket in its place")
    try:
        reason = fields.text("reason")
    except ValueError as flaw:
        flaws.append(str(flaw))
        reason = UNSTATED
    try:
        site_key = _site_key(fields)
    except ValueError as flaw:
        flaws.append(str(flaw))
        site_key = 0
    return RevocationRow(
        token=bytes.fromhex(token),
        holder_id=holder,
        ticket=ticket,
        reason=reason,
        flaw=flaws[0] if flaws else "",
        site_key=site_key,
    )


def _policy(row_id: str, fields: Body) -> PolicyRow:
    if fields.is_word("places", EVERYWHERE):
        places: tuple[str, ...] = (EVERYWHERE,)
    else:
        places = fields.texts("places", MAX_PLACES)
    role = fields.text("role")
    return PolicyRow(
        policy_id=row_id, role=role, places=frozenset(places), week=_week(fields)
    )


def _week(fields: Body) -> tuple[tuple[Window, ...], ...] | None:
    if fields.is_word("hours", ""):
        return None
    told = fields.long_text("hours")
    try:
        return read_hours(told)
    except ValueError as flaw:
        raise fields.wrong("hours", "hours such as mon-fri 08:00-22:00") from flaw


def _ticket_key(_: str, fields: Body) -> TicketKey:
    issuer = "" if fields.is_word("issuer", "") else fields.text("issuer")
    if len(issuer) > MAX_ISSUER or not issuer.isascii():
        raise fields.wrong("issuer", f"at most {MAX_ISSUER} ASCII characters")
    from_ms = fields.number("from", 0, LATEST_MS - 1)
    return TicketKey(
        key_id=fields.hexadecimal("kid", 1, MAX_KEY_ID_BYTES),
        public=fields.hexadecimal("key", KEY_BYTES, KEY_BYTES),
        from_ms=from_ms,
        to_ms=fields.number("to", from_ms + 1, LATEST_MS),
        issuer=issuer,
        doors=fields.texts("doors", MAX_PLACES),
    )


def _elder(_: str, fields: Body) -> Elder:
    return Elder(
        holder_id=fields.text("holder"),
        order=fields.number("order", 0, MAX_ORDER),
        route=fields.text("route"),
        grid=fields.text("grid", ""),
        label=masked(fields.text("name", "")),
        place=fields.text("place", ""),
        needs=fields.texts("needs", MAX_NEEDS) if "needs" in fields else (),
    )


def masked(name: str) -> str:
    """Return a name as neighbours may read it: 陈*; of one masked already its head."""
    head, mask, _ = name.strip().partition(MASK)
    shown = head[: MAX_HEAD if mask else 1]
    return shown + MASK if shown else ""


_PARSERS: dict[str, Callable[[str, Body], RosterRow]] = {
    "holder": _holder,
    "booking": _booking,
    "revocation": _revocation,
    "policy": _policy,
    "ticket_key": _ticket_key,
    "elder": _elder,
    "shift": read_shift,
    "grid": community_rows.read_grid,
    "contact": community_rows.read_contact,
    "office": community_rows.read_office,
    "notice": community_rows.read_notice,
    "space": community_rows.read_space,
    "schedule": community_rows.read_schedule,
}
