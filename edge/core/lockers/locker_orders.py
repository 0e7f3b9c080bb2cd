# SPDX-License-Identifier: Apache-2.0
"""What somebody in charge does to a compartment: open, end, take out of use, clean.

The law of the module: each order is done, or answered with why not in plain words;
none of them moves a leaf that is already being opened for somebody. Opening another's
compartment never ends his rental. What is taken out of it may wait in a sealed bag.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.lockers.bags import read_bag
from edge.core.lockers.compartment_steps import clean, take_out_of_order
from edge.core.lockers.lockers import who
from edge.core.order import (
    BagReturned,
    CleaningDone,
    CompartmentOpenOrdered,
    MendOrdered,
    OutOfOrderOrdered,
    RentalEndOrdered,
)

if TYPE_CHECKING:
    from edge.core.lockers.bags import Bags
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.orders import Handler
    from edge.core.plan import SitePlan

_IS_OPENING = "it is being opened"


class LockerOrders:
    """Carries the staff's orders for compartments out."""

    def __init__(self, site: SitePlan, lockers: Lockers, bags: Bags) -> None:
        self._site = site
        self._lockers = lockers
        self._bags = bags

    def handlers(self) -> dict[type[Order], Handler]:
        """Return which of them answers for which order."""
        return {
            RentalEndOrdered: self.end_rental,
            BagReturned: self._bags.give_back,
            MendOrdered: self.mend,
            CompartmentOpenOrdered: self.open,
            OutOfOrderOrdered: self.take_out_of_order,
            CleaningDone: self.cleaned,
        }

    def open(self, order: CompartmentOpenOrdered, now: Moment) -> str:
        """Open a compartment, whoever's it is; return why not."""
        place = (order.bank, order.number)
        if self._site.banks[order.bank].compartments[order.number].is_medicine_box:
            return "the medicine box has an order of its own"
        if self._lockers.standing()[place].is_busy:
            return "it is being opened, or stands open"
        self._lockers.open_by_staff(place, now, who(order.actor, order.reason))
        return ""

    def end_rental(self, order: RentalEndOrdered, now: Moment) -> str:
        """End a rental, whatever lies inside; return why not."""
        bag = read_bag(order.bag)
        flaw = self._bags.flaw(bag) if order.bag else ""
        if flaw:
            return flaw
        is_ended = self._lockers.end_rental(replace(order, bag=bag), now)
        return "" if is_ended else "no rental to end"

    def take_out_of_order(self, order: OutOfOrderOrdered, now: Moment) -> str:
        """Give it to nobody new until it is mended; return why not."""
        place = (order.bank, order.number)
        compartment = self._lockers.standing()[place]
        if compartment.is_ordered:
            return _IS_OPENING
        taken = take_out_of_order(compartment)
        if taken[0] is compartment:
            return "it is out of order already"
        self._lockers.apply(place, taken, now, who(order.actor, order.reason))
        return ""

    def mend(self, order: MendOrdered, now: Moment) -> str:
        """Take a mended compartment back into use; return why not."""
        return "" if self._lockers.mend(order, now) else "not out of order"

    def cleaned(self, order: CleaningDone, now: Moment) -> str:
        """Let a compartment that was looked after be given again; return why not."""
        place = (order.bank, order.number)
        compartment = self._lockers.standing()[place]
        if compartment.is_ordered:
            return _IS_OPENING
        cleaned = clean(compartment)
        if cleaned[0] is compartment:
            return "it does not wait to be cleaned"
        self._lockers.apply(place, cleaned, now, who(order.actor))
        return ""
