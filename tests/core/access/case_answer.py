# SPDX-License-Identifier: Apache-2.0
"""Tells a decision in the words of the table, so that the two can be laid side by side.

The law of the module: it judges nothing and leaves nothing out that a case could tell;
what the books alone need of a grant is named in ``BOOKKEEPING``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import NEXT_STEP, Denied, Granted
from tests.core.access.case_site import EXTENDED_S, RELEASE_S
from tests.core.access.case_words import utc_ms

if TYPE_CHECKING:
    from edge.core.access.answers import Decision
    from tests.core.access.case_table import Answer

#: Facts of a grant that are for counting uses, and no part of what is decided.
BOOKKEEPING = {"exp", "step", "pair"}
#: Facts whose value is a time, and the words by which the table tells them.
TIMES = {"from_ms": "from", "to_ms": "to", "end": "until"}
#: Facts that say something by standing there at all.
FLAGS = {"time_unverified": "time unverified", "passback": "passback"}
RELEASES = {RELEASE_S: "", EXTENDED_S: "extended", 0.0: "free"}


def tell(decision: Decision) -> tuple[str, dict[str, str]]:
    """Return what a decision says first, and its details by their words."""
    match decision:
        case Granted():
            return _tell_grant(decision)
        case Denied():
            return _tell_refusal(decision)


def expected(answer: Answer) -> tuple[str, dict[str, str]]:
    """Return a case's answer in the same shape; times as UTC ms."""
    details = {
        word: str(utc_ms(value)) if word in TIMES.values() else value
        for word, value in answer.details
    }
    return answer.opens or answer.reason, details


def _tell_refusal(refusal: Denied) -> tuple[str, dict[str, str]]:
    details = {TIMES.get(name, name): str(value) for name, value in refusal.facts}
    if refusal.person.booking is not None:
        details["booking"] = refusal.person.booking
    if refusal.next_step is not NEXT_STEP[refusal.reason]:
        details["step"] = refusal.next_step.value
    return refusal.reason.value, details


def _tell_grant(grant: Granted) -> tuple[str, dict[str, str]]:
    facts = dict(grant.facts)
    details: dict[str, str] = {}
    first = _ground(grant, facts)
    for name, value in facts.items():
        if name in BOOKKEEPING:
            continue
        word = FLAGS.get(name, TIMES.get(name, name))
        details[word] = "yes" if name in FLAGS else str(value)
    if RELEASES[grant.release_s] == "extended":
        details["extended"] = "yes"
    return first, details


def _ground(grant: Granted, facts: dict[str, int | str]) -> str:
    """Take from the facts what a grant rests upon, and return it in words."""
    if RELEASES[grant.release_s] == "free":
        return "free"
    if grant.rule in ("shelter", "exit"):
        return grant.rule
    if grant.person.ticket is not None:
        return f"ticket {grant.person.ticket}"
    if grant.person.booking is not None:
        return f"booking {grant.person.booking}"
    if facts.pop("walk_in", None) is not None:
        return "walk-in"
    return f"policy {facts.pop('policy', '?')}"
