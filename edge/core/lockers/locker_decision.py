# SPDX-License-Identifier: Apache-2.0
"""What does this credential get at a bank of lockers? One pure function.

The law of the module: the rules stand in ``RULES`` in their order, each a function of
the same question that answers or passes on. What is one's own opens even when the
clock is unsure or its time is over; a new compartment is given only surely inside a
booking of one, or to a walk-in where the bank allows it. A path that reaches the end
is a refusal, and so is a rule that raises.
Source: ARCHITECTURE.md, "The decision"; the clock table's locker column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, NextStep, person_of
from edge.core.access.remedy import nearest_remedy, verdict
from edge.core.access.rules.credential import barred, is_card
from edge.core.access.rules.findings import BOUND
from edge.core.lockers.compartment import CompartmentPhase
from edge.core.lockers.locker_question import Ending, Opening
from edge.core.lockers.locker_terms import booking_of, is_last_opening, vacant
from edge.core.lockers.rental import Claim, RentalKind
from edge.core.moment import ClockVerdict
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.event import Facts
    from edge.core.lockers.locker_question import BankDecision, BankQuestion
    from edge.core.lockers.rental import Rental
    from edge.core.people.entries import Booking

    Rule = Callable[[BankQuestion, str], BankDecision | None]

#: A scan within this time of one's closing says: finished.
FINISHED_S = 60.0
#: The reason of a revocation that stops even fetching one's own: a stranger has it.
LOST = "LOST"
#: For whom lockers open while a lock-down stands.
STAFF = frozenset({PersonClass.VOLUNTEER, PersonClass.MANAGER, PersonClass.RESPONDER})


def decide_bank(question: BankQuestion) -> BankDecision:
    """Ask the rules in order; the first that answers has decided."""
    name = "start"
    try:
        for name, rule in RULES:
            answer = rule(question, name)
            if answer is not None:
                return answer
    except Exception as fault:  # noqa: BLE001  our own mistake must open nothing
        error: Facts = (("error", type(fault).__name__),)
        reason = DenyReason.RULE_FAULT
        return Denied(rule=name, reason=reason, person=question.person, facts=error)
    return _refuse(question, "end", DenyReason.UNAUTHORIZED)


def _refuse(
    question: BankQuestion,
    rule: str,
    reason: DenyReason,
    booking: Booking | None = None,
    facts: Facts = (),
) -> Denied:
    person = person_of(question.holder, booking)
    return Denied(rule=rule, reason=reason, person=person, facts=facts)


def _reader(question: BankQuestion, rule: str) -> BankDecision | None:
    if question.is_reader_sound:
        return None
    return _refuse(question, rule, DenyReason.READER_INSECURE)


def _emergency(question: BankQuestion, rule: str) -> BankDecision | None:
    """Refuse all but staff while a lock-down stands, what is theirs too."""
    holder = question.holder
    if not question.closes_lockers:
        return None
    if holder is not None and not STAFF.isdisjoint(holder.roles):
        return None
    return _refuse(question, rule, DenyReason.DOOR_LOCKED_DOWN)


def _credential(question: BankQuestion, rule: str) -> BankDecision | None:
    """Refuse strangers and lost cards; who left may still fetch what is his, once."""
    credential, holder = question.credential, question.holder
    reason = barred(credential, holder, question.rolls, question.now)
    if reason is None or _may_walk_in(question, reason):
        return None
    for number, _, rental in (*question.parcels, *question.own):
        if rental.was_opened and not _is_lost(question):
            return Opening(
                rule="parcel" if rental.is_parcel else "own",
                person=rental.person,
                number=number,
                is_last=True,
                facts=(("barred", reason.value),),
            )
    facts: Facts = ()
    if holder is not None and reason is DenyReason.CREDENTIAL_NOT_ACTIVE:
        facts = (("from_ms", holder.valid_from_ms),)
    elif holder is not None and reason is DenyReason.CREDENTIAL_EXPIRED:
        facts = (("to_ms", holder.valid_to_ms),)
    return _refuse(question, rule, reason, facts=facts)


def _may_walk_in(question: BankQuestion, reason: DenyReason) -> bool:
    """Say whether a card that nobody knows is enough here."""
    is_unknown = reason is DenyReason.CREDENTIAL_NOT_FOUND
    return is_unknown and question.bank.allows_walk_in and is_card(question.credential)


def _is_lost(question: BankQuestion) -> bool:
    """Say whether somebody else may hold this card.

    What volunteers revoke on the spot are cards that their holder has lost.
    """
    rolls, holder = question.rolls, question.holder
    if rolls.revocation(*question.credential.tokens) == LOST:
        return True
    why = rolls.holder_revocation(holder.holder_id) if holder else None
    if holder is None or why is None:
        return False
    is_by_platform = holder.holder_id in rolls.roster.tables.revoked_holders
    return why == LOST or not is_by_platform


def _parcel(question: BankQuestion, rule: str) -> BankDecision | None:
    """Open what somebody has put in for the person, one after another."""
    for number, _, rental in question.parcels:
        parcel: Facts = (("parcel", 1),)
        return Opening(
            rule=rule, person=rental.person, number=number, is_last=True, shown=parcel
        )
    return None


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
        return _instead(question, rule, number, rental)
    return None


def _instead(
    question: BankQuestion, rule: str, number: int, rental: Rental
) -> BankDecision:
    booking = booking_of(rental, _bookings(question))
    is_walk_in = rental.kind is RentalKind.WALK_IN
    free = None
    if booking is not None or is_walk_in:
        size = booking.size if booking else None
        free = vacant(question.bank, question.compartments, size)
    if free is None:
        reason = DenyReason.NO_FREE_COMPARTMENT
        return Denied(rule=rule, reason=reason, person=rental.person)
    claims = _claim(booking)
    if booking is None:
        claims = Claim(kind=rental.kind, end_ms=rental.end_ms)
    return Opening(
        rule=rule, person=rental.person, number=free, claims=claims, moved_from=number
    )


def _claim(booking: Booking | None) -> Claim | None:
    if booking is None:
        return None
    return Claim(
        kind=RentalKind.BOOKED, end_ms=booking.to_ms, booking=booking.booking_id
    )


def _booking(question: BankQuestion, rule: str) -> BankDecision | None:
    """Take a free compartment for a paid booking that runs and has none yet."""
    for booking in _running(question):
        number = vacant(question.bank, question.compartments, booking.size)
        if number is not None and _is_paid(question, booking):
            return Opening(
                rule=rule,
                person=person_of(question.holder, booking),
                number=number,
                claims=_claim(booking),
            )
    return None


def _own(question: BankQuestion, rule: str) -> BankDecision | None:
    for number, _, rental in question.own:
        booking = booking_of(rental, _bookings(question))
        return Opening(
            rule=rule,
            person=rental.person,
            number=number,
            is_last=is_last_opening(
                rental, booking, question.bank, question.site, question.now
            ),
        )
    return None


def _payment(question: BankQuestion, rule: str) -> BankDecision | None:
    for booking in _running(question):
        if not _is_paid(question, booking):
            facts: Facts = (("due_fen", booking.due_fen),)
            return _refuse(question, rule, DenyReason.PAYMENT_DUE, booking, facts)
    return None


def _is_paid(question: BankQuestion, booking: Booking) -> bool:
    """Say whether nothing is due; those who run the place are not asked."""
    holder = question.holder
    is_bound = holder is None or holder.person_class in BOUND
    return not is_bound or question.rolls.is_paid(booking)


def _walk_in(question: BankQuestion, rule: str) -> BankDecision | None:
    """Give the smallest compartment to any card, where the bank allows it.

    A clock that could be wrong by a whole rental does not know when this one ends.
    """
    bank, now = question.bank, question.now
    is_allowed = bank.allows_walk_in and is_card(question.credential)
    if not is_allowed or _running(question):
        return None
    hours = question.rolls.spaces[bank.space_id].hours
    judged = ClockVerdict.INSIDE if hours is None else hours.against(now)
    if hours is not None and judged is ClockVerdict.BEFORE:
        from_ms = hours.next_start_ms(now.earliest_ms)
        if from_ms is not None:
            facts: Facts = (("from_ms", from_ms),)
            return _refuse(question, rule, DenyReason.CLOSED, facts=facts)
        return Denied(
            rule=rule,
            reason=DenyReason.CLOSED,
            person=question.person,
            step=NextStep.ASK_VOLUNTEER,
        )
    is_sure = now.latest_ms - now.earliest_ms < bank.walk_in_ms
    if judged is not ClockVerdict.INSIDE or not is_sure:
        return _refuse(question, rule, DenyReason.CLOCK_UNTRUSTED)
    number = vacant(bank, question.compartments, None)
    if number is None:
        return _refuse(question, rule, DenyReason.NO_FREE_COMPARTMENT)
    # From the latest bound, so that nobody's time is shorter than promised.
    claims = Claim(kind=RentalKind.WALK_IN, end_ms=now.latest_ms + bank.walk_in_ms)
    return Opening(rule=rule, person=question.person, number=number, claims=claims)


def _refusal(question: BankQuestion, rule: str) -> BankDecision | None:
    """Tell why no booking gives a compartment now."""
    holder = question.holder
    if holder is None:
        return None
    for booking in _running(question):
        return _refuse(question, rule, DenyReason.NO_FREE_COMPARTMENT, booking)
    for booking in _unclaimed(question, ClockVerdict.UNSURE):
        return _refuse(question, "clock", DenyReason.CLOCK_UNTRUSTED, booking)
    asked = (rule, holder, question.bank.space_id)
    return nearest_remedy(asked, _bookings(question), question.site, question.now)


def _bookings(question: BankQuestion) -> list[Booking]:
    if question.holder is None:
        return []
    every = question.rolls.bookings(question.holder.holder_id)
    return [booking for booking in every if booking.size is not None]


def _running(question: BankQuestion) -> list[Booking]:
    """Return the bookings that surely run and have no compartment yet."""
    return _unclaimed(question, ClockVerdict.INSIDE)


def _unclaimed(question: BankQuestion, judged: ClockVerdict) -> list[Booking]:
    """Return the bookings of a compartment here that have none yet, so judged."""
    claimed = {rental.booking for _, _, rental in question.own}
    return [
        booking
        for booking in _bookings(question)
        if booking.space_id == question.bank.space_id
        and booking.booking_id not in claimed
        and verdict(booking, question.site, question.now) is judged
    ]


RULES: tuple[tuple[str, Rule], ...] = (
    ("reader", _reader),
    ("emergency", _emergency),
    ("credential", _credential),
    ("parcel", _parcel),
    ("finished", _finished),
    ("waiting", _waiting),
    ("booking", _booking),
    ("own", _own),
    ("payment", _payment),
    ("walk_in", _walk_in),
    ("refusal", _refusal),
)
