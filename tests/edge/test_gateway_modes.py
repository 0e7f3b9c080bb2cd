# SPDX-License-Identifier: Apache-2.0
"""The step when a door is unlocked: its order is stored first, but under fire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.command import HoldOpen, Release, Relock
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.order import ModeOrdered
from edge.core.stimulus import ContactChanged, ExitButtonChanged, FireInputChanged
from edge.gateway.held import COMMIT_PATIENCE_S
from tests.edge.stage import settle

if TYPE_CHECKING:
    from tests.edge.stage import HandClock, Stage

FREE = [DoorMode.UNLOCKED, DoorMode.LOCKED_OPEN]
OPENED = {DoorMode.UNLOCKED: Release, DoorMode.LOCKED_OPEN: HoldOpen}


async def order(stage: Stage, clock: HandClock, mode: DoorMode) -> None:
    """Order a mode, and let the tick come that drives the output."""
    wanted = ModeOrdered(door="hall-door", mode=mode, actor="li", reason="market day")
    stage.gateway.do(lambda controller, now: controller.handle(wanted, now))
    await clock.go(0.02)


@pytest.mark.parametrize("mode", FREE)
async def test_no_door_is_unlocked_before_its_order_is_stored(
    stage: Stage, clock: HandClock, mode: DoorMode
) -> None:
    await order(stage, clock, mode)
    assert stage.journal.is_busy
    assert stage.doors() == []
    await stage.journal.complete()
    assert [type(command) for command in stage.doors()] == [OPENED[mode]]


@pytest.mark.parametrize("mode", FREE)
async def test_a_slow_disk_unlocks_a_door_late_and_says_so(
    stage: Stage, clock: HandClock, mode: DoorMode
) -> None:
    await order(stage, clock, mode)
    await clock.go(COMMIT_PATIENCE_S)
    assert [type(command) for command in stage.doors()] == [OPENED[mode]]
    await stage.journal.complete_all()
    [slow] = [e for e in stage.journal.stored if e.kind is EventKind.STORAGE_SLOW]
    assert slow.fact("seqs") == "1"


async def test_the_pulses_that_keep_it_unlocked_wait_for_no_disk(
    stage: Stage, clock: HandClock
) -> None:
    await order(stage, clock, DoorMode.UNLOCKED)
    await stage.journal.complete_all()
    stage.gateway.arrive(ContactChanged(door="shed-door", is_open=True))
    await settle()
    assert stage.journal.is_busy
    await clock.go(5.1)
    assert len(stage.released()) == 2


@pytest.mark.parametrize("mode", FREE)
async def test_what_waits_to_unlock_is_overtaken_by_a_lock(
    stage: Stage, clock: HandClock, mode: DoorMode
) -> None:
    await order(stage, clock, mode)
    await order(stage, clock, DoorMode.LOCKED)
    await stage.journal.complete_all()
    await clock.go(1.0)
    assert stage.doors() == [Relock(door="hall-door")]


@pytest.mark.parametrize("mode", FREE)
async def test_what_waits_to_unlock_is_dropped_by_a_lock_down_of_an_open_leaf(
    stage: Stage, clock: HandClock, mode: DoorMode
) -> None:
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=True))
    await order(stage, clock, mode)
    await order(stage, clock, DoorMode.LOCKED_DOWN)
    await stage.journal.complete_all()
    await clock.go(1.0)
    assert stage.doors() == []


async def test_fire_and_the_way_out_of_an_unlocked_door_wait_for_nothing(
    stage: Stage, clock: HandClock
) -> None:
    await order(stage, clock, DoorMode.UNLOCKED)
    stage.gateway.arrive(ExitButtonChanged(door="hall-door", is_pressed=True))
    assert [type(command) for command in stage.doors()] == [Release]
    stage.gateway.arrive(FireInputChanged(is_active=True))
    assert stage.doors()[1:] == [HoldOpen(door="hall-door")]
    await stage.journal.complete_all()
    await clock.go(1.0)
    assert stage.doors()[1:] == [HoldOpen(door="hall-door")], "no pulse ends the hold"
