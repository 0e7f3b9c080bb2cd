# SPDX-License-Identifier: Apache-2.0
"""What does this credential get at a bank of lockers? One pure function.

The law of the module: the rules stand in ``RULES`` in their order, each a function of
the same question that answers or passes on. What is one's own opens even when the
clock is unsure or its time is over; a new compartment is given only surely inside a
booking of one. A path that reaches the end is a refusal.
Source: ARCHITECTURE.md, "The decision"; the clock table's locker column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, person_of
from edge.core.access.decision import barred, nearest_remedy, verdict
from edge.core.lockers.compartment import CompartmentPhase
from edge.core.moment import ClockVerdict
from edge.core.plan import SIZES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.core.credential import Credential
    from edge.core.event import Facts, Person
    from edge.core.lockers.compartment import Compartment, Rental
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.people.roster import Roster
    from edge.core.plan import BankPlan, SitePlan

#: A scan within this time of one's closing says: finished.
FINISHED_S = 60.0
#: The reason of a revocation that stops even fetching one's own: a stranger has it.
LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankQuestion:
    """Everything that a rule may look at."""

    credential: Credential
    holder: Cardholder | None
    roster: Roster
    site: SitePlan
    bank: BankPlan
    compartments: Mapping[int, Compartment]
    now: Moment

    @property
    def own(self) -> list[tuple[int, Compartment, Rental]]:
        """The holder's compartments, the one granted longest ago first."""
        holder_id = self.holder.holder_id if self.holder else None
        mine = [
            (number, compartment, compartment.rental)
            for number, compartment in self.compartments.items()
            if compartment.rental and compartment.rental.holder == holder_id
        ]
        return sorted(mine, key=lambda each: each[1].cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Open ``number``: anew for ``claims``, or as the person's own.

    ``moved_from`` is the compartment that did not open for the same booking.
    ``is_last``: the rental ends when it is closed again.
    """

    rule: str
    person: Person
    number: int
    claims: Booking | None = None
    moved_from: int | None = None
    is_last: bool = False
    facts: Facts = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The person has finished: ``number`` becomes free and nothing opens."""

    rule: str
    person: Person
    number: int


BankDecision = Opening | Ending | Denied


def decide_bank(question: BankQuestion) -> BankDecision:
    """Ask the rules in order; the first that answers has decided."""
    for name, rule in RULES:
        answer = rule(question, name)
        if answer is not None:
            return answer
    person = person_of(question.holder)
    return Denied(rule="end", reason=DenyReason.UNAUTHORIZED, person=person)


def is_over(end_ms: int, bank: BankPlan, site: SitePlan, now: Moment) -> bool:
    """Say whether a rental's end and its grace have surely passed."""
    return now.earliest_ms >= end_ms + site.spaces[bank.space_id].grace_ms


def _credential(question: BankQuestion, rule: str) -> BankDecision | None:
    """Refuse strangers and lost cards; who left may still fetch what is his, once."""
    reason = barred(question.credential, question.holder, question.roster)
    if reason is None:
        return None
    is_lost = question.roster.revocation(question.credential.token) == LOST
    for number, _, rental in question.own:
        if rental.was_opened and not is_lost:
            return Opening(
                rule="own",
                person=rental.person,
                number=number,
                is_last=True,
                facts=(("barred", reason.value),),
            )
    return Denied(rule=rule, reason=reason, person=person_of(question.holder))


def _finished(question: BankQuestion, rule: str) -> BankDecision | None:
    for number, compartment, rental in question.own:
        closed_s = compartment.closed_s
        if closed_s is None or compartment.is_ordered:
            continue
        if question.now.monotonic_s - closed_s < FINISHED_S:
            return Ending(rule=rule, person=rental.person, number=number)
    return None


def _waiting(question: BankQuestion, rule: str) -> BankDecision | None:
    """Open what was claimed and never opened, or another in place of a broken one."""
    for number, compartment, rental in question.own:
        if rental.was_opened:
            continue
        if compartment.phase is not CompartmentPhase.FAULT:
            return Opening(rule=rule, person=rental.person, number=number)
        booking = _booking_of(question, rental)
        free = None if booking is None else _free(question, booking)
        if free is None:
            reason = DenyReason.NO_FREE_COMPARTMENT
            return Denied(rule=rule, reason=reason, person=rental.person)
        return Opening(
            rule=rule,
            person=rental.person,
            number=free,
            claims=booking,
            moved_from=number,
        )
    return None


def _booking(question: BankQuestion, rule: str) -> BankDecision | None:
    """Take a free compartment for a booking that runs and has none yet."""
    for booking in _unclaimed(question):
        if verdict(booking, question.site, question.now) is ClockVerdict.INSIDE:
            number = _free(question, booking)
            if number is not None:
                person = person_of(question.holder, booking)
                return Opening(rule=rule, person=person, number=number, claims=booking)
    return None


def _own(question: BankQuestion, rule: str) -> BankDecision | None:
    for number, _, rental in question.own:
        booking = _booking_of(question, rental)
        end_ms = rental.end_ms if booking is None else booking.to_ms
        return Opening(
            rule=rule,
            person=rental.person,
            number=number,
            is_last=is_over(end_ms, question.bank, question.site, question.now),
        )
    return None


def _refusal(question: BankQuestion, rule: str) -> BankDecision | None:
    """Tell why no booking gives a compartment now."""
    holder = question.holder
    if holder is None:
        return None
    verdicts = [
        (verdict(booking, question.site, question.now), booking)
        for booking in _unclaimed(question)
    ]
    for judged, name, reason in (
        (ClockVerdict.INSIDE, rule, DenyReason.NO_FREE_COMPARTMENT),
        (ClockVerdict.UNSURE, "clock", DenyReason.CLOCK_UNTRUSTED),
    ):
        for answer, booking in verdicts:
            if answer is judged:
                person = person_of(holder, booking)
                return Denied(rule=name, reason=reason, person=person)
    asked = (rule, holder, question.bank.space_id)
    return nearest_remedy(asked, _bookings(question), question.site, question.now)


def _bookings(question: BankQuestion) -> list[Booking]:
    if question.holder is None:
        return []
    every = question.roster.bookings(question.holder.holder_id)
    return [booking for booking in every if booking.size is not None]


def _unclaimed(question: BankQuestion) -> list[Booking]:
    """Return the bookings of a compartment here that have none yet."""
    claimed = {rental.booking for _, _, rental in question.own}
    return [
        booking
        for booking in _bookings(question)
        if booking.space_id == question.bank.space_id
        and booking.booking_id not in claimed
    ]


def _booking_of(question: BankQuestion, rental: Rental) -> Booking | None:
    """Return the rental's booking as the roster has it now, if it still has it."""
    bookings = _bookings(question)
    return next((b for b in bookings if b.booking_id == rental.booking), None)


def _free(question: BankQuestion, booking: Booking) -> int | None:
    """Return a free compartment of the booked size, else of the next bigger one."""
    least = SIZES.index(booking.size) if booking.size else 0
    for size in SIZES[least:]:
        for number, plan in sorted(question.bank.compartments.items()):
            phase = question.compartments[number].phase
            is_fit = plan.size == size and not plan.is_medicine_box
            if is_fit and phase is CompartmentPhase.FREE:
                return number
    return None


RULES: tuple[tuple[str, Callable[[BankQuestion, str], BankDecision | None]], ...] = (
    ("credential", _credential),
    ("finished", _finished),
    ("waiting", _waiting),
    ("booking", _booking),
    ("own", _own),
    ("refusal", _refusal),
)
