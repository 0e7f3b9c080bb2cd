# SPDX-License-Identifier: Apache-2.0
"""Bookings to which nobody came, and those of which nobody can know."""

from __future__ import annotations

import pytest

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from tests.core.scene import MINUTE_MS, clock_ms
from tests.core.spaces.house import House


def no_shows(house: House) -> list[str]:
    return [str(event.person.booking) for event in house.told(EventKind.NO_SHOW)]


def test_nobody_came_by_the_no_show_time() -> None:
    house = House("b1 wang kitchen 15:30-17:00 x3")
    house.at("15:44:59")
    assert no_shows(house) == []
    house.at("15:45:01")
    assert no_shows(house) == ["b1"]
    (told,) = house.told(EventKind.NO_SHOW)
    assert (told.subject, told.person.holder) == ("kitchen", "wang")
    assert (told.fact("from"), told.fact("persons")) == (clock_ms("15:30"), 3)
    house.at("20:00")
    assert no_shows(house) == ["b1"]


def test_one_of_a_party_is_enough() -> None:
    house = House("b1 wang kitchen 15:30-17:00 x3")
    house.at("15:25")
    house.enter("kitchen", "wang", "b1")
    house.walk_out("kitchen")
    house.at("17:00")
    assert no_shows(house) == []


def test_a_late_one_was_told_and_may_come_all_the_same() -> None:
    house = House("b1 wang kitchen 15:30-17:00")
    house.at("15:50")
    house.enter("kitchen", "wang", "b1")
    house.at("17:01")
    assert no_shows(house) == ["b1"]
    assert len(house.closed()) == 1


def test_a_booking_shorter_than_the_wait_is_judged_at_its_end() -> None:
    house = House("b1 wang kitchen 15:30-15:40")
    house.at("15:40:01")
    assert no_shows(house) == ["b1"]


def test_a_grant_that_was_not_used_is_no_coming() -> None:
    house = House("b1 wang kitchen 15:30-17:00")
    house.at("15:30")
    cause = house.grant("kitchen", "wang", "b1")
    house.wait(6)
    house.event(EventKind.ACCESS_NOT_TAKEN, "kitchen-door", cause=cause)
    house.at("16:00")
    assert no_shows(house) == ["b1"]


def test_the_whole_day_is_watched() -> None:
    house = House(
        *(f"b{hour} wang kitchen {hour}:00-{hour}:50" for hour in range(16, 23))
    )
    house.at("23:00")
    assert no_shows(house) == [f"b{hour}" for hour in range(16, 23)]


def test_a_booking_moved_or_cancelled_in_time_is_not_told() -> None:
    house = House("b1 wang kitchen 15:30-17:00", "b2 li kitchen 15:30-17:00")
    house.at("15:40")
    house.rebook("b1 wang kitchen 16:00-17:00")
    house.at("15:50")
    assert no_shows(house) == []
    house.at("16:16")
    assert no_shows(house) == ["b1"]


@pytest.mark.parametrize("off", ["15:29", "15:31", "15:44"])
def test_nobody_is_accused_while_the_box_was_away(off: str) -> None:
    house = House("b1 wang kitchen 15:30-17:00", "b2 li kitchen 16:30-17:00")
    house.at(off)
    house.cut_power(off_s=20 * 60)
    house.at("16:29")
    assert no_shows(house) == []
    house.at("16:46")
    assert no_shows(house) == ["b2"]


def test_a_bookings_beginning_before_the_box_did_is_not_judged() -> None:
    house = House("b1 wang kitchen 14:55-17:00")
    house.at("16:00")
    assert no_shows(house) == []


def test_nobody_is_accused_on_a_clock_without_an_upper_bound() -> None:
    house = House("b1 wang kitchen 15:30-17:00", "b2 li kitchen 18:00-19:00")
    house.spread_ms = UNBOUNDED_MS
    house.cut_power()
    house.at("16:00")
    house.spread_ms = MINUTE_MS
    house.event(EventKind.CLOCK_FIXED, "gateway")
    house.at("17:59")
    assert no_shows(house) == []
    house.at("18:16")
    assert no_shows(house) == ["b2"]


def test_a_clock_that_loses_its_bound_leaves_nothing_to_wait_for() -> None:
    house = House("b1 wang kitchen 15:30-17:00")
    house.spread_ms = UNBOUNDED_MS
    house.event(EventKind.CLOCK_STEPPED, "gateway")
    house.at("16:00")
    assert no_shows(house) == []
    assert house.spaces.deadline() is None


@pytest.mark.parametrize("state", [EmergencyState.FIRE, EmergencyState.LOCK_DOWN])
def test_nobody_is_accused_whom_an_emergency_kept_out(state: EmergencyState) -> None:
    house = House("b1 wang kitchen 15:30-17:00", "b2 li kitchen 16:30-17:00")
    house.at("15:10")
    house.emergency(state)
    house.at("15:44")
    house.emergency()
    house.at("16:29")
    assert no_shows(house) == []
    house.at("16:46")
    assert no_shows(house) == ["b2"]
