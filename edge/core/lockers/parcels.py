# SPDX-License-Identifier: Apache-2.0
"""Parcels: a volunteer puts something in, its holder takes it out with card or code.

The law of the module: a compartment belongs to the receiver from the moment it opens
for the volunteer; he can open it once the leaf was shut on what is his. Collecting is
a scan at the bank like any other (``locker_decision``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.event import EventKind, Person
from edge.core.lockers.locker_state import rental_of
from edge.core.lockers.locker_terms import vacant
from edge.core.lockers.lockers import who
from edge.core.lockers.rental import RentalKind
from edge.core.plan import DAY_MS, SIZES

if TYPE_CHECKING:
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.order import ParcelOrdered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan

#: How long something may be promised to lie here; a bank is no store-room.
MAX_PARCEL_MS = 14 * DAY_MS


class Parcels:
    """Gives compartments to what is put in for a holder."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, lockers: Lockers, rolls: Rolls
    ) -> None:
        self._site = site
        self._out = out
        self._lockers = lockers
        self._rolls = rolls

    def deposit(self, order: ParcelOrdered, now: Moment) -> str:
        """Open a compartment for the volunteer; return why not.

        One that was to be opened for this receiver before, and was not, is given up:
        a slow disk or a jammed lock kept it, and nothing is inside.
        """
        flaw = self._unfit(order, now) or self._still_open(order)
        if flaw:
            return flaw
        self._lockers.end_unused(order.bank, now)
        for number, compartment in self._lockers.bank(order.bank).items():
            rental = compartment.rental
            if rental and rental.awaits_parcel and rental.holder == order.holder:
                self._lockers.end((order.bank, number), now, (("why", "unused"),))
        bank = self._site.banks[order.bank]
        free = vacant(bank, self._lockers.bank(order.bank), order.size)
        if free is None:
            return f"no compartment of size {order.size} or bigger is free"
        self._give((order.bank, free), order, now)
        return ""

    def _give(self, place: tuple[str, int], order: ParcelOrdered, now: Moment) -> None:
        bank, number = place
        by = who(order.actor)
        started = self._out.event(
            EventKind.RENTAL_STARTED,
            bank,
            now,
            facts=(
                *by,
                ("end", order.until_ms),
                ("number", number),
                ("what", RentalKind.PARCEL.value),
            ),
            person=Person(holder=order.holder),
        )
        self._lockers.rent(place, rental_of(started))
        self._lockers.open_by_staff(place, now, by)

    def _unfit(self, order: ParcelOrdered, now: Moment) -> str:
        if order.size not in SIZES:
            return f"sizes are {', '.join(SIZES)}"
        if self._rolls.holder(order.holder) is None:
            return "there is no such holder"
        if now.latest_ms >= order.until_ms:
            return "that time is over, or may be: the clock cannot tell"
        if order.until_ms > now.earliest_ms + MAX_PARCEL_MS:
            return f"a parcel waits {MAX_PARCEL_MS // DAY_MS} days at most"
        return ""

    def _still_open(self, order: ParcelOrdered) -> str:
        """Say which compartment is opening for this receiver's parcel already."""
        for number, compartment in self._lockers.bank(order.bank).items():
            rental = compartment.rental
            if rental is None or rental.holder != order.holder:
                continue
            is_opening = compartment.is_open or compartment.is_ordered
            if rental.awaits_parcel and is_opening:
                return f"number {number} opens for this holder: put it in, shut it"
        return ""
