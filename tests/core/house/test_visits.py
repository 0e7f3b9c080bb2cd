# SPDX-License-Identifier: Apache-2.0
"""People come, stay, pay and go; the place knows who is inside, and what is due."""

from __future__ import annotations

from typing import Any

import pytest

from edge.core.order import ApplianceOrdered, CallAnswered, CashNoted, OccupancyCounted
from edge.core.stimulus import BellPressed
from tests.core.house.place import Place
from tests.core.house.plan import (
    FREE_MIN,
    HALL_ROOM,
    HOUR_FEN,
    KITCHEN_ROOM,
    VISIT_FEN,
)
from tests.core.scene import HOUR_MS, RELEASE_S, SLACK_S

BOOKED = "b1 wang kitchen 14:00-21:00 x9"


def _stayed(place: Place, minutes: int) -> tuple[object, ...]:
    """Let Wang in and out by the readers; return minutes and fare of his visit."""
    place.enter("wang")
    place.wait(minutes * 60)
    place.enter("wang", "kitchen-out")
    closed = place.newest("VISIT_CLOSED")
    assert closed.person.holder == "holder-wang"
    return closed.fact("minutes"), closed.fact("fare_fen")


def _count(place: Place, persons: int, space: str = "hall") -> list[str]:
    return place.do(OccupancyCounted(space=space, persons=persons, actor="chen"))


# -- coming and going ----------------------------------------------------------------


def test_a_visit_begins_with_the_door_and_ends_at_the_reader() -> None:
    place = Place(BOOKED)
    assert place.scan("wang") == ["ACCESS_GRANTED", "release kitchen-door"]
    assert place.persons("kitchen") == 0, "a grant is no entry"
    told = place.walk("kitchen-door")
    assert told[:3] == ["DOOR_OPENED", "ACCESS_TAKEN", "VISIT_STARTED"]
    assert place.persons("kitchen") == 1
    place.wait(600)
    assert "VISIT_CLOSED" in place.enter("wang", "kitchen-out")
    assert place.newest("VISIT_CLOSED").fact("how") == "exit"
    assert place.persons("kitchen") == 0


def test_who_scans_and_goes_away_was_never_here() -> None:
    place = Place(BOOKED)
    place.scan("wang")
    assert place.wait(RELEASE_S + SLACK_S) == ["ACCESS_NOT_TAKEN"]
    assert place.persons("kitchen") == 0
    assert place.events("VISIT_STARTED") == []


def test_an_hour_begun_is_an_hour_and_the_first_minutes_are_free() -> None:
    place = Place(BOOKED)
    minutes, fen = _stayed(place, FREE_MIN - 1)
    assert (minutes, fen) == (FREE_MIN - 1, 0)
    minutes, fen = _stayed(place, 30)
    assert (minutes, fen) == (30, HOUR_FEN), "one free minute was left"
    assert _stayed(place, 61) == (61, 2 * HOUR_FEN)


def test_used_free_minutes_survive_a_power_cut() -> None:
    place = Place(BOOKED)
    _stayed(place, FREE_MIN)
    place.restart()
    assert _stayed(place, 10) == (10, HOUR_FEN)


def test_volunteers_pay_nothing() -> None:
    place = Place()
    place.enter("chen")
    place.wait(3600)
    place.enter("chen", "kitchen-out")
    closed = place.newest("VISIT_CLOSED")
    assert (closed.fact("fare_fen"), closed.fact("exempt")) == (0, "VOLUNTEER")


def test_where_no_exit_is_read_a_walk_in_is_over_by_its_time() -> None:
    place = Place()
    place.enter("li", "hall-in")
    place.enter("stranger", "hall-in")
    assert place.persons("hall") == 2
    told = place.wait(2 * 3600 + 10)
    assert {"VISIT_CLOSED", "OCCUPANCY_SET"} <= set(told)
    assert place.persons("hall") == 0
    closed = place.newest("VISIT_CLOSED")
    assert closed.fact("how") == "walk_in_over"
    assert closed.fact("fare_fen") == VISIT_FEN


