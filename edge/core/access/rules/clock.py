# SPDX-License-Identifier: Apache-2.0
"""What an unsure clock lets in: people with some right to it, flagged, and seldom.

The law of the module: surely outside has been refused before; here is judged what may
or may not be now. Volunteers, managers and responders open by their policies. A
walk-in needs a space that is surely open.
Source: ARCHITECTURE.md, "The decision", rule 9 and the clock's table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.admissions import MAX_UNVERIFIED, UNUSED, policy_key
from edge.core.access.answers import DenyReason
from edge.core.access.rules.findings import refuse
from edge.core.access.rules.party import left_of_party
from edge.core.access.ticket import TicketFlaw

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Entitlement, Findings
    from edge.core.event import Facts
    from edge.core.people.entries import Booking


def clock(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Flag what is let in unsurely; refuse what was let in so often enough."""
    found = findings.entitlement
    if found is None or not _is_unsure(findings, found):
        return None
    if found.booking is None and not findings.is_bound:
        return None  # volunteers, managers and responders open
    if not may_enter_unsure(question, findings, found):
        facts: Facts = ()
        if found.ticket is not None:
            facts = (("detail", TicketFlaw.CLOCK_UNKNOWN.value),)
        return refuse(question, findings, rule, DenyReason.CLOCK_UNTRUSTED, facts)
    findings.is_flagged = True
    return None


def _is_unsure(findings: Findings, found: Entitlement) -> bool:
    if found.is_walk_in:
        # His own time is nothing that a walk-in is asked for.
        return found.is_unsure
    return found.is_unsure or findings.is_validity_unsure


def may_enter_unsure(
    question: Question, findings: Findings, found: Entitlement
) -> bool:
    """Say whether this opens although the clock cannot tell that its time is now."""
    if found.booking is not None:
        return _is_left(question, found.booking)
    if found.ticket is not None:
        redemptions = question.redemptions
        return redemptions.may_enter_unverified(found.ticket, question.now)
    if found.policy is not None:
        return not findings.is_bound or _is_policy_left(question)
    return False


def _is_left(question: Question, booking: Booking) -> bool:
    used = question.admissions.get(booking.booking_id, UNUSED)
    return used.unverified < MAX_UNVERIFIED and left_of_party(question, booking) > 0


def _is_policy_left(question: Question) -> bool:
    """Say whether a resident has entries by policy left on this unsure day."""
    if question.holder is None:
        return False
    key = policy_key(question.holder.holder_id)
    used = question.admissions.get(key, UNUSED)
    is_new_day = question.now.earliest_ms >= used.end_ms
    return is_new_day or used.unverified < MAX_UNVERIFIED
