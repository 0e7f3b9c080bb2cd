# SPDX-License-Identifier: Apache-2.0
"""Rentals whose time is over: told once, surely, and still their holders'."""

from __future__ import annotations

import pytest

from edge.core.event import EventKind
from tests.core.lockers.wall import Wall
from tests.core.scene import DAY_MS, MINUTE_MS, clock_ms, neighbours

OVERDUE = "COMPARTMENT_OVERDUE"
#: 16:00 and five minutes of grace.
OVER = "16:05"


def test_it_is_told_once_at_the_end_of_the_grace() -> None:
    wall = Wall()
    wall.stored()
    assert wall.until("16:04:59.999") == []
    assert wall.locker(1) == "OCCUPIED holder-wang"
    assert wall.until(OVER) == [OVERDUE]
    told = wall.journal[-1]
    assert (told.subject, told.fact("number")) == ("hall", 1)
    assert told.fact("end") == clock_ms(OVER)
    assert told.person.booking == "c1"
    assert wall.locker(1) == "OVERDUE holder-wang"
    assert wall.wait(DAY_MS / 1000) == []


def test_it_still_opens_for_its_owner_and_then_ends() -> None:
    wall = Wall()
    wall.stored()
    wall.until("18:00")
    assert wall.scan("wang") == ["ACCESS_GRANTED", "open hall 1"]
    assert wall.use(1)[-1] == "RENTAL_ENDED"
    assert wall.locker(1) == "FREE -"


def test_it_opens_and_ends_on_a_clock_that_has_become_unsure() -> None:
    wall = Wall()
    wall.stored()
    wall.until(OVER)
    wall.restart()
    wall.utc_ms, wall.spread_ms = clock_ms("15:30"), -1
    wall.scan("wang")
    assert wall.journal[-1].fact("last") == 1


@pytest.mark.parametrize("spread_ms", [60 * MINUTE_MS, -1])
def test_only_what_is_surely_over_is_overdue(spread_ms: int) -> None:
    wall = Wall()
    wall.stored()
    wall.spread_ms = spread_ms
    assert wall.until("16:04:59.999") == []
    assert wall.until(OVER) == [OVERDUE], "the earliest it can be is over too"


def test_what_fell_due_while_the_power_was_gone_is_told_at_the_start() -> None:
    wall = Wall()
    wall.stored()
    wall.utc_ms += DAY_MS
    assert wall.restart() == [OVERDUE]
    assert wall.restart() == []


def test_it_falls_due_while_it_stands_open_or_is_out_of_order() -> None:
    wall = Wall(
        neighbours("c1 wang lounge 14:00-16:00 S", "c2 li lounge 14:00-16:00 S")
    )
    wall.stored("wang"), wall.stored("li")
    wall.until("16:04")
    wall.scan("wang")
    wall.leaf(1, is_open=True)
    wall.take_out(2)
    kinds = wall.until("16:06")
    assert kinds.count(OVERDUE) == 2
    wall.leaf(1, is_open=False)
    wall.mend(2)
    assert (wall.locker(1), wall.locker(2)) == (
        "OVERDUE holder-wang",
        "OVERDUE holder-li",
    )


def test_a_prolonged_booking_falls_due_at_its_new_end() -> None:
    wall = Wall()
    wall.stored()
    longer = neighbours("c1 wang lounge 14:00-17:00 S")
    wall.rolls.adopt(longer, 0)
    assert wall.until("17:04:59.999") == []
    assert wall.until("17:05") == [OVERDUE]


def test_prolonged_after_it_fell_due_it_is_in_time_again() -> None:
    wall = Wall()
    wall.stored()
    wall.until(OVER)
    wall.rolls.adopt(neighbours("c1 wang lounge 14:00-17:00 S"), 0)
    wall.scan("wang")
    assert wall.journal[-1].fact("last") is None
    wall.use(1)
    assert wall.locker(1) == "OCCUPIED holder-wang"
    assert wall.until("17:05") == [OVERDUE]
    assert len(wall.tell(EventKind.COMPARTMENT_OVERDUE)) == 2


def test_a_booking_cut_short_falls_due_once_the_roster_says_so() -> None:
    wall = Wall()
    wall.stored()
    wall.rolls.adopt(neighbours("c1 wang lounge 14:00-15:10 S"), 0)
    wall.until("15:14:59.999")
    wall.out.event(EventKind.ROSTER_APPLIED, "gateway", wall.now())
    assert wall.until("15:15")[-1] == OVERDUE


def test_an_order_on_its_way_is_still_awaited() -> None:
    wall = Wall()
    wall.stored()
    wall.until("16:04:59")
    wall.scan("wang")
    assert wall.wait(1) == [OVERDUE]
    assert wall.at(1).is_ordered
    assert wall.wait(3) == ["COMPARTMENT_FAULT"]


def test_with_nothing_rented_there_is_nothing_to_wait_for() -> None:
    wall = Wall()
    wall.tick()
    assert wall.parts.overdue.deadline() is None
    wall.stored()
    assert wall.parts.overdue.deadline() is not None
    wall.end_rental(1)
    wall.until(OVER)
    assert wall.parts.overdue.deadline() is None
