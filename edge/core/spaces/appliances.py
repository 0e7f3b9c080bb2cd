# SPDX-License-Identifier: Apache-2.0
"""Gas and power of the stoves: on only inside a slot, with its holder there.

The law of the module: on needs everything at once (a booking that surely runs, its
holder inside, no fire, no lock-down); off needs one thing to fail, and waits for
nothing. Nothing comes on again by itself: after each off, a start and an emergency,
somebody has to come in anew, or a volunteer to switch it on.
Source: docs/spaces.md.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.core.command import SwitchAppliance
from edge.core.emergency.state import EmergencyState
from edge.core.event import Event, EventKind, Facts, Person
from edge.core.moment import ClockVerdict
from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from edge.core.moment import Moment
    from edge.core.order import ApplianceOrdered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Booking
    from edge.core.plan import AppliancePlan, SitePlan
    from edge.core.spaces.presence import Presence
    from edge.core.spaces.stay import Stay
    from edge.core.spaces.visits import Standing

MAX_TEXT = 64


class WhyOff(StrEnum):
    """What took an appliance's gas or power away."""

    ORDERED = "ordered"
    FIRE = "fire"
    LOCK_DOWN = "lock_down"
    NOBODY = "nobody"
    SLOT_END = "slot_end"
    CLOCK = "clock"
    BOARD = "board"
    RESTART = "restart"


#: Emergencies under which no stove burns.
_DANGERS = {
    EmergencyState.FIRE: WhyOff.FIRE,
    EmergencyState.LOCK_DOWN: WhyOff.LOCK_DOWN,
}


class _Slot(NamedTuple):
    stay: Stay
    booking: Booking


