# SPDX-License-Identifier: Apache-2.0
"""Who is known, and what they may: the platform's roster and this site's, in one.

The law of the module: a view that decides nothing and keeps nothing of its own. The
platform goes first: who it disabled or revoked stays so, whatever was done here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.people.entries import Cardholder, Policy
from edge.core.people.local import LocalRoster
from edge.core.people.roster import EMPTY, LOST
from edge.core.people.terms import narrowed
from edge.core.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge.core.people.community_rows import Contact
    from edge.core.people.entries import Booking, Elder
    from edge.core.people.local import LocalHolder
    from edge.core.people.roster import Cursor, Roster
    from edge.core.people.roster_row import PolicyRow, TicketKey
    from edge.core.people.shift_row import PlannedShift, ShiftRow
    from edge.core.plan import SitePlan

#: The language of those whom nobody has asked for theirs.
LANGUAGE = "zh-CN"


class Rolls:
    """One site's people; the roster in it is swapped whole by :meth:`adopt`."""

    def __init__(
        self,
        site: SitePlan,
        local: LocalRoster | None = None,
        roster: Roster = EMPTY,
        *,
        confirmed_ms: int = 0,
    ) -> None:
        self._site = site
        self._local = local if local is not None else LocalRoster()
        self._policies: dict[str, tuple[Policy, ...]] = {}
        self.adopt(roster, confirmed_ms)

    def adopt(self, roster: Roster, confirmed_ms: int) -> None:
        """Put another roster in force, which the platform called current then."""
        self._roster = roster
        self.confirmed_ms = confirmed_ms
        #: What the platform called back stands in them; asked for at every scan.
        self._tables = tables = roster.tables
        #: Who is to be fetched in an emergency, in that order.
        self.elders: tuple[Elder, ...] = tuple(tables.elders)
        #: Whom to call for a neighbourhood.
        self.contacts: tuple[Contact, ...] = tuple(tables.contacts)
        #: Whose minutes a social worker has confirmed.
        self.confirmed_shifts: tuple[ShiftRow, ...] = tuple(tables.shifts)
        #: Who is to be on duty when, in that order.
        self.planned_shifts: tuple[PlannedShift, ...] = tuple(tables.plans)
        #: The platform's keys, by which tickets prove themselves.
        self.ticket_keys: tuple[TicketKey, ...] = tuple(tables.ticket_keys)
        #: The spaces on the terms that hold: the site file's, or narrower ones.
        self.spaces = narrowed(self._site, tables.spaces, tables.schedules)
        self._policies = {}
        for row in tables.policies:
            before = self._policies.get(row.role, ())
            self._policies[row.role] = (*before, self._policy(row))

    def confirm(self, confirmed_ms: int) -> None:
        """Note that the platform has called what is held current (UTC ms)."""
        self.confirmed_ms = max(self.confirmed_ms, confirmed_ms)

    @property
    def cursor(self) -> Cursor:
        """Where in the platform's feed the roster stands."""
        return self._roster.cursor

    @property
    def roster(self) -> Roster:
        """The platform's roster in force."""
        return self._roster

    def find(self, *tokens: bytes) -> Cardholder | None:
        """Return whose a card is: by the platform, else by what was bound here.

        ``tokens`` are those of one card, under each site key that is held. What they
        name two holders for is nobody's: one of them is a mistake.
        """
        found = self._of_platform(tokens)
        if found is not None:
            return self._with_local(found) if self._local.holders else found
        owner = self._local.owner(*tokens)
        if owner is None or self.lists(*tokens):  # a mistake is nobody's
            return None
        return self.holder(owner)

    def _of_platform(self, tokens: tuple[bytes, ...]) -> Cardholder | None:
        if len(tokens) == 1:
            return self._roster.find(tokens[0])
        found = [self._roster.find(each) for each in tokens if self.lists(each)]
        first = found[0] if found else None
        if first is None:
            return None
        is_his = all(each and each.holder_id == first.holder_id for each in found)
        return first if is_his else None

    def lists(self, *tokens: bytes) -> bool:
        """Say whether the platform knows a card, be it as somebody's or by mistake."""
        return any(self._roster.lists(token) for token in tokens)

    def holder(self, holder_id: str) -> Cardholder | None:
        """Return a holder by his name, or None where he is gone from both scopes."""
        found = self._roster.holder(holder_id)
        if found is not None:
            return self._with_local(found)
        held = self._local.holders.get(holder_id)
        return _stranger(holder_id, held) if held is not None else None

    def is_local(self, holder_id: str) -> bool:
        """Say whether two persons here vouched for a holder, platform's or not."""
        return holder_id in self._local.holders

    def revocation(self, *tokens: bytes) -> str | None:
        """Return why one of a card's tokens was revoked, or None.

        A card that was reported lost stays lost, under whichever key it was.
        """
        revoked = self._tables.revoked
        if not revoked:
            return None
        reasons = [revoked[token] for token in tokens if token in revoked]
        return LOST if LOST in reasons else next(iter(reasons), None)

    def holder_revocation(self, holder_id: str) -> str | None:
        """Return why nothing of a holder opens, or None; the platform's word first."""
        why = self._tables.revoked_holders.get(holder_id)
        return why if why is not None else self._local.revoked.get(holder_id)

    def ticket_revocation(self, ticket_id: str) -> str | None:
        """Return why a ticket opens nothing: revoked, or its booking is cancelled."""
        return self._tables.revoked_tickets.get(ticket_id)

    def bookings(
        self, holder_id: str, here: tuple[str, int, int] | None = None
    ) -> list[Booking]:
        """Return the holder's confirmed bookings, earliest first.

        ``here``: a room, and a stretch of UTC ms, half-open, that they touch.
        """
        if here is None:
            return self._roster.bookings(holder_id)
        return self._roster.bookings_here(holder_id, *here)

    def booking(self, booking_id: str) -> tuple[str, Booking] | None:
        """Return a booking and whose it is, by its name: a search, for orders alone."""
        return self._roster.booking(booking_id)

    def booked(
        self, space_id: str, from_ms: int, to_ms: int
    ) -> Iterator[tuple[str, Booking]]:
        """Yield whose and which bookings of a room touch ``[from_ms, to_ms)``."""
        return self._roster.booked(space_id, from_ms, to_ms)

    def policies(self, roles: Iterable[str]) -> tuple[Policy, ...]:
        """Return what the roles may enter by schedule."""
        known = self._policies
        return tuple(policy for role in roles for policy in known.get(role, ()))

    def is_paid(self, booking: Booking) -> bool:
        """Say whether nothing is due for a booking, or cash was taken for it."""
        return booking.due_fen == 0 or self._local.is_settled(booking)

    def _with_local(self, known: Cardholder) -> Cardholder:
        """Add the roles that two persons here gave to somebody of the platform's."""
        held = self._local.holders.get(known.holder_id)
        if held is None:
            return known
        roles = dict.fromkeys((*known.roles, *held.roles))
        return replace(known, roles=tuple(roles))

    def _policy(self, row: PolicyRow) -> Policy:
        schedule = None
        if row.week is not None:
            offset_ms = self._site.utc_offset_ms
            schedule = Schedule(week=row.week, utc_offset_ms=offset_ms)
        return Policy(
            policy_id=row.policy_id,
            role=row.role,
            places=row.places,
            schedule=schedule,
        )


def _stranger(holder_id: str, held: LocalHolder) -> Cardholder:
    return Cardholder(
        holder_id=holder_id,
        roles=held.roles,
        language=LANGUAGE,
        is_enabled=True,
        needs_extended_time=False,
        valid_to_ms=held.until_ms,
    )
