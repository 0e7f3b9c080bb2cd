# SPDX-License-Identifier: Apache-2.0
"""The way itself: out is never refused, and in needs sound devices and an open mode.

The law of the module: nothing here asks who may, but for the roles that a closed mode
lets pass. An exit reader opens for whatever it can read.
Source: ARCHITECTURE.md, "The decision", rules 1 and 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason, Granted
from edge.core.access.rules.findings import refuse, release_s, roles, whom
from edge.core.doors.door import FREE_MODES, DoorMode
from edge.core.emergency.state import EmergencyState, first_of
from edge.core.plan import Direction, PersonClass

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Findings

#: In these modes a door admits nobody …
CLOSED_MODES: dict[DoorMode, DenyReason] = {
    DoorMode.BLOCKED: DenyReason.DOOR_BLOCKED,
    DoorMode.LOCKED_DOWN: DenyReason.DOOR_LOCKED_DOWN,
}
#: … but those of these roles, who then meet the rules that follow. What is locked
#: down is a matter of people, what is blocked one of the door.
MAY_PASS: dict[DoorMode, frozenset[str]] = {
    DoorMode.BLOCKED: frozenset({PersonClass.RESPONDER.value}),
    DoorMode.LOCKED_DOWN: frozenset(
        {PersonClass.RESPONDER.value, PersonClass.MANAGER.value}
    ),
}


def way_out(question: Question, _: Findings, rule: str) -> Decision | None:
    """Let out whoever shows anything; one unknown lowers the count alone."""
    if question.point.direction is not Direction.OUT:
        return None
    return _let_out(question, rule)


def let_out_by_fault(question: Question, rule: str, error: str) -> Granted | None:
    """Let out although a rule raised; None at an entry."""
    if question.point.direction is not Direction.OUT:
        return None
    return _let_out(question, rule, error)


def _let_out(question: Question, rule: str, error: str = "") -> Granted:
    is_free = question.mode in FREE_MODES
    return Granted(
        rule=rule,
        person=whom(question),
        release_s=0.0 if is_free else release_s(question),
        facts=(("error", error),) if error else (),
    )


def devices(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Refuse where the strike cannot move, or a stranger may speak for the reader.

    In a shelter everybody who can be read enters: there is nothing to pretend.
    """
    if not question.is_strike_sound:
        return refuse(question, findings, rule, DenyReason.STRIKE_FAULT)
    if question.is_reader_sound or is_shelter(question):
        return None
    return refuse(question, findings, rule, DenyReason.READER_INSECURE)


def mode(question: Question, findings: Findings, rule: str) -> Decision | None:
    """Admit and record where the door is free; refuse where it is closed."""
    stands = question.mode
    if stands is DoorMode.LOCKED:
        return None
    if stands in FREE_MODES:
        return Granted(rule=rule, person=whom(question), release_s=0.0)
    if not MAY_PASS[stands].isdisjoint(roles(question)):
        return None
    return refuse(question, findings, rule, CLOSED_MODES[stands])


def is_shelter(question: Question) -> bool:
    """Say whether the emergency that counts is a shelter."""
    standing = question.standing
    return bool(standing) and first_of(standing) is EmergencyState.SHELTER
