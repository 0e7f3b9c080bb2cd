# SPDX-License-Identifier: Apache-2.0
"""Doors that ask for more than one card, open by the clock, or are misused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.moment import UNBOUNDED_MS
from edge.core.order import DrillOrdered
from edge.core.people.roster_row import RevocationRow
from edge.core.stimulus import DeviceChanged, OutputChanged
from tests.core.house.place import Place
from tests.core.house.plan import OPEN_FROM, OPEN_TO, PEOPLE, WARN_S, person, shown
from tests.core.scene import (
    EXTENDED_S,
    HELD_S,
    HOUR_MS,
    RELEASE_S,
    SLACK_S,
    clock_ms,
)

PAIR_S = 30
STRIKE_AT_REST_S = 1.0
NEEDS_SECOND = [("WAITING", "SECOND_PERSON_NEEDED", "BRING_SECOND_PERSON")]
INSIDE_HOURS = "16:30"

# -- two persons ---------------------------------------------------------------------


def test_the_store_opens_to_two() -> None:
    place = Place()
    assert place.scan("chen", "store-in") == ["ACCESS_DENIED"]
    assert place.said() == NEEDS_SECOND
    place.pass_time(PAIR_S - 1)
    assert place.scan("luo", "store-in") == ["ACCESS_GRANTED", "release store-door"]
    assert place.newest("ACCESS_GRANTED").fact("persons") == 2


def test_one_person_twice_is_one() -> None:
    place = Place()
    for _ in range(3):
        assert place.scan("chen", "store-in") == ["ACCESS_DENIED"]
        assert place.said() == NEEDS_SECOND
        place.pass_time(4)


def test_the_second_comes_in_time_or_is_the_first_again() -> None:
    place = Place()
    place.scan("chen", "store-in")
    place.wait(PAIR_S)
    assert ("TRY_AGAIN", "", "SHOW_AGAIN") in place.said()
    assert place.scan("luo", "store-in") == ["ACCESS_DENIED"]
    assert place.scan("chen", "store-in")[-1] == "release store-door"


def test_both_of_the_two_have_to_be_good() -> None:
    place = Place()
    place.scan("chen", "store-in")
    assert place.scan("wang", "store-in") == ["ACCESS_DENIED"]
    assert place.reason() == "UNAUTHORIZED"


def test_the_pair_is_over_once_it_went_in() -> None:
    place = Place()
    place.scan("chen", "store-in")
    place.enter("luo", "store-in")
    place.wait(10)
    assert place.scan("sun", "store-in") == ["ACCESS_DENIED"]
    assert place.said() == NEEDS_SECOND


@pytest.mark.parametrize("what", ["lost", "disabled", "mode", "clock"])
def test_who_waits_is_asked_again_when_the_second_comes(what: str) -> None:
    place = Place()
    place.scan("chen", "store-in")
    match what:
        case "lost":
            gone = RevocationRow(token=shown("chen").token, reason="LOST")
            place.adopt(rows=(*PEOPLE, gone))
        case "disabled":
            barred = replace(person("chen", "VOLUNTEER"), is_enabled=False)
            rows = (row for row in PEOPLE if row != person("chen", "VOLUNTEER"))
            place.adopt(rows=(barred, *rows))
        case "mode":
            place.order("store-door", "BLOCKED")
            place.order("store-door", "LOCKED")
        case _:
            place.utc_ms += 12 * HOUR_MS  # beyond a volunteer's hours, and still …
    second = "sun" if what == "clock" else "luo"  # … a manager's
    place.pass_time(1)
    assert place.scan(second, "store-in") == ["ACCESS_DENIED"]
    assert place.said() == NEEDS_SECOND, "he is the first now"


# -- interlock -----------------------------------------------------------------------


def test_while_one_of_a_pair_is_released_or_open_the_other_stays_shut() -> None:
    place = Place()
    place.scan("chen", "outer-in")
    assert place.scan("luo", "inner-in") == ["ACCESS_DENIED"]
    assert place.said() == [("DENIED", "DOOR_INTERLOCKED", "WAIT")]
    assert place.newest("ACCESS_DENIED").fact("place") == "outer-door"
    place.swing("outer-door", is_open=True)
    place.wait(RELEASE_S + SLACK_S)
    assert place.scan("luo", "inner-in") == ["ACCESS_DENIED"]
    place.swing("outer-door", is_open=False)
    assert place.scan("luo", "inner-in")[-1] == "release inner-door"
    assert place.scan("chen", "outer-in") == ["ACCESS_DENIED"], "it binds both"


def test_by_hand_neither_opens_while_the_other_is_open() -> None:
    place = Place()
    place.scan("chen", "outer-in")
    assert place.open_by_hand("inner-door") == ["COMMAND_REJECTED"]
    assert place.controller.rejection == "outer-door is released or open"


def test_by_hand_nothing_is_said_to_open_whose_board_is_silent() -> None:
    place = Place()
    place.do(_board(is_online=False))
    told = place.open_by_hand("kitchen-door", count=3)
    assert told == ["COMMAND_REJECTED"]
    assert "does not answer" in place.controller.rejection
    place.do(_board(is_online=True))
    assert place.open_by_hand("kitchen-door", count=3)[0] == "MANUAL_ENTRY"


def test_whoever_wants_out_gets_out_between_two_doors() -> None:
    place = Place()
    place.scan("chen", "outer-in")
    assert place.press("inner-door") == ["REQUEST_TO_EXIT", "release inner-door"]
    assert place.press("outer-door") == ["REQUEST_TO_EXIT", "release outer-door"]


def test_a_fire_ends_the_interlock() -> None:
    place = Place()
    place.swing("outer-door", is_open=True)
    place.begin("FIRE")
    assert place.scan("luo", "inner-in")[-1] == "release inner-door"
    assert place.open_by_hand("inner-door")[0] == "MANUAL_ENTRY"


def test_a_drill_with_doors_does_not() -> None:
    place = Place()
    place.do(DrillOrdered(drill="fire", with_doors=True, actor="chen"))
    place.swing("outer-door", is_open=True)
    assert place.scan("luo", "inner-in") == ["ACCESS_DENIED"]
    assert place.reason() == "DOOR_INTERLOCKED"


# -- open hours ----------------------------------------------------------------------


def test_the_gate_is_free_in_its_hours() -> None:
    place = Place()
    told = place.wait_until("16:00:01")
    assert "DOOR_UNLOCKED_BY_SCHEDULE" in told
    assert "release gate" in told
    assert place.mode("gate") == "UNLOCKED"
    place.wait_until("17:59:59")
    assert place.mode("gate") == "UNLOCKED"
    told = place.wait_until("18:00:01")
    assert "DOOR_RELOCKED_BY_SCHEDULE" in told
    assert "relock gate" in told
    assert place.mode("gate") == "LOCKED"


@pytest.mark.parametrize("unsure_s", [1, 30, 3600])
def test_with_an_unsure_clock_it_is_free_only_while_that_is_sure(
    unsure_s: int,
) -> None:
    place = Place()
    place.spread_ms = unsure_s * 1000
    place.wait_until(OPEN_FROM)
    place.wait(1)
    assert place.mode("gate") == "UNLOCKED", "the earliest it can be is inside"
    left_s = (clock_ms(OPEN_TO) - place.utc_ms) / 1000 - unsure_s
    place.wait(left_s - 1)
    assert place.mode("gate") == "UNLOCKED"
    place.wait(2)
    assert place.mode("gate") == "LOCKED", "it may be over"


def test_without_an_upper_bound_nothing_is_unlocked() -> None:
    place = Place()
    place.spread_ms = UNBOUNDED_MS
    place.wait_until(INSIDE_HOURS)
    assert place.mode("gate") == "LOCKED"


def test_a_clock_that_becomes_unsure_locks_again() -> None:
    place = Place()
    place.wait_until(INSIDE_HOURS)
    assert place.mode("gate") == "UNLOCKED"
    place.spread_ms = UNBOUNDED_MS
    told = place.wait(10)
    assert "DOOR_RELOCKED_BY_SCHEDULE" in told
    assert place.mode("gate") == "LOCKED"


def test_the_garden_waits_for_its_first_volunteer() -> None:
    place = Place()
    place.enter("chen", "garden-in")
    place.wait_until(INSIDE_HOURS)
    assert place.mode("garden-door") == "LOCKED", "he came before it opened"
    assert place.scan("wang", "garden-in") == ["ACCESS_DENIED"]
    told = place.enter("luo", "garden-in")
    assert "DOOR_UNLOCKED_BY_SCHEDULE" in told
    assert place.mode("garden-door") == "UNLOCKED"
    place.wait(10)
    assert place.scan("wang", "garden-in")[0] == "ACCESS_GRANTED"
    place.wait_until(OPEN_TO)
    place.wait(1)
    assert place.mode("garden-door") == "LOCKED"
    place.wait_until(INSIDE_HOURS, days=1)
    assert place.mode("garden-door") == "LOCKED", "each day waits anew"


def test_a_volunteer_who_scans_and_stays_outside_unlocks_nothing() -> None:
    place = Place()
    place.wait_until(INSIDE_HOURS)
    place.scan("luo", "garden-in")
    place.wait(60)
    assert place.mode("garden-door") == "LOCKED"


def test_a_volunteer_who_leaves_unlocks_nothing() -> None:
    place = Place()
    place.enter("luo", "garden-in")
    place.wait_until(INSIDE_HOURS)
    place.enter("luo", "garden-out")
    place.wait(10)
    assert place.mode("garden-door") == "LOCKED", "nobody is left inside"


def test_a_volunteer_in_a_lock_down_unlocks_no_door() -> None:
    place = Place()
    place.begin("LOCK_DOWN")
    told = place.wait_until(INSIDE_HOURS)
    assert place.mode("gate") == "LOCKED_DOWN"
    assert not any(word.startswith("release") for word in told)
    place.end("LOCK_DOWN")
    place.wait(1)
    assert place.mode("gate") == "UNLOCKED"


def test_what_is_blocked_stays_blocked_in_open_hours() -> None:
    place = Place()
    place.order("gate", "BLOCKED")
    place.wait_until(INSIDE_HOURS)
    assert place.mode("gate") == "BLOCKED"


# -- misuse --------------------------------------------------------------------------


def test_a_leaf_that_is_held_warns_and_then_alarms() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    place.scan("wang")
    place.swing("kitchen-door", is_open=True)
    told = place.wait(HELD_S - WARN_S)
    assert told == ["DOOR_HELD_WARNING"]
    assert set(place.said()) == {("CLOSE_DOOR", "", "")}
    assert place.wait(WARN_S) == ["DOOR_OPEN_TOO_LONG"]
    assert place.wait(600) == [], "told once"
    assert place.swing("kitchen-door", is_open=False) == [
        "DOOR_CLOSED",
        "relock kitchen-door",
    ]


def test_who_is_slow_has_more_time_with_the_leaf() -> None:
    place = Place("b1 hu kitchen 14:00-17:00")
    place.scan("hu")
    assert place.releases()[0].duration_s == EXTENDED_S
    place.wait(EXTENDED_S - 1)
    assert place.swing("kitchen-door", is_open=True)[:2] == [
        "DOOR_OPENED",
        "ACCESS_TAKEN",
    ]
    assert "DOOR_OPEN_TOO_LONG" not in place.wait(HELD_S + 1)


def test_a_leaf_without_a_grant_is_forced() -> None:
    place = Place()
    told = place.swing("studio-door", is_open=True)
    assert told == ["DOOR_OPENED", "DOOR_FORCED_OPEN"]


def test_a_strike_that_does_not_come_to_rest_is_told_and_put_to_rest() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    place.scan("wang")
    place.do(OutputChanged(door="kitchen-door", is_on=True))
    told = place.wait(RELEASE_S + STRIKE_AT_REST_S + SLACK_S + 1)
    assert "DOOR_RELAY_STUCK" in told
    told += place.wait(10)
    assert told.count("DOOR_RELAY_STUCK") == 1
    assert "relock kitchen-door" in told
    assert place.do(OutputChanged(door="kitchen-door", is_on=False)) == [
        "DOOR_RELAY_FREED"
    ]


def test_a_strike_that_rests_in_time_is_told_nothing_of() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    place.scan("wang")
    place.do(OutputChanged(door="kitchen-door", is_on=True))
    told = place.wait(RELEASE_S)
    told += place.do(OutputChanged(door="kitchen-door", is_on=False))
    told += place.wait(60)
    assert told == ["ACCESS_NOT_TAKEN"]


def test_scans_too_old_open_nothing_and_are_counted() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    for _ in range(3):
        assert place.scan("wang", age_s=2.1) == []
        assert place.said() == [("TRY_AGAIN", "", "SHOW_AGAIN")]
    assert place.wait(2) == ["STALLED"]
    assert place.newest("STALLED").fact("scans") == 3


def test_the_same_card_again_opens_again_for_three_seconds() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    place.scan("wang")
    cause = place.newest("ACCESS_GRANTED").seq
    place.pass_time(2.9)
    assert place.scan("wang") == ["release kitchen-door"]
    assert place.releases()[0].cause == cause
    place.pass_time(0.2)
    assert place.scan("wang") == ["ACCESS_DENIED"], "his party is one"


def test_a_mode_in_between_ends_the_three_seconds() -> None:
    place = Place("b1 wang kitchen 14:00-17:00")
    place.scan("wang")
    place.order("kitchen-door", "BLOCKED")
    place.order("kitchen-door", "LOCKED")
    told = place.scan("wang")
    assert "ACCESS_GRANTED" in told, "decided anew: nobody used the first"


@pytest.mark.parametrize("what", ["lost", "tampered", "board", "interlock"])
def test_what_came_in_between_is_asked_again_within_them(what: str) -> None:
    place = Place()
    place.scan("chen", "inner-in")
    match what:
        case "lost":
            gone = RevocationRow(token=shown("chen").token, reason="LOST")
            place.adopt(rows=(*PEOPLE, gone))
        case "board":
            place.do(_board("inner-door", is_online=False))
        case "interlock":
            place.press("outer-door")
        case _:
            pass
    place.pass_time(1)
    told = place.scan("chen", "inner-in", is_secure=what != "tampered")
    assert told == ["ACCESS_DENIED"]


def test_a_stranger_where_walk_ins_are_welcome_may_show_it_again() -> None:
    place = Place()
    place.scan("stranger", "hall-in")
    place.pass_time(1)
    assert place.scan("stranger", "hall-in") == ["release hall-door"]


def _board(door: str = "kitchen-door", *, is_online: bool) -> DeviceChanged:
    return DeviceChanged(device="board", is_online=is_online, detail="", doors=(door,))
