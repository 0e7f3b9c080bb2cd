# SPDX-License-Identifier: Apache-2.0
"""A mode from afar keeps its end, whatever fails between its record and its word."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.controller import Controller
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.remote.command import Action, RemoteCommand
from edge.core.remote.modes import TRY_AGAIN_S
from edge.core.stimulus import CommandReceived, CommandStored
from tests.core.remote.afar import DOOR, command, give, last, reason, states
from tests.core.scene import SITE, clock_ms
from tests.core.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.order import ModeOrdered

HOUR_S = 3601.0


def mode(jti: int, name: str, door: str = DOOR) -> RemoteCommand:
    """Return the command for a mode until 16:00."""
    more = {"mode": DoorMode(name), "until_ms": clock_ms("16:00"), "door": door}
    return command(jti, Action.MODE, **more)


def start_again(stage: Stage, **changes: Any) -> None:
    """Cut the power, and start with another site file."""
    before = stage.controller
    stage.controller = Controller(replace(SITE, **changes), next_seq=before.next_seq)
    stage.controller.house.adopt(before.roster, before.rolls.confirmed_ms)
    stage.controller.recover(before.snapshot(stage.now()), ())
    stage.take(stage.controller.start(stage.now()))


def failing(orders: Callable[..., str], door: str) -> Callable[..., str]:
    """Return what orders modes, but fails at one door."""

    def order(ordered: ModeOrdered, *rest: object) -> str:
        if ordered.door == door:
            raise RuntimeError
        return orders(ordered, *rest)

    return order


# ---- learnt from the record ----------------------------------------------------------


def test_the_record_tells_mode_and_end() -> None:
    stage = Stage()
    give(stage, mode(1, "UNLOCKED"))
    record = last(stage, EventKind.COMMAND_RECEIVED)
    assert record.fact("mode") == "UNLOCKED"
    assert record.fact("until") == clock_ms("16:00")


@pytest.mark.parametrize("has_snapshot", [False, True])
@pytest.mark.parametrize("name", ["UNLOCKED", "BLOCKED"])
def test_a_power_cut_before_the_last_word_leaves_the_end(
    name: str,
    has_snapshot: bool,  # noqa: FBT001
) -> None:
    stage, wish = Stage(), mode(1, name)
    stage.do(CommandReceived(command=wish))
    state = stage.standing() if has_snapshot else None
    after = stage.journal[-1].seq if has_snapshot else 0
    stage.do(CommandStored(jti=wish.jti))
    del stage.journal[-1]  # the mode has changed; that it was done is not on disk
    stage.cut_power(state, after)
    assert states(stage, wish) == ["accepted", "unknown"]
    assert stage.mode(DOOR) == name
    assert stage.replayed(None, 0).snapshot(stage.now()) == stage.standing()
    stage.wait(HOUR_S)
    assert stage.mode(DOOR) == "LOCKED"


def test_a_rule_that_raises_behind_the_change_leaves_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, wish = Stage(), mode(1, "UNLOCKED")

    def raise_(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(stage.controller.doors, "_enter_mode", raise_)
        told = give(stage, wish)
    assert told[1:] == ["DOOR_MODE_CHANGED", "COMMAND_UNKNOWN", "RULE_FAULT"]
    assert stage.mode(DOOR) == "UNLOCKED"
    stage.wait(HOUR_S)
    assert stage.mode(DOOR) == "LOCKED"


def test_a_hand_that_orders_the_same_while_the_record_is_written_has_no_end() -> None:
    stage = Stage()
    stage.order(DOOR, "UNLOCKED")
    stage.do(CommandReceived(command=mode(1, "UNLOCKED")))
    stage.order(DOOR, "UNLOCKED")
    stage.cut_power()
    stage.wait(HOUR_S)
    assert stage.mode(DOOR) == "UNLOCKED"


# ---- an end that goes through --------------------------------------------------------


@pytest.mark.parametrize("broken", list(SITE.doors))
def test_a_door_that_fails_to_lock_is_tried_again_and_holds_up_no_other(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()
    for jti, door in enumerate(SITE.doors):
        give(stage, mode(jti, "UNLOCKED", door))
    doors = stage.controller.doors
    with monkeypatch.context() as patch:
        patch.setattr(doors, "order_mode", failing(doors.order_mode, broken))
        assert "RULE_FAULT" in stage.wait(HOUR_S)
        stands = {door: stage.mode(door) for door in SITE.doors}
    assert stands == dict.fromkeys(SITE.doors, "LOCKED") | {broken: "UNLOCKED"}
    stage.wait(2 * TRY_AGAIN_S)
    assert stage.mode(broken) == "LOCKED"


def test_a_door_that_is_no_longer_of_the_site_is_forgotten() -> None:
    stage = Stage()
    give(stage, mode(1, "UNLOCKED", "store-door"))
    doors = {name: SITE.doors[name] for name in SITE.doors if name != "store-door"}
    points = {name: SITE.access_points[name] for name in SITE.access_points}
    del points["store-in"]
    start_again(stage, doors=doors, access_points=points)
    assert "RULE_FAULT" not in stage.wait(HOUR_S)
    assert "store-door" not in stage.standing()


# ---- the switch ----------------------------------------------------------------------


def test_a_door_left_free_is_locked_where_remote_unlock_is_off_now() -> None:
    stage = Stage()
    give(stage, mode(1, "UNLOCKED"))
    give(stage, mode(2, "BLOCKED", "lounge-door"))
    start_again(stage, allows_remote_unlock=False)
    stage.wait(0.0)
    assert stage.mode(DOOR) == "LOCKED"
    changed = last(stage, EventKind.DOOR_MODE_CHANGED)
    assert changed.fact("reason") == "remote_unlock is off"
    assert stage.mode("lounge-door") == "BLOCKED", "which lets nobody in"
    assert reason(stage, mode(3, "UNLOCKED")) == "REMOTE_UNLOCK_OFF"


def test_a_door_freed_by_hand_stays_free_where_remote_unlock_is_off() -> None:
    stage = Stage()
    give(stage, mode(1, "UNLOCKED"))
    stage.order(DOOR, "UNLOCKED")
    start_again(stage, allows_remote_unlock=False)
    stage.wait(HOUR_S)
    assert stage.mode(DOOR) == "UNLOCKED"
