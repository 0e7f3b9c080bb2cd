# SPDX-License-Identifier: Apache-2.0
"""Visits: begun by an entry, closed once, with their minutes and their fare."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from edge.core.plan import DAY_MS
from edge.core.spaces.stay import closing_ms
from tests.core.scene import MINUTE_MS, clock_ms
from tests.core.spaces.house import House
from tests.core.spaces.plan import HOUR_FEN, HOUSE, VISIT_FEN, WALK_IN_MIN, booked

STARTED, CLOSED = EventKind.VISIT_STARTED, EventKind.VISIT_CLOSED


def test_a_visit_begins_with_the_entry_in_the_same_outcome() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    taken = house.enter("kitchen", "wang", "b1")
    (begun,) = house.told(STARTED)
    assert (begun.fact("cause"), begun.seq) == (taken, taken + 1)
    assert (begun.subject, begun.person.holder) == ("kitchen", "wang")


def test_a_visit_closes_at_the_exit_where_it_is_read() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(41 * 60)
    house.leave("lounge", "wang")
    assert house.closed() == [f"wang - exit 41 {VISIT_FEN}"]
    (begun,), (closed,) = house.told(STARTED), house.told(CLOSED)
    assert closed.fact("visit") == begun.seq


def test_a_visit_closes_at_the_bookings_end_where_no_exit_is_read() -> None:
    house = House("b1 wang kitchen 15:00-17:30")
    house.at("15:00:30")
    house.enter("kitchen", "wang", "b1")
    house.at("15:30")
    house.walk_out("kitchen")
    assert house.closed() == []
    house.at("17:30")
    assert house.closed() == [f"wang b1 booking_end 149 {2 * HOUR_FEN}"]
    house.at("21:00")
    assert len(house.closed()) == 1


def test_a_prolonged_booking_prolongs_its_visit_and_a_cut_one_cuts_it() -> None:
    house = House("b1 wang kitchen 15:00-16:00", "b2 li kitchen 15:00-17:00")
    house.enter("kitchen", "wang", "b1")
    house.enter("kitchen", "li", "b2")
    house.rebook("b1 wang kitchen 15:00-16:30", "b2 li kitchen 15:00-15:45")
    house.at("15:46")
    assert house.closed() == ["li b2 booking_end 44 0"]
    house.at("16:31")
    assert house.closed()[1:] == [f"wang b1 booking_end 89 {HOUR_FEN}"]


def test_a_visit_of_a_cancelled_booking_ends_when_it_was_to_end() -> None:
    house = House("b1 wang kitchen 15:00-15:50")
    house.enter("kitchen", "wang", "b1")
    house.rebook()
    house.at("15:51")
    assert house.closed() == ["wang b1 booking_end 49 0"]


def test_who_comes_in_the_grace_has_the_rest_of_it() -> None:
    house = House("b1 wang kitchen 14:00-15:00")
    house.at("15:01")
    house.enter("kitchen", "wang", "b1")
    assert house.persons("kitchen") == 1
    house.at("15:06")
    assert house.closed() == ["wang b1 booking_end 3 0"]


def test_a_party_is_one_visit_at_one_fare() -> None:
    house = House("b1 wang lounge 15:00-17:00 x3")
    for _ in range(3):
        house.enter("lounge", "wang", "b1")
    house.wait(600)
    for _ in range(3):
        house.leave("lounge", "wang")
    (closed,) = house.told(CLOSED)
    assert (closed.fact("persons"), closed.fact("fare_fen")) == (3, VISIT_FEN)


def test_two_bookings_of_one_holder_are_two_visits() -> None:
    house = House("b1 wang kitchen 15:00-16:00", "b2 wang kitchen 16:00-17:00")
    house.enter("kitchen", "wang", "b1")
    house.at("16:02")
    house.enter("kitchen", "wang", "b2")
    house.at("17:02")
    assert [each.split()[1] for each in house.closed()] == ["b1", "b2"]


def test_who_left_and_comes_again_begins_a_new_visit() -> None:
    house = House()
    for _ in range(2):
        house.enter("lounge", "wang")
        house.leave("lounge", "wang")
    assert len(house.told(STARTED)) == len(house.told(CLOSED)) == 2


def test_the_last_one_to_leave_by_the_handle_ends_all_where_exits_are_read() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.enter("lounge", "li")
    house.wait(60)
    house.walk_out("lounge")
    assert house.closed() == []
    house.walk_out("lounge")
    assert [each.split()[2] for each in house.closed()] == ["exit", "exit"]


def test_closing_ends_what_is_left() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.at("21:59")
    house.enter("hall", "li")
    house.at("22:00:01")
    minutes = {e.person.holder: e.fact("minutes") for e in house.told(CLOSED)}
    assert minutes == {"wang": 7 * 60 - 1, "li": 0}
    assert {e.fact("how") for e in house.told(CLOSED)} == {"closing"}


@pytest.mark.parametrize(
    ("space_id", "seen", "booked_until", "closes", "days"),
    [
        ("hall", "15:00", "", "22:00", 0),
        ("hall", "21:59:59", "23:00", "22:00", 0),  # bookings never widen hours
        ("hall", "22:00", "", "00:00", 1),  # staff, after hours
        ("kitchen", "15:00", "", "00:00", 1),
        ("kitchen", "00:00", "", "00:00", 1),
        ("kitchen", "23:59:59", "", "00:00", 1),
        ("kitchen", "15:00", "16:00", "00:00", 1),
    ],
)
def test_the_table_of_closing_times(
    space_id: str, seen: str, booked_until: str, closes: str, days: int
) -> None:
    until_ms = clock_ms(booked_until) if booked_until else 0
    plan = HOUSE.spaces[space_id]
    closing = closing_ms(HOUSE, plan, clock_ms(seen), until_ms)
    assert closing == clock_ms(closes, days=days)


def test_a_site_that_closes_early_or_after_midnight() -> None:
    plan, seen_ms = HOUSE.spaces["kitchen"], clock_ms("21:00")
    early = replace(HOUSE, closing_min=20 * 60)
    late = replace(HOUSE, closing_min=26 * 60)
    assert closing_ms(early, plan, seen_ms, 0) == clock_ms("20:00", days=1)
    assert closing_ms(late, plan, seen_ms, 0) == clock_ms("02:00", days=1)
    assert closing_ms(late, plan, clock_ms("01:00"), 0) == clock_ms("02:00")


def test_a_booking_over_midnight_outlasts_the_closing_of_an_open_house() -> None:
    house = House()
    who, booking = booked("b1 wang kitchen 22:00-23:00")
    over = replace(booking, to_ms=booking.from_ms + 4 * 60 * MINUTE_MS)
    house.people.all_bookings.append((who, over))
    house.at("22:00")
    house.enter("kitchen", "wang", "b1")
    house.at("01:59", days=1)
    assert house.persons("kitchen") == 1
    house.at("02:01", days=1)
    assert house.closed()[0].startswith("wang b1 booking_end 239 ")


def test_a_fire_ends_visits_without_a_fare_but_not_the_count() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(600)
    house.emergency(EmergencyState.FIRE)
    assert house.closed() == ["wang - emergency 10 0"]
    assert house.persons("lounge") == 1
    house.enter("lounge", "li")
    assert house.closed()[1:] == ["li - emergency 0 0"]
    assert house.persons("lounge") == 2
    house.wait(10)
    assert len(house.told(CLOSED)) == 2


@pytest.mark.parametrize("state", [EmergencyState.LOCK_DOWN, EmergencyState.CHECKPOINT])
def test_other_emergencies_end_no_visit(state: EmergencyState) -> None:
    house = House()
    house.enter("lounge", "wang")
    house.emergency(state)
    assert house.closed() == []


def test_what_fell_due_while_the_power_was_off_is_settled_by_its_own_time() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.enter("hall", "")
    house.cut_power(off_s=5 * 3600)
    assert house.closed() == ["wang b1 booking_end 59 0"]
    assert house.persons("kitchen") == house.persons("hall") == 0


def test_a_visit_goes_on_over_a_restart() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.wait(60 * 60)
    house.cut_power(off_s=60)
    house.wait(60)
    house.leave("lounge", "wang")
    (closed,) = house.told(CLOSED)
    assert (closed.fact("minutes"), closed.fact("time_unverified")) == (62, None)


def test_minutes_over_a_restart_with_an_unsure_clock_say_so() -> None:
    house = House()
    house.enter("lounge", "wang")
    house.spread_ms = MINUTE_MS
    house.cut_power()
    house.leave("lounge", "wang")
    (closed,) = house.told(CLOSED)
    assert closed.fact("time_unverified") == 1


def test_a_clock_that_is_set_does_not_lengthen_a_visit() -> None:
    house = House()
    house.spread_ms = UNBOUNDED_MS
    house.enter("lounge", "wang")
    house.wait(600)
    house.utc_ms += 3 * 60 * MINUTE_MS
    house.spread_ms = 0
    house.leave("lounge", "wang")
    assert house.closed() == [f"wang - exit 10 {VISIT_FEN}"]


def test_nothing_closes_before_it_is_surely_over() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    house.enter("kitchen", "wang", "b1")
    house.spread_ms = 30 * MINUTE_MS  # the true time may be half an hour later
    house.at("15:59:59")
    assert house.closed() == []
    house.at("16:00")
    assert len(house.closed()) == 1


def test_an_entry_by_the_lower_bound_of_a_poor_clock_ends_with_the_true_one() -> None:
    house = House("b1 wang kitchen 15:00-16:00")
    house.utc_ms -= 30 * DAY_MS
    house.spread_ms = UNBOUNDED_MS
    house.enter("kitchen", "wang", "b1", time_unverified=1)
    house.wait(60)
    house.utc_ms += 30 * DAY_MS + 3 * 60 * MINUTE_MS
    house.spread_ms = 0
    house.event(EventKind.CLOCK_FIXED, "gateway")
    (closed,) = house.told(CLOSED)
    assert closed.fact("how") in ("booking_end", "closing")
    assert int(closed.fact("minutes") or 0) <= 1


def test_a_walk_in_who_comes_again_stays_on() -> None:
    house = House()
    house.enter("hall", "wang")
    house.wait(60 * 60)
    house.enter("hall", "wang")
    house.wait(WALK_IN_MIN * 60 - 10)
    assert len(house.told(STARTED)) == 1
    assert house.closed() == []
    house.wait(20)
    assert house.closed() == [f"wang - walk_in_over {WALK_IN_MIN + 60} 0"]
