# SPDX-License-Identifier: Apache-2.0
"""What stands at the site: emergencies, the doors' modes, who is on duty.

The law of the module: made of events alone, each taken at its word; whether an event
was right is another checker's affair.
Source: docs/doors.md ("Three may speak at once"), docs/emergency.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.plan import SitePlan

#: Modes that an order sets over a schedule, until the schedule speaks next.
_BESIDE_SCHEDULE = frozenset({DoorMode.LOCKED, DoorMode.UNLOCKED})


class Standing:
    """Emergencies, modes and shifts, as the events that count tell them."""

    def __init__(self, plan: SitePlan) -> None:
        self._plan = plan
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.emergencies: set[EmergencyState] = set()
        self.is_drill_with_doors = False
        self._ordered: dict[str, DoorMode] = {}
        self._by_schedule: set[str] = set()
        self.shifts: dict[str, Told] = {}

    def take(self, told: Told) -> None:
        """Take the next event."""
        event = told.event
        match event.kind:
            case EventKind.EMERGENCY_STARTED:
                self.emergencies.add(EmergencyState(str(event.fact("state"))))
            case EventKind.EMERGENCY_ENDED:
                self.emergencies.discard(EmergencyState(str(event.fact("state"))))
            case EventKind.DRILL_STARTED:
                self.is_drill_with_doors = event.fact("with_doors") == 1
            case EventKind.DRILL_ENDED:
                self.is_drill_with_doors = False
            case EventKind.DOOR_MODE_CHANGED:
                self._set_mode(event.subject, DoorMode(str(event.fact("mode"))))
            case EventKind.DOOR_UNLOCKED_BY_SCHEDULE:
                self._unlock(event.subject)
            case EventKind.DOOR_RELOCKED_BY_SCHEDULE:
                self._relock(event.subject)
            case EventKind.DUTY_STARTED:
                self.shifts[event.person.holder or ""] = told
            case EventKind.DUTY_ENDED:
                self.shifts.pop(event.person.holder or "", None)
            case _:
                pass

    @property
    def first(self) -> EmergencyState | None:
        """The emergency that goes before the others."""
        for state in (
            EmergencyState.FIRE,
            EmergencyState.LOCK_DOWN,
            EmergencyState.CHECKPOINT,
            EmergencyState.SHELTER,
        ):
            if state in self.emergencies:
                return state
        return None

    @property
    def is_fire(self) -> bool:
        """Whether fire stands."""
        return EmergencyState.FIRE in self.emergencies

    def mode(self, door: str) -> DoorMode:
        """Return the mode that counts: emergency, else schedule, else order."""
        is_opened = self.is_fire or self.is_drill_with_doors
        if is_opened and self._plan.doors[door].is_escape:
            return DoorMode.LOCKED_OPEN
        if EmergencyState.LOCK_DOWN in self.emergencies:
            return DoorMode.LOCKED_DOWN
        if door in self._by_schedule:
            return DoorMode.UNLOCKED
        return self._ordered.get(door, DoorMode.LOCKED)

    def _set_mode(self, door: str, mode: DoorMode) -> None:
        self._ordered[door] = mode
        self._by_schedule.discard(door)

    def _relock(self, door: str) -> None:
        """Take in that the schedule has locked it: an order beside it has lapsed."""
        self._by_schedule.discard(door)
        if self._ordered.get(door, DoorMode.LOCKED) in _BESIDE_SCHEDULE:
            self._ordered[door] = DoorMode.LOCKED

    def _unlock(self, door: str) -> None:
        if self._ordered.get(door, DoorMode.LOCKED) in _BESIDE_SCHEDULE:
            self._by_schedule.add(door)
