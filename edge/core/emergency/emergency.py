# SPDX-License-Identifier: Apache-2.0
"""The emergencies that stand at a site: begun in many ways, ended by hand alone.

The law of the module: no time, no link, no restart and no silent board ends one, and
FIRE not even a hand while its input is active or nobody knows its level. ``follow``
moves no door: the live ways do, and ``recovered`` once the journal is read.
Source: ARCHITECTURE.md, "Emergency"; GB 50396 (people pass without a key on alarm).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from edge.core.command import Indication
from edge.core.emergency.began import Began
from edge.core.emergency.contacts import Contacts, Directory
from edge.core.emergency.drills import Drills
from edge.core.emergency.effects import EFFECTS, Origin, overtaking
from edge.core.emergency.elders import Elders, Listing, Occasion
from edge.core.emergency.held_doors import HeldDoors
from edge.core.emergency.state import EmergencyState, first_of
from edge.core.emergency.taps import Taps
from edge.core.emergency.told import told
from edge.core.event import NOBODY, Event, EventKind, Facts, Person
from edge.core.moment import UNBOUNDED_MS
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edge.core.emergency.held_doors import Doors
    from edge.core.erasing.names import Names
    from edge.core.moment import Moment
    from edge.core.order import (
        ContactMarked,
        DrillEndOrdered,
        DrillMarked,
        DrillOrdered,
        ElderMarked,
        EmergencyEndOrdered,
        EmergencyOrdered,
        ShelterOrdered,
    )
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception

FIRE = EmergencyState.FIRE
#: Whose card begins an emergency at a reader that is meant for it.
BEGINNERS = frozenset({PersonClass.RESPONDER, PersonClass.MANAGER})

#: Of a fire in a snapshot that did not keep its beginning.
_UNKNOWN = Began(monotonic_ms=0, earliest_ms=0, latest_ms=UNBOUNDED_MS, boot="")


class _Level(Enum):
    """The fire input, as far as its board has told."""

    AT_REST = auto()
    ACTIVE = auto()
    UNKNOWN = auto()


_BARS_THE_END = {
    _Level.AT_REST: "",
    _Level.ACTIVE: "the fire input is active",
    _Level.UNKNOWN: "the fire input is silent, nobody knows its level",
}


class Listings(Listing, Directory, Protocol):
    """Who is fetched and who is called."""


class Emergency:
    """What stands, what is rehearsed, and who is fetched."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        reception: Reception,
        doors: Doors,
        listing: Listings,
    ) -> None:
        self._out = out
        self._reception = reception
        self._doors = HeldDoors(site, doors)
        self._drills = Drills(out)
        self._elders = Elders(out, listing)
        self._contacts = Contacts(out, listing)
        self._taps = Taps()
        self._since: dict[EmergencyState, Began] = {}
        # By what, and by which actor where one is known.
        self._begun_by: dict[EmergencyState, tuple[str, str]] = {}
        # What the emergency file tells of; the journal may not know of it.
        self._assumed: frozenset[EmergencyState] = frozenset()
        # A wired input that was not read yet may be active.
        self._input = _Level.UNKNOWN if site.has_fire_input else _Level.AT_REST

    @property
    def standing(self) -> frozenset[EmergencyState]:
        """The emergencies that stand."""
        return frozenset(self._since) | self._assumed

    @property
    def first(self) -> EmergencyState | None:
        """The one that goes before the others; None in peace."""
        return first_of(self.standing)

    @property
    def is_fire(self) -> bool:
        """Whether the fire release stands."""
        return FIRE in self.standing

    @property
    def closes_lockers(self) -> bool:
        """Whether lockers open for staff alone (never the medicine box)."""
        return any(EFFECTS[state].closes_lockers for state in self.standing)

    @property
    def since(self) -> Mapping[EmergencyState, Began]:
        """When each of those that the journal knows of began."""
        return self._since

    @property
    def begun_by(self) -> Mapping[EmergencyState, tuple[str, str]]:
        """By what those that the journal knows of began, and who did it, "" unknown."""
        return self._begun_by

    @property
    def bars_fire_end(self) -> str:
        """Why a fire cannot be ended by hand now; "" where it can."""
        return _BARS_THE_END[self._input]

    @property
    def contacts(self) -> Contacts:
        """The contacts that were called, to be read."""
        return self._contacts

    @property
    def drills(self) -> Drills:
        """The drills, to be read."""
        return self._drills

    @property
    def elders(self) -> Elders:
        """The listed elders' marks, to be read."""
        return self._elders

    def begin(self, order: EmergencyOrdered, now: Moment) -> str:
        """Begin one by order; of one that stands, drive the doors once more."""
        words = told(actor=order.actor, reason=order.reason)
        self._begin(order.state, Origin.PANEL, now, words)
        return ""

    def shelter(self, order: ShelterOrdered, now: Moment) -> str:
        """Begin a shelter from afar; what goes before it goes on standing."""
        words = told(actor=order.actor, reason=order.reason)
        self._begin(EmergencyState.SHELTER, Origin.PLATFORM, now, words)
        return ""

    def end(self, order: EmergencyEndOrdered, now: Moment) -> str:
        """End one by hand and return to what stands beneath, or return why not."""
        if order.state not in self.standing:
            return f"{order.state.value} does not stand"
        bar = _BARS_THE_END[self._input] if order.state is FIRE else ""
        if bar:
            return bar
        self._settle(now)
        facts: Facts = (
            ("by", Origin.PANEL.value),
            ("state", order.state.value),
            *told(actor=order.actor, reason=order.reason),
        )
        self._out.event(EventKind.EMERGENCY_ENDED, "site", now, facts=facts)
        self._move_doors(now)
        return ""

    def fire_input(self, now: Moment, *, is_active: bool) -> None:
        """Take the fire input's level; its end alone ends nothing."""
        self._input = _Level.ACTIVE if is_active else _Level.AT_REST
        if is_active and not self.is_fire:
            self._begin(FIRE, Origin.INPUT, now)

    def fire_input_lost(self) -> None:
        """Forget the fire input's level: silent, it neither starts nor ends a fire."""
        self._input = _Level.UNKNOWN

    def responder_card(
        self, state: EmergencyState, holder: Cardholder, access_point: str, now: Moment
    ) -> bool:
        """Take the card of somebody who is not barred: one tap asks, two begin.

        Return False where the card means nothing of the kind: it is not a
        responder's or manager's, or the emergency stands already, since a card ends
        none.
        """
        if BEGINNERS.isdisjoint(holder.roles) or state in self.standing:
            return False
        name = holder.holder_id
        if not self._taps.is_second(access_point, name, now.monotonic_s):
            asked: Facts = (("state", state.value),)
            self._reception.indicate(access_point, Indication.WAITING, facts=asked)
            return True
        where: Facts = (("point", access_point),)
        self._begin(state, Origin.CARD, now, where, person=Person(holder=name))
        self._reception.indicate(access_point, Indication.DONE)
        return True

    def begin_drill(self, order: DrillOrdered, now: Moment) -> str:
        """Begin a rehearsal, or return why not."""
        danger = overtaking(self.standing)
        if danger is not None:
            return f"{danger.value} stands"
        rejected = self._drills.begin(order, now)
        self._move_doors(now)
        return rejected

    def mark_drill(self, order: DrillMarked, now: Moment) -> str:
        """Note that a stage of the drill is reached, or return why not."""
        return self._drills.mark(order, now)

    def end_drill(self, order: DrillEndOrdered, now: Moment) -> str:
        """End the rehearsal, or return why not."""
        rejected = self._drills.end(order, now)
        self._move_doors(now)
        return rejected

    def mark_elder(self, order: ElderMarked, now: Moment) -> str:
        """Note that a listed elder was fetched or has arrived, or return why not."""
        return self._elders.mark(order, now)

    def mark_contact(self, order: ContactMarked, now: Moment) -> str:
        """Note that a contact was called, or return why not."""
        return self._contacts.mark(order, now)

    def assume(self, standing: Collection[EmergencyState]) -> None:
        """Take over what the emergency file remembers from before.

        Before or after the journal is read: what the journal tells of earlier ones
        ends none. Those that the journal has lost are written down anew.
        """
        self._assumed |= frozenset(standing)
        self._restore_doors()

    def recovered(self) -> None:
        """Bring every door in line with what stands, now that the journal is read."""
        self._drills.recovered()
        self._restore_doors()

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        is_unsettled = bool(self._assumed) or self._is_overtaken()
        return 0.0 if is_unsettled else self._drills.deadline()

    def expire(self, now: Moment) -> None:
        """Close a forgotten drill; write down what a restart left open."""
        self._settle(now)
        if self._drills.running is not None:
            self._drills.expire(now)
            self._move_doors(now)

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed; doors are moved elsewhere."""
        if event.kind in (EventKind.EMERGENCY_STARTED, EventKind.EMERGENCY_ENDED):
            self._follow_state(event)
        self._drills.follow(event)
        occasion = self._occasion()
        self._elders.follow(event, occasion)
        self._contacts.follow(event, occasion)

    def _follow_state(self, event: Event) -> None:
        state = event.fact("state")
        if state not in list(EmergencyState):
            return  # of another version
        if event.kind is EventKind.EMERGENCY_ENDED:
            self._since.pop(EmergencyState(str(state)), None)
            self._begun_by.pop(EmergencyState(str(state)), None)
        elif state not in self._since:
            self._since[EmergencyState(str(state))] = Began.at(event.moment)
            told_of = (str(event.fact("by") or ""), str(event.fact("actor") or ""))
            self._begun_by[EmergencyState(str(state))] = told_of

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._drills.renumber(shift)

    def forget(self, names: Names) -> None:
        """Forget a person's marks."""
        self._elders.forget(names.holder)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        standing = {state.value: began.dump() for state, began in self._since.items()}
        begun_by = {state.value: list(by) for state, by in self._begun_by.items()}
        kept: dict[str, Any] = {"standing": standing, "begun_by": begun_by}
        parts = (self._drills, self._elders, self._contacts)
        for part in parts:
            kept |= part.dump()
        return kept

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot, which may be of a time when FIRE alone could stand."""
        if "standing" in state:
            self._since = {
                EmergencyState(name): Began.load(began)
                for name, began in state["standing"].items()
            }
        elif state.get("fire"):
            self._since = {FIRE: _UNKNOWN}
        self._begun_by = {
            EmergencyState(name): (by, actor)
            for name, (by, actor) in state.get("begun_by", {}).items()
        }
        self._drills.load(state)
        self._elders.load(state)
        self._contacts.load(state)

    def _begin(
        self,
        state: EmergencyState,
        by: Origin,
        now: Moment,
        more: Facts = (),
        *,
        person: Person = NOBODY,
    ) -> None:
        self._start(state, by, now, more, person=person)
        is_rehearsed = self._drills.holds_doors
        self._doors.insist(now, self.standing, is_rehearsed=is_rehearsed)
        self._settle(now)

    def _settle(self, now: Moment) -> None:
        """Write down what was assumed; end a drill that is overtaken."""
        assumed, self._assumed = self._assumed, frozenset()
        for state in EmergencyState:
            if state in assumed:
                self._start(state, Origin.FILE, now)
        if self._is_overtaken():
            self._drills.overtake(now)
            self._move_doors(now)

    def _start(
        self,
        state: EmergencyState,
        by: Origin,
        now: Moment,
        more: Facts = (),
        *,
        person: Person = NOBODY,
    ) -> None:
        if state not in self._since:
            facts: Facts = (("by", by.value), ("state", state.value), *more)
            started = EventKind.EMERGENCY_STARTED
            self._out.event(started, "site", now, facts=facts, person=person)

    def _is_overtaken(self) -> bool:
        is_running = self._drills.running is not None
        return is_running and overtaking(self._since) is not None

    def _occasion(self) -> Occasion:
        if overtaking(self._since) is not None:
            return Occasion.EMERGENCY
        if self._drills.running is not None:
            return Occasion.DRILL
        return Occasion.CHECKPOINT if self._since else Occasion.PEACE

    def _restore_doors(self) -> None:
        is_rehearsed = self._drills.holds_doors
        self._doors.restore(self.standing, is_rehearsed=is_rehearsed)

    def _move_doors(self, now: Moment) -> None:
        is_rehearsed = self._drills.holds_doors
        self._doors.hold(now, self.standing, is_rehearsed=is_rehearsed)
