# SPDX-License-Identifier: Apache-2.0
"""Fire opens all escape doors: at once, from every state, and first after a boot.

The law of the module: whoever begins or finds a fire orders every escape door open in
the same breath; in the street they give way within half a second while nothing
disturbs the box or its board.
Source: trust table "Fail-safe, fail-secure", row "Fire input".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import (
    EVERYTHING,
    Booted,
    Handled,
    Happened,
    Stormed,
    Violation,
)
from edge.cli.simulate.oracle.calm import Calm
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.standing import Standing
from edge.core.command import HoldOpen, OpenCompartment, Release
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.stimulus import FireInputChanged
from firmware_sim.happening import What

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest

WITHIN_S = 0.5


class FireOpensEscapes:
    """Watches fires, orders and strikes."""

    name = "fire opens all escape doors"
    heeds: Kinds = EVERYTHING

    def __init__(self, ground: Ground) -> None:
        doors = ground.plan.doors.values()
        self._escapes = {door.door_id for door in doors if door.is_escape}
        self._standing = Standing(ground.plan)
        self._chronicle = Chronicle(self._standing)
        self._calm = Calm("board")
        self._released: set[str] = set()
        self._alarm_s: float | None = None
        self._is_first = False

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._calm.see(seen)
        self._overdue(seen.at_s)
        was_fire = self._standing.is_fire
        self._chronicle.see(seen)
        match seen:
            case Booted():
                self._is_first = True
            case Handled():
                self._handled(seen, was_fire=was_fire)
            case Happened(happening=happening):
                if happening.what is What.STRIKE_RELEASED:
                    self._released.add(happening.name)
                elif happening.what is What.STRIKE_RELOCKED:
                    self._released.discard(happening.name)
            case Stormed(kind="fire"):
                self._alarm_s = seen.at_s
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that no alarm is left without its answer."""
        self._overdue(rest.at_s)

    def _handled(self, seen: Handled, *, was_fire: bool) -> None:
        held = {c.door for c in seen.commands if isinstance(c, HoldOpen)}
        if self._is_first:
            self._first_after_boot(seen, held)
        told = seen.stimulus
        is_alarm = isinstance(told, FireInputChanged) and told.is_active
        begins = (is_alarm and not was_fire) or any(
            event.kind is EventKind.EMERGENCY_STARTED
            and event.fact("state") == EmergencyState.FIRE.value
            for event in seen.events
        )
        if begins and not self._escapes <= held:
            shut = sorted(self._escapes - held)
            raise Violation(self.name, f"a fire began and {shut} had no order to open")

    def _first_after_boot(self, seen: Handled, held: set[str]) -> None:
        is_opening = any(
            isinstance(command, OpenCompartment)
            or (isinstance(command, Release) and not command.is_egress)
            for command in seen.commands
        )
        if held >= self._escapes or not self._standing.is_fire:
            self._is_first = False
        elif is_opening:
            raise Violation(self.name, "after a boot something else was opened first")
        elif any(event.kind is EventKind.STARTED for event in seen.events):
            raise Violation(self.name, "fire stood, and the boot did not open for it")

    def _overdue(self, at_s: float) -> None:
        since_s = self._alarm_s
        if since_s is None or at_s <= since_s + WITHIN_S:
            return
        self._alarm_s = None
        if self._calm.was_calm(since_s, at_s) and not self._escapes <= self._released:
            shut = sorted(self._escapes - self._released)
            what = f"{shut} shut {WITHIN_S} s after the alarm at {since_s:.2f} s"
            raise Violation(self.name, what)
