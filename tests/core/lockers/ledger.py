# SPDX-License-Identifier: Apache-2.0
"""What a stranger who reads the journal of a wall knows, and what must be true of it.

The law of the module: it reads events, wishes and snapshots, never the parts' own
reasons; it raises AssertionError with its words.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge.core.event import Event, EventKind
from edge.core.lockers.compartment import CompartmentPhase
from edge.core.lockers.rental import RentalKind
from tests.core.locker_invariants import LockerInvariants

if TYPE_CHECKING:
    from edge.core.plan import SitePlan
    from tests.core.lockers.wall import Wall

#: Whether somebody's rental is in a compartment of this phase; None: it may be.
RENTED: dict[CompartmentPhase, bool | None] = {
    CompartmentPhase.FREE: False,
    CompartmentPhase.HELD: True,
    CompartmentPhase.OCCUPIED: True,
    CompartmentPhase.OVERDUE: True,
    CompartmentPhase.OPEN: None,
    CompartmentPhase.FAULT: None,
    CompartmentPhase.CLEANING: False,
}


class Ledger:
    """Follows a wall."""

    def __init__(self, plan: SitePlan) -> None:
        self.rules = LockerInvariants(plan)
        self.seen: Counter[str] = Counter()
        self.read = 0
        #: By place: whether the parcel in it was put in; the kind of every rental.
        self.parcels: dict[int, bool] = {}
        self.kinds: dict[int, str] = {}
        self.overdue: set[int] = set()
        #: Not to be given: they wait to be cleaned, or are out of order.
        self.unclean: set[int] = set()
        self.broken: set[int] = set()
        self.by_staff: set[int] = set()

    def follow(self, wall: Wall) -> None:
        """Check what has happened since the last time."""
        for event in wall.journal[self.read :]:
            self.seen[event.kind] += 1
            self.rules.event(event)
            self._event(event)
        self.read = len(wall.journal)
        for command in wall.last.commands:
            self.rules.command(command)
        self._standing(wall)

    def _event(self, event: Event) -> None:
        number = int(event.fact("number") or 0)
        match event.kind:
            case EventKind.RENTAL_STARTED:
                self._forget(int(event.fact("moved_from") or 0))
                assert number not in self.unclean | self.broken, f"given: {event}"
                self.kinds[number] = str(event.fact("what") or "BOOKED")
                if event.fact("what") == "PARCEL":
                    self.parcels[number] = False
            case EventKind.PARCEL_DEPOSITED:
                assert self.parcels[number] is False, f"put in twice: {event}"
                self.parcels[number] = True
            case EventKind.PARCEL_COLLECTED:
                assert self.parcels[number] is True, f"nothing was put in: {event}"
                self.parcels[number] = False
            case EventKind.COMPARTMENT_OVERDUE:
                assert number not in self.overdue, f"told twice: {event}"
                self.overdue.add(number)
            case EventKind.ACCESS_GRANTED if event.fact("actor") is None:
                is_empty = self.parcels.get(number) is False
                assert not is_empty, f"opened before it was put in: {event}"
                self.by_staff.discard(number)
            case EventKind.ACCESS_GRANTED:
                self.by_staff.add(number)
            case EventKind.RENTAL_ENDED:
                is_own = event.fact("why") not in ("last", "collected")
                assert is_own or number not in self.by_staff, f"ended: {event}"
                self._forget(number)
            case _:
                self._seen_to(event, number)

    def _seen_to(self, event: Event, number: int) -> None:
        what = event.fact("what")
        match event.kind:
            case EventKind.COMPARTMENT_CLEANING if what == "due":
                self.unclean.add(number)
            case EventKind.COMPARTMENT_CLEANING:
                self.unclean.remove(number)
            case EventKind.COMPARTMENT_OUT_OF_ORDER:
                self.broken.add(number)
            case EventKind.COMPARTMENT_FAULT if what == "mended":
                self.broken.discard(number)
            case _:
                pass

    def _forget(self, number: int) -> None:
        for known in (self.parcels, self.kinds):
            known.pop(number, None)
        self.overdue.discard(number)

    def _standing(self, wall: Wall) -> None:
        standing = wall.parts.lockers.standing()
        held = {place: c.rental.person for place, c in standing.items() if c.rental}
        assert held == self.rules.rented, "a rental came or went without its event"
        for (bank, number), compartment in standing.items():
            rental, is_rented = compartment.rental, RENTED[compartment.phase]
            assert is_rented in (None, rental is not None), (bank, number, compartment)
            assert compartment.is_open == ((bank, number) in self.rules.open)
            if rental is not None:
                assert rental.kind.value == self.kinds[number]
                assert rental.is_overdue == (number in self.overdue)
                is_late = compartment.phase is CompartmentPhase.OVERDUE
                assert not is_late or rental.is_overdue
        self._tokens(wall)

    def _tokens(self, wall: Wall) -> None:
        """Check that a token is kept for a walk-in that runs, and for nothing else."""
        standing = wall.parts.lockers.standing().values()
        tokens = {c.rental.token.hex() for c in standing if c.rental} - {""}
        for compartment in standing:
            rental = compartment.rental
            if rental is not None and rental.token:
                assert rental.kind is RentalKind.WALK_IN
                assert not rental.holder
        told = wall.kept[-1][1]
        assert all(each in told for each in tokens), "a power cut would lose a card"
        assert told.count("2e2e2e") == 0 or tokens, "a token outlives its rental"
