# SPDX-License-Identifier: Apache-2.0
"""What a visit costs, case by case."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.plan import DAY_MS, FareKind, FarePlan
from edge.core.spaces.fares import Fare, fare, local_month
from tests.core.scene import clock_ms
from tests.core.spaces.house import House
from tests.core.spaces.plan import FREE_MIN, HOUR_FEN, OFFSET_MS, VISIT_FEN

FREE = FarePlan()
VISIT = FarePlan(kind=FareKind.PER_VISIT, fen=500)
HOUR = FarePlan(kind=FareKind.PER_HOUR, fen=300)

#: plan, minutes, free minutes left -> fen, free minutes used
CASES = [
    (FREE, 0, 0, 0, 0),
    (FREE, 600, 0, 0, 0),
    (VISIT, 0, 0, 500, 0),
    (VISIT, 1, 0, 500, 0),
    (VISIT, 600, 60, 500, 0),
    (HOUR, 0, 0, 0, 0),
    (HOUR, 1, 0, 300, 0),
    (HOUR, 59, 0, 300, 0),
    (HOUR, 60, 0, 300, 0),
    (HOUR, 61, 0, 600, 0),
    (HOUR, 120, 0, 600, 0),
    (HOUR, 121, 0, 900, 0),
    (HOUR, 60, 60, 0, 60),
    (HOUR, 61, 60, 300, 60),
    (HOUR, 20, 60, 0, 20),
    (HOUR, 90, 30, 300, 30),
    (HOUR, 91, 30, 600, 30),
    (HOUR, 0, 60, 0, 0),
    (HOUR, 30, -5, 300, 0),
]


@pytest.mark.parametrize(("plan", "minutes", "left_min", "fen", "free_min"), CASES)
def test_the_table_of_fares(
    plan: FarePlan, minutes: int, left_min: int, fen: int, free_min: int
) -> None:
    assert fare(plan, minutes, left_min) == Fare(fen=fen, free_min=free_min)


@pytest.mark.parametrize(
    ("local", "days", "month"),
    [
        ("00:00", 0, 202603),
        ("23:59:59.999", 29, 202603),
        ("00:00", 30, 202604),
        ("12:00", -60, 202601),
        ("12:00", -70, 202512),
    ],
)
def test_a_month_is_the_local_one(local: str, days: int, month: int) -> None:
    assert local_month(clock_ms(local, days=days), OFFSET_MS) == month


def test_free_minutes_are_one_holders_in_one_month() -> None:
    house = House("b1 wang kitchen 15:00-15:40", "b2 wang kitchen 16:00-16:40")
    house.people.all_bookings += House("b3 li kitchen 17:00-17:40").people.all_bookings
    house.enter("kitchen", "wang", "b1")
    house.at("16:00:30")
    house.enter("kitchen", "wang", "b2")
    house.at("17:00:30")
    house.enter("kitchen", "li", "b3")
    house.at("18:00")
    used = [e.fact("free_min") for e in house.told_visits()]
    minutes = [int(e.fact("minutes") or 0) for e in house.told_visits()]
    left_min = FREE_MIN - minutes[0]
    assert used == [minutes[0], left_min, minutes[2]]
    assert [e.fact("fare_fen") for e in house.told_visits()] == [0, HOUR_FEN, 0]
    assert {e.fact("month") for e in house.told_visits()} == {202603}


def test_free_minutes_come_anew_with_the_month() -> None:
    house = House("b1 wang kitchen 15:00-17:00")
    house.enter("kitchen", "wang", "b1")
    house.at("17:01")
    march = house.told_visits()[-1]
    house.wait(31 * 86_400)
    (who, booking), *_ = house.people.all_bookings
    later_ms = 31 * DAY_MS
    again = replace(
        booking,
        booking_id="b2",
        from_ms=booking.from_ms + later_ms,
        to_ms=booking.to_ms + later_ms,
    )
    house.people.all_bookings.append((who, again))
    house.enter("kitchen", "wang", "b2")
    house.wait(4 * 3600)
    april = house.told_visits()[-1]
    assert (march.fact("month"), april.fact("month")) == (202603, 202604)
    assert march.fact("free_min") == FREE_MIN
    assert april.fact("free_min") == april.fact("minutes")


@pytest.mark.parametrize("role", ["VOLUNTEER", "MANAGER", "RESPONDER"])
def test_those_who_run_the_place_pay_nothing(role: str) -> None:
    house = House()
    house.people.roles["chen"] = ("RESIDENT", role)
    house.enter("lounge", "chen")
    house.wait(1800)
    house.leave("lounge", "chen")
    house.enter("lounge", "wang")
    house.leave("lounge", "wang")
    free, paid = house.told_visits()
    assert (free.fact("exempt"), free.fact("fare_fen")) == (role, 0)
    assert (paid.fact("exempt"), paid.fact("fare_fen")) == (None, VISIT_FEN)
