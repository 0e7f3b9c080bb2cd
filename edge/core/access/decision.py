# SPDX-License-Identifier: Apache-2.0
"""May this credential open this door now? One pure function, first refusal wins.

The law of the module: the rules stand in ``RULES`` in their order, each a function of
the same question that refuses, admits or passes on; nobody else decides. A path that
reaches the end without an entitlement is a refusal, and so is a rule that raises: but
never on the way out. Every answer names its rule.
Source: ARCHITECTURE.md, "The decision".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import Decision, Denied, DenyReason, Granted
from edge.core.access.redemptions import redemption_facts
from edge.core.access.remedy import nearest_remedy, verdict
from edge.core.access.rules import company, credential, room, terms, way
from edge.core.access.rules.clock import clock
from edge.core.access.rules.credential import barred
from edge.core.access.rules.entitlement import entitlement
from edge.core.access.rules.findings import (
    BOOKING,
    POLICY,
    first_findings,
    heads,
    release_s,
    whom,
)
from edge.core.access.rules.shelter import shelter
from edge.core.access.rules.way import CLOSED_MODES

if TYPE_CHECKING:
    from edge.core.access.question import Question
    from edge.core.access.rules.findings import Entitlement, Findings, Rule
    from edge.core.event import Facts

#: What others ask of the same rules, until they import it where it lives.
__all__ = (
    "CLOSED_MODES",
    "RULES",
    "barred",
    "decide",
    "nearest_remedy",
    "verdict",
)

#: In the order of asking; the names stand in events and are never given anew.
RULES: tuple[tuple[str, Rule], ...] = (
    ("exit", way.way_out),
    ("reader", way.devices),
    ("mode", way.mode),
    ("shelter", shelter),
    ("ticket", credential.ticket),
    ("credential", credential.known),
    ("enabled", credential.enabled),
    ("validity", credential.validity),
    (BOOKING, entitlement),
    ("hours", terms.hours),
    ("payment", terms.payment),
    ("roster", terms.roster_age),
    ("clock", clock),
    ("staff", room.staff),
    ("capacity", room.capacity),
    ("inside", room.inside),
    ("redeemed", room.redeemed),
    ("pair", company.pair),
    ("interlock", company.interlock),
    ("checkpoint", company.checkpoint),
)
#: Names in events of answers that are no single rule's.
START, END = "start", "end"


def decide(question: Question) -> Decision:
    """Ask the rules in order; the first that answers has decided."""
    name = START
    try:
        findings = first_findings(question)
        for name, rule in RULES:
            answer = rule(question, findings, name)
            if answer is not None:
                return answer
        name = END
        return _admit(question, findings)
    except Exception as fault:  # noqa: BLE001  our own mistake must open no entry
        return _faulty(question, name, type(fault).__name__)


def _faulty(question: Question, rule: str, error: str) -> Decision:
    """Refuse since a rule raised; who wants out gets out all the same."""
    out = way.let_out_by_fault(question, rule, error)
    if out is not None:
        return out
    return Denied(
        rule=rule,
        reason=DenyReason.RULE_FAULT,
        person=whom(question),
        facts=(("error", error),),
    )


def _admit(question: Question, findings: Findings) -> Decision:
    """Grant what nothing refused; ``clock`` grants what is flagged."""
    found = findings.entitlement
    if found is None:
        reason = DenyReason.UNAUTHORIZED
        return Denied(rule=END, reason=reason, person=whom(question))
    return Granted(
        rule="clock" if findings.is_flagged else found.rule,
        person=whom(question, found.booking),
        release_s=release_s(question),
        facts=_facts(question, findings, found),
    )


def _facts(question: Question, findings: Findings, found: Entitlement) -> Facts:
    """Return what the event of a grant tells beside its rule and person.

    ``end``: when booking, ticket or policy's window ends (UTC ms); ``persons``, if
    this scan lets in more than one; ``pair``, if one of them is the first of two;
    ``policy``, ``walk_in``, ``passback`` (inside already, as far as is known),
    ``time_unverified``; of a ticket what its redemption must remember.
    """
    facts: Facts = () if found.end_ms is None else (("end", found.end_ms),)
    if found.policy is not None:
        facts += ((POLICY, found.policy.policy_id),)
    if found.ticket is not None:
        is_unsure = findings.is_flagged
        facts += redemption_facts(found.ticket, is_time_unsure=is_unsure)
    if found.is_walk_in:
        facts += ((found.rule, 1),)
    if findings.is_flagged:
        facts += (("time_unverified", 1),)
    if findings.is_again:
        facts += (("passback", 1),)
    if question.door.needs_two_persons:
        facts += (("pair", 1),)
    persons = heads(question, findings)
    return facts if persons == 1 else (*facts, ("persons", persons))
