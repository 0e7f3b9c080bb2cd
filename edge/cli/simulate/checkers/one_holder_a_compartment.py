# SPDX-License-Identifier: Apache-2.0
"""A compartment belongs to one holder from its rental's start to its end.

The law of the module: by the events that count; and what opens physically opens for
whoever it belongs to, or for somebody in charge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import CarriedOut, Violation
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.lockers import Lockers
from edge.core.command import OpenCompartment
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Kinds, Observation, Rest


class OneHolderACompartment:
    """Watches rentals and the orders that open."""

    name = "one holder a compartment"
    heeds: Kinds = Chronicle.heeds | {CarriedOut}

    def __init__(self) -> None:
        self._lockers = Lockers()
        self._chronicle = Chronicle(self._lockers)

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._chronicle.see(seen)
        doubled = self._lockers.doubled
        if doubled is not None:
            (bank, number), held, new = doubled
            what = f"{bank} {number} is {held.holder}'s and was given to {new.holder}"
            raise Violation(self.name, what)
        if isinstance(seen, CarriedOut) and isinstance(seen.command, OpenCompartment):
            self._judge(seen.command)

    def end(self, rest: Rest) -> None:
        """Do nothing: each rental was judged when it began."""

    def _judge(self, wish: OpenCompartment) -> None:
        told = self._chronicle.of(wish.cause)
        if told is None or told.event.kind is not EventKind.ACCESS_GRANTED:
            return
        rental = self._lockers.rentals.get((wish.bank, wish.number))
        who = told.event.person.holder or ""
        # Staff opens what is another's: a parcel for him, or a look inside.
        if who and rental is not None and rental.holder not in (who, ""):
            what = f"{wish.bank} {wish.number} is {rental.holder}'s, opened for {who}"
            raise Violation(self.name, what)
