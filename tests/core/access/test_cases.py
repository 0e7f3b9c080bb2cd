# SPDX-License-Identifier: Apache-2.0
"""The decision, held to its specification, and the specification to its promises."""

from __future__ import annotations

from collections import Counter

import pytest

from edge.core.access.answers import DenyReason
from edge.core.access.decision import decide
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from tests.core.access.case_answer import expected, tell
from tests.core.access.case_scene import question
from tests.core.access.case_table import CASES, THEMES, Case, read_table
from tests.core.access.render_cases import PAGE, render

TABLE = read_table()
EVERY = [case for theme in TABLE for case in theme.cases]
PAIRS = [case for case in EVERY if case.rules]
#: As the page counts the rules.
LAST_RULE = 13
#: Said before anybody is asked (reader, limiter), or by the lockers.
SAID_ELSEWHERE = {
    DenyReason.UNREADABLE,
    DenyReason.READER_PAUSED,
    DenyReason.STORAGE_FAULT,
    DenyReason.NO_FREE_COMPARTMENT,
}
FEWEST_CASES = 250
FEWEST_EACH = 3


@pytest.mark.parametrize("case", EVERY, ids=lambda case: f"{case.theme}: {case.name}")
def test_case(case: Case) -> None:
    decision = decide(question(case.scene))
    told, details = tell(decision)
    first, more = expected(case.answer)
    if "until" not in more and first == told:
        details.pop("until", None)
    assert (told, details) == (first, more)
    holder = None if _is_nobody(case) else f"holder-{case.scene.who}"
    assert decision.person.holder == holder


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_the_later_rule_would_refuse_too(case: Case) -> None:
    told, _ = tell(decide(question(case.other)))
    assert told == case.also


def test_neighbouring_rules_stand_in_their_order() -> None:
    pairs = {case.rules for case in PAIRS}
    # A debt belongs to a booking, and no list is too old for a booking.
    neighbours = {(rule, rule + 1) for rule in range(1, LAST_RULE)} - {(7, 8)}
    assert neighbours <= pairs
    assert {(6, 8), (7, 9)} <= pairs


def _is_nobody(case: Case) -> bool:
    """Say whether the roster cannot tell whose this is."""
    scene = case.scene
    is_listed = scene.who in scene.people and not scene.shared_card
    return scene.ticket is not None or not is_listed


def test_every_file_of_the_table_is_read() -> None:
    assert sorted(path.stem for path in CASES.glob("*.toml")) == sorted(THEMES)


def test_the_table_is_large_enough() -> None:
    assert len(EVERY) >= FEWEST_CASES


def test_every_reason_stands_there_often_enough() -> None:
    reasons = Counter(case.answer.reason for case in EVERY if case.answer.reason)
    assert set(reasons) == {reason.value for reason in set(DenyReason) - SAID_ELSEWHERE}
    assert {reason: n for reason, n in reasons.items() if n < FEWEST_EACH} == {}


def test_every_mode_and_every_emergency_stands_there() -> None:
    assert {case.scene.mode for case in EVERY} == set(DoorMode)
    stood = {state for case in EVERY for state in case.scene.emergencies}
    assert stood == set(EmergencyState)


def test_no_case_repeats_another() -> None:
    scenes = Counter(repr(case.scene) for case in EVERY)
    repeated = [case.name for case in EVERY if scenes[repr(case.scene)] > 1]
    assert repeated == []
    names = Counter((case.theme, case.name) for case in EVERY)
    assert max(names.values()) == 1


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "write it anew: python -m tests.core.access.render_cases"
    )
