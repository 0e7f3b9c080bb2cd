# SPDX-License-Identifier: Apache-2.0
"""Orders of somebody in charge: a door opened by hand, and names that are not there."""

from __future__ import annotations

import pytest

from edge.core.command import Release
from edge.core.doors.door import DoorMode
from edge.core.order import (
    MendOrdered,
    ModeOrdered,
    Order,
    PanelOpenOrdered,
    RentalEndOrdered,
)
from tests.core.scene import RELEASE_S, SLACK_S
from tests.core.stage import Stage

WHO = {"actor": "chen", "reason": "forgot card"}


def test_a_door_opened_by_hand() -> None:
    stage = Stage()
    assert stage.open_by_hand("kitchen-door") == [
        "MANUAL_ENTRY",
        "release kitchen-door",
    ]
    assert stage.releases() == [
        Release(door="kitchen-door", duration_s=RELEASE_S, cause=1, is_egress=False)
    ]
    (event,) = stage.journal
    assert event.facts == (("actor", "chen"), ("count", 1), ("reason", "forgot card"))
    told = stage.swing("kitchen-door", is_open=True)
    assert told == ["DOOR_OPENED"], "not forced, and nobody's grant"


def test_a_door_opened_by_hand_that_nobody_used_is_told_no_more() -> None:
    stage = Stage()
    stage.open_by_hand("kitchen-door")
    assert stage.wait(RELEASE_S + SLACK_S) == []
    assert stage.phase("kitchen-door") == "SECURE"


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_is_left_as_it_is(mode: str) -> None:
    stage = Stage()
    stage.order("kitchen-door", mode)
    stage.wait(0)
    assert stage.open_by_hand("kitchen-door") == ["MANUAL_ENTRY"]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("BLOCKED", "DOOR_BLOCKED"), ("LOCKED_DOWN", "DOOR_LOCKED_DOWN")],
)
def test_a_closed_door_is_refused_and_a_flood_of_it_counted(
    mode: str, reason: str
) -> None:
    stage = Stage()
    stage.order("kitchen-door", mode)
    for number in range(40):
        told = stage.open_by_hand("kitchen-door")
        assert told == (["ACCESS_DENIED"] if number < 5 else [])
    event = stage.journal[-1]
    facts = [event.fact(name) for name in ("reason", "mode", "actor", "kind")]
    assert (event.subject, facts) == ("kitchen-door", [reason, mode, "chen", "PANEL"])
    assert stage.wait(60) == ["ACCESS_DENIED"]
    assert stage.journal[-1].fact("count") == 35


def opened(door: str) -> PanelOpenOrdered:
    """Return an order to open a door, whether there is one or not."""
    return PanelOpenOrdered(door=door, actor=WHO["actor"], reason=WHO["reason"])


def _mode(door: str) -> ModeOrdered:
    """Return an order for a mode, whether there is such a door or not."""
    mode, reason = DoorMode.LOCKED, WHO["reason"]
    return ModeOrdered(door=door, mode=mode, actor=WHO["actor"], reason=reason)


UNKNOWN: tuple[tuple[Order, str], ...] = (
    (opened("kichen"), "door 'kichen', known: kitchen-door, "),
    (_mode(""), "door '', known: "),
    (RentalEndOrdered(bank="hal", number=1, **WHO), "bank 'hal', known: hall, yard"),
    (MendOrdered(bank="yard", number=2, **WHO), "compartment '2', known: 1"),
    (opened("\ud800" * 999), r"door '\\ud800"),
)


@pytest.mark.parametrize(("order", "told"), UNKNOWN)
def test_a_name_that_is_not_there_is_told_with_those_that_are(
    order: Order, told: str
) -> None:
    stage = Stage()
    with pytest.raises(ValueError, match=f"^there is no {told}") as caught:
        stage.controller.check(order)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("order", "told"), UNKNOWN)
def test_unchecked_it_is_written_down_and_moves_nothing(
    order: Order, told: str
) -> None:
    stage = Stage()
    assert stage.do(order) == ["COMMAND_REJECTED"]
    assert stage.last.commands == ()
    (event,) = stage.journal
    assert event.fact("what") == type(order).__name__
    assert len(str(event.fact("why"))) <= 64
    stage.do(order)
    stage.do(order)
    assert stage.do(order) == [], "a flood is counted"


def test_names_that_are_there_pass() -> None:
    controller = Stage().controller
    controller.check(opened("kitchen-door"))
    controller.check(MendOrdered(bank="hall", number=5, **WHO))
