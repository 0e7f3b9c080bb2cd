# SPDX-License-Identifier: Apache-2.0
"""What must hold after every step of any walk, kept from the outcomes alone.

The law of the module: it reads events and commands as a stranger would and knows
nothing of how the controller came to them.
"""

from __future__ import annotations

from collections import Counter

from edge.core.command import Command, HoldOpen, Release, Relock
from edge.core.event import Event, EventKind
from tests.core.locker_invariants import LockerInvariants
from tests.core.scene import SITE
from tests.core.walk import PARTY

CLOSING = (EventKind.ACCESS_TAKEN, EventKind.ACCESS_NOT_TAKEN)
FREE = ("UNLOCKED", "LOCKED_OPEN")
ESCAPES = {name for name, plan in SITE.doors.items() if plan.is_escape}


class Invariants:
    """Follows a journal and its commands; raises AssertionError with its words."""

    def __init__(self) -> None:
        self.seq = 0
        self.open: dict[int, str | None] = {}
        self.granted: dict[int, str] = {}
        #: Of each booking: how many were let in, and how many of them are in still.
        self.persons: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.modes = dict.fromkeys(SITE.doors, "LOCKED")
        self.after_fire: dict[str, str] = {}
        self.is_fire = False
        self.leaves: set[str] = set()
        self.by_hand: dict[int, str] = {}
        #: What may unlock a door, and which; "site" may any.
        self.unlocked: dict[int, str] = {}
        self.lockers = LockerInvariants()
        self.seen: Counter[str] = Counter()

    def follow(self, events: tuple[Event, ...], commands: tuple[Command, ...]) -> None:
        """Check one outcome."""
        for event in events:
            self.seen[event.kind] += 1
            assert event.kind is not EventKind.RULE_FAULT, f"our mistake: {event}"
            self._number(event)
            self._exits(event)
            self._grants(event)
            self._modes(event)
            self._leaves(event)
            self.lockers.event(event)
        for command in commands:
            self._command(command)
            self.lockers.command(command)
        # A pulse that was due goes before what the stimulus caused: the last counts.
        moving = (c for c in commands if isinstance(c, Release | Relock | HoldOpen))
        last = {command.door: command for command in moving}
        for door, command in last.items():
            is_held = self.mode(door) == "LOCKED_OPEN"
            assert not is_held or isinstance(command, HoldOpen), f"held: {command}"

    def rest(self) -> None:
        """Check what must be true once every timer ran out."""
        assert not self.open, f"grants without an outcome: {sorted(self.open)}"

    def mode(self, door: str) -> str:
        """Return what mode a door should have."""
        return "LOCKED_OPEN" if self.is_fire and door in ESCAPES else self.modes[door]

    def _number(self, event: Event) -> None:
        self.seq += 1
        assert event.seq == self.seq, f"gap: {event.seq} after {self.seq - 1}"

    def _grants(self, event: Event) -> None:
        booking = event.person.booking
        if event.kind is EventKind.MANUAL_ENTRY:
            self.by_hand[event.seq] = event.subject
        elif event.kind is EventKind.ACCESS_GRANTED:
            if event.fact("bank") is not None:
                return
            door = SITE.access_points[event.subject].door_id
            is_free = event.fact("free") == 1
            assert is_free == (self.mode(door) in FREE), f"{event} in {self.mode(door)}"
            assert is_free or self.mode(door) == "LOCKED", f"granted: {event}"
            assert is_free == (booking is None), f"a grant without a booking: {event}"
            if booking is not None:
                self.open[event.seq] = booking
                self.granted[event.seq] = door
                self.persons[booking] += 1
                self.inside[booking] += 1
                assert self.inside[booking] <= PARTY[booking], f"party: {event}"
        elif event.kind in CLOSING:
            cause = event.fact("cause")
            assert cause in self.open, f"ended twice or never begun: {event}"
            assert self.open.pop(int(cause)) == booking, f"another's end: {event}"
            if event.kind is EventKind.ACCESS_NOT_TAKEN and booking is not None:
                self.persons[booking] -= 1
                self.inside[booking] -= 1

    def _exits(self, event: Event) -> None:
        """Let one of each party be gone whenever somebody left whom nobody knows."""
        match event.kind:
            case EventKind.VISIT_CLOSED | EventKind.OCCUPANCY_SET:
                self.inside.clear()
            case EventKind.REQUEST_TO_EXIT:
                self.inside -= Counter(dict.fromkeys(self.inside, 1))
            case EventKind.DOOR_OPENED:
                waiting = {
                    self.granted[seq] for seq in self.open if seq in self.granted
                }
                if event.subject not in waiting:
                    self.inside -= Counter(dict.fromkeys(self.inside, 1))
            case _:
                pass

    def _modes(self, event: Event) -> None:
        if event.kind in (EventKind.DOOR_MODE_CHANGED, EventKind.EMERGENCY_ENDED):
            self.unlocked[event.seq] = event.subject
        match event.kind:
            case EventKind.DOOR_MODE_CHANGED:
                self.modes[event.subject] = str(event.fact("mode"))
                is_later = self.is_fire and event.subject in ESCAPES
                assert (event.fact("under") == "LOCKED_OPEN") == is_later
            case EventKind.EMERGENCY_STARTED:
                self.is_fire = True
            case EventKind.EMERGENCY_ENDED:
                self.is_fire = False
            case _:
                pass

    def _leaves(self, event: Event) -> None:
        match event.kind:
            case EventKind.STARTED:
                self.leaves.clear()  # at boot outputs go to rest, leaves are unknown
            case EventKind.DOOR_OPENED:
                assert event.subject not in self.leaves, f"opened twice: {event}"
                self.leaves.add(event.subject)
            case EventKind.DOOR_CLOSED:
                assert event.subject in self.leaves, f"closed twice: {event}"
                self.leaves.discard(event.subject)
            case EventKind.DOOR_FORCED_OPEN | EventKind.DOOR_OPEN_TOO_LONG:
                assert event.subject in self.leaves, f"alarm of a closed leaf: {event}"
                assert self.mode(event.subject) not in FREE, f"alarm when free: {event}"
            case _:
                pass

    def _command(self, command: Command) -> None:
        match command:
            case Release(cause=0):
                pass  # an unlocked door is kept so; what follows may lock it
            case Release(cause=cause) if cause in self.unlocked:
                assert self.unlocked[cause] in (command.door, "site"), f"{command}"
                assert not command.is_egress, f"before its cause is stored: {command}"
            case Release(is_egress=False):
                door = self.granted.get(command.cause)
                door = door or self.by_hand.get(command.cause)
                assert door == command.door, f"no grant in the journal: {command}"
                assert self.mode(command.door) == "LOCKED", f"{command} when closed"
            case Relock():
                assert command.door not in self.leaves, f"onto an open leaf: {command}"
                assert self.mode(command.door) not in FREE, f"though free: {command}"
            case HoldOpen():
                assert self.mode(command.door) == "LOCKED_OPEN", f"{command}"
            case _:
                pass
