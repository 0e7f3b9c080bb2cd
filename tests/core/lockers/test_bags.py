# SPDX-License-Identifier: Apache-2.0
"""Sealed bags: told with the rental's end, kept until somebody gives them back."""

from __future__ import annotations

import pytest

from edge.core.erasing.names import Names
from edge.core.event import NOBODY, EventKind
from edge.core.lockers.bags import MAX_BAGS, read_bag
from tests.core.lockers.wall import Wall


def cleared(bag: str = "b017") -> Wall:
    """Return a wall whose first compartment was cleared into a bag."""
    wall = Wall()
    assert wall.end_rental(wall.stored(), bag) == ""
    return wall


def test_what_was_cleared_waits_in_its_bag_until_it_is_given_back() -> None:
    wall = cleared()
    ended = next(e for e in wall.journal if e.kind is EventKind.RENTAL_ENDED)
    assert (ended.fact("bag"), ended.person.booking) == ("B017", "c1")
    (bag,) = wall.parts.bags.waiting.values()
    assert (bag.bank, bag.number, bag.person) == ("hall", 1, ended.person)
    assert wall.give_back("b 17") == "no bag of that number waits"
    assert wall.give_back("b017") == ""
    told = wall.journal[-1]
    assert (told.kind, told.subject) == (EventKind.BAG_RETURNED, "hall")
    assert (told.fact("bag"), told.fact("number")) == ("B017", 1)
    assert (told.fact("actor"), told.person) == ("lin", ended.person)
    assert wall.give_back("B017") == "no bag of that number waits"
    assert not wall.parts.bags.waiting


@pytest.mark.parametrize("back", [0, 99])
def test_a_restart_forgets_no_bag(back: int) -> None:
    wall = cleared()
    waiting = wall.parts.bags.waiting
    wall.restart(back=back)
    assert wall.parts.bags.waiting == waiting
    wall.give_back("B017")
    wall.restart(back=back)
    assert not wall.parts.bags.waiting


@pytest.mark.parametrize("typed", ["A-17", "袋17", "", "1234567890123", "A 1", "一"])
def test_what_is_no_bag_s_number_ends_nothing(typed: str) -> None:
    assert read_bag(typed) == ""
    wall = Wall()
    wall.stored()
    if typed:
        assert wall.end_rental(1, typed) == "bag: 1 to 12 digits and capital letters"
        assert wall.locker(1) == "OCCUPIED holder-wang"


def test_two_bags_of_one_number_do_not_wait() -> None:
    wall = cleared()
    number = wall.stored()
    assert wall.end_rental(number, "B017") == "a bag of that number waits already"
    assert wall.locker(number) == "OCCUPIED holder-wang"
    assert wall.end_rental(number, "B018") == ""
    assert list(wall.parts.bags.waiting) == ["B017", "B018"]


def test_the_shelf_has_an_end_and_a_rental_ends_without_a_bag() -> None:
    wall = Wall()
    for bag in range(MAX_BAGS):
        wall.scan("wang")
        wall.use(1)
        assert wall.end_rental(1, f"{bag}") == ""
    number = wall.stored()
    assert wall.end_rental(number, "ONE") == "200 bags wait already"
    assert wall.end_rental(number) == ""


def test_whoever_is_forgotten_is_forgotten_of_his_bag() -> None:
    wall = cleared()
    wall.parts.bags.forget(Names(holder="holder-li", bookings=frozenset({"b1"})))
    assert wall.parts.bags.waiting["B017"].person.holder == "holder-wang"
    wall.parts.bags.forget(Names(holder="holder-wang"))
    assert wall.parts.bags.waiting["B017"].person == NOBODY
    assert wall.give_back("B017") == ""
    assert wall.journal[-1].person == NOBODY
