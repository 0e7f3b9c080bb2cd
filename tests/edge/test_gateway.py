# SPDX-License-Identifier: Apache-2.0
"""The step on a good disk: recorded before released, and nobody waits for nothing."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from edge.core.command import HoldOpen, Indicate, Indication, Release, Relock
from edge.core.controller import Controller
from edge.core.doors.door import DoorMode
from edge.core.event import EventKind
from edge.core.order import ModeOrdered
from edge.core.stimulus import (
    ContactChanged,
    ExitButtonChanged,
    FireInputChanged,
    Noted,
)
from edge.gateway.gateway import DENIAL_BATCH, SNAPSHOT_EVERY
from edge.gateway.inbox import CAPACITY, QUOTA
from tests.edge.stage import PEOPLE, POINTS, settle, site

if TYPE_CHECKING:
    from tests.edge.stage import HandClock, Stage

STRANGER = PEOPLE + 1
PRESSED = ExitButtonChanged(door="hall-door", is_pressed=True)


async def test_no_release_leaves_before_its_grant_is_stored(stage: Stage) -> None:
    stage.scan(1)
    await settle()
    assert stage.journal.is_busy
    assert stage.doors() == []
    await stage.journal.complete()
    assert stage.trace == ["Indicate", "begin 1-1", "stored 1-1", "Release"]
    assert stage.doors() == [
        Release(door="hall-door", duration_s=3.0, cause=1, is_egress=False)
    ]
    assert stage.stored_calls == 1


async def test_what_a_person_sees_waits_for_no_disk(stage: Stage) -> None:
    stage.scan(1)
    stage.scan(STRANGER, "gate")
    await settle()
    seen = [c.indication for c in stage.carried if isinstance(c, Indicate)]
    assert seen == [Indication.GRANTED, Indication.DENIED]


async def test_all_that_waits_shares_one_commit(stage: Stage) -> None:
    for person in range(4):
        stage.scan(person, POINTS[person])
    await settle()
    assert stage.trace.count("begin 1-4") == 1
    await stage.journal.complete()
    assert stage.released() == [1, 2, 3, 4]


async def test_what_comes_during_a_commit_shares_the_next(stage: Stage) -> None:
    stage.scan(1)
    await settle()
    stage.gateway.arrive(ContactChanged(door="shed-door", is_open=True))
    stage.scan(2, "yard")
    await settle()
    stage.scan(3, "gate")
    await settle()
    assert [t for t in stage.trace if t.startswith("begin")] == ["begin 1-1"]
    await stage.journal.complete()
    assert stage.released() == [1]
    begun = [t for t in stage.trace if t.startswith("begin")]
    assert begun == ["begin 1-1", "begin 2-5"]
    await stage.journal.complete()
    assert stage.released() == [1, 4, 5]
    assert not stage.journal.is_busy
    assert stage.gateway.unstored == 0


async def test_the_way_out_waits_for_no_commit(stage: Stage) -> None:
    stage.scan(1)
    await settle()
    stage.carried.clear()
    stage.gateway.arrive(PRESSED)
    assert [type(c) for c in stage.carried] == [Release]
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=True))
    stage.gateway.arrive(ContactChanged(door="hall-door", is_open=False))
    assert stage.doors()[-1] == Relock(door="hall-door")
    stage.gateway.arrive(FireInputChanged(is_active=True))
    assert stage.doors()[-1] == HoldOpen(door="hall-door")
    assert stage.journal.is_busy
    assert len(stage.journal.tried) == 1


async def test_refusals_alone_wait_a_second_for_company(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(STRANGER)
    await clock.go(0.5)
    stage.scan(STRANGER)
    await clock.go(0.45)
    assert stage.journal.tried == []
    await clock.go(0.1)
    assert stage.trace[-1] == "begin 1-2"


async def test_twenty_refusals_wait_no_longer(stage: Stage) -> None:
    points = [point for point in POINTS for _ in range(4)]
    assert len(points) >= DENIAL_BATCH
    for point in points[: DENIAL_BATCH - 1]:
        stage.scan(STRANGER, point)
    await settle()
    assert stage.journal.tried == []
    stage.scan(STRANGER, points[DENIAL_BATCH - 1])
    await settle()
    assert stage.trace[-1] == f"begin 1-{DENIAL_BATCH}"


async def test_a_refusal_leaves_with_the_first_event_that_is_none(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(STRANGER)
    await clock.go(0.2)
    stage.scan(1)
    await settle()
    assert stage.trace[-1] == "begin 1-2"
    await stage.journal.complete()
    assert stage.kinds() == [EventKind.ACCESS_DENIED, EventKind.ACCESS_GRANTED]
    await clock.go(1.5)
    assert len(stage.journal.tried) == 1


async def test_the_first_commit_and_every_500_events_bring_a_snapshot(
    prompt_stage: Stage,
) -> None:
    stage = prompt_stage
    for turn in range(2 * SNAPSHOT_EVERY + 10):
        is_open = turn % 2 == 0
        stage.gateway.arrive(ContactChanged(door="shed-door", is_open=is_open))
        await settle()
    taken = [seq for seq, _ in stage.journal.states]
    gaps = [after - before for before, after in itertools.pairwise(taken)]
    assert taken[0] == stage.journal.tried[0][-1].seq
    assert gaps
    assert all(SNAPSHOT_EVERY <= gap < SNAPSHOT_EVERY + 4 for gap in gaps), taken
    assert len(stage.journal.stored) - taken[-1] < SNAPSHOT_EVERY


async def test_a_snapshot_is_the_standing_after_the_last_event_of_its_commit(
    prompt_stage: Stage,
) -> None:
    stage = prompt_stage
    stage.scan(1)
    stage.scan(2, "yard")
    locked = ModeOrdered(
        door="hall-door", mode=DoorMode.BLOCKED, actor="li", reason="paint"
    )
    stage.gateway.do(lambda controller, now: controller.handle(locked, now))
    await settle()
    assert await stage.gateway.drain()
    seq, state = stage.journal.states[-1]
    assert seq == stage.journal.stored[-1].seq
    reborn = Controller(site(), next_seq=seq + 1)
    reborn.recover(state, [])
    assert reborn.doors.mode("hall-door") is DoorMode.BLOCKED
    replayed = Controller(site(), next_seq=1)
    replayed.recover(None, stage.journal.stored)
    now = stage.clock.moment()
    assert json.loads(reborn.snapshot(now)) == json.loads(replayed.snapshot(now))


async def test_a_flooded_reader_takes_nobody_elses_place(stage: Stage) -> None:
    taken = [stage.scan(STRANGER, "front") for _ in range(QUOTA + 3)]
    assert taken == [True] * QUOTA + [False] * 3
    assert stage.scan(1, "yard")
    await settle()
    await stage.journal.complete()
    full = [e for e in stage.journal.stored if e.kind is EventKind.QUEUE_FULL]
    assert [(e.subject, e.fact("count")) for e in full] == [("front", 3)]
    assert stage.released() != []
    # The quota is one of waiting, not of a life.
    assert stage.scan(STRANGER, "front")


async def test_all_sources_together_have_a_limit_too(stage: Stage) -> None:
    note = Noted(kind=EventKind.CLOCK_STEPPED, subject="gateway")
    taken = [
        stage.gateway.offer(f"source-{number // QUOTA}", note)
        for number in range(CAPACITY + QUOTA)
    ]
    assert taken == [True] * CAPACITY + [False] * QUOTA


async def test_what_was_forgotten_after_a_stall_is_never_decided(stage: Stage) -> None:
    stage.scan(1)
    stage.gateway.forget_waiting()
    await settle()
    assert stage.journal.tried == []
    assert stage.carried == []
    stage.scan(2)
    await settle()
    assert stage.trace[-1] == "begin 1-1"


async def test_an_orderly_stop_stores_all_and_a_snapshot(stage: Stage) -> None:
    """The stop's own event starts a commit before the drain can ask for more."""
    stage.journal.is_prompt = True
    stage.scan(1)
    stage.scan(STRANGER, "gate")
    await settle()
    stage.scan(STRANGER, "cellar")
    await settle()
    assert stage.gateway.unstored == 1
    stage.gateway.do(lambda controller, now: controller.stop(now))
    assert await stage.gateway.drain()
    assert stage.gateway.unstored == 0
    assert stage.kinds()[-1] is EventKind.STOPPED
    assert stage.journal.states[-1][0] == stage.journal.stored[-1].seq


