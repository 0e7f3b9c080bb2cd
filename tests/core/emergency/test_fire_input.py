# SPDX-License-Identifier: Apache-2.0
"""The fire panel's contact begins a fire; neither its end nor its silence ends one."""

from __future__ import annotations

from dataclasses import replace

from tests.core.emergency.place import ESCAPE, WIRED, Place


def test_an_active_input_begins_a_fire_once() -> None:
    place = Place()
    assert place.fire_input(is_active=True) == ["EMERGENCY_STARTED"]
    assert (place.fact("by"), place.fact("state")) == ("input", "FIRE")
    place.leaves.heard.clear()
    assert place.fire_input(is_active=True) == []
    assert place.leaves.heard == []
    assert place.leaves.held == dict.fromkeys(ESCAPE, "LOCKED_OPEN")


def test_it_ends_by_hand_and_only_with_the_input_at_rest() -> None:
    place = Place()
    place.fire_input(is_active=True)
    assert place.end("FIRE") == "the fire input is active"
    assert place.fire_input(is_active=False) == []
    assert place.standing() == {"FIRE"}
    assert place.end("FIRE") == ""
    assert place.standing() == set()
    assert place.leaves.held == {}


def test_a_silent_board_neither_starts_nor_ends_a_fire() -> None:
    place = Place()
    place.fire_input(is_active=False)
    place.emergency.fire_input_lost()
    assert place.taken() == []
    assert place.standing() == set()
    place.begin("FIRE")
    assert place.end("FIRE") == "the fire input is silent, nobody knows its level"
    place.fire_input(is_active=False)
    assert place.end("FIRE") == ""


def test_a_wired_input_counts_as_unknown_until_it_was_read() -> None:
    place = Place()
    place.begin("FIRE")
    assert place.end("FIRE") == "the fire input is silent, nobody knows its level"


def test_after_a_restart_it_has_to_be_read_anew() -> None:
    place = Place()
    place.fire_input(is_active=True)
    place.fire_input(is_active=False)
    revived = place.rebuilt(place.emergency.dump(), len(place.journal))
    assert revived.end("FIRE") == "the fire input is silent, nobody knows its level"
    revived.fire_input(is_active=False)
    assert revived.end("FIRE") == ""


def test_where_none_is_wired_a_hand_is_enough() -> None:
    place = Place(replace(WIRED, has_fire_input=False))
    place.begin("FIRE")
    assert place.end("FIRE") == ""


def test_other_emergencies_end_whatever_the_input_says() -> None:
    place = Place()
    place.fire_input(is_active=True)
    place.begin("SHELTER")
    assert place.end("SHELTER") == ""
    assert place.standing() == {"FIRE"}


def test_a_fire_by_hand_is_not_begun_again_by_the_input() -> None:
    place = Place()
    place.begin("FIRE")
    assert place.fire_input(is_active=True) == []
    assert place.end("FIRE") == "the fire input is active"
