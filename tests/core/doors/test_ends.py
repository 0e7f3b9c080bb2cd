# SPDX-License-Identifier: Apache-2.0
"""A door that stands free until a time that somebody chose, and no longer."""

from __future__ import annotations

import pytest

from edge.core.doors.doorkeeper import ENDED
from edge.core.moment import UNBOUNDED_MS
from tests.core.doors.bench import Bench, hours, plan, site
from tests.core.scene import DAY_MS, HOUR_MS, clock_ms

UNLOCKED, RELOCKED = "DOOR_UNLOCKED_BY_SCHEDULE", "DOOR_RELOCKED_BY_SCHEDULE"
CHANGED, PULSE, RELOCK = "DOOR_MODE_CHANGED", "release front 10", "relock front"
END_MS = clock_ms("15:30")


def _bench(told: str = "") -> Bench:
    """Return a bench at 15:00, whose door has these hours."""
    bench = Bench(site(plan(unlock=hours(told) if told else None)))
    bench.tick()
    return bench


def test_a_free_door_is_locked_at_its_end_and_the_event_says_until_when() -> None:
    bench = _bench()
    assert bench.order("UNLOCKED", until_ms=END_MS) == [CHANGED]
    assert bench.journal[-1].fact("until") == END_MS
    assert bench.doors.intents()["front"].free_until_ms == END_MS
    assert set(bench.wait_until("15:29:59.999")) == {PULSE}
    assert bench.mode() == "UNLOCKED"
    assert bench.wait_until("15:30") == [CHANGED, RELOCK]
    assert bench.journal[-1].facts == ENDED
    assert bench.mode() == "LOCKED"
    assert bench.wait(86_400.0) == []
    assert bench.doors.deadline() is None


def test_whatever_a_hand_orders_meanwhile_ends_the_matter() -> None:
    bench = _bench()
    bench.order("UNLOCKED", until_ms=END_MS)
    bench.wait(60.0)
    bench.order("BLOCKED")
    assert bench.wait_until("16:30") == []
    bench.order("UNLOCKED", until_ms=clock_ms("17:00"))
    bench.order("UNLOCKED")
    assert set(bench.wait_until("20:00")) == {PULSE}


@pytest.mark.parametrize(
    ("told", "end", "then"),
    [
        ("mon 08:00-20:00", "15:30", [UNLOCKED, PULSE]),
        ("mon 08:00-15:10", "15:30", [CHANGED, RELOCK]),
        ("mon 15:10-20:00", "15:30", [UNLOCKED, PULSE]),
    ],
)
def test_an_end_goes_before_the_hours_and_gives_the_door_back_to_them(
    told: str, end: str, then: list[str]
) -> None:
    bench = _bench(told)
    bench.order("UNLOCKED", until_ms=clock_ms(end))
    assert set(bench.wait_until("15:29:59.999")) == {PULSE}
    assert bench.wait_until("15:30") == then


def test_it_ends_as_soon_as_its_time_may_be_over() -> None:
    bench = _bench()
    bench.order("UNLOCKED", until_ms=END_MS)
    bench.spread_ms = 10 * 60_000
    assert CHANGED not in bench.wait_until("15:19:59.999")
    assert bench.wait_until("15:20") == [CHANGED, RELOCK]


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("spread_ms", [0, UNBOUNDED_MS - clock_ms("16:00")])
def test_a_power_cut_outlasts_no_end(spread_ms: int, *, is_stored: bool) -> None:
    bench = _bench()
    bench.order("UNLOCKED", until_ms=END_MS)
    dump, after = (bench.dump(), len(bench.journal)) if is_stored else (None, 0)
    bench.wait(60.0)
    assert bench.cut_power(dump, after) == [PULSE]
    assert set(bench.wait_until("15:29")) == {PULSE}
    bench.utc_ms, bench.spread_ms = clock_ms("15:31"), spread_ms
    told = bench.cut_power(dump, after)
    assert CHANGED in told
    assert bench.mode() == "LOCKED"
    assert not bench.is_free()


def test_who_is_just_being_let_out_is_not_locked_in() -> None:
    bench = _bench()
    bench.order("UNLOCKED", until_ms=END_MS)
    bench.wait_until("15:29:58")
    bench.press()
    assert CHANGED not in bench.wait_until("15:30:08.999")
    assert bench.wait(0.002) == [CHANGED, RELOCK]


def test_under_a_lock_down_it_ends_beneath() -> None:
    bench = _bench()
    bench.order("UNLOCKED", until_ms=END_MS)
    bench.begin("LOCK_DOWN")
    assert bench.wait_until("15:30") == [CHANGED]
    assert bench.journal[-1].fact("under") == "LOCKED_DOWN"
    bench.end("LOCK_DOWN")
    assert bench.mode() == "LOCKED"


@pytest.mark.parametrize("mode", ["LOCKED", "BLOCKED", "LOCKED_DOWN", "LOCKED_OPEN"])
def test_nothing_else_has_an_end(mode: str) -> None:
    assert "only UNLOCKED" in _bench().why_not(mode, until_ms=END_MS)


@pytest.mark.parametrize(
    "until_ms", [1, clock_ms("15:00"), clock_ms("15:00") + DAY_MS + 1]
)
def test_an_end_lies_within_a_day(until_ms: int) -> None:
    bench = _bench()
    assert "within a day" in bench.why_not("UNLOCKED", until_ms=until_ms)
    assert bench.take() == []


def test_who_does_not_know_the_time_promises_no_end() -> None:
    bench = _bench()
    bench.spread_ms = UNBOUNDED_MS
    assert "clock" in bench.why_not("UNLOCKED", until_ms=END_MS + HOUR_MS)
    assert bench.mode() == "LOCKED"
