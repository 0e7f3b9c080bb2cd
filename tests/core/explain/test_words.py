# SPDX-License-Identifier: Apache-2.0
"""Every rule, reason and step that can stand in an event has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import edge.core.access
from edge.core.access import decision, tries
from edge.core.access.answers import DenyReason, NextStep
from edge.core.access.rules import entitlement, findings
from edge.core.explain.telling import rule_words
from edge.core.explain.words import REASONS, RULES, STEPS
from edge.core.lockers import locker_decision

NAMED = {
    *(name for name, _ in decision.RULES),
    *(name for name, _ in locker_decision.RULES),
    *(decision.START, decision.END, tries.RULE, entitlement.PARTY),
    *(findings.BOOKING, findings.POLICY, findings.TICKET, findings.WALK_IN),
}


@pytest.mark.parametrize("rule", sorted(NAMED))
def test_every_rule_has_its_sentence(rule: str) -> None:
    assert RULES[rule]


def test_every_rule_written_out_in_the_rooms_has_its_sentence() -> None:
    """Rules that answer outside of the tables name themselves in a literal."""
    core = Path(edge.core.access.__path__[0]).parent
    texts = (path.read_text(encoding="utf-8") for path in core.rglob("*.py"))
    written = {name for text in texts for name in re.findall(r'rule="(\w+)"', text)}
    assert written
    assert written <= RULES.keys(), written - RULES.keys()


def test_every_reason_and_every_step_has_its_words() -> None:
    assert REASONS.keys() == set(DenyReason)
    assert STEPS.keys() == set(NextStep)
    assert all([*REASONS.values(), *STEPS.values()])


def test_a_rule_of_another_version_is_called_so() -> None:
    assert "another version" in rule_words("of-the-future")
