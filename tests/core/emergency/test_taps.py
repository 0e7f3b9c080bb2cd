# SPDX-License-Identifier: Apache-2.0
"""A responder's card: one tap asks, a second in time begins, none ends."""

from __future__ import annotations

import pytest

from edge.core.command import Indicate
from edge.core.emergency.taps import BOUNCE_S, SECOND_TAP_S
from tests.core.emergency.place import Place


def said(place: Place) -> list[str]:
    commands = place.last.commands
    return [c.indication.value for c in commands if isinstance(c, Indicate)]


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER"])
@pytest.mark.parametrize("role", ["RESPONDER", "MANAGER"])
def test_the_first_tap_asks_and_the_second_begins(role: str, state: str) -> None:
    place = Place()
    assert place.tap(state, role=role)
    assert (said(place), place.standing()) == (["WAITING"], set())
    place.wait(4)
    assert place.tap(state, role=role)
    assert (said(place), place.standing()) == (["DONE"], {state})
    event = place.journal[-1]
    assert event.person.holder == "holder-sun"
    assert dict(event.facts) == {"by": "card", "point": "desk", "state": state}


@pytest.mark.parametrize(
    ("after_s", "begins"),
    [
        (BOUNCE_S - 0.001, False),
        (BOUNCE_S, True),
        (SECOND_TAP_S - 0.001, True),
        (SECOND_TAP_S, False),
    ],
)
def test_the_second_tap_has_its_time(after_s: float, *, begins: bool) -> None:
    place = Place()
    place.now_s = 0.0  # sums of these seconds are then exact
    place.tap("FIRE")
    place.wait(after_s)
    place.tap("FIRE")
    assert (place.standing() == {"FIRE"}) is begins


def test_a_tap_too_late_is_a_first_one_again() -> None:
    place = Place()
    place.tap("FIRE")
    place.wait(SECOND_TAP_S)
    place.tap("FIRE")
    place.wait(2)
    place.tap("FIRE")
    assert place.standing() == {"FIRE"}


def test_a_card_that_rests_on_the_reader_is_one_tap() -> None:
    place = Place()
    for _ in range(100):
        place.tap("FIRE")
        place.wait(0.5)
    assert place.standing() == set()


def test_two_people_do_not_make_one_second_tap() -> None:
    place = Place()
    place.tap("LOCK_DOWN", "sun")
    place.wait(2)
    place.tap("LOCK_DOWN", "zhou")
    assert place.standing() == set()


@pytest.mark.parametrize("role", ["RESIDENT", "VOLUNTEER", "COURIER", "GUEST"])
def test_other_cards_mean_nothing_of_the_kind(role: str) -> None:
    place = Place()
    for _ in range(2):
        assert not place.tap("FIRE", role=role)
        place.wait(2)
    assert place.standing() == set()
    assert place.last.commands == ()


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER"])
def test_no_card_ends_what_stands(state: str) -> None:
    place = Place()
    place.begin(state)
    for _ in range(5):
        assert not place.tap(state)
        place.wait(2)
    assert place.standing() == {state}
