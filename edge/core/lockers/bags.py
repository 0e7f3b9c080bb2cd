# SPDX-License-Identifier: Apache-2.0
"""Sealed bags: what was cleared out of a compartment waits for its owner.

The law of the module: a bag begins with the end of a rental that names it and is over
when somebody has given it back; its number is unlike that of every other bag that
waits. It opens nothing and bars nobody from being forgotten: the bag then stays, and
nobody knows whose it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from edge.core.event import EventKind, Facts, Person
from edge.core.lockers.lockers import who

if TYPE_CHECKING:
    from edge.core.erasing.names import Names
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import BagReturned
    from edge.core.outcome import OutcomeBuilder

#: Bags that wait at a time: a site's shelf holds a few dozen.
MAX_BAGS = 200
#: As seals are printed; an identity number is longer.
MAX_NUMBER = 12
_NUMBER = re.compile(rf"[0-9A-Z]{{1,{MAX_NUMBER}}}")


def read_bag(typed: str) -> str:
    """Return a bag's number as it is kept; "" if it is not one."""
    number = typed.strip().upper()
    return number if number.isascii() and _NUMBER.fullmatch(number) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """What lay in a bank's compartment, since when (UTC ms) it waits, and whose it is.

    ``person`` is nobody where nobody knows: a stranger's, or one who was forgotten.
    """

    bank: str
    number: int
    since_ms: int
    person: Person


class Bags:
    """The bags that wait, by their numbers."""

    def __init__(self, out: OutcomeBuilder) -> None:
        self._out = out
        self._waiting: dict[str, Bag] = {}

    @property
    def waiting(self) -> dict[str, Bag]:
        """All bags that wait, the oldest first, to be read."""
        return dict(self._waiting)

    def flaw(self, bag: str) -> str:
        """Say why a bag cannot be taken in, its number as read; "" if it can."""
        if not bag:
            return f"bag: 1 to {MAX_NUMBER} digits and capital letters"
        if bag in self._waiting:
            return "a bag of that number waits already"
        if len(self._waiting) >= MAX_BAGS:
            return f"{MAX_BAGS} bags wait already"
        return ""

    def give_back(self, order: BagReturned, now: Moment) -> str:
        """Note that a bag is its owner's again; return why not."""
        number = read_bag(order.bag)
        bag = self._waiting.get(number)
        if bag is None:
            return "no bag of that number waits"
        facts: Facts = (*who(order.actor), ("bag", number), ("number", bag.number))
        kind = EventKind.BAG_RETURNED
        self._out.event(kind, bag.bank, now, facts=facts, person=bag.person)
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        number = event.fact("bag")
        if number is None:
            return
        if event.kind is EventKind.RENTAL_ENDED:
            self._waiting[str(number)] = Bag(
                bank=event.subject,
                number=int(event.fact("number") or 0),
                since_ms=event.moment.earliest_ms,
                person=event.person,
            )
        elif event.kind is EventKind.BAG_RETURNED:
            self._waiting.pop(str(number), None)

    def forget(self, names: Names) -> None:
        """Know no more whose a bag is."""
        for number, bag in self._waiting.items():
            person = bag.person
            if person.holder == names.holder or person.booking in names.bookings:
                self._waiting[number] = replace(bag, person=Person())

    def renumber(self, shift: int) -> None:
        """Do nothing: a bag has no number of an event."""

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {
            "bags": [
                [
                    *(number, bag.bank, bag.number, bag.since_ms),
                    *(bag.person.holder, bag.person.booking),
                ]
                for number, bag in self._waiting.items()
            ]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take what :meth:`dump` returned; an older snapshot has no bags."""
        self._waiting = {
            number: Bag(
                bank=bank,
                number=cell,
                since_ms=since_ms,
                person=Person(holder=holder, booking=booking),
            )
            for number, bank, cell, since_ms, holder, booking in state.get("bags", ())
        }
