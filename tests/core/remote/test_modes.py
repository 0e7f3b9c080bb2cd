# SPDX-License-Identifier: Apache-2.0
"""Modes from afar: they need an end, end by themselves, and yield to hands."""

from __future__ import annotations

import pytest

from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS
from edge.core.remote.command import Action, RemoteCommand
from tests.core.remote.afar import DOOR, command, give, reason, with_site
from tests.core.scene import clock_ms
from tests.core.stage import Stage

NINE = 21 * 60


def mode(jti: int, name: str, until: str = "16:00") -> RemoteCommand:
    """Return the command for a mode until that time."""
    until_ms = clock_ms(until)
    return command(jti, Action.MODE, mode=DoorMode(name), until_ms=until_ms)


@pytest.mark.parametrize("name", ["UNLOCKED", "BLOCKED", "LOCKED_DOWN"])
def test_a_mode_from_afar_ends_by_itself(name: str) -> None:
    stage = Stage()
    assert reason(stage, mode(1, name)) == ""
    assert stage.mode(DOOR) == name
    stage.wait(3599.0)
    assert stage.mode(DOOR) == name
    assert "DOOR_MODE_CHANGED" in stage.wait(2.0)
    assert stage.mode(DOOR) == "LOCKED"
    assert "DOOR_MODE_CHANGED" not in stage.wait(7200.0)


@pytest.mark.parametrize("has_snapshot", [False, True])
def test_its_end_survives_a_power_cut(has_snapshot: bool) -> None:  # noqa: FBT001
    stage = Stage()
    give(stage, mode(1, "BLOCKED"))
    state = stage.standing() if has_snapshot else None
    stage.cut_power(state, stage.journal[-1].seq if has_snapshot else 0)
    assert stage.mode(DOOR) == "BLOCKED"
    stage.wait(3601.0)
    assert stage.mode(DOOR) == "LOCKED"


def test_a_door_left_free_is_locked_when_nobody_knows_the_time_any_more() -> None:
    stage = Stage()
    give(stage, mode(1, "UNLOCKED"))
    stage.spread_ms = UNBOUNDED_MS - stage.utc_ms
    stage.cut_power()
    stage.wait(1.0)
    assert stage.mode(DOOR) == "LOCKED"


def test_a_door_left_blocked_stays_so_until_its_time_is_surely_over() -> None:
    stage = Stage()
    give(stage, mode(1, "BLOCKED"))
    stage.spread_ms = 7_200_000
    stage.wait(600.0)
    assert stage.mode(DOOR) == "BLOCKED"
    stage.wait(3001.0)
    assert stage.mode(DOOR) == "LOCKED"


@pytest.mark.parametrize(
    ("until", "closing_min", "why"),
    [
        ("14:59", NINE, "UNTIL"),
        ("15:00", NINE, "UNTIL"),
        ("15:00:00.001", NINE, ""),
        ("21:00", NINE, ""),
        ("21:00:00.001", NINE, "UNTIL"),
        ("23:59", 24 * 60, ""),
    ],
)
def test_its_end_lies_ahead_and_by_closing_time(
    until: str, closing_min: int, why: str
) -> None:
    stage = with_site(closing_min=closing_min)
    assert reason(stage, mode(1, "UNLOCKED", until)) == why


def test_without_a_clock_there_is_no_end_and_so_no_mode() -> None:
    stage = Stage()
    stage.spread_ms = UNBOUNDED_MS - stage.utc_ms
    assert reason(stage, mode(1, "UNLOCKED")) == "CLOCK_UNTRUSTED"
    assert reason(stage, mode(2, "LOCKED")) == "", "locking needs no end"


@pytest.mark.parametrize("held", ["BLOCKED", "LOCKED_DOWN", "LOCKED_OPEN"])
@pytest.mark.parametrize("name", ["LOCKED", "UNLOCKED"])
def test_what_was_ordered_by_hand_is_ended_by_hand(held: str, name: str) -> None:
    stage = Stage()
    stage.order(DOOR, held)
    assert reason(stage, mode(1, name)) == "MODE_HELD"
    assert stage.mode(DOOR) == held


def test_the_platform_may_end_its_own_mode_early() -> None:
    stage = Stage()
    give(stage, mode(1, "BLOCKED"))
    assert reason(stage, mode(2, "LOCKED")) == ""
    assert stage.mode(DOOR) == "LOCKED"
    assert "DOOR_MODE_CHANGED" not in stage.wait(7200.0)


def test_a_hand_takes_the_door_over_and_no_end_comes() -> None:
    stage = Stage()
    give(stage, mode(1, "BLOCKED"))
    stage.order(DOOR, "BLOCKED")
    stage.wait(7200.0)
    assert stage.mode(DOOR) == "BLOCKED"
    assert reason(stage, mode(2, "LOCKED")) == "MODE_HELD"


def test_a_free_door_is_kept_free_and_locked_at_the_end() -> None:
    stage = Stage()
    told = give(stage, mode(1, "UNLOCKED")) + stage.wait(1.0)
    assert f"release {DOOR}" in told
    assert f"relock {DOOR}" in stage.wait(3601.0)