def test_where_no_exit_is_read_a_visit_ends_with_its_booking() -> None:
    place = Place("b1 wang hall 15:00-16:00")
    place.enter("wang", "hall-in")
    told = place.wait_until("16:00:01")
    assert "VISIT_CLOSED" in told
    assert place.newest("VISIT_CLOSED").fact("how") == "booking_end"


def test_at_closing_time_nobody_is_inside() -> None:
    place = Place(BOOKED)
    place.enter("wang")
    told = place.wait_until("22:00:01")
    assert "VISIT_CLOSED" in told
    assert place.newest("VISIT_CLOSED").fact("how") == "closing"
    assert place.persons("kitchen") == 0


def test_a_power_cut_does_not_end_a_visit() -> None:
    place = Place(BOOKED)
    place.enter("wang")
    place.wait(600)
    place.restart(off_s=600)
    assert place.persons("kitchen") == 1
    place.enter("wang", "kitchen-out")
    (closed,) = place.events("VISIT_CLOSED")
    assert closed.fact("minutes") == 20


def test_a_visit_over_while_the_power_was_off_is_closed_at_the_start() -> None:
    place = Place("b1 wang hall 15:00-16:00")
    place.enter("wang", "hall-in")
    place.restart(off_s=2 * 3600)
    place.wait(1)
    (closed,) = place.events("VISIT_CLOSED")
    assert closed.fact("how") == "booking_end"
    assert closed.fact("minutes") == 59
    assert place.persons("hall") == 0


def test_a_fire_ends_every_visit_and_nobody_owes_for_it() -> None:
    place = Place(BOOKED)
    place.enter("wang")
    place.wait(3600)
    told = place.begin("FIRE")
    assert "VISIT_CLOSED" in told
    closed = place.newest("VISIT_CLOSED")
    assert (closed.fact("how"), closed.fact("fare_fen")) == ("emergency", 0)
    assert place.persons("kitchen") == 1, "the fire brigade asks for him"


# -- room ----------------------------------------------------------------------------


def test_a_full_kitchen_takes_nobody_more_but_staff() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x9")
    for _ in range(KITCHEN_ROOM):
        place.enter("wang")
        place.wait(5)
    assert place.scan("wang") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "SPACE_FULL", "WAIT")]
    place.enter("chen")
    assert place.persons("kitchen") == KITCHEN_ROOM + 1
    place.enter("wang", "kitchen-out")
    place.enter("chen", "kitchen-out")
    assert place.scan("wang")[-1] == "release kitchen-door"


def test_places_are_kept_for_the_booked_until_they_do_not_show_up() -> None:
    place = Place("b1 wang hall 15:05-16:00 x2")
    place.enter("stranger-1", "hall-in")
    assert HALL_ROOM == 3
    assert place.scan("stranger-2", "hall-in") == ["ACCESS_DENIED"]
    assert place.reason() == "SPACE_FULL"
    assert "NO_SHOW" in place.wait_until("15:20:01")
    assert place.newest("NO_SHOW").person.booking == "b1"
    assert place.scan("stranger-2", "hall-in")[-1] == "release hall-door"


def test_who_came_late_but_came_is_no_no_show() -> None:
    place = Place("b1 wang hall 15:05-16:00 x2")
    place.wait_until("15:19")
    place.enter("wang", "hall-in")
    place.wait_until("16:30")
    assert place.events("NO_SHOW") == []


def test_a_card_handed_back_out_is_refused_where_that_is_hard() -> None:
    place = Place("b1 wang studio 14:00-17:00", "b2 wang studio 14:00-17:00")
    place.enter("wang", "studio-in")
    place.wait(10)
    assert place.scan("wang", "studio-in") == ["ACCESS_DENIED"]
    assert place.reason() == "ALREADY_INSIDE"
    place.enter("wang", "studio-out")
    assert place.scan("wang", "studio-in")[-1] == "release studio-door"


