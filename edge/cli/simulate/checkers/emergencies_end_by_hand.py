# SPDX-License-Identifier: Apache-2.0
"""A standing emergency survives everything and ends by hand alone.

The law of the module: an end belongs to somebody's order for that very state; a fire
does not end while its input is known to be active; and while one stands, what it asks
of the doors is asked again after every boot (``fire opens all escape doors``).
Source: docs/emergency.md, "Beginning and ending".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, Violation
from edge.cli.simulate.oracle.chronicle import Chronicle
from edge.cli.simulate.oracle.standing import Standing
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import EmergencyEndOrdered, ModeOrdered
from edge.core.stimulus import DeviceChanged, FireInputChanged

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.core.event import Event


class EmergenciesEndByHand:
    """Watches every end of an emergency."""

    name = "emergencies end by hand alone"
    heeds: Kinds = Chronicle.heeds

    def __init__(self, ground: Ground) -> None:
        self._has_input = ground.plan.has_fire_input
        self._standing = Standing(ground.plan)
        self._chronicle = Chronicle(self._standing)
        #: Whether the fire input is active; None where nobody knows.
        self._is_active: bool | None = None

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        match seen:
            case Booted():
                self._is_active = None
            case Handled():
                self._hear(seen)
                for event in seen.events:
                    if event.kind is EventKind.EMERGENCY_ENDED:
                        self._judge(seen, event)
            case _:
                pass
        self._chronicle.see(seen)

    def end(self, rest: Rest) -> None:
        """Do nothing: whoever ended the storm ended its fires by order."""

    def _hear(self, seen: Handled) -> None:
        match seen.stimulus:
            case FireInputChanged(is_active=is_active):
                self._is_active = is_active
            case DeviceChanged(senses_fire=True, is_online=False):
                self._is_active = None
            case _:
                pass

    def _judge(self, seen: Handled, event: Event) -> None:
        state = EmergencyState(str(event.fact("state")))
        order = seen.stimulus
        by_hand = isinstance(order, EmergencyEndOrdered) and order.state is state
        # The order for an escape door was, and is, a way to end a fire by hand.
        by_hand = by_hand or isinstance(order, ModeOrdered)
        if not by_hand or not event.fact("actor"):
            raise Violation(self.name, f"{state} ended by {type(order).__name__}")
        if state not in self._standing.emergencies:
            raise Violation(self.name, f"{state} ended and had not stood")
        is_fire = state is EmergencyState.FIRE and self._has_input
        if is_fire and self._is_active is not False:
            known = "active" if self._is_active else "unknown"
            raise Violation(self.name, f"a fire ended while its input is {known}")
