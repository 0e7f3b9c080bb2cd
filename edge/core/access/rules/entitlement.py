# SPDX-License-Identifier: Apache-2.0
"""What entitles this person to come in here: a booking, else a policy, else the space.

The law of the module: a chain; a link is tried only where those before gave nothing.
What an unsure clock leaves open is taken up here and judged by the clock's own rule.
A booking for somewhere else or some other time is told, never used.
Source: ARCHITECTURE.md, "The decision", rule 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.remedy import nearest_remedy
from edge.core.access.rules.clock import may_enter_unsure
from edge.core.access.rules.findings import (
    BOOKING,
    POLICY,
    WALK_IN,
    Entitlement,
    whom,
)
from edge.core.access.rules.party import left_of_party
from edge.core.moment import ClockVerdict
from edge.core.people.entries import EVERYWHERE
from edge.core.plan import PersonClass

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings
    from edge.core.people.entries import Booking, Cardholder, Policy

#: The rule's name in events where a booking's party is complete.
PARTY = "party"


def entitlement(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Find what entitles the person, or tell the nearest remedy."""
    if findings.entitlement is not None:
        return None  # a ticket that holds
    holder = question.holder
    if holder is None:
        # Only where the space takes walk-ins has an unknown card come so far.
        findings.entitlement = _walk_in(question)
        return None
    running, maybe = _judged_here(question, holder)
    for booking in running:
        if (booked := _booked(question, booking)) is not None:
            findings.entitlement = booked
            return None
    # A party that is complete now does not begin anew on an unsure clock.
    others = [] if running else _unsure(question, maybe)
    policies = _policies(question, holder)
    others += _by_policy(question, findings, policies)
    if question.space.allows_walk_in:
        others.append(_walk_in(question, is_bound=findings.is_bound))
    for other in others:
        if not other.is_unsure or may_enter_unsure(question, findings, other):
            findings.entitlement = other
            return None
    if running:
        person = whom(question, running[0])
        return Denied(rule=PARTY, reason=DenyReason.PARTY_FULL, person=person)
    if others:
        findings.entitlement = others[0]  # for the clock's rule to refuse
        return None
    bookings = question.rolls.bookings(holder.holder_id)
    return nearest_remedy(
        (rule, holder, question.space.space_id),
        [booking for booking in bookings if booking.size is None],
        question.site,
        question.now,
        [policy.schedule for policy in policies if policy.schedule is not None],
    )


def _judged_here(
    question: Question, holder: Cardholder
) -> tuple[list[Booking], list[Booking]]:
    """Return the bookings of this space that run now, and those that may."""
    space, now = question.space, question.now
    from_ms = now.earliest_ms - space.grace_ms
    here = (space.space_id, from_ms, now.latest_ms + space.lead_ms + 1)
    running, maybe = [], []
    for booking in question.rolls.bookings(holder.holder_id, here):
        start_ms = booking.from_ms - space.lead_ms
        judged = now.against(start_ms, booking.to_ms + space.grace_ms)
        if judged is ClockVerdict.INSIDE:
            running.append(booking)
        elif judged is ClockVerdict.UNSURE:
            maybe.append(booking)
    return running, maybe


def _booked(
    question: Question, booking: Booking, *, is_unsure: bool = False
) -> Entitlement | None:
    """Return what the booking still allows; None while its whole party is inside."""
    left = left_of_party(question, booking)
    if left <= 0 and not is_unsure:
        return None
    return Entitlement(
        rule=BOOKING,
        booking=booking,
        end_ms=booking.to_ms,
        persons=max(1, left) if booking.counts_all else 1,
        is_unsure=is_unsure,
    )


def _unsure(question: Question, maybe: list[Booking]) -> list[Entitlement]:
    booked = [_booked(question, booking, is_unsure=True) for booking in maybe]
    return [each for each in booked if each is not None]


def _policies(question: Question, holder: Cardholder) -> list[Policy]:
    """Return the policies of the holder's roles that name this place."""
    here = {
        EVERYWHERE,
        question.space.space_id,
        question.door.door_id,
        question.point.access_point_id,
    }
    every = question.rolls.policies(holder.roles)
    return [policy for policy in every if not policy.places.isdisjoint(here)]


def _by_policy(
    question: Question, findings: Findings, policies: list[Policy]
) -> list[Entitlement]:
    """Return what the policies allow now, what is sure before what is not."""
    sure, unsure, now = [], [], question.now
    for policy in policies:
        schedule = policy.schedule
        if schedule is None or findings.person_class is PersonClass.RESPONDER:
            sure.append(Entitlement(rule=POLICY, policy=policy))
            continue
        judged = schedule.against(now)
        if judged is ClockVerdict.INSIDE:
            end_ms = schedule.closing_ms(now.earliest_ms)
            sure.append(Entitlement(rule=POLICY, policy=policy, end_ms=end_ms))
        elif judged is ClockVerdict.UNSURE:
            unsure.append(Entitlement(rule=POLICY, policy=policy, is_unsure=True))
    return sure + unsure


def _walk_in(question: Question, *, is_bound: bool = True) -> Entitlement:
    """Return a walk-in, unsure where the clock cannot say that the space is open."""
    hours = question.space.hours
    is_unsure = (
        is_bound
        and hours is not None
        and hours.against(question.now) is ClockVerdict.UNSURE
    )
    return Entitlement(rule=WALK_IN, is_unsure=is_unsure)
