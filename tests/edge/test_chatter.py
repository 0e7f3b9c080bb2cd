# SPDX-License-Identifier: Apache-2.0
"""Inputs that chatter are told as often as people move, and rightly at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.device import InputChanged
from edge.cli.chatter import CHANGES, WINDOW_S
from edge.core.command import HoldOpen, Release
from edge.core.event import EventKind
from tests.edge.entrance import BOARDS
from tests.edge.stage import settle

if TYPE_CHECKING:
    from edge.core.event import Event
    from tests.edge.entrance import Entrance

MOVED = (EventKind.DOOR_OPENED, EventKind.DOOR_CLOSED)


def contact(entrance: Entrance, *, is_open: bool) -> None:
    """Let the hall door's contact tell a level."""
    level = InputChanged(unit=1, channel=1, is_active=not is_open)
    entrance.intake.signals(BOARDS, [level])


async def chatter(entrance: Entrance, *, times: int, ends_open: bool) -> None:
    """Let the contact change so often, in half a second."""
    for left in range(times, 0, -1):
        contact(entrance, is_open=ends_open is (left % 2 == 1))
        entrance.clock.now_s += 0.5 / times
        await settle()


def of_kind(entrance: Entrance, *kinds: EventKind) -> list[Event]:
    return [e for e in entrance.stage.journal.stored if e.kind in kinds]


@pytest.mark.parametrize("ends_open", [True, False])
async def test_a_contact_that_chatters_is_told_a_few_times_and_its_last_level(
    entrance: Entrance, *, ends_open: bool
) -> None:
    entrance.tell_levels()
    await chatter(entrance, times=1_001, ends_open=ends_open)
    assert len(of_kind(entrance, *MOVED)) <= CHANGES
    await entrance.clock.go(WINDOW_S + 1, step_s=0.1)
    door = entrance.stage.controller.doors.standing()["hall-door"]
    assert door.is_open is ends_open
    assert len(of_kind(entrance, *MOVED)) <= CHANGES + 1
    [full] = of_kind(entrance, EventKind.QUEUE_FULL)
    assert (full.subject, full.fact("input")) == ("board", 1)
    assert int(full.fact("count") or 0) >= 1_000 - CHANGES - 2


async def test_who_chatters_on_is_told_once_a_pause(entrance: Entrance) -> None:
    entrance.tell_levels()
    for _ in range(100):  # 50 seconds
        await chatter(entrance, times=40, ends_open=True)
    told = len(of_kind(entrance, *MOVED))
    assert told <= CHANGES + 50 / WINDOW_S + 1
    assert entrance.stage.gateway.unstored == 0


async def test_as_fast_as_people_move_nothing_is_kept_back(entrance: Entrance) -> None:
    entrance.tell_levels()
    for turn in range(100):
        contact(entrance, is_open=turn % 2 == 0)
        await entrance.clock.go(0.6, step_s=0.1)
    assert len(of_kind(entrance, *MOVED)) == 100
    assert of_kind(entrance, EventKind.QUEUE_FULL) == []


async def test_a_way_out_that_chatters_lets_out_each_time_and_fire_opens(
    entrance: Entrance,
) -> None:
    entrance.tell_levels()
    entrance.stage.carried.clear()
    for turn in range(10 * CHANGES):
        pressed = InputChanged(unit=1, channel=2, is_active=turn % 2 == 0)
        entrance.intake.signals(BOARDS, [pressed])
    doors = entrance.stage.doors()
    assert [type(command) for command in doors] == [Release] * (5 * CHANGES)
    for turn in range(10 * CHANGES):
        fire = InputChanged(unit=1, channel=8, is_active=turn % 2 == 0)
        entrance.intake.signals(BOARDS, [fire])
        assert entrance.stage.controller.emergency.is_fire is (turn > 0)
    assert HoldOpen(door="hall-door") in entrance.stage.doors()


async def test_who_chatters_first_hides_no_forced_door(entrance: Entrance) -> None:
    entrance.tell_levels()
    await chatter(entrance, times=2 * CHANGES + 1, ends_open=False)
    await entrance.clock.go(1.0, step_s=0.1)
    contact(entrance, is_open=True)
    await settle()
    standing = entrance.stage.controller.doors.standing
    assert standing()["hall-door"].is_open, "an open leaf waits for nothing"
    for _ in range(3):  # open for most of each pause, as if it were a loose wire
        await entrance.clock.go(1.7, step_s=0.1)
        contact(entrance, is_open=False)
        await entrance.clock.go(0.1, step_s=0.1)
        contact(entrance, is_open=True)
        assert standing()["hall-door"].is_open
    assert of_kind(entrance, EventKind.DOOR_FORCED_OPEN)
    contact(entrance, is_open=False)
    await entrance.clock.go(WINDOW_S + 1, step_s=0.1)
    assert not standing()["hall-door"].is_open


async def test_an_input_that_is_nobodys_is_told_of_nowhere(entrance: Entrance) -> None:
    entrance.tell_levels()
    for turn in range(10 * CHANGES):
        floating = InputChanged(unit=1, channel=6, is_active=turn % 2 == 0)
        entrance.intake.signals(BOARDS, [floating])
    await entrance.clock.go(2 * WINDOW_S, step_s=0.1)
    assert of_kind(entrance, EventKind.QUEUE_FULL) == []
