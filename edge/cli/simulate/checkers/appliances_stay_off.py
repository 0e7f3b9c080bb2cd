# SPDX-License-Identifier: Apache-2.0
"""A stove is on only inside a slot with somebody there, and never by itself.

The law of the module: on follows from an entry or from an order, for a booking that
runs; off comes by the slot's end, and at once with fire and lock-down. A boot, a
device that returns or a roster switches nothing on.
Source: ARCHITECTURE.md, "Appliance output".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.simulate.checking import Booted, Handled, PowerLost, Violation
from edge.cli.simulate.oracle.picture import Picture
from edge.core.command import SwitchAppliance
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import ApplianceOrdered

if TYPE_CHECKING:
    from edge.cli.simulate.checking import Ground, Kinds, Observation, Rest
    from edge.core.event import Event

#: A slot's end is acted upon when the next timer runs.
LATE_MS = 2_000
_STOPS = frozenset({EmergencyState.FIRE, EmergencyState.LOCK_DOWN})


class AppliancesStayOff:
    """Watches what is switched on, why, and until when."""

    name = "appliances only inside a slot with presence"
    heeds: Kinds = Picture.heeds | {PowerLost}

    def __init__(self, ground: Ground) -> None:
        self._picture = Picture(ground)
        #: By appliance that is on: when its slot is over.
        self._on: dict[str, int] = {}
        #: When each was last put off: who came in before lights it no more.
        self._off_s: dict[str, float] = {}
        self._booted_s = 0.0

    def see(self, seen: Observation) -> None:
        """Take the next observation."""
        self._picture.see(seen)
        match seen:
            case Booted() | PowerLost():
                self._on.clear()  # outputs are at rest before anything else
                self._booted_s = seen.at_s
            case Handled():
                self._handled(seen)
            case _:
                pass

    def end(self, rest: Rest) -> None:
        """See that no slot went on behind its end."""
        for appliance, until_ms in self._on.items():
            if rest.true_ms > until_ms + LATE_MS:
                raise Violation(self.name, f"{appliance} is on behind its slot")

    def _handled(self, seen: Handled) -> None:
        told_on = {
            e.subject: e for e in seen.events if e.kind is EventKind.APPLIANCE_ON
        }
        for event in seen.events:
            self._spend(event, seen.at_s)
        for command in seen.commands:
            if not isinstance(command, SwitchAppliance):
                continue
            if not command.is_on:
                if self._on.pop(command.appliance, None) is not None:
                    self._off_s[command.appliance] = seen.at_s
            elif command.appliance in told_on:
                self._switched_on(seen, told_on[command.appliance])
            else:
                what = f"{command.appliance} was switched on and no event tells of it"
                raise Violation(self.name, what)
        self._still_on(seen)

    def _spend(self, event: Event, at_s: float) -> None:
        """Note when something went off, or could not come on.

        An order that finds it off (a board that returns) puts nobody's stove out.
        """
        if event.kind is EventKind.APPLIANCE_OFF:
            self._off_s[event.subject] = at_s
        is_danger = event.fact("state") in _STOPS
        if event.kind is EventKind.EMERGENCY_STARTED and is_danger:
            self._off_s = dict.fromkeys(self._picture.plan.appliances, at_s)

    def _switched_on(self, seen: Handled, event: Event) -> None:
        name = event.subject
        is_entry = self._follows_an_entry(name, event)
        if not is_entry and not isinstance(seen.stimulus, ApplianceOrdered):
            raise Violation(self.name, f"{name} came on by itself")
        if not _STOPS.isdisjoint(self._picture.standing.emergencies):
            raise Violation(self.name, f"{name} came on in an emergency")
        until_ms = self._slot_ends_ms(name, seen.true_ms)
        if until_ms is None:
            raise Violation(self.name, f"{name} came on for nobody's slot")
        self._on[name] = until_ms

    def _slot_ends_ms(self, name: str, true_ms: int) -> int | None:
        """Return when the last slot of those who may be there is over."""
        space = self._picture.plan.appliances[name].space_id
        return max(
            (
                booking.to_ms
                for holder, booking in self._picture.book.bookings
                if booking.space_id == space
                and booking.from_ms <= true_ms < booking.to_ms
                and self._picture.entries.may_be_inside(space, holder)
            ),
            default=None,
        )

    def _follows_an_entry(self, name: str, event: Event) -> bool:
        """Say whether its cause is an entry since it was last put off.

        Who came in during the lead waits inside for the slot to begin.
        """
        cause = event.fact("cause")
        told = self._picture.chronicle.of(cause) if isinstance(cause, int) else None
        if told is None or told.event.kind is not EventKind.ACCESS_TAKEN:
            return False
        return told.at_s >= max(self._off_s.get(name, 0.0), self._booted_s)

    def _still_on(self, seen: Handled) -> None:
        for name in self._on:
            # Whoever came in meanwhile, with a later slot, keeps it on.
            later_ms = self._slot_ends_ms(name, seen.true_ms)
            self._on[name] = max(self._on[name], later_ms or 0)
            if seen.moment.earliest_ms > self._on[name] + LATE_MS:
                raise Violation(self.name, f"{name} is on behind its slot")
            if not _STOPS.isdisjoint(self._picture.standing.emergencies):
                raise Violation(self.name, f"{name} is on in an emergency")
