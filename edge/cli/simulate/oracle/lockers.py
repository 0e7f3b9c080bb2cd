# SPDX-License-Identifier: Apache-2.0
"""Compartments a second time: whose each is, and who may have one.

The law of the module: made of events; a compartment belongs to one holder from its
rental's start to its end, and a parcel to its receiver until he has it. The text
leaves a choice in these places, and both answers are taken: a booking's lead and
grace at a bank; what is told of a compartment that is out of order; which remedy is
told where several are near.
Source: ARCHITECTURE.md, "Lockers", rulings 11, 25, 28 and 31.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.hours import Lies
from edge.cli.simulate.oracle.ruling import (
    OPEN,
    PASS,
    Ruling,
    answers,
    class_of,
    either,
    refuse,
)
from edge.core.access.answers import DenyReason
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.plan import SIZES, PersonClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.cli.simulate.oracle.chronicle import Told
    from edge.cli.simulate.oracle.picture import Picture
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.plan import BankPlan
    from edge.core.stimulus import Scan

Place = tuple[str, int]
_STAFF = frozenset({PersonClass.RESPONDER, PersonClass.MANAGER, PersonClass.VOLUNTEER})
_BUSY_KINDS = frozenset(
    {EventKind.COMPARTMENT_FAULT, EventKind.COMPARTMENT_OUT_OF_ORDER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rental:
    """Whose a compartment is, and by which booking."""

    holder: str
    booking: str
    is_parcel: bool = False
    #: It opened for a parcel, and nobody has shut it on one yet.
    is_awaiting: bool = False


class Lockers:
    """Whose every compartment is, as the events that count tell it."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.rentals: dict[Place, Rental] = {}
        #: A rental that began where another had not ended: what must never be.
        self.doubled: tuple[Place, Rental, Rental] | None = None
        #: Places at which something went wrong, or is being seen to.
        self.troubled: set[Place] = set()
        self.open: set[Place] = set()
        #: Left by somebody, and not cleaned since.
        self.unclean: set[Place] = set()
        self.ended_bookings: set[str] = set()

    def take(self, told: Told) -> None:
        """Take the next event."""
        event = told.event
        number = event.fact("number")
        if not isinstance(number, int):
            return
        place = (event.subject, number)
        match event.kind:
            case EventKind.RENTAL_STARTED | EventKind.PARCEL_DEPOSITED:
                self._begin(place, told)
            case EventKind.RENTAL_ENDED | EventKind.PARCEL_COLLECTED:
                ended = self.rentals.pop(place, None)
                if ended is not None:
                    self.ended_bookings.add(ended.booking)
            case EventKind.COMPARTMENT_OPENED:
                self.open.add(place)
            case EventKind.COMPARTMENT_CLOSED:
                self.open.discard(place)
            case EventKind.COMPARTMENT_CLEANING if event.fact("what") == "due":
                self.unclean.add(place)
            case EventKind.COMPARTMENT_CLEANING:
                self.unclean.discard(place)
            case kind if kind in _BUSY_KINDS:
                self.troubled.add(place)
            case _:
                pass

    def of(self, bank: str, holder: str) -> list[Place]:
        """Return the compartments of a bank in which a holder has things.

        A parcel is its receiver's once the leaf was shut on it.
        """
        return [
            place
            for place, rental in self.rentals.items()
            if place[0] == bank and rental.holder == holder and not rental.is_awaiting
        ]

    def _begin(self, place: Place, told: Told) -> None:
        event = told.event
        moved_from = event.fact("moved_from")
        if isinstance(moved_from, int):
            self.rentals.pop((place[0], moved_from), None)
        rental = Rental(
            holder=event.person.holder or "",
            booking=event.person.booking or "",
            is_parcel=event.kind is EventKind.PARCEL_DEPOSITED,
            is_awaiting=event.fact("what") == "PARCEL"
            and event.kind is EventKind.RENTAL_STARTED,
        )
        held = self.rentals.get(place)
        if held is not None:
            # The compartment opened for a parcel was the receiver's from then on.
            is_his_parcel = rental.is_parcel and held.holder == rental.holder
            if not is_his_parcel:
                self.doubled = (place, held, rental)
        self.rentals[place] = rental


def right_locker_answers(
    picture: Picture, scan: Scan, bank: BankPlan, now: Moment
) -> frozenset[str]:
    """Return ``OPEN``, or reasons, or both: whatever would be right at a bank."""
    if picture.plan.access_points[scan.access_point].is_medicine_box:
        return frozenset({OPEN})
    if not scan.is_secure:
        return frozenset({DenyReason.READER_INSECURE.value})
    holder = picture.whose(scan.credential.tokens[-1])
    if holder is None:
        if bank.allows_walk_in or scan.credential.tokens[-1] in picture.local.bound:
            return frozenset({OPEN, *(reason.value for reason in DenyReason)})
        reasons = refuse(DenyReason.CREDENTIAL_NOT_FOUND, DenyReason.READER_PAUSED)
        return answers([_locked_down(picture, holder), reasons])
    if holder.holder_id in picture.local.held:
        return frozenset({OPEN, *(reason.value for reason in DenyReason)})
    own = picture.lockers.of(bank.bank_id, holder.holder_id)
    barred = list(_barred(picture, scan, holder, now))
    rulings = [_locked_down(picture, holder)]
    if own:
        rulings += [_lost(picture, scan, holder)]
        if picture.lockers.troubled.intersection(own):
            rulings += [either(*_OUT_OF_ORDER)]
        return answers(rulings)
    booked = _booked(picture, holder, bank, now)
    if bank.allows_walk_in:
        # Who has booked nothing may take what is free; what he is told if nothing
        # is, the text leaves open.
        booked = either(*booked.refusals, *_NO_WALK_IN)
    return answers([*rulings, *barred, booked])


