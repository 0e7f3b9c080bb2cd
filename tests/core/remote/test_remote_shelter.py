# SPDX-License-Identifier: Apache-2.0
"""A shelter that the platform begins: by two operators, where the site allows it."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.order import EmergencyEndOrdered, EmergencyOrdered
from edge.core.remote.command import Action, RemoteCommand
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.remote.afar import DOOR, command, give, last, reason, states, with_site
from tests.core.stage import Stage

TWO = ("op-chen", "op-luo")


def shelter(jti: int = 1, **more: Any) -> RemoteCommand:
    fields = {"reason": "typhoon", "witnesses": TWO} | more
    return command(jti, Action.SHELTER, **fields)


def allowed() -> Stage:
    return with_site(allows_remote_shelter=True)


def begin(stage: Stage, state: EmergencyState) -> None:
    stage.do(EmergencyOrdered(state=state, actor="chen", reason="drill"))


def standing(stage: Stage) -> frozenset[EmergencyState]:
    return stage.controller.emergency.standing


def test_two_operators_begin_a_shelter_and_both_are_told() -> None:
    stage, wish = allowed(), shelter()
    assert stage.do(CommandReceived(command=wish)) == ["COMMAND_RECEIVED"]
    assert standing(stage) == frozenset(), "nothing before its record"
    told = stage.do(CommandStored(jti=wish.jti))
    assert told[:2] == ["EMERGENCY_STARTED", "COMMAND_EXECUTED"]
    assert states(stage, wish) == ["accepted", "actuated"]
    began = last(stage, EventKind.EMERGENCY_STARTED)
    assert began.fact("by") == "platform"
    assert began.fact("actor") == "op-chen op-luo"
    assert f"release {DOOR}" in stage.scan("a stranger"), "every readable card"


@pytest.mark.parametrize("witnesses", [(), ("op-chen",), ("op-chen", "op-chen")])
def test_one_operator_is_not_two(witnesses: tuple[str, ...]) -> None:
    stage = allowed()
    assert reason(stage, shelter(witnesses=witnesses)) == "SECOND_SIGNATURE_NEEDED"
    assert standing(stage) == frozenset()


def test_a_site_that_names_no_operators_allows_none() -> None:
    stage = Stage()
    assert reason(stage, shelter()) == "SHELTER_OFF"
    assert standing(stage) == frozenset()


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "CHECKPOINT"])
def test_what_goes_before_a_shelter_goes_on(state: str) -> None:
    stage, first = allowed(), EmergencyState(state)
    begin(stage, first)
    before = stage.mode(DOOR)
    assert reason(stage, shelter()) == ""
    assert standing(stage) == {first, EmergencyState.SHELTER}
    assert stage.controller.emergency.first is first
    assert stage.mode(DOOR) == before


def test_it_is_done_once_and_ends_by_hand_alone() -> None:
    stage, wish = allowed(), shelter()
    give(stage, wish)
    assert reason(stage, wish) == "REPLAY"
    stage.wait(7 * 24 * 3600.0)
    stage.cut_power()
    assert standing(stage) == {EmergencyState.SHELTER}
    ended = EmergencyEndOrdered(
        state=EmergencyState.SHELTER, actor="chen", reason="over"
    )
    stage.do(ended)
    assert standing(stage) == frozenset()


def test_a_shelter_cut_short_by_the_power_is_unknown_and_not_done_later() -> None:
    stage, wish = allowed(), shelter()
    stage.do(CommandReceived(command=wish))
    assert "COMMAND_UNKNOWN" in stage.cut_power()
    assert standing(stage) == frozenset()
    assert stage.do(CommandStored(jti=wish.jti)) == []


def test_what_is_wished_comes_in_several_commands_and_is_done_once() -> None:
    stage = Stage()
    assert reason(stage, command(1, wish="ab" * 16)) == ""
    stage.wait(30.0)
    assert reason(stage, command(2, wish="ab" * 16)) == "REPLAY"
    stage.cut_power()
    assert reason(stage, command(3, wish="ab" * 16)) == "REPLAY"
    assert reason(stage, command(4, wish="cd" * 16)) == ""


def test_a_wish_that_was_refused_may_come_again() -> None:
    stage = Stage()
    begin(stage, EmergencyState.LOCK_DOWN)
    assert reason(stage, command(1, wish="ab" * 16)) == "EMERGENCY"
    ended = EmergencyEndOrdered(
        state=EmergencyState.LOCK_DOWN, actor="chen", reason="over"
    )
    stage.do(ended)
    assert reason(stage, command(2, wish="ab" * 16)) == ""
