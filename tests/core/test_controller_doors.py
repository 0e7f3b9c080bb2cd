# SPDX-License-Identifier: Apache-2.0
"""Doors under the controller: forced, held, relocked, unlocked, held open by fire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.controller import Controller
from edge.core.emergency.state import EmergencyState
from edge.core.stimulus import DeviceChanged
from tests.core.scene import (
    EXTENDED_S,
    HELD_S,
    RELEASE_S,
    SITE,
    SLACK_S,
    booking,
    holder,
    moment,
    neighbours,
    roster,
)
from tests.core.stage import Stage

FORCED = ["DOOR_OPENED", "DOOR_FORCED_OPEN"]


def _both() -> Stage:
    return Stage(
        neighbours("b1 wang kitchen 14:00-16:00 x9", "b2 li lounge 14:00-16:00 x9")
    )


# Forced and held


@pytest.mark.parametrize("mode", ["LOCKED", "BLOCKED", "LOCKED_DOWN"])
def test_a_door_opened_without_a_release_is_forced(mode: str) -> None:
    stage = _both()
    stage.order("lounge-door", mode)
    assert stage.swing("lounge-door", is_open=True) == FORCED
    assert stage.swing("lounge-door", is_open=True) == [], "the same level again"
    assert stage.swing("lounge-door", is_open=False) == [
        "DOOR_CLOSED",
        "relock lounge-door",
    ]


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_may_stand_open_all_day(mode: str) -> None:
    stage = _both()
    stage.order("lounge-door", mode)
    assert stage.swing("lounge-door", is_open=True)[0] == "DOOR_OPENED"
    stage.press("lounge-door")
    stage.wait(8 * 3600)
    kinds = {event.kind.value for event in stage.journal}
    assert not kinds & {"DOOR_FORCED_OPEN", "DOOR_OPEN_TOO_LONG"}


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_is_not_relocked_when_it_closes(mode: str) -> None:
    stage = _both()
    stage.order("lounge-door", mode)
    stage.wait(0)
    assert stage.walk_through("lounge-door") == ["DOOR_OPENED", "DOOR_CLOSED"]


def test_a_door_held_open_is_told_once_and_again_after_it_closed() -> None:
    stage = _both()
    for _ in range(2):
        stage.scan("li", "lounge-in")
        stage.swing("lounge-door", is_open=True)
        assert stage.wait(HELD_S - 0.001) == []
        assert stage.wait(0.001) == ["DOOR_OPEN_TOO_LONG"]
        assert stage.wait(600) == []
        stage.swing("lounge-door", is_open=False)


def test_the_next_grant_gives_a_held_leaf_time_anew() -> None:
    stage = _both()
    stage.scan("li", "lounge-in")
    stage.swing("lounge-door", is_open=True)
    stage.wait(20)
    stage.scan("li", "lounge-in")
    assert stage.wait(5 + HELD_S - 0.001) == ["ACCESS_TAKEN"]
    assert stage.wait(0.001) == ["DOOR_OPEN_TOO_LONG"]


def test_a_leaf_propped_open_when_the_door_is_locked_is_told() -> None:
    stage = _both()
    stage.order("lounge-door", "UNLOCKED")
    stage.swing("lounge-door", is_open=True)
    stage.wait(3600)
    stage.order("lounge-door", "LOCKED")
    assert stage.wait(HELD_S) == ["DOOR_OPEN_TOO_LONG"]


def test_a_leaf_open_under_a_grant_is_never_too_long_once_the_door_is_free() -> None:
    stage = _both()
    stage.scan("wang")
    stage.swing("kitchen-door", is_open=True)
    stage.fire()
    assert stage.wait(3600) == []


def test_without_a_contact_a_grant_counts_as_taken_at_its_end() -> None:
    stage = _both()
    stage.scan("li", "store-in")
    assert stage.wait(RELEASE_S + SLACK_S) == ["ACCESS_TAKEN", "VISIT_STARTED"]


# Modes


def test_a_mode_order_is_told_with_its_actor_and_locks_at_once() -> None:
    stage = _both()
    assert stage.order("lounge-door", "BLOCKED") == [
        "DOOR_MODE_CHANGED",
        "relock lounge-door",
    ]
    told = {name: stage.journal[-1].fact(name) for name in ("actor", "mode", "reason")}
    assert told == {"actor": "chen", "mode": "BLOCKED", "reason": "evening"}


def test_a_lock_down_ends_the_release_that_runs() -> None:
    stage = _both()
    stage.scan("li", "lounge-in")
    assert stage.order("lounge-door", "LOCKED_DOWN") == [
        "DOOR_MODE_CHANGED",
        "ACCESS_NOT_TAKEN",
        "relock lounge-door",
    ]
    assert stage.swing("lounge-door", is_open=True) == FORCED


@pytest.mark.parametrize("free", ["UNLOCKED", "LOCKED_OPEN"])
@pytest.mark.parametrize("is_exiting", [True, False])
def test_no_mode_locks_onto_an_open_leaf(free: str, *, is_exiting: bool) -> None:
    stage = _both()
    stage.order("lounge-door", free)
    stage.swing("lounge-door", is_open=True)
    if is_exiting:
        stage.press("lounge-door")
    assert stage.order("lounge-door", "LOCKED") == ["DOOR_MODE_CHANGED"]
    assert stage.swing("lounge-door", is_open=False) == [
        "DOOR_CLOSED",
        "relock lounge-door",
    ]


def test_an_unlocked_door_is_kept_so_by_pulses_renewed_at_half_their_time() -> None:
    stage = _both()
    assert stage.order("lounge-door", "UNLOCKED") == ["DOOR_MODE_CHANGED"]
    assert stage.wait(0) == ["release lounge-door"], "at once"
    pulses = stage.releases()
    assert [pulse.cause for pulse in pulses] == [1], "once its order is stored"
    for _ in range(6):
        assert stage.wait(4.999) == []
        assert stage.wait(0.001) == ["release lounge-door"]
        pulses += stage.releases()
    assert {(p.duration_s, p.is_egress) for p in pulses} == {(10.0, False)}
    assert {pulse.cause for pulse in pulses[1:]} == {0}
    stage.order("lounge-door", "LOCKED")
    assert stage.wait(60) == []


def test_a_board_that_returns_gets_its_outputs_from_the_doors_standing() -> None:
    stage = _both()
    stage.order("kitchen-door", "LOCKED_OPEN")
    stage.order("lounge-door", "UNLOCKED")
    stage.wait(0)
    doors = ("kitchen-door", "lounge-door", "store-door")
    assert stage.device(*doors, is_online=False) == ["DEVICE_OFFLINE"]
    assert stage.device(*doors, is_online=True) == [
        "DEVICE_ONLINE",
        "hold kitchen-door",
        "relock store-door",
    ]
    assert stage.wait(0) == ["release lounge-door"]


def test_a_board_read_anew_gets_its_outputs_again_and_nothing_is_told() -> None:
    stage = _both()
    stage.fire()
    again = DeviceChanged(
        device="relay-1",
        is_online=True,
        detail="",
        is_news=False,
        doors=("kitchen-door", "lounge-door"),
    )
    assert stage.do(again) == ["hold kitchen-door", "relock lounge-door"]


def test_a_door_locked_while_its_board_was_away_is_put_to_rest_on_its_return() -> None:
    stage = _both()
    stage.order("kitchen-door", "LOCKED_OPEN")
    stage.device("kitchen-door", is_online=False)
    stage.order("kitchen-door", "LOCKED")
    assert "relock kitchen-door" in stage.device("kitchen-door", is_online=True)


def test_a_board_that_returns_neither_cuts_an_exit_nor_locks_an_open_leaf() -> None:
    stage = _both()
    stage.press("kitchen-door")
    assert stage.device("kitchen-door", is_online=True) == ["DEVICE_ONLINE"]
    stage.swing("kitchen-door", is_open=True)
    assert stage.device("kitchen-door", is_online=True) == ["DEVICE_ONLINE"]


# Fire


def test_fire_holds_escape_doors_open_and_touches_no_other() -> None:
    stage = _both()
    assert stage.fire() == ["EMERGENCY_STARTED", "hold kitchen-door"]
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    assert (stage.mode("lounge-door"), stage.mode("store-door")) == ("LOCKED",) * 2
    assert stage.fire() == [], "told once"
    assert stage.wait(3600) == []


def test_fire_cannot_end_while_its_input_is_active_and_ends_by_hand_alone() -> None:
    stage = _both()
    stage.fire()
    assert stage.end_fire() == ["COMMAND_REJECTED"]
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    assert stage.fire(is_active=False) == []
    assert stage.wait(86_400) == []
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    assert stage.end_fire() == ["EMERGENCY_ENDED", "relock kitchen-door"]
    assert stage.mode("kitchen-door") == "LOCKED"
    assert stage.end_fire() == ["COMMAND_REJECTED"], "there is none to end"


def test_the_end_of_a_fire_locks_no_open_leaf() -> None:
    stage = _both()
    stage.fire()
    assert stage.swing("kitchen-door", is_open=True) == ["DOOR_OPENED"]
    stage.fire(is_active=False)
    assert stage.end_fire() == ["EMERGENCY_ENDED"]
    assert stage.swing("kitchen-door", is_open=False) == [
        "DOOR_CLOSED",
        "relock kitchen-door",
    ]


@pytest.mark.parametrize(
    ("before", "then"),
    [("LOCKED_DOWN", "relock"), ("BLOCKED", "relock"), ("LOCKED_OPEN", "hold")],
)
def test_after_a_fire_a_door_has_its_mode_again(before: str, then: str) -> None:
    stage = _both()
    stage.order("kitchen-door", before)
    stage.fire()
    stage.fire(is_active=False)
    assert stage.end_fire() == ["EMERGENCY_ENDED", f"{then} kitchen-door"]
    assert stage.mode("kitchen-door") == before


def test_under_fire_the_escape_door_admits_and_lets_out_without_a_relay_moving() -> (
    None
):
    stage = _both()
    stage.fire()
    assert stage.scan("stranger") == ["ACCESS_GRANTED"]
    assert stage.press("kitchen-door") == ["REQUEST_TO_EXIT"]
    assert stage.press("lounge-door") == ["REQUEST_TO_EXIT", "release lounge-door"]


def test_under_fire_other_doors_decide_as_usual() -> None:
    stage = _both()
    stage.fire()
    assert stage.scan("li", "lounge-in") == ["ACCESS_GRANTED", "release lounge-door"]
    assert stage.scan("wang", "lounge-in") == ["ACCESS_DENIED"]
    assert stage.order("lounge-door", "BLOCKED")[0] == "DOOR_MODE_CHANGED"
    assert stage.mode("lounge-door") == "BLOCKED"


def test_a_mode_ordered_under_fire_is_told_at_once_and_applies_after_it() -> None:
    stage = _both()
    stage.fire()
    assert stage.order("kitchen-door", "BLOCKED") == ["DOOR_MODE_CHANGED"]
    told = stage.journal[-1]
    assert (told.fact("mode"), told.fact("under")) == ("BLOCKED", "LOCKED_OPEN")
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    stage.fire(is_active=False)
    stage.end_fire()
    assert stage.mode("kitchen-door") == "BLOCKED"


def test_a_fire_that_the_emergency_file_remembers_holds_from_the_start() -> None:
    stage = _both()
    stage.controller.emergency.assume({EmergencyState.FIRE})
    assert stage.controller.emergency.is_fire
    told = stage.take(stage.controller.start(stage.now()))
    assert told == [
        "STARTED",
        "hold kitchen-door",
        "relock lounge-door",
        "relock store-door",
    ]
    ended = ["EMERGENCY_STARTED", "EMERGENCY_ENDED", "relock kitchen-door"]
    assert stage.end_fire() == ended


def test_an_escape_door_that_is_new_in_the_plan_joins_the_fire_that_stands() -> None:
    stage = _both()
    stage.fire()
    lounge = replace(SITE.doors["lounge-door"], is_escape=True)
    site = replace(SITE, doors={**SITE.doors, "lounge-door": lounge})
    revived = Controller(site, next_seq=2)
    revived.recover(stage.standing(), [])
    stage.take(revived.start(moment(stage.utc_ms)))
    assert stage.told()[1:3] == ["hold kitchen-door", "hold lounge-door"]


def test_a_leaf_opened_just_after_its_pulse_was_let_in() -> None:
    stage = _both()
    stage.scan("li", "lounge-in")
    assert stage.wait(RELEASE_S + SLACK_S - 0.001) == []
    opened = stage.swing("lounge-door", is_open=True)
    assert opened == ["DOOR_OPENED", "ACCESS_TAKEN", "VISIT_STARTED"]


def test_a_short_release_never_cuts_a_longer_one_short() -> None:
    slow = holder("chen", needs_extended_time=True)
    stage = Stage(roster(slow, booking("b1 chen kitchen 14:00-16:00")))
    stage.scan("chen")
    assert [release.duration_s for release in stage.releases()] == [EXTENDED_S]
    stage.wait(1.0)
    stage.press("kitchen-door")
    assert [release.duration_s for release in stage.releases()] == [EXTENDED_S - 1.0]