_NO_WALK_IN = (
    DenyReason.NO_FREE_COMPARTMENT,
    DenyReason.CLOCK_UNTRUSTED,
    DenyReason.CLOSED,
    DenyReason.ROSTER_STALE,
)
_OUT_OF_ORDER = (DenyReason.NO_FREE_COMPARTMENT, DenyReason.STORAGE_FAULT)


def _locked_down(picture: Picture, holder: Cardholder | None) -> Ruling:
    if EmergencyState.LOCK_DOWN not in picture.standing.emergencies:
        return PASS
    is_staff = holder is not None and class_of(holder.roles) in _STAFF
    return PASS if is_staff else refuse(DenyReason.DOOR_LOCKED_DOWN)


def _lost(picture: Picture, scan: Scan, holder: Cardholder) -> Ruling:
    """Say whether who comes for his things may be somebody else with his card."""
    book, holder_id = picture.book, holder.holder_id
    is_listed = holder_id in book.revoked_holders
    if is_listed or scan.credential.tokens[-1] in book.revoked_tokens:
        return either(DenyReason.CREDENTIAL_REVOKED)  # the picture has no reason why
    if holder_id in picture.local.revoked:
        # Volunteers revoke on the spot what its holder has lost.
        return refuse(DenyReason.CREDENTIAL_REVOKED)
    return PASS


def _barred(
    picture: Picture, scan: Scan, holder: Cardholder, now: Moment
) -> Iterator[Ruling]:
    book, local = picture.book, picture.local
    is_lost = holder.holder_id in book.revoked_holders | local.revoked
    if is_lost or scan.credential.tokens[-1] in book.revoked_tokens:
        yield refuse(DenyReason.CREDENTIAL_REVOKED)
    if not holder.is_enabled:
        yield refuse(DenyReason.CREDENTIAL_NOT_ENABLED)
    if now.latest_ms < holder.valid_from_ms:
        yield refuse(DenyReason.CREDENTIAL_NOT_ACTIVE)
    if now.earliest_ms >= holder.valid_to_ms:
        yield refuse(DenyReason.CREDENTIAL_EXPIRED)


def _booked(
    picture: Picture, holder: Cardholder, bank: BankPlan, now: Moment
) -> Ruling:
    booked = picture.book.booked_by(holder.holder_id, bank.space_id)
    sized = [booking for booking in booked if booking.size is not None]
    rulings = [_by(picture, booking, bank, now) for booking in sized]
    if not rulings:
        return refuse(DenyReason.UNAUTHORIZED, DenyReason.WRONG_SPACE)
    told = frozenset[DenyReason]().union(*(ruling.refusals for ruling in rulings))
    may_pass = any(ruling.may_pass for ruling in rulings)
    must_pass = any(ruling.may_pass and ruling.is_sure for ruling in rulings)
    return PASS if must_pass else Ruling(told, may_pass=may_pass)


def _by(picture: Picture, booking: Booking, bank: BankPlan, now: Moment) -> Ruling:
    """Say what one booking of a compartment allows."""
    space = picture.plan.spaces[bank.space_id]
    strictly = _lies(now, booking.from_ms, booking.to_ms)
    widely = _lies(now, booking.from_ms - space.lead_ms, booking.to_ms + space.grace_ms)
    if widely is Lies.OUTSIDE:
        return refuse(*_remedies(booking, now))
    may = [] if strictly is Lies.INSIDE else [DenyReason.CLOCK_UNTRUSTED]
    if strictly is Lies.OUTSIDE:
        may += _remedies(booking, now)
    if booking.due_fen:
        is_noted = booking.booking_id in picture.local.cash
        if not is_noted:
            return refuse(DenyReason.PAYMENT_DUE, *may)
        may.append(DenyReason.PAYMENT_DUE)
    if booking.booking_id in picture.lockers.ended_bookings:
        may += [DenyReason.ALREADY_REDEEMED, DenyReason.UNAUTHORIZED]
    if strictly is Lies.PARTLY and widely is not Lies.INSIDE:
        return refuse(*may)  # at a bank an unsure clock gives nothing new
    if not _has_room(picture, booking, bank):
        may.append(DenyReason.NO_FREE_COMPARTMENT)
    return either(*may) if may else PASS


def _remedies(booking: Booking, now: Moment) -> list[DenyReason]:
    near = [DenyReason.UNAUTHORIZED, DenyReason.CLOCK_UNTRUSTED]
    if now.earliest_ms < booking.from_ms:
        near.append(DenyReason.TOO_EARLY)
    if now.latest_ms >= booking.to_ms:
        near.append(DenyReason.TOO_LATE)
    return near


def _has_room(picture: Picture, booking: Booking, bank: BankPlan) -> bool:
    """Say whether some compartment of the size, or a bigger one, is surely free."""
    lockers = picture.lockers
    spoken_for = lockers.rentals.keys() | lockers.open
    unfit = lockers.troubled | lockers.unclean
    least = SIZES.index(booking.size) if booking.size else 0
    for number, compartment in bank.compartments.items():
        place = (bank.bank_id, number)
        is_big_enough = SIZES.index(compartment.size) >= least
        is_for_rent = is_big_enough and not compartment.is_medicine_box
        if is_for_rent and place not in spoken_for and place not in unfit:
            return True
    return False


def _lies(now: Moment, start_ms: int, end_ms: int) -> Lies:
    if start_ms <= now.earliest_ms and now.latest_ms < end_ms:
        return Lies.INSIDE
    if now.latest_ms < start_ms or now.earliest_ms >= end_ms:
        return Lies.OUTSIDE
    return Lies.PARTLY
