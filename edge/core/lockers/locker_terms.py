# SPDX-License-Identifier: Apache-2.0
"""When a rental is over, what it then costs, and which compartment is the next given.

The law of the module: pure; over is what is surely over. A booking has its space's
grace, a walk-in too; a parcel was promised until a time and no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.lockers.rental import RentalKind
from edge.core.plan import MINUTE_MS, SIZES
from edge.core.spaces.fares import fare

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.event import Facts
    from edge.core.lockers.compartment import Compartment
    from edge.core.lockers.rental import Rental
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking
    from edge.core.plan import BankPlan, SitePlan, Size


def booking_of(rental: Rental, bookings: list[Booking]) -> Booking | None:
    """Return the rental's booking as the roster has it now, if it still has it."""
    if not rental.booking:
        return None
    return next((b for b in bookings if b.booking_id == rental.booking), None)


def over_ms(
    rental: Rental, booking: Booking | None, bank: BankPlan, site: SitePlan
) -> int:
    """Return when (UTC ms) a rental is over; a prolonged booking goes on."""
    end_ms = rental.end_ms if booking is None else booking.to_ms
    if rental.kind is RentalKind.PARCEL:
        return end_ms
    return end_ms + site.spaces[bank.space_id].grace_ms


def is_last_opening(
    rental: Rental,
    booking: Booking | None,
    bank: BankPlan,
    site: SitePlan,
    now: Moment,
) -> bool:
    """Say whether a rental ends when its holder has opened it now.

    What was overdue stays so on a clock that has become unsure, unless prolonged.
    """
    if rental.is_parcel:
        return True
    if now.earliest_ms >= over_ms(rental, booking, bank, site):
        return True
    is_prolonged = booking is not None and booking.to_ms > rental.end_ms
    return rental.is_overdue and not is_prolonged


def due_facts(rental: Rental, bank: BankPlan, site: SitePlan, now: Moment) -> Facts:
    """Return what is due of a walk-in who kept a compartment beyond his time.

    ``over_min``: whole minutes beyond the end; ``due_fen``: these at the bank's fare.
    """
    is_over = now.earliest_ms >= over_ms(rental, None, bank, site)
    if rental.kind is not RentalKind.WALK_IN or not is_over:
        return ()
    minutes = (now.earliest_ms - rental.end_ms) // MINUTE_MS
    owed = fare(bank.fare, minutes, 0)
    return (("due_fen", owed.fen), ("over_min", minutes))


def vacant(
    bank: BankPlan, compartments: Mapping[int, Compartment], size: Size | None
) -> int | None:
    """Return a vacant compartment of the size, else of the next bigger one.

    No size: the smallest there is.
    """
    least = SIZES.index(size) if size else 0
    for each in SIZES[least:]:
        for number, plan in sorted(bank.compartments.items()):
            is_fit = plan.size == each and not plan.is_medicine_box
            if is_fit and compartments[number].is_vacant:
                return number
    return None
