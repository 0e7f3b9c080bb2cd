# SPDX-License-Identifier: Apache-2.0
"""What must hold of lockers and shifts, kept from events and commands alone.

The law of the module: it reads them as a stranger would and knows nothing of how the
controller came to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.command import Command, OpenCompartment
from edge.core.event import Event, EventKind, Person
from tests.core.scene import SITE

if TYPE_CHECKING:
    from edge.core.plan import SitePlan

Place = tuple[str, int]


class LockerInvariants:
    """Follows a journal and its commands; raises AssertionError with its words."""

    def __init__(self, site: SitePlan = SITE) -> None:
        self.site = site
        self.rented: dict[Place, Person] = {}
        self.open: set[Place] = set()
        self.grants: dict[int, tuple[Place, Person]] = {}
        self.by_staff: dict[int, Place] = {}
        self.first_aid: dict[int, Place] = {}
        self.on_duty: set[str | None] = set()

    def event(self, event: Event) -> None:
        """Check one event."""
        number = int(event.fact("number") or 0)
        place = (str(event.fact("bank") or event.subject), number)
        match event.kind:
            case EventKind.RENTAL_STARTED:
                self._started(event, place)
            case EventKind.RENTAL_ENDED:
                ended = self.rented.pop(place, None)
                assert ended == event.person, f"another's rental: {event}"
            case EventKind.ACCESS_GRANTED if number and event.fact("actor"):
                plan = self.site.banks[place[0]].compartments[number]
                assert not plan.is_medicine_box, f"not the box's own order: {event}"
                self.by_staff[event.seq] = place
            case EventKind.ACCESS_GRANTED if number:
                owner = self.rented.get(place)
                assert owner == event.person, f"opened for another: {event}"
                self.grants[event.seq] = (place, event.person)
            case EventKind.MEDICINE_BOX_OPENED:
                self.first_aid[event.seq] = place
            case EventKind.COMPARTMENT_OPENED:
                assert place not in self.open, f"opened twice: {event}"
                self.open.add(place)
            case EventKind.COMPARTMENT_CLOSED:
                assert place in self.open, f"closed twice: {event}"
                self.open.discard(place)
            case EventKind.DUTY_STARTED:
                assert event.person.holder not in self.on_duty, f"{event}"
                self.on_duty.add(event.person.holder)
            case EventKind.DUTY_ENDED:
                assert event.person.holder in self.on_duty, f"{event}"
                self.on_duty.discard(event.person.holder)
            case _:
                pass

    def _started(self, event: Event, place: Place) -> None:
        moved_from = event.fact("moved_from")
        if moved_from is not None:
            gone = self.rented.pop((event.subject, int(moved_from)), None)
            assert gone == event.person, f"another's compartment: {event}"
        assert place not in self.rented, f"two holders in one: {event}"
        if event.person.booking is not None:  # parcels and walk-ins have none
            assert event.person not in self.rented.values(), f"two for one: {event}"
        assert place not in self.open, f"an open one was given: {event}"
        plan = self.site.banks[place[0]].compartments[place[1]]
        assert not plan.is_medicine_box, f"the medicine box was given: {event}"
        self.rented[place] = event.person

    def command(self, command: Command) -> None:
        """Check one command."""
        if not isinstance(command, OpenCompartment):
            return
        place = (command.bank, command.number)
        if command.is_first_aid:
            assert self.first_aid.get(command.cause) == place, f"{command}"
            return
        if command.cause in self.by_staff:
            assert self.by_staff[command.cause] == place, f"{command}"
            return
        granted, person = self.grants.get(command.cause, (None, None))
        assert granted == place, f"no grant in the journal: {command}"
        assert self.rented.get(place) == person, f"for nobody: {command}"
