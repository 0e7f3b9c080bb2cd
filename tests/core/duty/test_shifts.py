# SPDX-License-Identifier: Apache-2.0
"""Forgotten ends, corrections, confirmations and points, one sentence each."""

from __future__ import annotations

import pytest

from edge.core.duty.shift import MAX_SHIFT_MIN, ShiftState, closing_ms, month_of
from edge.core.event import EventKind
from tests.core.duty.desk import Desk
from tests.core.scene import SITE, clock_ms

OFFSET_MS = 8 * 3_600_000


def test_a_forgotten_end_is_set_at_closing_and_marked() -> None:
    desk = Desk()
    assert desk.order("chen") == ""
    assert desk.wait(6.9) == []
    assert desk.wait(0.2) == ["DUTY_ENDED"]
    ended = desk.journal[-1]
    told = {name: ended.fact(name) for name in ("minutes", "to_confirm", "why")}
    assert told == {"minutes": 7 * 60, "to_confirm": 1, "why": "closing"}
    assert desk.duty.shifts[1].state is ShiftState.TO_CONFIRM
    assert not desk.duty.on_duty


def test_a_shift_that_nobody_closes_ends_after_twelve_hours() -> None:
    desk = Desk(SITE)  # a site that closes at midnight, begun at one
    desk.wait(10.5)
    desk.order("chen")
    assert desk.wait(11.9) == []
    assert desk.wait(0.2) == ["DUTY_ENDED"]
    assert desk.journal[-1].fact("minutes") == MAX_SHIFT_MIN
    assert desk.journal[-1].fact("capped") == 1


def test_a_box_that_was_dark_at_closing_time_counts_till_closing() -> None:
    desk = Desk()
    desk.order("chen")
    desk.wait(1.0)
    desk.restart(cut=0, away_h=40.0)
    assert desk.journal[-1].kind is EventKind.DUTY_ENDED
    assert desk.journal[-1].fact("minutes") == 7 * 60


def test_with_an_unsure_clock_nobody_knows_when_it_closed() -> None:
    desk = Desk()
    desk.spread_ms = -1
    desk.order("chen")
    assert desk.wait(11.9) == []
    assert desk.wait(0.2) == ["DUTY_ENDED"]
    assert desk.journal[-1].fact("why") == "too_long"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seq": 99}, "no ended shift"),
        ({"second": ""}, "second person"),
        ({"second": "lin"}, "second person"),
        ({"actor": "chen"}, "his own"),
        ({"second": "chen"}, "his own"),
        ({"minutes": 721}, "0 to 720"),
        ({"minutes": -1}, "0 to 720"),
    ],
)
def test_a_correction_takes_two_others_and_a_shift_that_was(
    change: dict[str, int | str], why: str
) -> None:
    desk = Desk()
    desk.order("chen")
    desk.wait(1.0)
    desk.order("chen", start=False)
    told: dict[str, object] = {"seq": 1, "minutes": 30, **change}
    assert why in desk.correct(**told)  # type: ignore[arg-type]
    assert desk.duty.shifts[1].minutes == 60
    assert desk.correct(1, 30) == ""
    assert (desk.journal[-1].fact("was"), desk.journal[-1].fact("minutes")) == (60, 30)


def test_a_running_shift_is_neither_corrected_nor_confirmed() -> None:
    desk = Desk()
    desk.order("chen")
    assert desk.correct(1, 30)
    assert desk.confirm(1, 30)
    assert [event.kind for event in desk.journal] == [EventKind.DUTY_STARTED]


def test_minutes_are_provisional_until_they_are_confirmed() -> None:
    desk = Desk()
    desk.order("chen")
    desk.wait(1.5)
    desk.order("chen", start=False)
    assert desk.duty.shifts[1].state is ShiftState.PROVISIONAL
    assert desk.confirm(1, 85) == ""
    shift = desk.duty.shifts[1]
    assert (shift.state, shift.minutes) == (ShiftState.CONFIRMED, 85)


def test_points_are_the_full_hours_of_a_month() -> None:
    desk = Desk()
    for hours in (1.5, 0.75):
        desk.order("chen")
        desk.wait(hours)
        desk.order("chen", start=False)
    assert desk.duty.points("chen", "2026-03") == 2
    assert desk.duty.points("chen", "2026-02") == 0
    assert desk.duty.points("lin", "2026-03") == 0


@pytest.mark.parametrize(
    ("is_start", "role", "why"),
    [(True, "RESIDENT", "not a volunteer"), (False, "VOLUNTEER", "no shift runs")],
)
def test_the_panel_hears_why_a_shift_does_not_begin(
    *, is_start: bool, role: str, why: str
) -> None:
    desk = Desk()
    assert desk.order("chen", start=is_start, role=role) == why
    assert desk.journal == []


@pytest.mark.parametrize(
    ("since", "closing", "expected", "days"),
    [
        ("15:00", 22 * 60, "22:00", 0),
        ("22:00", 22 * 60, "22:00", 1),
        ("23:00", 22 * 60, "22:00", 1),
        ("15:00", 24 * 60, "00:00", 1),
    ],
)
def test_closing_time_is_the_next_one(
    since: str, closing: int, expected: str, days: int
) -> None:
    found = closing_ms(clock_ms(since), closing, OFFSET_MS)
    assert found == clock_ms(expected, days=days)


def test_a_month_is_local() -> None:
    assert month_of(clock_ms("00:00") - 86_400_000 - 1, OFFSET_MS) == "2026-02"
    assert month_of(clock_ms("00:00"), OFFSET_MS) == "2026-03"
    assert month_of(253_402_300_799_999, OFFSET_MS) == "9999-12"