def test_after_an_exit_by_the_button_nobody_is_refused_for_it() -> None:
    place = Place("b1 wang studio 14:00-17:00", "b2 wang studio 14:00-17:00")
    place.enter("wang", "studio-in")
    place.wait(10)
    place.press("studio-door")
    place.walk("studio-door")
    assert place.persons("studio") == 0
    place.wait(10)
    assert place.scan("wang", "studio-in")[-1] == "release studio-door"


def test_in_the_kitchen_it_is_only_noted() -> None:
    place = Place("b1 wang kitchen 14:00-17:00", "b2 wang kitchen 14:00-17:00")
    place.enter("wang")
    place.wait(10)
    assert place.scan("wang")[-1] == "release kitchen-door"
    assert place.newest("ACCESS_GRANTED").fact("passback") == 1


def test_a_whole_party_may_come_with_one_scan() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x3 all")
    place.enter("wang")
    assert place.persons("kitchen") == 3
    place.wait(10)
    assert place.scan("wang") == ["ACCESS_DENIED"]
    assert place.reason() == "PARTY_FULL"


def test_a_volunteer_counts_the_people() -> None:
    place = Place()
    place.enter("li", "hall-in")
    assert _count(place, 3) == ["OCCUPANCY_SET"]
    assert place.persons("hall") == 3
    assert place.scan("stranger", "hall-in") == ["ACCESS_DENIED"]
    assert "VISIT_CLOSED" in _count(place, 0)
    assert place.persons("hall") == 0
    assert _count(place, -1) == ["COMMAND_REJECTED"]


# -- by hand, and money --------------------------------------------------------------


def test_a_volunteer_lets_in_two_without_a_card() -> None:
    place = Place()
    told = place.open_by_hand("hall-door", count=2, cash_fen=400)
    assert told == ["MANUAL_ENTRY", "release hall-door"]
    entry = place.newest("MANUAL_ENTRY")
    assert (entry.fact("count"), entry.fact("cash_fen")) == (2, 400)
    assert place.persons("hall") == 0
    place.walk("hall-door")
    assert place.persons("hall") == 2


def test_what_is_due_is_paid_in_cash_at_the_panel() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 due900")
    assert place.scan("wang") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "PAYMENT_DUE", "PAY")]
    assert place.newest("ACCESS_DENIED").fact("due_fen") == 900
    place.do(CashNoted(booking="b1", fen=900, actor="chen"))
    place.restart()
    assert place.scan("wang")[-1] == "release kitchen-door"


def test_until_the_platform_says_otherwise() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 due900")
    place.do(CashNoted(booking="b1", fen=900, actor="chen"))
    place.adopt("b1 wang kitchen 14:00-17:00 due1200")
    assert place.scan("wang") == ["ACCESS_DENIED"]
    assert place.reason() == "PAYMENT_DUE"


def test_cash_taken_with_a_manual_entry_pays_the_booking() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x2 due900")
    told = place.open_by_hand("kitchen-door", cash_fen=900, booking="b1")
    assert {"MANUAL_ENTRY", "CASH_NOTED"} <= set(told)
    place.walk("kitchen-door")
    place.wait(10)
    assert place.scan("wang")[-1] == "release kitchen-door"


def test_no_door_opens_for_cash_that_cannot_be_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.core.people.local_orders.MAX_CASH", 1)
    place = Place(BOOKED)
    place.open_by_hand("kitchen-door", cash_fen=900, booking="b2")
    place.wait(60)
    told = place.open_by_hand("kitchen-door", cash_fen=900, booking="b1")
    assert told == ["COMMAND_REJECTED"]
    assert place.controller.rejection == "cash is noted for 1 bookings already"
    assert "release kitchen-door" in place.open_by_hand("kitchen-door"), "without it"


@pytest.mark.parametrize("told", [{"count": -3}, {"count": 10**9}, {"cash_fen": -900}])
def test_nonsense_at_the_panel_opens_nothing(told: dict[str, Any]) -> None:
    place = Place()
    assert place.open_by_hand("hall-door", **told) == ["COMMAND_REJECTED"]
    assert place.persons("hall") == 0