class Appliances:
    """What is on, and since which event nothing may come on by itself."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        presence: Presence,
        emergency: Standing,
    ) -> None:
        self._site = site
        self._out = out
        self._presence = presence
        self._emergency = emergency
        #: By appliance: the seq of its APPLIANCE_ON.
        self._on: dict[str, int] = {}
        #: By appliance: an entry must be younger than this seq to switch it on.
        self._spent: dict[str, int] = {}

    @property
    def on(self) -> frozenset[str]:
        """The appliances that have gas or power."""
        return frozenset(self._on)

    def start(self, now: Moment) -> None:
        """Put everything off: a start knows nothing of who stands at the stove."""
        self._put_off(self._site.appliances, WhyOff.RESTART, now)

    def board_changed(self, appliance_ids: Iterable[str], now: Moment) -> None:
        """Put off what hangs on a board that went away or came back."""
        known = [each for each in appliance_ids if each in self._site.appliances]
        self._put_off(known, WhyOff.BOARD, now)

    def switch(self, order: ApplianceOrdered, now: Moment) -> str:
        """Switch for somebody in charge, or return why not."""
        plan = self._site.appliances[order.appliance]
        told: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("reason", order.reason[:MAX_TEXT]),
        )
        if not order.is_on:
            self._put_off([order.appliance], WhyOff.ORDERED, now, told)
            return ""
        danger = self._danger()
        if danger is not None:
            return f"not while {danger.name} stands"
        if order.appliance in self._on:
            return "it is on already"
        slot = next(self._running(plan, now), None)
        if slot is None:
            return "nobody is inside whose booking runs now"
        self._put_on(plan, slot, now, told)
        return ""

    def withdraw(self, now: Moment) -> None:
        """Put off what has lost its ground."""
        danger = self._danger()
        for appliance_id in list(self._on):
            plan = self._site.appliances[appliance_id]
            if danger or next(self._running(plan, now), None) is None:
                why = danger or self._why_off(plan, now)
                self._put_off([appliance_id], why, now)

    def settle(self, now: Moment) -> None:
        """Put off what has lost its ground, and on what has just got it."""
        self.withdraw(now)
        if self._danger():
            return
        for appliance_id, plan in self._site.appliances.items():
            if appliance_id in self._on:
                continue
            spent = self._spent.get(appliance_id, 0)
            running = self._running(plan, now)
            armed = next((slot for slot in running if slot.stay.cause > spent), None)
            if armed is not None:
                self._put_on(plan, armed, now)

    def due_ms(self, now: Moment) -> int | None:
        """Return when (as ``earliest_ms``) a slot surely begins, or may be over."""
        due: list[int] = []
        width_ms = now.latest_ms - now.earliest_ms
        for plan in self._site.appliances.values():
            for slot in self._slots(plan):
                booking = slot.booking
                if now.earliest_ms < booking.from_ms:
                    due.append(booking.from_ms)
                elif plan.appliance_id in self._on and now.latest_ms < booking.to_ms:
                    due.append(booking.to_ms - width_ms)
        return min(due, default=None)

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        match event.kind:
            case EventKind.APPLIANCE_ON if event.subject in self._site.appliances:
                self._on[event.subject] = event.seq
            case EventKind.APPLIANCE_OFF:
                self._on.pop(event.subject, None)
                self._spent[event.subject] = event.seq
            case EventKind.EMERGENCY_STARTED:
                if event.fact("state") in _DANGERS:
                    self._spend_all(event.seq)
            case EventKind.STARTED:
                self._spend_all(event.seq)
            case _:
                pass

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._on = {name: seq + shift for name, seq in self._on.items()}
        self._spent = {name: seq + shift for name, seq in self._spent.items()}

    def dump(self) -> dict[str, dict[str, int]]:
        """Return what must survive a restart, as JSON values."""
        return {"appliances_on": dict(self._on), "appliances_off": dict(self._spent)}

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; appliances not there go."""
        known = self._site.appliances
        on, off = state.get("appliances_on", {}), state.get("appliances_off", {})
        self._on = {name: seq for name, seq in on.items() if name in known}
        self._spent = {name: seq for name, seq in off.items() if name in known}

    def _spend_all(self, seq: int) -> None:
        self._spent = dict.fromkeys(self._site.appliances, seq)

    def _danger(self) -> WhyOff | None:
        standing = self._emergency.standing
        if not standing:  # asked at every step
            return None
        return next((why for state, why in _DANGERS.items() if state in standing), None)

    def _slots(self, plan: AppliancePlan) -> Iterator[_Slot]:
        """Yield the bookings whose people are inside, whenever they run.

        Who came in long before his time, when nobody knew what time it was, may have
        gone by the handle since: he is to show his card again.
        """
        space_id = plan.space_id
        if self._presence.persons(space_id) == 0:
            return
        early_ms = self._site.spaces[space_id].lead_ms + MINUTE_MS
        for stay in self._presence.stays(space_id):
            booking = self._presence.booking(space_id, stay)
            if booking is None or stay.persons == 0:
                continue
            if stay.seen_ms >= booking.from_ms - early_ms:
                yield _Slot(stay, booking)

    def _running(self, plan: AppliancePlan, now: Moment) -> Iterator[_Slot]:
        for slot in self._slots(plan):
            verdict = now.against(slot.booking.from_ms, slot.booking.to_ms)
            if verdict is ClockVerdict.INSIDE:
                yield slot

    def _why_off(self, plan: AppliancePlan, now: Moment) -> WhyOff:
        stays = self._presence.stays(plan.space_id)
        booked = [s for s in stays if s.person.booking and s.persons > 0]
        if not booked or self._presence.persons(plan.space_id) == 0:
            return WhyOff.NOBODY
        is_sure = now.latest_ms - now.earliest_ms < MINUTE_MS
        ends = [slot.booking.to_ms for slot in self._slots(plan)]
        is_over = now.earliest_ms >= max(ends, default=0)
        return WhyOff.SLOT_END if is_over or is_sure else WhyOff.CLOCK

    def _put_on(
        self, plan: AppliancePlan, slot: _Slot, now: Moment, told: Facts = ()
    ) -> None:
        facts: Facts = (
            ("cause", slot.stay.cause),
            ("end", slot.booking.to_ms),
            *told,
        )
        person = Person(holder=slot.stay.person.holder, booking=slot.booking.booking_id)
        name, kind = plan.appliance_id, EventKind.APPLIANCE_ON
        event = self._out.event(kind, name, now, facts=facts, person=person)
        self._out.command(SwitchAppliance(appliance=name, is_on=True, cause=event.seq))

    def _put_off(
        self,
        appliance_ids: Iterable[str],
        why: WhyOff,
        now: Moment,
        told: Facts = (),
    ) -> None:
        """Order off whatever is thought of it; tell it only of what was on."""
        for name in appliance_ids:
            cause = 0
            if name in self._on:
                facts: Facts = (("cause", self._on[name]), ("why", why.value), *told)
                off = EventKind.APPLIANCE_OFF
                cause = self._out.event(off, name, now, facts=facts).seq
            self._out.command(SwitchAppliance(appliance=name, is_on=False, cause=cause))
