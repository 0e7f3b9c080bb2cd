# SPDX-License-Identifier: Apache-2.0
"""The page for people in charge says what the rules do, and names them all."""

from __future__ import annotations

import pytest

from edge.core.emergency.drill_plan import FORGOTTEN_S
from edge.core.emergency.effects import EFFECTS, Origin
from edge.core.emergency.state import EmergencyState
from edge.core.emergency.taps import BOUNCE_S, SECOND_TAP_S
from tests.core.emergency.page import PAGE, drills, effects, rendered, together, ways


def test_the_page_is_what_the_rules_do() -> None:
    page = PAGE.read_text("utf-8")
    assert rendered(page) == page
    for table in (effects(), ways(), together(), drills()):
        assert page.count(table) == 1


def test_every_emergency_has_its_row() -> None:
    assert set(EFFECTS) == set(EmergencyState)
    names = [line.split(" | ")[0] for line in effects().splitlines()[2:]]
    assert names == [f"| {state.value}" for state in EmergencyState]


@pytest.mark.parametrize("state", list(EmergencyState))
def test_a_hand_at_the_panel_ends_it_and_nothing_else(state: EmergencyState) -> None:
    assert EFFECTS[state].ends_by == {Origin.PANEL}
    is_fire = state is EmergencyState.FIRE
    assert (Origin.INPUT in EFFECTS[state].begins_by) is is_fire


def test_the_figures_in_its_prose_are_those_of_the_rules() -> None:
    prose = " ".join(PAGE.read_text("utf-8").split())
    assert f"at least {BOUNCE_S:.0f} s and less than {SECOND_TAP_S:.0f} s" in prose
    assert f"closed after {FORGOTTEN_S // 3600} hours" in prose
