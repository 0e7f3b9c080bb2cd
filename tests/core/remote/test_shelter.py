# SPDX-License-Identifier: Apache-2.0
"""People take refuge: commands let them in, and shut no door on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.order import EmergencyOrdered
from edge.core.remote.command import Action, RemoteCommand
from edge.core.schedule import Schedule, read_hours
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.remote.afar import DOOR, command, give, reason, states, with_site
from tests.core.scene import HOUR_MS, SITE, clock_ms
from tests.core.stage import Stage

ALL_DAY = Schedule(week=read_hours("daily 08:00-22:00"), utc_offset_ms=8 * HOUR_MS)


def mode(jti: int, name: str) -> RemoteCommand:
    """Return the command for a mode until 16:00."""
    until_ms = clock_ms("16:00")
    return command(jti, Action.MODE, mode=DoorMode(name), until_ms=until_ms)


def take_refuge(stage: Stage) -> None:
    """Begin a shelter."""
    shelter = EmergencyState.SHELTER
    stage.do(EmergencyOrdered(state=shelter, actor="chen", reason="typhoon"))


def test_a_shelter_lets_people_in_from_afar() -> None:
    stage = Stage()
    take_refuge(stage)
    assert reason(stage, command(1)) == ""
    stage.wait(60.0)
    assert reason(stage, command(2, Action.RESIDENT_OPEN)) == ""
    assert reason(stage, mode(3, "UNLOCKED")) == ""


@pytest.mark.parametrize("name", ["BLOCKED", "LOCKED_DOWN"])
def test_a_refuge_is_not_shut_from_afar(name: str) -> None:
    stage = Stage()
    take_refuge(stage)
    assert reason(stage, mode(1, name)) == "EMERGENCY"
    assert stage.mode(DOOR) == "LOCKED"
    assert "release kitchen-door" in stage.scan("li"), "anybody may come in"


def test_a_shelter_between_record_and_act_refuses() -> None:
    stage, wish = Stage(), mode(1, "BLOCKED")
    stage.do(CommandReceived(command=wish))
    take_refuge(stage)
    assert stage.do(CommandStored(jti=wish.jti)) == ["COMMAND_REJECTED"]
    assert states(stage, wish) == ["accepted", "rejected"]


@pytest.mark.parametrize("name", ["LOCKED", "UNLOCKED", "BLOCKED"])
@pytest.mark.parametrize("held", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_door_that_was_freed_by_hand_stays_free(held: str, name: str) -> None:
    stage = Stage()
    stage.order(DOOR, held)
    take_refuge(stage)
    assert reason(stage, mode(1, name)) == "EMERGENCY"
    stage.wait(3601.0)
    assert stage.mode(DOOR) == held, "nor does an end from afar lock it"


@pytest.mark.parametrize("name", ["LOCKED", "UNLOCKED"])
def test_a_door_that_is_free_by_its_hours_stays_free(name: str) -> None:
    plan = replace(SITE.doors[DOOR], unlock=ALL_DAY)
    stage = with_site(doors={**SITE.doors, DOOR: plan})
    stage.wait(1.0)
    assert stage.mode(DOOR) == "UNLOCKED"
    take_refuge(stage)
    assert reason(stage, mode(1, name)) == "EMERGENCY"
    assert stage.mode(DOOR) == "UNLOCKED"


@pytest.mark.parametrize("name", ["UNLOCKED", "BLOCKED", "LOCKED_DOWN"])
def test_the_platform_may_still_end_what_it_ordered(name: str) -> None:
    stage = Stage()
    give(stage, mode(1, name))
    take_refuge(stage)
    assert reason(stage, mode(2, "LOCKED")) == ""
    assert stage.mode(DOOR) == "LOCKED"
