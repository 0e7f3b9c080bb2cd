# SPDX-License-Identifier: Apache-2.0
"""The step on a slow, a broken and a restored disk, and after a standstill."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.command import HoldOpen, Release, Relock
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.order import ModeOrdered
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import HolderRow
from edge.core.stimulus import ContactChanged, ExitButtonChanged, FireInputChanged
from edge.gateway.gateway import RETRY_S
from edge.gateway.held import COMMIT_PATIENCE_S, NAMED_LATE
from edge.storage.errors import StorageError
from tests.edge.stage import PEOPLE, roster_rows, settle

if TYPE_CHECKING:
    from edge.core.event import Event
    from tests.edge.stage import HandClock, Stage

STRANGER = PEOPLE + 1


def of_kind(events: list[Event], kind: EventKind) -> list[Event]:
    return [event for event in events if event.kind is kind]


async def test_a_door_waits_250_ms_for_the_disk_and_then_opens(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await clock.go(COMMIT_PATIENCE_S - 0.02)
    assert stage.released() == []
    await clock.go(0.04)
    assert stage.released() == [1]
    assert stage.journal.is_busy, "the commit was broken off"
    await clock.go(5.0)
    await stage.journal.complete()
    assert stage.released() == [1], "released twice"
    await stage.journal.complete()
    [slow] = of_kind(stage.journal.stored, EventKind.STORAGE_SLOW)
    assert (slow.fact("count"), slow.fact("seqs")) == (1, "1")
    assert stage.journal.stored[0].seq == 1


async def test_each_grant_has_a_patience_of_its_own(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await clock.go(0.15)
    stage.scan(2, "yard")
    await clock.go(0.15)
    assert stage.released() == [1]
    await clock.go(0.15)
    assert stage.released() == [1, 2]


async def test_many_late_releases_are_counted_and_the_first_are_named(
    stage: Stage, clock: HandClock
) -> None:
    for person in range(NAMED_LATE + 4):
        stage.scan(person, ("front", "yard")[person % 2])
        await settle()
    await clock.go(0.3)
    assert len(stage.released()) == NAMED_LATE + 4
    await stage.journal.complete_all()
    slow = of_kind(stage.journal.stored, EventKind.STORAGE_SLOW)
    assert [e.fact("count") for e in slow] == [NAMED_LATE + 4]
    assert slow[0].fact("seqs") == ",".join(str(n + 1) for n in range(NAMED_LATE))


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("disk I/O error"),
        OSError(28, "No space left on device"),
        StorageError("damaged"),
    ],
)
async def test_a_failed_commit_loses_nothing_and_is_tried_again(
    stage: Stage, clock: HandClock, error: Exception
) -> None:
    stage.scan(1)
    await settle()
    await stage.journal.fail(error)
    faulty = [stage.gateway.is_storage_faulty]
    assert stage.gateway.unstored == 2
    await clock.go(RETRY_S - 0.1)
    assert len(stage.journal.tried) == 1
    await clock.go(0.2)
    assert [e.seq for e in stage.journal.tried[1]] == [1, 2]
    faulty.append(stage.gateway.is_storage_faulty)
    await stage.journal.complete()
    faulty.append(stage.gateway.is_storage_faulty)
    assert faulty == [True, True, False], "sound only once the disk has said so"
    assert stage.kinds()[:2] == [EventKind.ACCESS_GRANTED, EventKind.STORAGE_FAULT]
    assert stage.journal.stored[1].fact("what") == type(error).__name__


async def test_an_outage_is_told_once_however_long_it_lasts(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    for _ in range(10):
        await stage.journal.fail()
        await clock.go(RETRY_S + 0.1)
    await stage.journal.complete()
    assert len(of_kind(stage.journal.stored, EventKind.STORAGE_FAULT)) == 1
    await stage.journal.complete_all()
    # The next outage is news again.
    stage.scan(2, "yard")
    await settle()
    await stage.journal.fail()
    await clock.go(RETRY_S + 0.1)
    await stage.journal.complete()
    assert len(of_kind(stage.journal.stored, EventKind.STORAGE_FAULT)) == 2


async def test_doors_go_on_while_the_disk_is_dead(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    await stage.journal.fail()
    for person in range(2, 8):
        stage.scan(person, ("front", "yard")[person % 2])
        await clock.go(0.3)
        if stage.journal.is_busy:
            await stage.journal.fail()
    causes = stage.released()
    assert len(causes) == 7
    stage.carried.clear()
    stage.gateway.arrive(ExitButtonChanged(door="shed-door", is_pressed=True))
    stage.gateway.arrive(FireInputChanged(is_active=True))
    assert [type(c) for c in stage.doors()] == [Release, HoldOpen]
    stage.journal.is_prompt = True
    await clock.go(RETRY_S + 0.1)
    assert stage.gateway.unstored == 0
    granted = of_kind(stage.journal.stored, EventKind.ACCESS_GRANTED)
    assert [e.seq for e in granted] == causes
    slow = of_kind(stage.journal.stored, EventKind.STORAGE_SLOW)
    assert sum(int(e.fact("count") or 0) for e in slow) == 7


async def test_memory_has_its_limit_but_the_way_out_has_none(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.gateway.gateway.RING_LIMIT", 3)
    for person in range(3):
        assert stage.scan(person, ("front", "yard")[person % 2])
    await settle()
    assert stage.gateway.unstored == 3
    assert not stage.scan(5)
    stage.carried.clear()
    stage.gateway.arrive(ExitButtonChanged(door="hall-door", is_pressed=True))
    assert [type(c) for c in stage.doors()] == [Release]
    await settle()
    await stage.journal.complete()
    assert stage.scan(5)


async def test_a_snapshot_that_failed_comes_with_the_next_try(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    await stage.journal.fail()
    assert stage.journal.states == []
    stage.journal.is_prompt = True
    await clock.go(RETRY_S + 0.1)
    assert stage.journal.states[0][0] == 2


async def test_a_stop_on_a_dead_disk_says_so_and_ends(stage: Stage) -> None:
    stage.scan(1)
    await settle()
    drained = asyncio.ensure_future(stage.gateway.drain())
    await settle()
    await stage.journal.fail()
    await stage.journal.fail()
    assert not await drained
    assert stage.gateway.unstored == 2


async def test_a_stop_during_a_commit_waits_for_it_and_adds_the_snapshot(
    stage: Stage,
) -> None:
    stage.journal.is_prompt = True
    stage.scan(1)
    await settle()
    stage.journal.is_prompt = False
    stage.scan(2, "yard")
    await settle()
    drained = asyncio.ensure_future(stage.gateway.drain())
    await settle()
    assert not drained.done()
    await stage.journal.complete()
    await stage.journal.complete()
    assert await drained
    assert stage.journal.states[-1][0] == 2
    assert stage.released() == [1, 2]


@pytest.mark.parametrize("stall_s", [2.1, 30.0])
async def test_a_release_that_slept_through_a_stall_opens_nothing(
    stage: Stage, clock: HandClock, stall_s: float
) -> None:
    """The commit was on its way when the process was stopped: nobody is there now."""
    stage.scan(1)
    await settle()
    await clock.stall(stall_s)
    assert stage.released() == []
    await stage.journal.complete()
    assert stage.released() == []
    await stage.journal.complete_all()
    await clock.go(4.0, step_s=0.1)
    await stage.journal.complete_all()
    assert of_kind(stage.journal.stored, EventKind.STORAGE_SLOW) == []
    assert EventKind.ACCESS_NOT_TAKEN in stage.kinds()


async def test_a_commit_that_ends_with_the_stall_opens_nothing(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    clock.now_s += 30.0
    await stage.journal.complete()
    assert stage.released() == []


async def test_a_short_hiccup_still_opens(stage: Stage, clock: HandClock) -> None:
    stage.scan(1)
    await settle()
    await clock.stall(1.0)
    assert stage.released() == [1]


async def test_a_door_locked_meanwhile_stays_locked(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    blocked = ModeOrdered(
        door="hall-door", mode=DoorMode.LOCKED_DOWN, actor="li", reason="danger"
    )
    stage.gateway.do(lambda controller, now: controller.handle(blocked, now))
    assert stage.doors() == [Relock(door="hall-door")]
    await stage.journal.complete()
    await clock.go(1.0)
    assert stage.doors() == [Relock(door="hall-door")]


def set_mode(stage: Stage, mode: DoorMode) -> None:
    order = ModeOrdered(door="hall-door", mode=mode, actor="li", reason="danger")
    stage.gateway.do(lambda controller, now: controller.handle(order, now))


@pytest.mark.parametrize("mode", [DoorMode.LOCKED_DOWN, DoorMode.BLOCKED])
@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_grant_whose_door_is_shut_meanwhile_opens_nothing(
    stage: Stage, clock: HandClock, mode: DoorMode, *, is_slow: bool
) -> None:
    """The leaf stands open, so nothing is relocked that would overtake the grant."""
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=True))
    stage.scan(1)
    await settle()
    set_mode(stage, mode)
    assert stage.doors() == []
    if is_slow:
        await clock.go(COMMIT_PATIENCE_S + 0.1)
    await stage.journal.complete_all()
    assert stage.released() == []
    stage.gateway.arrive(ExitButtonChanged(door="hall-door", is_pressed=True))
    assert len(stage.released()) == 1, "the way out is free in every mode"


async def test_whom_a_shut_door_admits_comes_in(stage: Stage) -> None:
    """A responder was granted in spite of the mode, which is still the same."""
    holder, *others = roster_rows({})
    assert isinstance(holder, HolderRow)
    builder = RosterBuilder()
    builder.add([replace(holder, roles=("RESPONDER",)), *others])
    roster = builder.build(Cursor("0001-00000000", 2))
    stage.gateway.do(lambda controller, now: controller.adopt(roster, now))
    set_mode(stage, DoorMode.BLOCKED)
    await settle()
    await stage.journal.complete_all()
    stage.scan(0)
    await settle()
    assert stage.released() == []
    await stage.journal.complete_all()
    assert len(stage.released()) == 1


async def test_what_raises_in_a_step_keeps_no_event_from_the_disk(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))

    def broken(_: object) -> None:
        raise LookupError("no such wire")

    monkeypatch.setattr(stage.gateway, "_carry_out", broken)
    stage.scan(STRANGER)
    await settle()
    assert [type(context["exception"]) for context in told] == [LookupError]
    with pytest.raises(LookupError):
        stage.gateway.arrive(ExitButtonChanged(door="hall-door", is_pressed=True))
    await settle()
    assert stage.trace == ["begin 1-2"]


async def test_no_pulse_ends_the_hold_of_an_escape_door(
    stage: Stage, clock: HandClock
) -> None:
    """A board that is pulsed while its relay is on switches it off afterwards."""
    stage.scan(1)
    stage.scan(2, "yard")
    await settle()
    stage.gateway.arrive(FireInputChanged(is_active=True))
    await stage.journal.complete()
    await clock.go(1.0)
    doors = [(type(c), c.door) for c in stage.doors()]
    assert doors == [(HoldOpen, "hall-door"), (Release, "shed-door")]


async def test_a_listener_that_fails_keeps_no_event_from_the_disk(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))

    def broken(_: object) -> None:
        raise LookupError("nobody listens yet")

    monkeypatch.setattr(stage.gateway, "_on_stored", broken)
    stage.scan(1)
    await settle()
    stage.scan(2, "yard")
    await settle()
    await stage.journal.complete()
    assert [type(context["exception"]) for context in told] == [LookupError]
    assert "begin 2-2" in stage.trace
    await stage.journal.complete()
    assert stage.released() == [1, 2]
