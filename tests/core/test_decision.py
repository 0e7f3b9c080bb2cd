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
from edge.core.access.decision import RULES, decide
from edge.core.doors.door import DoorMode
from tests.core.decision_case import question
from tests.core.decision_cases import CASES
from tests.core.scene import (
    PEOPLE,
    booking,
    card,
    holder,
    moment,
    revocation,
    roster,
)

if TYPE_CHECKING:
    from edge.core.people.roster_row import RosterRow
    from tests.core.decision_case import Case

#: What these few cases are about; every other reason has its own tests beside the
#: rule that gives it.
TOLD_HERE = {
    DenyReason.DOOR_BLOCKED,
    DenyReason.DOOR_LOCKED_DOWN,
    DenyReason.CREDENTIAL_NOT_FOUND,
    DenyReason.CREDENTIAL_REVOKED,
    DenyReason.CREDENTIAL_NOT_ENABLED,
    DenyReason.UNAUTHORIZED,
    DenyReason.WRONG_SPACE,
    DenyReason.TOO_EARLY,
    DenyReason.TOO_LATE,
    DenyReason.PARTY_FULL,
    DenyReason.CLOCK_UNTRUSTED,
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
        question(
            known,
            card(case.who),
            moment(case.earliest_ms, case.latest_ms),
            door=case.door,
            mode=DoorMode(case.mode),
            admissions={
                name: Admission(persons=persons, unverified=unverified)
                for name, persons, unverified in case.used
            },
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
    assert {case.reason for case in CASES} == TOLD_HERE | {None}
    assert {case.mode for case in CASES} == set(DoorMode)


def test_every_reason_has_its_next_step_and_every_step_its_reason() -> None:
    assert NEXT_STEP.keys() == set(DenyReason)
    assert set(NEXT_STEP.values()) == set(NextStep)
    for reason in DenyReason:
        assert Denied(rule="x", reason=reason).next_step in NextStep


def test_the_rules_stand_in_their_order() -> None:
    assert " ".join(name for name, _ in RULES) == (
        "exit reader mode shelter ticket credential enabled validity booking"
        " hours payment roster clock staff capacity inside redeemed"
        " pair interlock checkpoint"
    )
