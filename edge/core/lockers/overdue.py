# SPDX-License-Identifier: Apache-2.0
"""Rentals whose time is over: told once, and left to their holders.

The law of the module: it opens and ends nothing. Over is what is surely over, by the
booking as the roster has it now. What never opened has nothing inside and is ended
when somebody next needs room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.event import EventKind
from edge.core.lockers.compartment_steps import fall_due
from edge.core.lockers.locker_terms import booking_of, over_ms
from edge.core.lockers.rental import RentalKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.core.event import Event, Facts
    from edge.core.lockers.locker_state import Place
    from edge.core.lockers.lockers import Lockers
    from edge.core.lockers.rental import Rental
    from edge.core.moment import Moment
    from edge.core.people.rolls import Rolls
    from edge.core.plan import SitePlan

#: What may bring an end nearer, or set one anew.
_CHANGING = frozenset(
    {
        EventKind.RENTAL_STARTED,
        EventKind.ROSTER_APPLIED,
        EventKind.COMPARTMENT_OPENED,
        EventKind.ACCESS_GRANTED,
    }
)


class Overdue:
    """Looks when the next rental is over; its memory is the compartments' own."""

    def __init__(self, site: SitePlan, lockers: Lockers, rolls: Rolls) -> None:
        self._site = site
        self._lockers = lockers
        self._rolls = rolls
        #: When to look next; 0: at once.
        self._due_s: float | None = 0.0

    def follow(self, event: Event) -> None:
        """Look anew after whatever may have moved an end."""
        if event.kind in _CHANGING and (
            event.kind is not EventKind.ACCESS_GRANTED or event.fact("bank") is not None
        ):
            self._due_s = 0.0

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        return self._due_s

    def expire(self, now: Moment) -> None:
        """Tell which rentals are over by now."""
        if self._due_s is None or now.monotonic_s < self._due_s:
            return
        next_ms: int | None = None
        for place, rental, end_ms in list(self._running()):
            if now.earliest_ms >= end_ms:
                self._tell(place, rental, end_ms, now)
            else:
                next_ms = end_ms if next_ms is None else min(next_ms, end_ms)
        self._due_s = None
        if next_ms is not None:
            self._due_s = now.monotonic_s + (next_ms - now.earliest_ms) / 1000

    def _running(self) -> Iterator[tuple[Place, Rental, int]]:
        """Yield what may have things inside, and when (UTC ms) it is over."""
        for place, compartment in self._lockers.standing().items():
            rental = compartment.rental
            if rental is None or rental.is_overdue or not rental.was_opened:
                continue
            bank = self._site.banks[place[0]]
            booking = booking_of(rental, self._rolls.bookings(rental.holder))
            yield place, rental, over_ms(rental, booking, bank, self._site)

    def _tell(self, place: Place, rental: Rental, end_ms: int, now: Moment) -> None:
        facts: Facts = (("end", end_ms),)
        if rental.kind is not RentalKind.BOOKED:
            facts += (("what", rental.kind.value),)
        overdue = fall_due(self._lockers.standing()[place])
        self._lockers.apply(place, overdue, now, facts)
