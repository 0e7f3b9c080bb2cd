# SPDX-License-Identifier: Apache-2.0
"""What must hold of a whole place, kept from events and wishes alone.

The law of the module: it reads a journal as a stranger would, knows the plan and the
people, and nothing of how the controller came to its answers.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge.core.command import (
    HoldOpen,
    OpenCompartment,
    Release,
    Relock,
    SwitchAppliance,
)
from edge.core.event import EventKind
from edge.core.plan import Direction
from tests.core.house.books import Books
from tests.core.house.plan import ESCAPES, PLACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.command import Command
    from edge.core.event import Event

K = EventKind
FREE = frozenset({"UNLOCKED", "LOCKED_OPEN"})
PARTNER = {"outer-door": "inner-door", "inner-door": "outer-door"}
CHECKPOINT = "CHECKPOINT"
STATES = ("FIRE", "LOCK_DOWN", CHECKPOINT, "SHELTER")


class Ledger:
    """Follows one place's journal; raises AssertionError in its own words."""

    def __init__(
        self, parties: dict[str, int], roles: dict[str, str], uses: dict[str, int]
    ) -> None:
        self.seen: Counter[str] = Counter()
        self.standing: set[str] = set()
        self.own = dict.fromkeys(PLACE.doors, "LOCKED")
        self.drill_holds = False
        self.leaves: set[str] = set()
        #: Grants whose end was not told yet, by seq.
        self.open: dict[int, Event] = {}
        self.books = Books()
        self._parties = parties
        self._roles = roles
        self._uses = uses
        self._causes: dict[int, Event] = {}
        self._last_exit: dict[str, int] = {}
        self._admitted: Counter[str] = Counter()
        self._used: Counter[str] = Counter()
        self._before: EventKind | None = None
        #: Modes of doors, and those shut or open, in the course of one outcome.
        self._modes: dict[str, set[str]] = {}
        self._were_shut: set[str] = set()
        self._were_open: set[str] = set()

    def follow(self, events: Iterable[Event], commands: Iterable[Command]) -> None:
        """Check one outcome."""
        self._before = None
        self._note_doors()
        for event in events:
            self.seen[event.kind.value] += 1
            self._event(event)
            self.books.follow(event, self.standing)
            self._before = event.kind
            self._note_doors()
        for command in commands:
            self._command(command)

    def mode(self, door: str) -> str:
        """Return the mode that a door must be in."""
        if "FIRE" in self.standing and door in ESCAPES:
            return "LOCKED_OPEN"
        if "LOCK_DOWN" in self.standing:
            return "LOCKED_DOWN"
        if self.drill_holds and door in ESCAPES:
            return "LOCKED_OPEN"
        return self.own[door]

    def _note_doors(self) -> None:
        """Remember how doors stood, since wishes do not say after which event."""
        if self._before is None:
            self._modes = {door: set() for door in PLACE.doors}
            self._were_shut, self._were_open = set(), set()
        for door in PLACE.doors:
            self._modes[door].add(self.mode(door))
        self._were_shut |= PLACE.doors.keys() - self.leaves
        self._were_open |= self.leaves

    def first(self) -> str:
        """Return the emergency that counts; "" in peace."""
        return next((state for state in STATES if state in self.standing), "")

    # -- events ----------------------------------------------------------------------

    def _event(self, event: Event) -> None:
        match event.kind:
            case K.ACCESS_GRANTED if event.fact("bank") is None:
                self._granted(event)
            case K.ACCESS_TAKEN | K.ACCESS_NOT_TAKEN:
                self._ended(event)
            case K.STARTED:
                self.leaves.clear()
                self._last_exit.clear()
                self._causes.clear()
            case K.EMERGENCY_STARTED:
                state = str(event.fact("state"))
                assert state not in self.standing, f"begun twice: {event}"
                self.standing.add(state)
            case K.EMERGENCY_ENDED:
                self.standing.remove(str(event.fact("state")))
            case K.DRILL_STARTED:
                self.drill_holds = bool(event.fact("with_doors"))
            case K.DRILL_ENDED:
                self.drill_holds = False
            case _:
                self._at_door(event)
        self._causes[event.seq] = event

    def _at_door(self, event: Event) -> None:
        door = event.subject
        match event.kind:
            case K.DOOR_MODE_CHANGED:
                self.own[door] = str(event.fact("mode"))
            case K.DOOR_UNLOCKED_BY_SCHEDULE:
                assert self.own[door] in ("LOCKED", "UNLOCKED"), f"{event}"
                self.own[door] = "UNLOCKED"
            case K.DOOR_RELOCKED_BY_SCHEDULE:
                self.own[door] = "LOCKED"
            case K.DOOR_OPENED:
                assert door not in self.leaves, f"opened twice: {event}"
                self.leaves.add(door)
                if not any(_door(each) == door for each in self.open.values()):
                    self._somebody_left()
            case K.DOOR_CLOSED:
                assert door in self.leaves, f"closed twice: {event}"
                self.leaves.remove(door)
            case K.DOOR_FORCED_OPEN | K.DOOR_OPEN_TOO_LONG | K.DOOR_HELD_WARNING:
                assert door in self.leaves, f"alarm of a shut leaf: {event}"
                assert self.mode(door) not in FREE, f"alarm of a free door: {event}"
            case K.REQUEST_TO_EXIT:
                self._last_exit[door] = event.seq
                self._somebody_left()
            case K.OCCUPANCY_SET | K.VISIT_CLOSED:
                self._admitted.clear()  # who counts for a booking is known anew
            case _:
                pass

    def _granted(self, event: Event) -> None:
        point = PLACE.access_points[event.subject]
        door, mode = point.door_id, self.mode(point.door_id)
        is_free = event.fact("free") is not None
        assert is_free == (mode in FREE), f"{mode}: {event}"
        if not is_free:
            self.open[event.seq] = event
        if point.direction is Direction.IN and not is_free:
            self._entry(event, door, mode)

    def _entry(self, event: Event, door: str, mode: str) -> None:
        if mode in ("BLOCKED", "LOCKED_DOWN"):
            role = self._roles.get(event.person.holder or "", "")
            is_rescue = event.person.ticket is not None
            passing = ("RESPONDER",) if mode == "BLOCKED" else ("RESPONDER", "MANAGER")
            assert role in passing or is_rescue, f"{mode}: {event}"
        if self.first() == CHECKPOINT:
            assert self._before is K.CONFIRMATION_GIVEN, f"without a word: {event}"
        partner = PARTNER.get(door)
        is_void = "FIRE" in self.standing
        if partner and not is_void:
            busy = {_door(each) for each in self.open.values()} | self.leaves
            assert partner not in busy, f"{partner} is open: {event}"
            assert self.mode(partner) not in FREE, f"{partner} is free: {event}"
        plan = PLACE.doors[door]
        if plan.needs_two_persons and event.fact("rule") != "shelter":
            assert event.fact("persons") == 2, f"alone: {event}"
        self._count(event, 1)

    def _count(self, granted: Event, sign: int) -> None:
        """Count who comes in under a booking or by a ticket; unused is given back."""
        booking, ticket = granted.person.booking, granted.person.ticket
        is_unsure = granted.fact("time_unverified") is not None
        if booking is not None:
            persons = int(granted.fact("persons") or 1)
            self._admitted[booking] += sign * (persons - int(granted.fact("pair") or 0))
            most = self._parties[booking]
            assert is_unsure or self._admitted[booking] <= most, f"party: {granted}"
        if ticket in self._uses and granted.fact("exp") is not None:
            self._used[ticket] += sign
            assert self._used[ticket] <= self._uses[ticket], f"used up: {granted}"

    def _somebody_left(self) -> None:
        """Let one of each party be gone: nobody saw who it was."""
        self._admitted -= Counter(dict.fromkeys(self._admitted, 1))

    def _ended(self, event: Event) -> None:
        granted = self.open.pop(int(event.fact("cause") or 0), None)
        assert granted is not None, f"ended twice, or never begun: {event}"
        assert granted.person == event.person, f"another's end: {event}"
        is_entry = PLACE.access_points[granted.subject].direction is Direction.IN
        if event.kind is K.ACCESS_TAKEN and not is_entry:
            self._admitted.clear()  # a party may leave with one card
        if event.kind is K.ACCESS_NOT_TAKEN:
            if is_entry:
                self._count(granted, -1)
        else:
            assert event.subject in self._were_open, f"nobody opened it: {event}"

    # -- wishes ----------------------------------------------------------------------

    def _command(self, command: Command) -> None:
        match command:
            case Release():
                self._release(command)
            case HoldOpen(door=door):
                assert "LOCKED_OPEN" in self._modes[door], f"{command}"
            case Relock(door=door):
                assert not self._modes[door] <= FREE, f"though free: {command}"
                assert door in self._were_shut, f"onto an open leaf: {command}"
            case OpenCompartment():
                self._compartment(command)
            case SwitchAppliance(is_on=True):
                cause = self._cause(command.cause, K.APPLIANCE_ON)
                assert cause.subject == command.appliance, f"{command}"
                assert not self.standing & {"FIRE", "LOCK_DOWN"}, f"{command}"
            case _:
                pass

    def _release(self, command: Release) -> None:
        assert command.duration_s > 0, f"{command}"
        if command.cause == 0:  # a free door is kept so by pulses
            assert "UNLOCKED" in self._modes[command.door], f"{command}"
            assert not command.is_egress, f"{command}"
            return
        by_exit = self._last_exit.get(command.door)
        cause = self._cause(command.cause, *_RELEASING)
        match cause.kind:
            case K.ACCESS_GRANTED:
                point = PLACE.access_points[cause.subject]
                assert point.door_id == command.door, f"another's cause: {command}"
                is_out = point.direction is Direction.OUT
                assert command.is_egress == is_out, f"{command} by {cause}"
            case K.REQUEST_TO_EXIT:
                assert command.is_egress, f"{command}"
                assert command.cause == by_exit, f"an older request: {command}"
            case _:
                assert cause.subject in (command.door, "site"), f"{command}"
                assert not command.is_egress, f"{command}"

    def _compartment(self, command: OpenCompartment) -> None:
        cause = self._cause(command.cause, *_OPENING)
        assert cause.fact("number") == command.number, f"{command} by {cause}"
        is_aid = cause.kind is K.MEDICINE_BOX_OPENED
        assert is_aid == command.is_first_aid, f"{command}"

    def _cause(self, seq: int, *kinds: EventKind) -> Event:
        cause = self._causes.get(seq)
        assert cause is not None, f"no cause in this boot's journal: {seq}"
        assert cause.kind in kinds, f"not by {cause}"
        return cause


def _door(granted: Event) -> str:
    return PLACE.access_points[granted.subject].door_id


_UNLOCKING = (
    K.DOOR_MODE_CHANGED,
    K.DOOR_UNLOCKED_BY_SCHEDULE,
    K.DRILL_ENDED,
    K.EMERGENCY_ENDED,
)
_RELEASING = (K.ACCESS_GRANTED, K.MANUAL_ENTRY, K.REQUEST_TO_EXIT, *_UNLOCKING)
_OPENING = (K.ACCESS_GRANTED, K.MEDICINE_BOX_OPENED)