def test_a_sum_that_cannot_be_noted_opens_nothing() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 due900")
    told = place.open_by_hand("kitchen-door", cash_fen=10**9, booking="b1")
    assert told == ["COMMAND_REJECTED"]


# -- the living room, the stove, the bell --------------------------------------------


def test_the_living_room_opens_to_all_while_a_volunteer_is_on_duty() -> None:
    place = Place()
    assert place.scan("stranger", "living-in") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "STAFF_ABSENT", "ASK_VOLUNTEER")]
    assert place.scan("chen", "desk") == ["DUTY_STARTED"]
    assert place.scan("stranger", "living-in")[-1] == "release living-door"
    place.wait(10)
    assert place.scan("chen", "desk") == ["DUTY_ENDED"]
    assert place.scan("li", "living-in") == ["ACCESS_DENIED"]
    place.wait_until("21:00")
    place.scan("chen", "desk")
    place.scan("li", "living-in")
    assert place.reason() == "CLOSED"


def test_the_stove_burns_only_in_a_slot_with_its_holder_there() -> None:
    place = Place("b1 wang kitchen 14:00-16:00")
    assert "stove on" in place.enter("wang")
    place.wait_until("15:59")
    assert place.events("APPLIANCE_OFF") == []
    assert "stove off" in place.wait_until("16:00:01")
    assert place.newest("APPLIANCE_OFF").fact("why") == "slot_end"


def test_who_came_in_hours_before_by_an_unsure_clock_lights_no_stove() -> None:
    place = Place("b1 wang kitchen 18:00-20:00 x2")
    place.spread_ms = 12 * HOUR_MS
    assert place.enter("wang"), "it could be his time"
    place.spread_ms = 0
    told = place.wait_until("18:30")
    assert place.persons("kitchen") == 1, "nobody saw him leave"
    assert "stove on" not in told
    assert "stove on" in place.enter("wang"), "his card shows that it is he"


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN"])
def test_an_alarm_puts_the_stove_out_and_its_end_does_not_light_it(state: str) -> None:
    place = Place("b1 wang kitchen 14:00-18:00")
    place.fire_input(is_active=False)
    place.enter("wang")
    assert place.begin(state).count("stove off") == 1
    told = place.end(state) + place.wait(60)
    assert "stove on" not in told


def test_who_leaves_puts_the_stove_out() -> None:
    place = Place("b1 wang kitchen 14:00-18:00")
    place.enter("wang")
    assert "stove off" in place.enter("wang", "kitchen-out")
    assert place.newest("APPLIANCE_OFF").fact("why") == "nobody"


def test_a_booking_that_is_cancelled_puts_the_stove_out() -> None:
    place = Place("b1 wang kitchen 14:00-18:00")
    place.enter("wang")
    assert "stove off" in place.adopt("b1 wang kitchen 14:00-18:00 cancelled")


def test_nobody_switches_the_stove_on_for_an_empty_kitchen() -> None:
    place = Place("b1 wang kitchen 14:00-18:00")
    on = ApplianceOrdered(appliance="stove", is_on=True, actor="chen", reason="soup")
    assert place.do(on) == ["COMMAND_REJECTED"]
    assert place.switched() == []
    place.enter("wang")
    off = ApplianceOrdered(appliance="stove", is_on=False, actor="chen", reason="smell")
    assert place.do(off) == ["APPLIANCE_OFF", "stove off"]
    assert place.do(on) == ["APPLIANCE_ON", "stove on"]


def test_somebody_rings_and_a_volunteer_answers() -> None:
    place = Place()
    assert place.do(BellPressed(door="hall-door")) == ["CALL_RAISED"]
    assert place.said() == [("DONE", "CALL_RAISED", "")]
    assert place.do(BellPressed(door="hall-door")) == [], "a child at the bell"
    answer = CallAnswered(door="hall-door", actor="chen")
    assert place.do(answer) == ["CALL_ANSWERED"]
    assert place.do(answer) == ["COMMAND_REJECTED"]
