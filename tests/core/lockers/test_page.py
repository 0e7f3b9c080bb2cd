# SPDX-License-Identifier: Apache-2.0
"""The page of the lockers says what the lockers do."""

from __future__ import annotations

import pytest

from edge.core.lockers.compartment import CompartmentInput, CompartmentPhase
from edge.core.lockers.locker_decision import RULES
from tests.core.lockers.page import PAGE, WRITE_WITH, in_phase, render


def test_the_page_is_current() -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert told == render(), f"write it anew: {WRITE_WITH}"


def test_the_page_names_every_state_input_and_rule() -> None:
    told = render()
    names = [name for name, _ in RULES]
    for name in (*CompartmentPhase, *CompartmentInput, *names):
        assert f"`{name}`" in told


#: By state: whether it opens for its holder, for another with a booking, for staff.
OPENS = {
    "FREE": (True, True, True),
    "HELD": (True, False, True),
    "OCCUPIED": (True, False, True),
    "OVERDUE": (True, False, True),
    "OPEN": (True, False, True),
    "FAULT": (True, False, True),
    "CLEANING": (False, False, True),
}


def test_nobody_but_its_holder_and_the_staff_opens_what_is_somebody_s() -> None:
    acts = render().partition("## Who may do what")[2].partition("\n## ")[0]
    told = {}
    for row in acts.splitlines():
        phase, *cells = (cell.strip() for cell in row.strip("|").split("|"))
        if phase.startswith("`"):
            told[phase.strip("`")] = tuple(c.startswith("opens") for c in cells[:3])
    assert told == OPENS


@pytest.mark.parametrize("phase", list(CompartmentPhase))
def test_a_lock_down_opens_nothing_to_residents_in_any_state(
    phase: CompartmentPhase,
) -> None:
    for who in ("wang", "li"):
        wall = in_phase(phase, closes_lockers=True)
        wall.scan(who)
        assert wall.openings() == []
        assert wall.said() == [("DENIED", "DOOR_LOCKED_DOWN")]