async def test_a_closed_gateway_starts_nothing_more(
    stage: Stage, clock: HandClock
) -> None:
    stage.scan(1)
    await settle()
    stage.gateway.close()
    await clock.go(30, step_s=1.0)
    assert stage.released() == []


@pytest.mark.parametrize("delay_s", [0.0, 1.0, 2.9])
async def test_the_same_card_again_opens_at_once_once_its_grant_is_stored(
    stage: Stage, clock: HandClock, delay_s: float
) -> None:
    stage.scan(1)
    await settle()
    await stage.journal.complete()
    await clock.go(delay_s)
    stage.scan(1)
    await settle()
    assert stage.released() == [1, 1]
    assert len(stage.journal.tried) == 1


async def test_a_reopening_waits_for_no_other_grant(
    stage: Stage, clock: HandClock
) -> None:
    """Its own grant is stored, so it leaves although one before it still waits."""
    stage.scan(1)
    await settle()
    stage.scan(2, "yard")
    await settle()
    stage.scan(1)
    await settle()
    assert stage.released() == []
    await stage.journal.complete()
    assert stage.released() == [1, 1]
    await stage.journal.complete()
    assert stage.released() == [1, 1, 2]
    await clock.go(1.0)
    assert EventKind.STORAGE_SLOW not in stage.kinds()
