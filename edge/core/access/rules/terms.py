# SPDX-License-Identifier: Apache-2.0
"""The terms of a stay: the space is open, it is paid for, and the roster is fresh.

The law of the module: they bind residents, guests and couriers, the roster's age each
class by its own limit. Ages up to and including their limit are good; bookings and
tickets are good to their own end. An unsure clock refuses nothing here that may hold.
Source: ARCHITECTURE.md, "The decision", rules 6 to 8.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason, NextStep
from edge.core.access.rules.findings import refuse
from edge.core.moment import ClockVerdict
from edge.core.plan import ROSTER_AGE_MS

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings
    from edge.core.event import Facts
    from edge.core.plan import PersonClass, SpacePlan


def hours(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse outside opening hours and on holidays; tell when it opens next."""
    schedule = question.space.hours
    if schedule is None or not findings.is_bound:
        return None
    if schedule.against(question.now) is not ClockVerdict.BEFORE:
        return None
    from_ms = schedule.next_start_ms(question.now.earliest_ms)
    if from_ms is None:
        closed = refuse(question, findings, rule, DenyReason.CLOSED)
        return replace(closed, step=NextStep.ASK_VOLUNTEER)
    facts: Facts = (("from_ms", from_ms),)
    return refuse(question, findings, rule, DenyReason.CLOSED, facts)


def payment(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse a booking that is not paid for; cash that was noted is paid."""
    booking = findings.entitlement.booking if findings.entitlement else None
    if booking is None or not findings.is_bound or booking.due_fen <= 0:
        return None
    if question.rolls.is_paid(booking):
        return None
    facts: Facts = (("due_fen", booking.due_fen),)
    return refuse(question, findings, rule, DenyReason.PAYMENT_DUE, facts)


def roster_age(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse by a roster that is surely older than this person and space allow."""
    if not _leans_on_roster(question, findings):
        return None
    limit_ms = age_limit_ms(findings.person_class, question.space)
    if limit_ms is None:
        return None
    age_ms = question.now.earliest_ms - question.rolls.confirmed_ms
    if age_ms <= limit_ms:
        return None
    return refuse(question, findings, rule, DenyReason.ROSTER_STALE)


def age_limit_ms(person_class: PersonClass, space: SpacePlan) -> int | None:
    """Return how old the roster may be; None for any age."""
    usual_ms = ROSTER_AGE_MS[person_class]
    own_ms = space.roster_age_ms.get(person_class)
    if usual_ms is None or own_ms is None:
        return own_ms if usual_ms is None else usual_ms
    return min(usual_ms, own_ms)


def _leans_on_roster(question: Question, findings: Findings) -> bool:
    """Say whether the age counts: for policies, and for strangers who walk in.

    People who are known still walk in when bookings have run out; those whom two
    persons put on the local roster do not depend on the platform's.
    """
    found, holder = findings.entitlement, question.holder
    if found is None:
        return False
    if holder is None:
        return found.is_walk_in
    return found.policy is not None and not question.rolls.is_local(holder.holder_id)
