# SPDX-License-Identifier: Apache-2.0
"""A shelter takes in every readable card, as long as there is room.

The law of the module: revoked and expired people are people; the event says what they
would have been refused for. Only the raised capacity refuses (and not those on duty),
and a door whose partner stands open. A forged or unknown code is no card.
Source: ARCHITECTURE.md, "The decision"; emergencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason, Granted
from edge.core.access.rules.company import interlock
from edge.core.access.rules.credential import barred, is_card, judged_ticket
from edge.core.access.rules.findings import refuse, release_s, whom
from edge.core.access.rules.way import is_shelter
from edge.core.access.ticket import Ticket
from edge.core.access.ticket_rules import TicketRefusal

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings


def shelter(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Let in whoever is known or shows a card, up to the raised capacity."""
    if not is_shelter(question) or not _is_readable(question):
        return None
    space = question.space
    most = space.shelter_capacity or space.capacity
    is_full = most and question.presence.persons(space.space_id) >= most
    if is_full and findings.is_bound:
        return refuse(question, findings, rule, DenyReason.SPACE_FULL)
    shut = interlock(question, findings, "interlock")
    if shut is not None:
        return shut
    reason = _usual_reason(question)
    return Granted(
        rule=rule,
        person=whom(question),
        release_s=release_s(question),
        facts=(("barred", reason.value),) if reason else (),
    )


def _is_readable(question: Question) -> bool:
    is_known = question.holder is not None or isinstance(question.ticket, Ticket)
    return is_known or is_card(question.credential)


def _usual_reason(question: Question) -> DenyReason | None:
    """Return why this card or ticket would open nothing in peace, or None."""
    judged = judged_ticket(question)
    if isinstance(judged, TicketRefusal):
        return judged.reason
    if judged is not None:
        return None
    return barred(question.credential, question.holder, question.rolls, question.now)
