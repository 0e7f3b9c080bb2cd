# SPDX-License-Identifier: Apache-2.0
"""Scheduled unlocking: by the hours, by a sure clock, and once somebody is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.event import EventKind
from edge.core.moment import UNBOUNDED_MS
from tests.core.doors.bench import Bench, hours, plan, site
from tests.core.scene import DAY_MS, HOUR_MS, clock_ms

#: Twice a day, and a tail over Saturday's midnight that meets Sunday's hours.
HOURS = hours("mon-fri 08:00-12:00 16:00-20:00; sat 20:00-24:00; sun 00:00-02:00")
UNLOCKED, RELOCKED = "DOOR_UNLOCKED_BY_SCHEDULE", "DOOR_RELOCKED_BY_SCHEDULE"
PULSE = "release front 10"


def _bench(*, first_person_in: bool = False) -> Bench:
    """Return a bench at 15:00 whose door has hours, settled."""
    bench = Bench(site(plan(unlock=HOURS, first_person_in=first_person_in)))
    assert bench.tick() == []
    return bench


def _schedule(bench: Bench) -> list[tuple[str, int]]:
    """Return what the schedule did, with the minutes since Monday's midnight."""
    start_ms = clock_ms("00:00")
    kinds = (EventKind.DOOR_UNLOCKED_BY_SCHEDULE, EventKind.DOOR_RELOCKED_BY_SCHEDULE)
    return [
        (event.kind.value, (event.moment.earliest_ms - start_ms) // 60_000)
        for event in bench.journal
        if event.kind in kinds
    ]


def test_a_door_is_free_in_its_hours_by_pulses_and_locked_after_them() -> None:
    bench = _bench()
    assert bench.wait_until("15:59:59.999") == []
    assert bench.wait_until("16:00") == [UNLOCKED, PULSE]
    assert bench.journal[-1].fact("until") == clock_ms("20:00")
    assert bench.mode() == "UNLOCKED"
    pulses = bench.wait_until("19:59:59.999")
    assert set(pulses) == {PULSE}
    assert len(pulses) == 4 * 3600 // 5 - 1, "one each five seconds"
    assert bench.wait_until("20:00") == [RELOCKED, "relock front"]
    assert bench.wait_until("07:59:59.999", days=1) == []
    assert bench.mode() == "LOCKED"


def test_a_week_of_hours_is_kept_to_the_minute() -> None:
    bench = _bench()
    bench.wait_until("12:00", days=7)
    day = 24 * 60
    weekdays = [
        (kind, number * day + minute)
        for number in range(5)
        for kind, minute in (
            (UNLOCKED, 8 * 60),
            (RELOCKED, 12 * 60),
            (UNLOCKED, 16 * 60),
            (RELOCKED, 20 * 60),
        )
    ]
    night = [(UNLOCKED, 5 * day + 20 * 60), (RELOCKED, 6 * day + 2 * 60)]
    again = [(UNLOCKED, 7 * day + 8 * 60), (RELOCKED, 7 * day + 12 * 60)]
    assert _schedule(bench) == weekdays[2:] + night + again


def test_a_holiday_and_a_long_one_are_kept() -> None:
    day = HOURS.day(clock_ms("12:00"))
    closed = dict.fromkeys(range(day, day + 40), ())
    bench = Bench(site(plan(unlock=replace(HOURS, holidays=closed))))
    bench.wait_until("23:00", days=39)
    assert _schedule(bench) == []
    bench.wait_until("23:00", days=42)
    assert {kind for kind, _ in _schedule(bench)} == {UNLOCKED, RELOCKED}


def test_only_a_clock_that_is_surely_inside_unlocks() -> None:
    bench = _bench()
    bench.spread_ms = HOUR_MS
    bench.wait_until("16:00")
    assert bench.mode() == "UNLOCKED", "the whole hour lies inside"
    assert bench.wait_until("18:59:59.999")[0] == PULSE
    assert RELOCKED in bench.wait_until("19:00"), "it may be eight already"
    assert bench.wait_until("20:30") == []


@pytest.mark.parametrize("spread_ms", [DAY_MS, UNBOUNDED_MS])
def test_a_clock_that_becomes_unsure_locks_and_one_that_is_mended_unlocks(
    spread_ms: int,
) -> None:
    bench = _bench()
    bench.wait_until("17:00")
    bench.spread_ms = spread_ms
    assert bench.tick()[:2] == [RELOCKED, "relock front"]
    assert UNLOCKED not in bench.wait(600)
    bench.spread_ms = 0
    assert bench.tick() == [UNLOCKED, PULSE]


def test_a_clock_that_was_never_set_unlocks_nothing_for_days() -> None:
    bench = _bench()
    bench.spread_ms = UNBOUNDED_MS
    assert bench.wait(10 * 86_400) == []


@pytest.mark.parametrize("step_ms", [-10 * 365 * DAY_MS, -8 * HOUR_MS, 5 * HOUR_MS])
def test_a_clock_that_is_stepped_is_heeded_at_once(step_ms: int) -> None:
    bench = _bench()
    bench.wait_until("17:00")
    bench.utc_ms += step_ms
    now_s = bench.now_s
    told = bench.tick()
    is_open = HOURS.closing_ms(bench.utc_ms) is not None
    assert (bench.mode() == "UNLOCKED") == is_open
    assert (RELOCKED in told) != is_open
    assert bench.now_s == now_s


# The first person


def test_a_door_that_waits_for_its_first_person_opens_with_a_volunteer() -> None:
    bench = _bench(first_person_in=True)
    assert bench.wait_until("17:00") == []
    assert bench.staff()[0] == UNLOCKED
    assert bench.wait_until("20:00")[-2:] == [RELOCKED, "relock front"]
    assert bench.wait_until("09:00", days=1) == [], "each opening waits anew"
    assert bench.staff()[0] == UNLOCKED
    assert bench.staff() == [], "a second one changes nothing"


@pytest.mark.parametrize("early", ["15:00", "15:59:59.999"])
def test_a_volunteer_who_came_too_early_does_not_count(early: str) -> None:
    bench = _bench(first_person_in=True)
    bench.wait_until(early)
    assert bench.staff() == []
    assert bench.wait_until("18:00") == []


def test_a_volunteer_at_a_door_that_waits_for_nobody_changes_nothing() -> None:
    bench = _bench()
    assert bench.staff() == []
    assert Bench(site(plan())).staff() == []


def test_the_first_person_need_not_come_in_twice_when_the_clock_was_unsure() -> None:
    bench = _bench(first_person_in=True)
    bench.wait_until("17:00")
    bench.staff()
    bench.spread_ms = DAY_MS
    assert RELOCKED in bench.tick()
    bench.spread_ms = 0
    assert UNLOCKED in bench.tick()


# Orders beside the schedule


def test_an_order_goes_before_the_schedule_until_its_next_change() -> None:
    bench = _bench()
    bench.wait_until("17:00")
    assert bench.order("LOCKED") == ["DOOR_MODE_CHANGED", "relock front"]
    assert bench.journal[-1].fact("until") == clock_ms("20:00")
    assert bench.wait_until("07:59:59.999", days=1) == []
    assert bench.wait_until("08:00", days=1) == [UNLOCKED, PULSE]


def test_an_order_to_unlock_ends_where_the_schedule_would_lock() -> None:
    bench = _bench()
    bench.order("UNLOCKED")
    assert bench.journal[-1].fact("until") == clock_ms("16:00")
    assert UNLOCKED in bench.wait_until("16:00"), "from here on it is the schedule's"
    assert RELOCKED in bench.wait_until("20:00")
    bench.wait_until("21:00")
    bench.order("UNLOCKED")
    bench.wait_until("08:00", days=1)
    bench.order("UNLOCKED")
    assert RELOCKED in bench.wait_until("12:00", days=1)


def test_an_order_to_unlock_ends_once_its_time_is_surely_past() -> None:
    bench = _bench()
    bench.wait_until("17:00:01")
    bench.order("UNLOCKED")
    bench.spread_ms = HOUR_MS
    assert RELOCKED not in bench.wait_until("19:59:59.999")
    assert RELOCKED in bench.wait_until("20:00"), "between two pulses"


def test_an_order_to_unlock_ends_where_the_first_person_is_awaited() -> None:
    bench = _bench(first_person_in=True)
    bench.order("UNLOCKED")
    assert bench.wait_until("16:00")[-2:] == [RELOCKED, "relock front"]


@pytest.mark.parametrize("mode", ["BLOCKED", "LOCKED_DOWN", "LOCKED_OPEN"])
def test_what_was_ordered_against_all_ends_by_hand_alone(mode: str) -> None:
    bench = _bench()
    bench.order(mode)
    assert bench.wait_until("12:00", days=3) == []
    assert bench.mode() == mode
    assert bench.staff() == []
    bench.order("LOCKED")
    assert UNLOCKED in bench.wait_until("16:00", days=3)


def test_a_door_without_hours_keeps_its_order_for_ever() -> None:
    bench = Bench(site(plan()))
    bench.order("UNLOCKED")
    assert bench.journal[-1].fact("until") is None
    assert set(bench.wait(3 * 86_400)) == {PULSE}


# Beneath an emergency, and somebody in the doorway


def test_the_schedule_goes_on_beneath_a_lock_down() -> None:
    bench = _bench()
    bench.begin("LOCK_DOWN")
    assert bench.wait_until("16:00") == [UNLOCKED]
    assert bench.journal[-1].fact("under") == "LOCKED_DOWN"
    assert bench.mode() == "LOCKED_DOWN"
    assert bench.end("LOCK_DOWN") == ["EMERGENCY_ENDED"]
    assert bench.mode() == "UNLOCKED"
    assert bench.tick() == [PULSE]
    bench.begin("LOCK_DOWN")
    assert bench.wait_until("20:00") == [RELOCKED]
    assert bench.end("LOCK_DOWN") == ["EMERGENCY_ENDED", "relock front"]
    assert bench.mode() == "LOCKED"


def test_the_end_of_the_hours_shuts_nobody_in_who_has_just_pressed() -> None:
    bench = _bench()
    bench.wait_until("19:59:58")
    assert bench.press() == ["REQUEST_TO_EXIT", PULSE]
    told = bench.wait_until("20:00:08.999")
    assert RELOCKED not in told
    assert bench.wait(0.002) == [RELOCKED, "relock front"]


def test_the_end_of_the_hours_locks_no_open_leaf() -> None:
    bench = _bench()
    bench.wait_until("19:00")
    bench.swing(is_open=True)
    told = bench.wait_until("20:00:29.999")
    assert RELOCKED in told
    assert "relock front" not in told
    assert "DOOR_OPEN_TOO_LONG" in bench.wait(0.001)
    assert bench.swing(is_open=False) == ["DOOR_CLOSED", "relock front"]


# After a power cut


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("at", ["15:30", "17:00", "21:00"])
def test_what_fell_due_during_a_power_cut_is_settled_at_the_first_tick(
    at: str, *, is_stored: bool
) -> None:
    bench = _bench()
    bench.wait_until(at)
    is_open = at == "17:00"
    dump, after = (bench.dump(), len(bench.journal)) if is_stored else (None, 0)
    bench.utc_ms = clock_ms("17:30" if not is_open else "20:30")
    told = bench.cut_power(dump, after)
    assert (RELOCKED if is_open else UNLOCKED) in told
    assert (PULSE in told) != is_open


def test_the_first_person_of_the_day_is_remembered_over_a_power_cut() -> None:
    bench = _bench(first_person_in=True)
    bench.wait_until("17:00")
    bench.staff()
    for dump, after in ((None, 0), (bench.dump(), len(bench.journal))):
        bench.cut_power(dump, after)
        assert bench.mode() == "UNLOCKED"
    bench.spread_ms = DAY_MS
    bench.tick()
    bench.cut_power()
    bench.spread_ms = 0
    assert UNLOCKED in bench.tick()


@pytest.mark.parametrize("is_stored", [True, False])
def test_an_order_stands_over_a_power_cut_as_long_as_without(
    *, is_stored: bool
) -> None:
    bench = _bench()
    bench.wait_until("17:00")
    bench.order("LOCKED")
    dump, after = (bench.dump(), len(bench.journal)) if is_stored else (None, 0)
    bench.cut_power(dump, after)
    assert bench.wait_until("07:59", days=1) == []
    assert UNLOCKED in bench.wait_until("08:00", days=1)


def test_a_door_whose_hours_were_taken_away_is_locked_after_the_restart() -> None:
    bench = _bench()
    bench.wait_until("17:00")
    dump = bench.dump()
    bench.site = site(plan())
    for told in (
        bench.cut_power(),
        bench.cut_power(dump, len(bench.journal)),
    ):
        assert told == ["relock front"]
        assert bench.mode() == "LOCKED"
