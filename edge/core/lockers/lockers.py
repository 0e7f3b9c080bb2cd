# SPDX-License-Identifier: Apache-2.0
"""All compartments of a site: orders, feedback and timers as events and wishes.

The law of the module: it alone moves compartments, by the steps of their machine;
what is read back after a restart gives the same standing, and nothing is opened
anew: what stood open or was ordered waits for its feedback or its holder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.access.answers import DenyReason, NextStep
from edge.core.command import Indication, OpenCompartment
from edge.core.event import NOBODY, Event, EventKind, Facts
from edge.core.lockers import compartment_steps as steps
from edge.core.lockers import locker_state
from edge.core.lockers.compartment import (
    Compartment,
    CompartmentEffect,
    CompartmentPhase,
    Step,
)
from edge.core.lockers.locker_terms import due_facts, over_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.lockers.locker_state import Place
    from edge.core.lockers.rental import Rental
    from edge.core.moment import Moment
    from edge.core.order import MendOrdered, RentalEndOrdered
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import CompartmentChanged, CompartmentFailed, OpenRefused

#: A lock that has not reported its opening this long after its order is stuck. The
#: order leaves with its commit, for which it waits no longer than the slack.
FEEDBACK_S = 2.0
COMMIT_SLACK_S = 0.25
#: A leaf that stands open longer is told: what lies inside is anybody's.
LEFT_OPEN_S = 60.0
MAX_TEXT = 64
#: The rule's name in the event of an opening that somebody in charge ordered.
BY_ORDER = "order"

_E = CompartmentEffect
#: What is told of an effect, and what about it where one kind tells several.
_TOLD: dict[CompartmentEffect, tuple[EventKind, str]] = {
    _E.OPENED: (EventKind.COMPARTMENT_OPENED, ""),
    _E.CLOSED: (EventKind.COMPARTMENT_CLOSED, ""),
    _E.FAULT: (EventKind.COMPARTMENT_FAULT, locker_state.DID_NOT_OPEN),
    _E.LEFT_OPEN: (EventKind.COMPARTMENT_FAULT, locker_state.LEFT_OPEN),
    _E.MENDED: (EventKind.COMPARTMENT_FAULT, locker_state.MENDED),
    _E.OVERDUE: (EventKind.COMPARTMENT_OVERDUE, ""),
    _E.CLEANING: (EventKind.COMPARTMENT_CLEANING, locker_state.CLEANING_DUE),
    _E.CLEANED: (EventKind.COMPARTMENT_CLEANING, locker_state.CLEANING_DONE),
    _E.OUT_OF_ORDER: (EventKind.COMPARTMENT_OUT_OF_ORDER, ""),
    _E.ENDED: (EventKind.RENTAL_ENDED, ""),
}
#: Phases in which an opening that nobody ordered is that of a key, or of a crowbar.
#: After a power cut nobody knows whether a claimed one was ordered; one that did not
#: open may do so late.
_SURE_TO_BE_SHUT = frozenset(
    {
        CompartmentPhase.FREE,
        CompartmentPhase.OCCUPIED,
        CompartmentPhase.OVERDUE,
        CompartmentPhase.CLEANING,
    }
)


class Lockers:
    """Holds every compartment's standing."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, reception: Reception
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._standing: dict[Place, Compartment] = {
            (bank_id, number): Compartment()
            for bank_id, bank in site.banks.items()
            for number in bank.compartments
        }
        #: The access point at which somebody waits for the compartment to open.
        self._asked_at: dict[Place, str] = {}

    def standing(self) -> Mapping[Place, Compartment]:
        """Return all compartments, to be read."""
        return self._standing

    def bank(self, bank_id: str) -> dict[int, Compartment]:
        """Return one bank's compartments by their numbers."""
        return {n: c for (bank, n), c in self._standing.items() if bank == bank_id}

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = [
            at_s
            for each in self._standing.values()
            # Asked of every compartment at every step, and few have a timer running.
            for at_s in (each.feedback_due_s, each.left_open_at_s)
            if at_s is not None
        ]
        return min(times) if times else None

    def rent(self, place: Place, rental: Rental) -> None:
        """Give a free compartment to the holder whose rental was written down.

        A token that stands in no event has to stand in the snapshot at once.
        """
        self._standing[place], _ = steps.claim(self._standing[place], rental)
        if rental.token:
            self._out.keep()

    def release(self, place: Place) -> None:
        """Take a compartment from a rental that was written down elsewhere."""
        self._standing[place], _ = steps.end(self._standing[place])

    def open(
        self,
        place: Place,
        granted: Event,
        access_point: str,
        *,
        is_last: bool = False,
    ) -> None:
        """Order an opening for a grant; the command waits for its commit."""
        mark = steps.make_last if is_last else steps.prolong
        self._standing[place] = mark(self._standing[place])
        self._asked_at[place] = access_point
        self._order(place, granted.seq, granted.moment)

    def open_by_staff(self, place: Place, now: Moment, facts: Facts) -> None:
        """Order an opening for somebody in charge; it ends no rental.

        ``facts`` name the ``actor``; the event is about nobody, since whose things
        they are is told once the leaf opens.
        """
        bank_id, number = place
        what: Facts = (("bank", bank_id), ("kind", "PANEL"), ("number", number))
        # No list was asked: an order stands for itself.
        why: Facts = (("rule", BY_ORDER), ("set", self._site.settings_revision))
        granted = self._out.event(
            EventKind.ACCESS_GRANTED, bank_id, now, facts=(*what, *why, *facts)
        )
        self._order(place, granted.seq, now, is_by_staff=True)

    def first_aid(self, place: Place, cause: int, now: Moment) -> None:
        """Order a medicine box open, whatever its standing."""
        self._order(place, cause, now, is_first_aid=True)

    def end(self, place: Place, now: Moment, facts: Facts) -> None:
        """End a compartment's rental, say why, and have it cleaned where that is due.

        A walk-in's token goes with it, out of the snapshot too.
        """
        rental = self._standing[place].rental
        if rental is None:
            return
        bank = self._site.banks[place[0]]
        owed = due_facts(rental, bank, self._site, now)
        self.apply(place, steps.end(self._standing[place]), now, (*facts, *owed))
        if rental.token:
            self._out.keep()
        if bank.cleans and rental.was_opened:
            self.apply(place, steps.dirty(self._standing[place]), now)

    def end_unused(self, bank_id: str, now: Moment) -> None:
        """End rentals that never opened and whose time is over: nothing is inside."""
        bank = self._site.banks[bank_id]
        for number, compartment in self.bank(bank_id).items():
            rental = compartment.rental
            if rental is None or rental.was_opened or compartment.is_ordered:
                continue
            if now.earliest_ms >= over_ms(rental, None, bank, self._site):
                self.end((bank_id, number), now, (("why", "unused"),))

    def changed(self, stimulus: CompartmentChanged, now: Moment) -> None:
        """Take the level of a compartment's feedback."""
        place = (stimulus.bank, stimulus.number)
        compartment = self._standing.get(place)
        if compartment is None or compartment.is_open == stimulus.is_open:
            return
        facts: Facts = (("unasked", 1),) if _is_unasked(compartment) else ()
        taken = steps.contact(
            compartment,
            is_open=stimulus.is_open,
            left_open_at_s=now.monotonic_s + LEFT_OPEN_S,
            now_s=now.monotonic_s,
        )
        self._asked_at.pop(place, None)
        self.apply(place, taken, now, facts)
        if not stimulus.is_open and compartment.rental is not None:
            self._shut(place, compartment.rental, now, is_asked=compartment.is_asked)

    def failed(self, stimulus: CompartmentFailed, now: Moment) -> None:
        """Take the failure of an order."""
        place = (stimulus.bank, stimulus.number)
        if place in self._standing:
            why: Facts = (("why", stimulus.why[:MAX_TEXT]),)
            self.apply(place, steps.fail(self._standing[place]), now, why)

    def refused(self, stimulus: OpenRefused, now: Moment) -> None:
        """Keep what the shell did not open for its holder, and ask for a new scan."""
        place = (stimulus.bank, stimulus.number)
        compartment = self._standing.get(place)
        if compartment is None or not compartment.is_ordered:
            return
        if compartment.cause != stimulus.cause:
            return  # an older order's
        self.apply(place, steps.refuse(compartment), now)
        self._tell_waiting(place, Indication.DENIED, DenyReason.STORAGE_FAULT.value)

    def end_rental(self, ordered: RentalEndOrdered, now: Moment) -> bool:
        """End a rental for somebody in charge; False if there is none to end.

        None is ended while an order is on its way: its leaf would open for nobody.
        """
        place = (ordered.bank, ordered.number)
        compartment = self._standing[place]
        if compartment.is_ordered or compartment.rental is None:
            return False
        bag: Facts = (("bag", ordered.bag),) if ordered.bag else ()
        why: Facts = (("why", "ordered"), *who(ordered.actor, ordered.reason))
        self.end(place, now, (*why, *bag))
        return True

    def mend(self, ordered: MendOrdered, now: Moment) -> bool:
        """Take a mended compartment back into use; False if it was not at fault."""
        place = (ordered.bank, ordered.number)
        compartment = self._standing[place]
        mended = steps.mend(compartment)
        if mended[0] is compartment or compartment.is_ordered:
            return False
        self.apply(place, mended, now, who(ordered.actor, ordered.reason))
        return True

    def start(self, now: Moment) -> None:
        """Begin timing the leaves that stood open when the power went."""
        left_open_at_s = now.monotonic_s + LEFT_OPEN_S
        for place, compartment in self._standing.items():
            self._standing[place] = steps.retime(compartment, left_open_at_s)

    def expire(self, now: Moment) -> None:
        """Let timers that ran out take effect."""
        for place, compartment in self._standing.items():
            is_timed = compartment.feedback_due_s is not None
            if not is_timed and compartment.left_open_at_s is None:
                continue  # most of them, at every stimulus
            at_s = compartment.deadline()
            if at_s is not None and now.monotonic_s >= at_s:
                self.apply(place, steps.expire(compartment, now.monotonic_s), now)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        for place, compartment in self._standing.items():
            self._standing[place] = locker_state.renumber(compartment, shift)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return locker_state.dump(self._standing)

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; those no longer there go."""
        for place, compartment in locker_state.load(state):
            if place in self._standing:
                self._standing[place] = compartment

    def follow(self, event: Event) -> None:
        """Take a replayed event into account."""
        for place in locker_state.places(event):
            if place in self._standing:
                compartment = self._standing[place]
                changed = locker_state.follow(place, compartment, event)
                self._standing[place] = changed

    def apply(self, place: Place, taken: Step, now: Moment, facts: Facts = ()) -> None:
        """Take a step of a compartment's machine and tell what came of it."""
        bank, number = place
        rental = self._standing[place].rental
        person = NOBODY if rental is None else rental.person
        self._standing[place], effects = taken
        for effect in effects:
            kind, what = _TOLD[effect]
            told: Facts = (("number", number), *facts)
            if what:
                told += (("what", what),)
            self._out.event(kind, bank, now, facts=told, person=person)
            if effect is CompartmentEffect.FAULT:
                self._tell_waiting(place, Indication.TRY_AGAIN)

    def _order(
        self,
        place: Place,
        cause: int,
        now: Moment,
        *,
        is_first_aid: bool = False,
        is_by_staff: bool = False,
    ) -> None:
        due_s = now.monotonic_s + COMMIT_SLACK_S + FEEDBACK_S
        ordered, _ = steps.order(
            self._standing[place], cause=cause, due_s=due_s, is_by_staff=is_by_staff
        )
        self._standing[place] = ordered
        bank, number = place
        self._out.command(
            OpenCompartment(
                bank=bank, number=number, cause=cause, is_first_aid=is_first_aid
            )
        )

    def _shut(
        self, place: Place, rental: Rental, now: Moment, *, is_asked: bool
    ) -> None:
        """Tell what a closed leaf means for the rental behind it."""
        bank, number = place
        here: Facts = (("number", number),)
        if rental.awaits_parcel:
            kind, facts = EventKind.PARCEL_DEPOSITED, (*here, ("until", rental.end_ms))
            self._out.event(kind, bank, now, facts=facts, person=rental.person)
            self._standing[place] = steps.deposit(self._standing[place])
        elif is_asked and rental.is_last and rental.is_parcel:
            kind = EventKind.PARCEL_COLLECTED
            self._out.event(kind, bank, now, facts=here, person=rental.person)
            self.end(place, now, (("why", "collected"),))
        elif is_asked and rental.is_last:
            self.end(place, now, (("why", "last"),))

    def _tell_waiting(
        self, place: Place, indication: Indication, reason: str = ""
    ) -> None:
        """Ask whoever waits for a leaf that did not move to scan once more."""
        asked_at = self._asked_at.pop(place, None)
        if asked_at is not None:
            step = NextStep.SHOW_AGAIN.value
            self._reception.indicate(asked_at, indication, reason, next_step=step)


def _is_unasked(compartment: Compartment) -> bool:
    """Say whether an opening now would be that of a key, or of a crowbar."""
    return not compartment.is_ordered and compartment.phase in _SURE_TO_BE_SHUT


def who(actor: str, reason: str = "") -> Facts:
    """Return who ordered something and why, cut to what an event holds."""
    named: Facts = (("actor", actor[:MAX_TEXT]),)
    return (*named, ("reason", reason[:MAX_TEXT])) if reason else named
