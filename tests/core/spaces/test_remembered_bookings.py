# SPDX-License-Identifier: Apache-2.0
"""What spaces remember of a roster they looked through: never longer than it stands."""

from __future__ import annotations

from dataclasses import replace

from edge.core.event import EventKind
from edge.core.plan import DAY_MS
from edge.core.spaces import presence
from tests.core.spaces.house import House
from tests.core.spaces.plan import booked
from tests.core.spaces.test_no_shows import no_shows


def test_a_booking_that_comes_down_late_is_watched_from_then_on() -> None:
    house = House("b1 wang kitchen 18:00-19:00")
    house.at("15:20")
    house.rebook("b1 wang kitchen 18:00-19:00", "b2 li kitchen 15:30-17:00")
    house.at("15:46")
    assert no_shows(house) == ["b2"]


def test_a_booking_beyond_the_day_looked_through_is_watched_in_time() -> None:
    house = House()
    who, booking = booked("b1 wang kitchen 18:00-19:00")
    from_ms, to_ms = booking.from_ms + DAY_MS, booking.to_ms + DAY_MS
    tomorrow = replace(booking, from_ms=from_ms, to_ms=to_ms)
    house.people.all_bookings = [(who, tomorrow)]
    house.event(EventKind.ROSTER_APPLIED, "gateway")
    house.at("18:14:59", days=1)
    assert no_shows(house) == []
    house.at("18:15:01", days=1)
    assert no_shows(house) == ["b1"]


def test_a_stay_goes_by_the_booking_that_stands_now() -> None:
    house = House("b1 wang kitchen 15:00-15:30")
    house.enter("kitchen", "wang", "b1")
    house.at("15:10")
    house.rebook("b1 wang kitchen 15:00-16:30")
    house.at("16:00")
    assert house.told(EventKind.VISIT_CLOSED) == []
    house.rebook("b1 wang kitchen 15:00-16:10")
    house.at("16:20")
    assert len(house.told(EventKind.VISIT_CLOSED)) == 1


def test_the_memory_of_bookings_is_bounded() -> None:
    house = House("b1 wang kitchen 15:00-23:00")
    house.enter("kitchen", "wang", "b1")
    standing = house.spaces.presence
    (stay,) = standing.stays("kitchen")
    for number in range(2 * presence.MAX_FOUND):
        found = standing.booking(f"room-{number}", stay)
        assert found is None
    assert len(standing._found) <= presence.MAX_FOUND
    booking = standing.booking("kitchen", stay)
    assert booking is not None
    assert booking.booking_id == "b1"
