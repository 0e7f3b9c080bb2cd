# SPDX-License-Identifier: Apache-2.0
"""The decision, held to its table of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.access.admissions import Admission
from edge.core.access.answers import (
    NEXT_STEP,
    Decision,
    Denied,
    DenyReason,
    Granted,
    NextStep,
)
from edge.core.access.decision import RULES, Question, decide
from edge.core.doors.door import DoorMode
from tests.core.decision_cases import CASES
from tests.core.scene import (
    PEOPLE,
    SITE,
    booking,
    card,
    holder,
    moment,
    revocation,
    roster,
    token,
)

if TYPE_CHECKING:
    from edge.core.people.roster_row import RosterRow
    from tests.core.decision_case import Case

#: Refusals that are not this decision's: the reader's, the storage's, the lockers'.
SAID_ELSEWHERE = {
    DenyReason.UNREADABLE,
    DenyReason.STORAGE_FAULT,
    DenyReason.NO_FREE_COMPARTMENT,
}


def _answer(case: Case) -> Decision:
    rows: list[RosterRow] = [
        holder(
            name,
            is_enabled=name not in case.disabled,
            needs_extended_time=name in case.slow,
        )
        for name in PEOPLE
    ]
    rows += [booking(told) for told in case.bookings]
    rows += [revocation(name) for name in case.lost]
    known = roster(*rows)
    return decide(
        Question(
            credential=card(case.who),
            door=SITE.doors[case.door],
            mode=DoorMode(case.mode),
            roster=known,
            site=SITE,
            admissions={
                name: Admission(persons=persons, unverified=unverified)
                for name, persons, unverified in case.used
            },
            now=moment(case.earliest_ms, case.latest_ms),
            holder=known.find(token(case.who)),
        )
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    answer = _answer(case)
    told = (answer.rule, tuple(sorted(answer.facts)))
    assert told == (case.rule, tuple(sorted(case.params)))
    holder_id = None if case.is_anonymous else f"holder-{case.who}"
    assert (answer.person.holder, answer.person.booking) == (holder_id, case.booking)
    match answer:
        case Granted():
            assert case.reason is None
            assert answer.release_s == case.release_s
        case Denied():
            assert (answer.reason, answer.next_step) == (case.reason, case.next_step)


def test_the_table_is_whole() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.reason for case in CASES} == (set(DenyReason) - SAID_ELSEWHERE) | {
        None
    }
    assert {case.mode for case in CASES} == set(DoorMode)
    assert {case.rule for case in CASES} >= {name for name, _ in RULES}


def test_every_reason_has_its_next_step_and_every_step_its_reason() -> None:
    assert NEXT_STEP.keys() == set(DenyReason)
    assert set(NEXT_STEP.values()) == set(NextStep)
    for reason in DenyReason:
        assert Denied(rule="x", reason=reason).next_step in NextStep


def test_the_rules_stand_in_their_order() -> None:
    assert [name for name, _ in RULES] == ["mode", "credential", "enabled", "booking"]
