# SPDX-License-Identifier: Apache-2.0
"""Who counts as inside: by card, by handle, by hand, and by a count."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.emergency.state import EmergencyState
from edge.core.event import NOBODY, EventKind, Person
from edge.core.moment import UNBOUNDED_MS
from edge.core.people.rolls import Rolls
from edge.core.spaces.passages import MAX_GRANTS
from edge.core.spaces.room import MAX_STAYS
from tests.core.spaces.house import House
from tests.core.spaces.plan import HOUSE, WALK_IN_MIN

if TYPE_CHECKING:
    from edge.core.spaces.presence import Listing

TAKEN, OPENED = EventKind.ACCESS_TAKEN, EventKind.DOOR_OPENED
NOT_TAKEN = EventKind.ACCESS_NOT_TAKEN


def is_inside(house: House, space_id: str, who: str) -> bool:
    return house.spaces.presence.is_inside(space_id, who)


def test_the_products_rolls_are_what_presence_asks() -> None:
    listing: Listing = Rolls(HOUSE)
    assert listing.bookings("wang") == []


def test_a_grant_that_nobody_used_leaves_nothing() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    cause = house.grant("kitchen", "wang", "b1")
    assert house.persons("kitchen") == 0
    house.event(NOT_TAKEN, "kitchen-door", cause=cause)
    house.swing("kitchen")
    assert house.persons("kitchen") == 0
    assert house.spaces.presence.arrived("b1") == 0
    assert house.told(EventKind.VISIT_STARTED, EventKind.VISIT_CLOSED) == []


def test_an_entry_counts_once_the_door_opened() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    cause = house.grant("kitchen", "wang", "b1")
    house.take("kitchen", "wang", "b1", cause)
    assert house.persons("kitchen") == 1
    assert is_inside(house, "kitchen", "wang")
    assert not is_inside(house, "kitchen", "li")
    assert not is_inside(house, "lounge", "wang")


def test_a_taking_without_its_grant_is_nobodys() -> None:
    house = House()
    house.event(TAKEN, "kitchen-door", cause=77)
    assert house.persons("kitchen") == 0


def test_a_scan_at_a_free_door_is_an_entry_at_once() -> None:
    house = House()
    house.grant("lounge", "wang", free=1)
    assert house.persons("lounge") == 1
    assert is_inside(house, "lounge", "wang")


def test_a_grant_at_a_bank_or_of_an_unknown_reader_lets_nobody_in() -> None:
    house = House()
    house.event(EventKind.ACCESS_GRANTED, "hall-bank", bank="hall", free=1)
    assert all(house.persons(space_id) == 0 for space_id in HOUSE.spaces)


def test_a_party_at_once_counts_whole() -> None:
    house = House("b1 wang kitchen 15:00-16:00 x4")
    house.enter("kitchen", "wang", "b1", persons=4)
    assert house.persons("kitchen") == 4
    assert house.spaces.presence.arrived("b1") == 4


def test_who_shows_his_card_at_the_exit_has_left() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.enter("lounge", "li")
    house.leave("lounge", "wang")
    assert house.persons("lounge") == 1
    assert not is_inside(house, "lounge", "wang")
    assert is_inside(house, "lounge", "li")


def test_an_unknown_card_at_the_exit_lowers_the_count_alone() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.enter("lounge", "li")
    house.leave("lounge", "")
    assert house.persons("lounge") == 1
    assert is_inside(house, "lounge", "wang")
    assert is_inside(house, "lounge", "li")


def test_who_came_in_once_for_four_leaves_once_for_four() -> None:
    house = House()
    house.enter("lounge", "wang", persons=4)
    house.leave("lounge", "wang")
    assert house.persons("lounge") == 0


def test_who_came_in_one_by_one_leaves_one_by_one() -> None:
    house = House()
    for left in (1, 2, 3):
        house.enter("lounge", "wang")
        assert house.persons("lounge") == left
    for left in (2, 1, 0):
        house.leave("lounge", "wang")
        assert house.persons("lounge") == left


def test_who_comes_back_was_the_one_who_left() -> None:
    house = House("b1 wang kitchen 15:00-16:00", "b2 li kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.enter("kitchen", "li", "b2")
    house.wait(60)
    house.walk_out("kitchen")
    house.enter("kitchen", "wang", "b1")
    assert house.persons("kitchen") == 2
    assert is_inside(house, "kitchen", "wang")
    assert not is_inside(house, "kitchen", "li")
    assert [stay.peak for stay in house.spaces.presence.stays("kitchen")] == [1, 1]


def test_a_walk_in_leaves_after_his_time_where_no_exit_is_read() -> None:
    house = House()
    house.enter("hall", "wang")
    house.enter("hall", "")
    house.wait(WALK_IN_MIN * 60 - 60)
    assert house.persons("hall") == 2
    house.wait(70)
    assert house.persons("hall") == 0
    (told,) = house.told(EventKind.OCCUPANCY_SET)
    assert (told.fact("how"), told.fact("persons")) == ("walk_in_over", 0)
    assert house.closed() == [f"wang - walk_in_over {WALK_IN_MIN} 0"]


def test_nobody_leaves_by_the_clock_where_exits_are_read_until_closing() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.enter("lounge", "")
    house.at("21:59")
    assert house.persons("lounge") == 2
    house.at("22:00:01")
    assert house.persons("lounge") == 0


def test_an_exit_of_somebody_unknown_is_charged_to_a_stay_that_runs_out() -> None:
    house = House("b1 wang kitchen 15:00-15:30", "b2 li kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.enter("kitchen", "li", "b2")
    house.wait(60)
    house.walk_out("kitchen")
    house.at("15:31")
    assert house.persons("kitchen") == 1
    house.at("16:01")
    assert house.persons("kitchen") == 0


def test_a_count_replaces_the_count() -> None:
    house = House()
    house.enter("lounge", "wang")
    assert house.count("lounge", 5) == ""
    assert house.persons("lounge") == 5
    assert is_inside(house, "lounge", "wang")
    house.count("lounge", 3)
    assert house.persons("lounge") == 3
    assert not is_inside(house, "lounge", "wang")
    (first, second) = house.told(EventKind.OCCUPANCY_SET)
    assert (first.fact("was"), first.fact("persons")) == (1, 5)
    assert (second.fact("was"), second.fact("how")) == (5, "counted")


def test_a_count_of_nobody_ends_all_visits() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.wait(600)
    house.count("kitchen", 0)
    assert house.closed() == ["wang b1 counted 10 0"]
    assert house.persons("kitchen") == 0


@pytest.mark.parametrize("persons", [-1, 2001])
def test_an_absurd_count_is_rejected(persons: int) -> None:
    house = House()
    assert "a count is from 0 to" in house.count("lounge", persons)
    assert house.told(EventKind.OCCUPANCY_SET) == []


def test_places_are_kept_for_those_booked_for_now() -> None:
    house = House(
        "b1 wang lounge 15:10-16:00 x5",
        "b2 li lounge 15:00-16:00 x3",
        "b3 zhao lounge 15:11-16:00 x7",
        "b4 zhao kitchen 15:00-16:00 x9",
    )
    presence = house.spaces.presence
    assert presence.awaited("lounge", house.now()) == 8
    house.enter("lounge", "li", "b2")
    assert presence.awaited("lounge", house.now()) == 7
    house.at("15:14:59")
    assert presence.awaited("lounge", house.now()) == 5 + 2 + 7
    house.at("15:15")
    assert presence.awaited("lounge", house.now()) == 5 + 7
    house.at("15:26")
    assert presence.awaited("lounge", house.now()) == 0


def test_an_unsure_clock_keeps_places_rather_than_gives_them() -> None:
    house = House("b1 wang lounge 18:00-19:00 x5")
    assert house.spaces.presence.awaited("lounge", house.now()) == 0
    house.spread_ms = UNBOUNDED_MS
    assert house.spaces.presence.awaited("lounge", house.now()) == 5


def test_somebody_is_expected_inside_in_open_hours_or_if_he_came_in() -> None:
    house = House()
    presence = house.spaces.presence
    assert presence.is_expected_inside("hall", house.now())
    house.at("22:30")
    assert not presence.is_expected_inside("hall", house.now())
    assert presence.is_expected_inside("shed", house.now())  # always open
    house.spread_ms = 24 * 3_600_000
    assert presence.is_expected_inside("hall", house.now())
    house.spread_ms = 0
    house.enter("hall", "chen")
    assert presence.is_expected_inside("hall", house.now())


def test_shelter_and_fire_let_nobody_leave_by_the_clock() -> None:
    for state in (EmergencyState.SHELTER, EmergencyState.FIRE):
        house = House()
        house.enter("hall", "")
        house.emergency(state)
        house.wait(9 * 3600)
        assert house.persons("hall") == 1
        house.emergency()
        assert house.persons("hall") == 0


def test_tables_are_bounded_and_the_count_stays_right() -> None:
    house = House()
    for _ in range(MAX_GRANTS + 10):
        house.grant("lounge", "wang")
    assert len(house.spaces.dump()["passage_grants"]) == MAX_GRANTS
    for index in range(MAX_STAYS + 10):
        house.tell(
            (
                EventKind.ACCESS_GRANTED,
                "hall-in",
                {"free": 1},
                Person(holder=f"p{index}"),
            )
        )
    assert len(house.spaces.presence.stays("hall")) == MAX_STAYS
    assert house.persons("hall") == MAX_STAYS + 10


def test_the_plan_may_lose_a_space_between_two_starts() -> None:
    house = House()
    house.enter("hall", "wang")
    house.grant("hall", "li")
    spaces = {n: s for n, s in HOUSE.spaces.items() if n != "hall"}
    doors = {n: d for n, d in HOUSE.doors.items() if n != "hall-door"}
    smaller = House(site=replace(HOUSE, spaces=spaces, doors=doors))
    smaller.spaces.load(house.spaces.dump())
    for event in house.journal:
        smaller.spaces.follow(event)
    smaller.wait(60)
    assert smaller.persons("lounge") == 0


def test_an_erased_person_is_counted_without_his_name() -> None:
    house = House()
    house.enter("lounge", "wang")
    erased = House()
    for event in house.journal:
        erased.spaces.follow(replace(event, person=NOBODY))
    assert erased.persons("lounge") == 1


def test_who_left_unseen_and_came_anew_leaves_what_he_came_for_last() -> None:
    house = House("b1 wang lounge 15:00-16:00", "b2 wang lounge 15:00-18:00")
    house.enter("lounge", "wang", "b1")
    house.enter("lounge", "li")
    house.walk_out("lounge")
    house.enter("lounge", "wang", "b2")
    house.leave("lounge", "wang")
    closed = house.told(EventKind.VISIT_CLOSED)
    assert [event.person.booking for event in closed] == ["b2"]
