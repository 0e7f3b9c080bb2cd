# SPDX-License-Identifier: Apache-2.0
"""What openings of a door say: exits by button and handle, entries by hand."""

from __future__ import annotations

from edge.core.event import EventKind, Person
from tests.core.spaces.house import House
from tests.core.spaces.plan import HOUSE

OPENED = EventKind.DOOR_OPENED


def is_inside(house: House, space_id: str, who: str) -> bool:
    return house.spaces.presence.is_inside(space_id, who)


def test_an_exit_by_the_button_lowers_the_count_and_softens_all() -> None:
    house = House("b1 wang kitchen 15:00-16:00", "b2 li kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.enter("kitchen", "li", "b2")
    house.wait(60)
    house.walk_out("kitchen")
    assert house.persons("kitchen") == 1
    assert not is_inside(house, "kitchen", "wang")
    assert not is_inside(house, "kitchen", "li")


def test_one_opening_is_one_exit() -> None:
    house = House()
    for who in ("wang", "li", "zhao"):
        house.enter("lounge", who)
    house.wait(60)
    house.event(EventKind.REQUEST_TO_EXIT, "lounge-door")
    house.swing("lounge")
    house.swing("lounge")
    assert house.persons("lounge") == 2


def test_a_press_that_opened_nothing_counts_nobody_out() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(60)
    house.event(EventKind.REQUEST_TO_EXIT, "lounge-door")
    house.wait(61)
    house.swing("lounge")
    assert house.persons("lounge") == 1


def test_at_a_door_without_contact_the_press_is_the_exit() -> None:
    house = House("b1 wang shed 15:00-16:00")
    house.enter("shed", "wang", "b1")
    house.walk_out("shed")
    assert house.persons("shed") == 0


def test_who_enters_while_another_presses_is_counted_and_nobody_out() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(60)
    house.event(EventKind.REQUEST_TO_EXIT, "lounge-door")
    house.enter("lounge", "li")
    assert house.persons("lounge") == 2
    house.swing("lounge")
    assert house.persons("lounge") == 2


def test_a_handle_that_nobody_sees_counts_by_the_contact() -> None:
    house = House()
    house.enter("hall", "wang")
    house.enter("hall", "li")
    house.wait(60)
    house.swing("hall")
    assert house.persons("hall") == 1


def test_the_same_card_again_at_once_is_no_exit_by_the_handle() -> None:
    house = House()
    house.enter("hall", "wang")
    house.swing("hall")  # released again within three seconds, without an event
    assert house.persons("hall") == 1


def test_an_opening_of_a_free_door_says_nothing() -> None:
    house = House()
    house.enter("hall", "wang")
    house.wait(60)
    house.swing("hall", free=1)
    assert house.persons("hall") == 1


def test_a_forced_or_unexplained_opening_counts_nobody_out() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(60)
    house.swing("lounge")
    assert house.persons("lounge") == 1


def test_the_count_is_never_below_zero() -> None:
    house = House()
    for _ in range(3):
        house.walk_out("kitchen")
        house.leave("lounge", "")
        house.swing("hall")
    assert [house.persons(name) for name in HOUSE.spaces] == [0, 0, 0, 0]
    house.enter("hall", "wang")
    assert house.persons("hall") == 1


def test_people_let_in_by_hand_count_when_the_door_opened() -> None:
    house = House()
    house.by_hand("lounge", 3)
    assert house.persons("lounge") == 0
    house.swing("lounge")
    assert house.persons("lounge") == 3
    house.swing("lounge")
    assert house.persons("lounge") == 3
    assert house.told(EventKind.VISIT_STARTED) == []


def test_people_let_in_by_hand_who_did_not_come_do_not_count() -> None:
    house = House()
    house.by_hand("lounge", 3)
    house.wait(60)
    house.swing("lounge")
    assert house.persons("lounge") == 0


def test_people_let_in_by_hand_count_at_once_where_no_opening_can_tell() -> None:
    house = House()
    house.by_hand("shed", 2)
    house.event(OPENED, "lounge-door")
    house.by_hand("lounge", 2)
    assert (house.persons("shed"), house.persons("lounge")) == (2, 2)


def test_people_let_in_by_hand_for_a_booking_have_arrived() -> None:
    house = House("b1 wang kitchen 15:00-16:00 x3")
    house.by_hand("kitchen", 2, "b1")
    house.swing("kitchen")
    house.enter("kitchen", "wang", "b1")
    assert house.spaces.presence.arrived("b1") == 3
    (stay,) = house.spaces.presence.stays("kitchen")
    assert (stay.persons, stay.person) == (3, Person(holder="wang", booking="b1"))


def test_a_start_forgets_who_was_asked_at_a_door() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(60)
    house.event(EventKind.REQUEST_TO_EXIT, "lounge-door")
    house.cut_power()
    house.swing("lounge")
    assert house.persons("lounge") == 1
