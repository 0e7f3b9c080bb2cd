# SPDX-License-Identifier: Apache-2.0
"""What entitles somebody to enter, and what he is told if nothing does.

The law of the module: a booking, else a policy, else walking in (ruling 21). Every
booking that might be the one is an entitlement of its own: the text does not say
which of two is used. A remedy is looked for at both ends of the interval, and either
may be told.
Source: ARCHITECTURE.md, rulings 20 to 22, 26 to 28; trust table "Interval vs booking".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.hours import Lies, has_opened_since, lies, next_opening_ms
from edge.cli.simulate.oracle.question import CARDS
from edge.core.access.answers import DenyReason
from edge.core.plan import EntryRule, PersonClass

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.book import Book, Grounds
    from edge.cli.simulate.oracle.entries import Entries
    from edge.cli.simulate.oracle.question import Asked
    from edge.core.people.entries import Booking
    from edge.core.plan import SitePlan, SpacePlan

_DAY_MS = 86_400_000
#: So many may enter by one booking while nobody knows the time.
MOST_UNVERIFIED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """One way in: by a booking, by a policy, by a ticket, or by walking in."""

    booking: Booking | None = None
    is_policy: bool = False
    is_walk_in: bool = False
    is_unsure: bool = False
    #: Whether its whole party may be inside.
    is_full: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it holds now, whatever the house does not know."""
        return not (self.is_unsure or self.is_full)

    @property
    def persons(self) -> int:
        """How many people a scan by it stands for, if all of them at once."""
        booking = self.booking
        return booking.party if booking is not None and booking.counts_all else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """All that is known of everybody's rights."""

    plan: SitePlan
    book: Book
    entries: Entries


def entitlements(asked: Asked, register: Register) -> list[Entitlement]:
    """Return what may let him in; nothing if nothing does."""
    found = _by_booking(asked, register)
    if any(each.is_sure for each in found):
        return found
    found += _by_policy(asked, register)
    if not any(each.is_sure for each in found):
        found += _by_walking_in(asked)
    return found


def is_one_full(asked: Asked, register: Register) -> bool:
    """Say whether some booking of his is surely running, and perhaps full."""
    return any(
        _lies(asked, booking, asked.space) is Lies.INSIDE
        and register.entries.parties.used(booking.booking_id)[1] >= booking.party
        for booking in _rooms(asked, register)
    )


def refusals(asked: Asked, register: Register) -> frozenset[DenyReason]:
    """Return what he may be told, nothing letting him in."""
    if asked.holder is None:
        return frozenset({DenyReason.UNAUTHORIZED})
    full = [
        booking
        for booking in _rooms(asked, register)
        if _lies(asked, booking, asked.space) is not Lies.OUTSIDE
    ]
    sure = [b for b in full if _lies(asked, b, asked.space) is Lies.INSIDE]
    told = {DenyReason.PARTY_FULL} if full else set()
    if full and not sure:
        told.add(DenyReason.CLOCK_UNTRUSTED)  # full, if it is now at all
    if not sure:
        ends = {_remedy(asked, register, at) for at in (asked.lo_ms, asked.hi_ms)}
        told |= ends | _in_between(asked, register)
    return frozenset(told)


def _by_booking(asked: Asked, register: Register) -> list[Entitlement]:
    found = []
    for booking in _rooms(asked, register):
        where = _lies(asked, booking, asked.space)
        least, most = register.entries.parties.used(booking.booking_id)
        if where is Lies.OUTSIDE or least >= booking.party:
            continue
        found.append(
            Entitlement(
                booking=booking,
                is_unsure=where is Lies.PARTLY,
                is_full=most >= booking.party,
            )
        )
    return found


def _by_policy(asked: Asked, register: Register) -> list[Entitlement]:
    if asked.holder is None:
        return []
    is_free = asked.person is PersonClass.RESPONDER
    found = []
    for policy in _policies(asked, register):
        where = Lies.INSIDE
        if policy.hours is not None and not is_free:
            where = lies(policy.hours, asked.lo_ms, asked.hi_ms)
        if where is not Lies.OUTSIDE:
            is_unsure = where is Lies.PARTLY
            found.append(Entitlement(is_policy=True, is_unsure=is_unsure))
    return found


def _by_walking_in(asked: Asked) -> list[Entitlement]:
    if asked.space.entry is EntryRule.BOOKING:
        return []
    if asked.holder is None and asked.kind not in CARDS:
        return []
    return [Entitlement(is_walk_in=True)]


def _remedy(asked: Asked, register: Register, at_ms: int) -> DenyReason:
    """Return the nearest remedy as it is at one instant."""
    assert asked.holder is not None  # noqa: S101  whoever asks has looked
    plan = register.plan
    for space in plan.spaces.values():
        for booking in register.book.booked_by(asked.holder.holder_id, space.space_id):
            start_ms, end_ms = _window(booking, space)
            is_elsewhere = space.space_id != asked.space.space_id
            if booking.size is None and is_elsewhere and start_ms <= at_ms < end_ms:
                return DenyReason.WRONG_SPACE
    rooms = _rooms(asked, register)
    policies = [p for p in _policies(asked, register) if p.hours is not None]
    day = (at_ms + plan.utc_offset_ms) // _DAY_MS
    midnight_ms = day * _DAY_MS - plan.utc_offset_ms
    left_ms = midnight_ms + _DAY_MS - 1 - at_ms
    if any(_window(booking, asked.space)[0] > at_ms for booking in rooms):
        return DenyReason.TOO_EARLY
    for policy in policies:
        if policy.hours and next_opening_ms(policy.hours, at_ms, left_ms) is not None:
            return DenyReason.TOO_EARLY
    if any((b.to_ms + plan.utc_offset_ms) // _DAY_MS == day for b in rooms):
        return DenyReason.TOO_LATE
    for policy in policies:
        if policy.hours and has_opened_since(policy.hours, midnight_ms, at_ms):
            return DenyReason.TOO_LATE
    return DenyReason.UNAUTHORIZED


def _in_between(asked: Asked, register: Register) -> set[DenyReason]:
    """Return the remedies at every instant of the interval at which they change."""
    found = set()
    assert asked.holder is not None  # noqa: S101  whoever asks has looked
    for space in register.plan.spaces.values():
        for booking in register.book.booked_by(asked.holder.holder_id, space.space_id):
            for edge in (*_window(booking, space), booking.to_ms):
                if asked.lo_ms < edge <= asked.hi_ms:
                    found.add(_remedy(asked, register, edge))
    return found


def _rooms(asked: Asked, register: Register) -> list[Booking]:
    """Return his bookings of this room; those of a compartment open no door."""
    if asked.holder is None:
        return []
    booked = register.book.booked_by(asked.holder.holder_id, asked.space.space_id)
    return [booking for booking in booked if booking.size is None]


def _policies(asked: Asked, register: Register) -> list[Grounds]:
    assert asked.holder is not None  # noqa: S101  whoever asks has looked
    here = (asked.space.space_id, asked.door.door_id, asked.point.access_point_id)
    return [
        policy
        for policy in register.book.policies
        if policy.role in asked.holder.roles and policy.reaches(*here)
    ]


def _window(booking: Booking, space: SpacePlan) -> tuple[int, int]:
    return booking.from_ms - space.lead_ms, booking.to_ms + space.grace_ms


def _lies(asked: Asked, booking: Booking, space: SpacePlan) -> Lies:
    return asked.lies_to(*_window(booking, space))
