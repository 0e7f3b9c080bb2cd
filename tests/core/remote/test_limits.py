# SPDX-License-Identifier: Apache-2.0
"""How often the platform may act from afar, and that hands are not counted."""

from __future__ import annotations

from dataclasses import replace

from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.order import LocalRevocationOrdered, ModeOrdered
from edge.core.remote.command import Action
from edge.core.remote.quota import (
    ACTS_AN_OPERATOR,
    HOUR_S,
    NAMES,
    OPENINGS_A_LEAF,
    OPENINGS_AN_OPERATOR,
    OPENINGS_FOR_RESIDENTS,
    RESIDENT_EVERY_S,
)
from edge.core.remote.remote import SINGLE_REJECTIONS
from tests.core.remote.afar import DOOR, command, give, last, reason
from tests.core.scene import SITE
from tests.core.stage import Stage


def test_a_resident_opens_a_door_once_in_ten_seconds() -> None:
    stage = Stage()
    assert reason(stage, command(1, Action.RESIDENT_OPEN)) == ""
    stage.wait(9.9)
    assert reason(stage, command(2, Action.RESIDENT_OPEN)) == "RATE_DOOR"
    other = command(3, Action.RESIDENT_OPEN, door="lounge-door")
    assert reason(stage, other) == "", "another door has a limit of its own"
    assert reason(stage, command(4)) == "", "and so have operators"
    stage.wait(0.2)
    assert reason(stage, command(5, Action.RESIDENT_OPEN)) == ""


def test_a_leaf_opens_for_residents_so_often_an_hour() -> None:
    stage = Stage()
    for jti in range(OPENINGS_FOR_RESIDENTS):
        one = command(jti, Action.RESIDENT_OPEN, by=f"holder-{jti}")
        assert reason(stage, one) == ""
        stage.wait(RESIDENT_EVERY_S)
    assert reason(stage, command(90, Action.RESIDENT_OPEN)) == "RATE_DOOR"
    other = command(91, Action.RESIDENT_OPEN, door="lounge-door")
    assert reason(stage, other) == "", "another door has a limit of its own"
    assert reason(stage, command(92)) == "", "and so have operators"
    stage.wait(HOUR_S)
    assert reason(stage, command(93, Action.RESIDENT_OPEN)) == ""


def test_a_leaf_opens_for_operators_so_often_an_hour() -> None:
    stage = Stage()
    for jti in range(OPENINGS_A_LEAF):
        assert reason(stage, command(jti, by=f"op-{jti}")) == ""
    assert reason(stage, command(20, by="op-20")) == "RATE_DOOR"
    assert reason(stage, command(21, Action.RESIDENT_OPEN)) == ""
    stage.wait(HOUR_S)
    assert reason(stage, command(22, by="op-22")) == ""


def test_an_operator_opens_so_often_an_hour() -> None:
    stage, doors = Stage(), list(SITE.doors)
    for jti in range(OPENINGS_AN_OPERATOR):
        assert reason(stage, command(jti, door=doors[jti % 3])) == ""
    assert reason(stage, command(20)) == "RATE_OPERATOR"
    assert reason(stage, command(21, by="op-2")) == ""


def test_what_is_refused_takes_nothing_of_a_limit() -> None:
    stage = Stage()
    stage.order(DOOR, "BLOCKED")
    for jti in range(2 * OPENINGS_A_LEAF):
        assert reason(stage, command(jti)) == "DOOR_BLOCKED"
    stage.order(DOOR, "LOCKED")
    assert reason(stage, command(99)) == ""


def test_an_operator_does_so_much_an_hour_whatever_it_is() -> None:
    stage = Stage()
    for jti in range(ACTS_AN_OPERATOR):
        assert reason(stage, command(jti, Action.FEED_REFRESH)) == ""
    assert reason(stage, command(999, Action.FEED_REFRESH)) == "RATE_OPERATOR"


def test_operators_at_a_time_are_bounded() -> None:
    stage = Stage()
    for jti in range(NAMES):
        assert reason(stage, command(jti, Action.FEED_REFRESH, by=f"op-{jti}")) == ""
    more = command(998, Action.FEED_REFRESH, by="one more")
    assert reason(stage, more) == "RATE_OPERATOR"
    stage.wait(HOUR_S)
    assert reason(stage, replace(more, jti=f"{999:032x}")) == ""


def test_who_has_asked_in_vain_keeps_no_new_operator_out() -> None:
    stage = Stage()
    for jti in range(OPENINGS_A_LEAF):
        assert reason(stage, command(jti, by="op-0")) == ""
    for jti in range(1, NAMES):
        refresh = command(100 + jti, Action.FEED_REFRESH, by=f"op-{jti}")
        assert reason(stage, refresh) == ""
    stage.wait(HOUR_S / 2)
    lounge = [command(200 + n, by="op-1", door="lounge-door") for n in range(10)]
    assert [reason(stage, each) for each in lounge] == [""] * OPENINGS_A_LEAF
    stage.wait(HOUR_S / 2)
    # His acts of an hour ago are let go of, then the full lounge refuses him.
    assert reason(stage, command(300, by="op-0", door="lounge-door")) == "RATE_DOOR"
    told = give(stage, command(301, Action.FEED_REFRESH, by="one more"))
    assert told == ["COMMAND_RECEIVED", "COMMAND_EXECUTED"]


def test_a_flood_of_rejections_is_counted() -> None:
    stage = Stage()
    told = []
    for jti in range(200):
        told += give(stage, command(jti, door="cellar"))
    assert told == ["COMMAND_REJECTED"] * SINGLE_REJECTIONS
    stage.wait(61.0)
    counted = last(stage, EventKind.COMMAND_REJECTED)
    assert counted.fact("count") == 200 - SINGLE_REJECTIONS
    assert counted.fact("jti") is None


def test_orders_by_hand_are_untouched_by_any_of_this() -> None:
    stage = Stage()
    for jti in range(OPENINGS_A_LEAF):
        give(stage, command(jti, by=f"op-{jti}"))
    assert "MANUAL_ENTRY" in stage.open_by_hand(DOOR)
    revoked = LocalRevocationOrdered(holder="holder-li", actor="chen", reason="LOST")
    assert stage.do(revoked) == ["LOCAL_CHANGED"]
    held = ModeOrdered(
        door=DOOR, mode=DoorMode.LOCKED_OPEN, actor="chen", reason="moving"
    )
    assert stage.do(held)[0] == "DOOR_MODE_CHANGED"
