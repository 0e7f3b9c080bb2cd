# SPDX-License-Identifier: Apache-2.0
"""Who else it takes: a second person, a partner door at rest, a volunteer's word.

The law of the module: asked last, of those who would be granted; whoever waits here
is decided anew with everything that was asked before.
Source: ARCHITECTURE.md, "The decision", rule 12, and the checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason
from edge.core.access.pairs import pair_identity
from edge.core.access.rules.findings import refuse
from edge.core.emergency.state import EmergencyState, first_of

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings


def pair(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Ask for another person where a door needs two; the same one twice is one."""
    if not question.door.needs_two_persons:
        return None
    first = question.first_holder
    if first and first != pair_identity(question):
        return None
    return refuse(question, findings, rule, DenyReason.SECOND_PERSON_NEEDED)


def interlock(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse while a partner of the door is released or open, but never in a fire."""
    partner = question.interlocked_by
    if not partner or EmergencyState.FIRE in question.standing:
        return None
    facts = (("place", partner),)
    return refuse(question, findings, rule, DenyReason.DOOR_INTERLOCKED, facts)


def checkpoint(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Let everybody wait for a volunteer's confirmation, a volunteer for his own."""
    if question.is_confirmed or not question.standing:
        return None
    if first_of(question.standing) is not EmergencyState.CHECKPOINT:
        return None
    return refuse(question, findings, rule, DenyReason.AWAITING_CONFIRMATION)
