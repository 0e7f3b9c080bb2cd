# SPDX-License-Identifier: Apache-2.0
"""Whether somebody looks after the room, and whether it has room for this person.

The law of the module: everybody counts as inside, only residents, guests and couriers
are refused for it. Members of a party may share a card; what presence knows only
softly refuses nobody.
Source: ARCHITECTURE.md, "The decision", rules 10 and 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.rules.findings import heads, refuse, whom
from edge.core.access.ticket_rules import refusal
from edge.core.plan import EntryRule, Passback

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings


def staff(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse where a volunteer must be on duty and none is."""
    if question.space.entry is not EntryRule.STAFFED or not findings.is_bound:
        return None
    if question.is_staff_present:
        return None
    return refuse(question, findings, rule, DenyReason.STAFF_ABSENT)


def capacity(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse what would overfill; a walk-in leaves the places of the booked free."""
    space = question.space
    if not space.capacity or not findings.is_bound:
        return None
    persons = question.presence.persons(space.space_id) + heads(question, findings)
    found = findings.entitlement
    if found is not None and found.is_walk_in:
        persons += question.presence.awaited(space.space_id, question.now)
    if persons <= space.capacity:
        return None
    return refuse(question, findings, rule, DenyReason.SPACE_FULL)


def inside(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse, or note, who is inside already; each space says which."""
    space, holder = question.space, question.holder
    if space.passback is Passback.OFF or holder is None or not findings.is_bound:
        return None
    found = findings.entitlement
    booking = found.booking if found else None
    if booking is not None and booking.party > 1:
        return None
    if not question.presence.is_inside(space.space_id, holder.holder_id):
        return None
    if space.passback is Passback.HARD:
        return refuse(question, findings, rule, DenyReason.ALREADY_INSIDE)
    findings.is_again = True
    return None


def redeemed(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse a ticket that was used up, a code shown before, or one use too many."""
    ticket = findings.entitlement.ticket if findings.entitlement else None
    if ticket is None:
        return None
    point_id = question.point.access_point_id
    flaw = question.redemptions.flaw(ticket, point_id, question.now)
    if flaw is None:
        if question.redemptions.has_room(ticket, is_time_unsure=findings.is_flagged):
            return None
        # A use that cannot be remembered could be had again and again.
        return refuse(question, findings, rule, DenyReason.STORAGE_FAULT)
    told = refusal(flaw)
    return Denied(
        rule=rule,
        reason=told.reason,
        person=whom(question),
        facts=told.facts,
        step=told.step,
    )
