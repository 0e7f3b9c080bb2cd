# SPDX-License-Identifier: Apache-2.0
"""A booking counts who is inside: who left may come again, and nobody beside him."""

from __future__ import annotations

import pytest

from edge.core.order import OccupancyCounted
from tests.core.house.place import Place

ALONE = "b1 wang kitchen 14:00-17:00"


def _is_let_in(place: Place, at: str = "kitchen-in") -> bool:
    place.wait(10)
    return "ACCESS_GRANTED" in place.scan("wang", at)


def test_who_left_by_the_reader_comes_again() -> None:
    place = Place(ALONE)
    place.enter("wang")
    place.enter("wang", "kitchen-out")
    assert _is_let_in(place)


def test_a_friend_with_the_same_card_is_not_let_in_beside_him() -> None:
    place = Place(ALONE)
    place.enter("wang")
    assert not _is_let_in(place)
    assert place.reason() == "PARTY_FULL"


@pytest.mark.parametrize("off_s", [None, 60])
def test_who_left_by_the_button_comes_again_and_then_it_is_full(
    off_s: int | None,
) -> None:
    place = Place("b1 wang lobby 14:00-17:00")
    place.enter("wang", "outer-in")
    place.press("outer-door")
    place.walk("outer-door")
    if off_s is not None:
        place.restart(off_s=off_s)
    assert _is_let_in(place, "outer-in")
    place.walk("outer-door")
    assert not _is_let_in(place, "outer-in"), "one of one is back"
    assert place.reason() == "PARTY_FULL"


def test_two_of_four_left_and_two_come_again() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x4 all")
    place.enter("wang")
    for _ in range(2):
        place.wait(10)
        place.press("kitchen-door")
        place.walk("kitchen-door")
    assert place.persons("kitchen") == 2
    assert _is_let_in(place)
    assert place.newest("ACCESS_GRANTED").fact("persons") == 2
    place.walk("kitchen-door")
    assert place.persons("kitchen") == 4
    assert not _is_let_in(place)


def test_a_grant_that_waits_for_its_door_counts() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x2")
    place.enter("wang")
    place.wait(3.5)
    place.scan("wang")
    place.wait(3.5)
    assert place.scan("wang") == ["ACCESS_DENIED"], "two of two, one on the threshold"
    place.wait(30)
    assert _is_let_in(place), "nobody came of the second grant"


def test_the_first_of_two_does_not_fill_the_second_ones_booking() -> None:
    place = Place("b1 wang store 14:00-17:00", "b2 li store 14:00-17:00")
    place.scan("wang", "store-in")
    place.enter("li", "store-in")
    place.wait(10)
    place.press("store-door")
    place.walk("store-door")
    place.wait(10)
    place.scan("wang", "store-in")
    assert "ACCESS_GRANTED" in place.scan("li", "store-in")


def test_after_a_volunteer_counted_nobody_the_booked_come_again() -> None:
    place = Place(ALONE)
    place.enter("wang")
    assert not _is_let_in(place)
    counted = OccupancyCounted(space="kitchen", persons=0, actor="chen")
    assert "OCCUPANCY_SET" in place.do(counted)
    assert _is_let_in(place)
