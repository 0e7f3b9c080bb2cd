# SPDX-License-Identifier: Apache-2.0
"""Leaves: who is warned, who holds longer, and what nobody sees."""

from __future__ import annotations

import pytest

from edge.core.doors.leaves import MAX_WAITING, RELEASE_SLACK_S
from edge.core.event import EventKind
from tests.core.doors.bench import (
    EXTENDED_S,
    HELD_S,
    RELEASE_S,
    WARN_S,
    Bench,
    hours,
    plan,
    site,
)

FORCED = ["DOOR_OPENED", "DOOR_FORCED_OPEN"]
WARNED = ["DOOR_HELD_WARNING", "front-in: CLOSE_DOOR"]


def test_a_leaf_that_stands_open_warns_at_the_door_before_its_alarm() -> None:
    bench = Bench(site(plan(), plan("back")))
    bench.grant()
    bench.swing(is_open=True)
    assert bench.wait(HELD_S - WARN_S - 0.001) == []
    assert bench.wait(0.001) == WARNED, "at this door's reader and at no other"
    assert bench.wait(WARN_S - 0.001) == []
    assert bench.wait(0.001) == ["DOOR_OPEN_TOO_LONG"]
    assert bench.wait(3600) == []


def test_the_warning_is_armed_anew_when_the_leaf_was_closed() -> None:
    bench = Bench(site(plan()))
    for _ in range(2):
        bench.grant()
        bench.swing(is_open=True)
        assert bench.wait(HELD_S - WARN_S) == WARNED
        assert bench.swing(is_open=False) == ["DOOR_CLOSED", "relock front"]


def test_a_leaf_shut_upon_the_warning_raises_no_alarm() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.swing(is_open=True)
    bench.wait(HELD_S - WARN_S)
    bench.swing(is_open=False)
    assert bench.wait(3600) == []


def test_without_a_time_to_warn_there_is_the_alarm_alone() -> None:
    bench = Bench(site(plan(warn_before_s=0.0)))
    bench.grant()
    bench.swing(is_open=True)
    assert bench.wait(HELD_S) == ["DOOR_OPEN_TOO_LONG"]


def test_an_extended_release_gives_the_leaf_as_much_longer() -> None:
    bench = Bench(site(plan(warn_before_s=0.0)))
    longer_s = EXTENDED_S - RELEASE_S
    assert bench.grant(release_s=EXTENDED_S) == [
        "ACCESS_GRANTED",
        f"release front {EXTENDED_S:g}",
    ]
    bench.wait(EXTENDED_S - 0.001)
    bench.swing(is_open=True)
    assert bench.wait(HELD_S + longer_s - 0.001) == []
    assert bench.wait(0.002) == ["DOOR_OPEN_TOO_LONG"]
    bench.swing(is_open=False)
    bench.grant()
    bench.swing(is_open=True)
    assert bench.wait(HELD_S) == ["DOOR_OPEN_TOO_LONG"], "the next is as quick as any"


def test_a_door_without_a_contact_says_that_nobody_saw_the_entry() -> None:
    bench = Bench(site(plan(has_contact=False)))
    bench.grant()
    assert bench.wait(RELEASE_S + RELEASE_SLACK_S) == ["ACCESS_TAKEN"]
    taken = bench.journal[-1]
    assert (taken.fact("cause"), taken.fact("unsensed")) == (1, 1)
    assert taken.person.holder == "holder-wang"


def test_a_door_with_a_contact_never_says_so() -> None:
    bench = Bench(site(plan()))
    bench.grant()
    bench.swing(is_open=True)
    bench.grant()
    bench.wait(RELEASE_S + RELEASE_SLACK_S)
    taken = [e for e in bench.journal if e.kind is EventKind.ACCESS_TAKEN]
    assert [event.fact("cause") for event in taken] == [1, 4]
    assert [event.fact("unsensed") for event in taken] == [None, None]


@pytest.mark.parametrize("has_contact", [True, False])
def test_an_unsensed_door_that_locks_tells_its_grant_at_once(
    *, has_contact: bool
) -> None:
    bench = Bench(site(plan(has_contact=has_contact)))
    bench.grant()
    told = "ACCESS_NOT_TAKEN" if has_contact else "ACCESS_TAKEN"
    assert bench.order("LOCKED_DOWN") == ["DOOR_MODE_CHANGED", told, "relock front"]


@pytest.mark.parametrize(
    ("clock", "is_anybody", "is_forced"),
    [
        ("07:59:59", False, True),
        ("07:59:59", True, False),
        ("08:00", False, False),
        ("19:59:59.999", False, False),
        ("20:00", False, True),
        ("20:00", True, False),
    ],
)
def test_a_handle_that_nobody_sees_is_forced_only_at_night_with_nobody_inside(
    clock: str, *, is_anybody: bool, is_forced: bool
) -> None:
    bench = Bench(site(plan(senses_exit=False), opens=hours("daily 08:00-20:00")))
    bench.inside.is_anybody = is_anybody
    bench.wait_until(clock, days=1)
    opened = bench.swing(is_open=True)
    assert opened == (FORCED if is_forced else ["DOOR_OPENED"])


def test_while_the_clock_is_unsure_of_the_hours_nobody_is_accused() -> None:
    bench = Bench(site(plan(senses_exit=False), opens=hours("daily 08:00-20:00")))
    bench.wait_until("07:00", days=1)
    bench.spread_ms = 2 * 3_600_000
    assert bench.swing(is_open=True) == ["DOOR_OPENED"]


def test_a_place_that_is_always_open_has_no_forced_alarm_at_such_a_door() -> None:
    bench = Bench(site(plan(senses_exit=False)))
    assert bench.swing(is_open=True) == ["DOOR_OPENED"]


def test_a_door_whose_way_out_is_sensed_is_forced_though_somebody_is_inside() -> None:
    bench = Bench(site(plan(), opens=hours("daily 08:00-20:00")))
    bench.inside.is_anybody = True
    assert bench.swing(is_open=True) == FORCED


def test_who_leaves_unseen_is_still_warned_and_told_when_the_leaf_stays_open() -> None:
    bench = Bench(site(plan(senses_exit=False)))
    bench.swing(is_open=True)
    assert bench.wait(HELD_S) == [*WARNED, "DOOR_OPEN_TOO_LONG"]


def test_more_grants_than_pass_a_door_give_up_the_oldest() -> None:
    bench = Bench(site(plan()))
    for _ in range(MAX_WAITING):
        assert bench.grant()[0] == "ACCESS_GRANTED"
    assert bench.grant()[:2] == ["ACCESS_GRANTED", "ACCESS_NOT_TAKEN"]
    assert bench.journal[-1].fact("cause") == 1
    told = bench.swing(is_open=True)
    assert told.count("ACCESS_TAKEN") == MAX_WAITING


def test_an_exit_never_cuts_a_longer_release_short() -> None:
    bench = Bench(site(plan()))
    bench.grant(release_s=EXTENDED_S)
    bench.wait(1.0)
    left_s = EXTENDED_S - 1.0
    assert bench.press() == ["REQUEST_TO_EXIT", f"release front {left_s:g}"]


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_is_not_relocked_when_it_closes(mode: str) -> None:
    bench = Bench(site(plan()))
    bench.order(mode)
    bench.tick()
    bench.swing(is_open=True)
    assert bench.swing(is_open=False) == ["DOOR_CLOSED"]
    assert bench.is_free()
