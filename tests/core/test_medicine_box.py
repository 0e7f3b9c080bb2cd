# SPDX-License-Identifier: Apache-2.0
"""The medicine box: whatever the reader can read opens it, and it is always told."""

from __future__ import annotations

import pytest

from edge.core.command import OpenCompartment
from edge.core.event import NOBODY
from tests.core.scene import SITE, holder, neighbours, revocation, roster
from tests.core.stage import Stage

OPENED = ["MEDICINE_BOX_OPENED", "open hall 5"]


@pytest.mark.parametrize("who", ["wang", "chen", "stranger"])
@pytest.mark.parametrize("lost", [True, False])
def test_any_credential_opens_it(who: str, *, lost: bool) -> None:
    stage = Stage(neighbours(lost=(who,) if lost else ()))
    assert stage.scan(who, "aid") == OPENED
    assert stage.openings() == [
        OpenCompartment(bank="hall", number=5, cause=1, is_first_aid=True)
    ]
    (event,) = stage.journal
    assert (event.subject, event.fact("number")) == ("hall", 5)
    assert (event.person == NOBODY) == (who == "stranger")


@pytest.mark.parametrize("mode", ["BLOCKED", "LOCKED_DOWN", "UNLOCKED", "LOCKED_OPEN"])
def test_it_opens_in_every_mode_under_fire_without_roster_and_clock(mode: str) -> None:
    stage = Stage(roster(holder("wang", is_enabled=False), revocation("wang")))
    for door in SITE.doors:
        stage.order(door, mode)
    stage.fire()
    stage.utc_ms, stage.spread_ms = 0, 1 << 50
    assert stage.scan("wang", "aid")[-1] == "open hall 5"


def test_it_opens_whatever_its_leaf_is_said_to_do() -> None:
    stage = Stage()
    stage.scan("wang", "aid")
    stage.wait(5)
    assert stage.locker(5) == "FAULT -"
    assert stage.scan("wang", "aid") == OPENED
    assert stage.leaf(5, is_open=True) == ["COMPARTMENT_OPENED"]
    assert stage.journal[-1].fact("unasked") is None
    stage.wait(5)
    assert stage.scan("wang", "aid") == OPENED
    assert stage.leaf(5, is_open=False) == ["COMPARTMENT_CLOSED"]
    assert stage.locker(5) == "FREE -"


def test_within_three_seconds_it_opens_again_under_the_same_event() -> None:
    stage = Stage()
    stage.scan("wang", "aid")
    stage.leaf(5, is_open=True)
    stage.wait(2.999)
    assert stage.scan("li", "aid") == ["open hall 5"]
    assert [wish.cause for wish in stage.openings()] == [1]
    stage.wait(0.001)
    assert stage.scan("li", "aid") == OPENED


def test_nothing_old_opens_even_this() -> None:
    stage = Stage()
    assert stage.scan("wang", "aid", age_s=2.5) == []
    assert stage.said() == [("TRY_AGAIN", "", "SHOW_AGAIN")]


def test_it_is_never_rented_and_never_refused() -> None:
    told = ("c1 wang lounge 14:00-16:00 L", "c2 li lounge 14:00-16:00 L")
    stage = Stage(neighbours(*told))
    assert stage.scan("wang", "hall-in")[-1] == "open hall 4"
    assert stage.scan("li", "hall-in") == ["ACCESS_DENIED"]
    stage.scan("li", "aid")
    (wish,) = stage.openings()
    stage.refuse(wish)
    assert stage.said() == []
