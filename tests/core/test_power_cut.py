# SPDX-License-Identifier: Apache-2.0
"""A power cut between any two events: the journal gives the whole standing back."""

from __future__ import annotations

import json

import pytest

from edge.core.event import EventKind
from tests.core.scene import neighbours
from tests.core.stage import Stage, persons
from tests.core.walk import Walk

STEPS = 60
#: Walks long enough that each has a grant open at some step.
LONG_STEPS = 150


@pytest.mark.parametrize("seed", range(6))
def test_any_snapshot_and_its_tail_give_the_standing_of_never_having_stopped(
    seed: int,
) -> None:
    walk = Walk(seed)
    stage = walk.stage
    states: list[tuple[int, str | None]] = [(0, None)]
    for number in range(STEPS):
        walk.step()
        standing = stage.standing()
        for after, state in states:
            revived = stage.replayed(state, after)
            now = stage.now()
            assert revived.snapshot(now) == standing, (seed, number, after)
        states.append((len(stage.journal), standing))
    assert len(stage.journal) > STEPS // 2


@pytest.mark.parametrize("seed", range(6))
def test_after_a_power_cut_exactly_the_open_grants_are_closed_as_unknown(
    seed: int,
) -> None:
    walk = Walk(seed)
    stage = walk.stage
    closing = {EventKind.ACCESS_TAKEN, EventKind.ACCESS_NOT_TAKEN}
    cuts_with_open_grants = 0
    for _ in range(LONG_STEPS):
        walk.step()
        granted = {
            event.seq
            for event in stage.journal
            if event.kind is EventKind.ACCESS_GRANTED
            and not event.fact("free")
            and not event.fact("bank")  # a compartment's: nobody comes in
        }
        ended = {e.fact("cause") for e in stage.journal if e.kind in closing}
        revived = stage.replayed(None, 0)
        started, *closed = revived.start(stage.now()).events
        assert started.kind is EventKind.STARTED
        assert {e.kind for e in closed} <= {EventKind.ACCESS_NOT_TAKEN}, seed
        assert {e.fact("outcome") for e in closed} <= {"unknown"}, seed
        assert {e.fact("cause") for e in closed} == granted - ended, seed
        assert json.loads(revived.snapshot(stage.now()))["open"] == [], seed
        cuts_with_open_grants += bool(closed)
    assert cuts_with_open_grants > 0


def test_a_grant_that_the_power_cut_is_closed_and_given_back_and_not_repeated() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    told = stage.cut_power()
    assert told[:2] == ["STARTED", "ACCESS_NOT_TAKEN"]
    assert "release kitchen-door" not in told, "nothing old moves a relay"
    closed = stage.journal[-1]
    assert (closed.fact("cause"), closed.fact("outcome")) == (1, "unknown")
    assert (closed.person.booking, persons(stage.journal)) == ("b1", 0)
    assert stage.wait(60) == []
    assert stage.scan("wang") == ["ACCESS_GRANTED", "release kitchen-door"]
    assert stage.cut_power()[1] == "ACCESS_NOT_TAKEN"
    assert [event.seq for event in stage.journal] == [1, 2, 3, 4, 5, 6]


def test_a_used_booking_stays_used_over_a_power_cut() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    assert "ACCESS_NOT_TAKEN" not in stage.cut_power()
    stage.scan("wang")
    assert stage.said() == [("DENIED", "PARTY_FULL", "ASK_VOLUNTEER")]


def test_an_entry_on_an_unsure_clock_stays_counted_over_a_power_cut() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00 x9"))
    stage.spread_ms = 86_400_000
    for _ in range(2):
        stage.scan("wang")
        stage.walk_through("kitchen-door")
        stage.cut_power()
    stage.scan("wang")
    assert stage.said() == [("DENIED", "CLOCK_UNTRUSTED", "ASK_VOLUNTEER")]


def test_rentals_and_shifts_survive_a_power_cut_with_and_without_a_snapshot() -> None:
    told = ("c1 wang lounge 14:00-16:00 S", "c2 li lounge 14:00-16:00 S")
    stage = Stage(neighbours(*told))
    stage.scan("wang", "hall-in")
    stage.use(1)
    state, after = stage.standing(), len(stage.journal)
    stage.scan("li", "hall-in")
    stage.jam(2)
    stage.scan("li", "hall-in")
    stage.scan("chen", "desk")
    before = stage.standing()
    for snapshot in ((state, after), (None, 0)):
        stage.cut_power(*snapshot)
        assert stage.standing() == before
        phases = [stage.locker(number) for number in (1, 2, 3)]
        assert phases == ["OCCUPIED holder-wang", "FAULT -", "HELD holder-li"]
        assert stage.controller.on_duty == ("holder-chen",)


@pytest.mark.parametrize("mode", ["BLOCKED", "LOCKED_DOWN", "UNLOCKED", "LOCKED_OPEN"])
def test_a_mode_survives_a_power_cut(mode: str) -> None:
    stage = Stage()
    stage.order("lounge-door", mode)
    told = stage.cut_power()
    assert stage.mode("lounge-door") == mode
    assert ("hold lounge-door" in told) == (mode == "LOCKED_OPEN")
    assert ("release lounge-door" in stage.wait(0)) == (mode == "UNLOCKED")


def test_a_fire_survives_a_power_cut_and_so_does_the_mode_before_it() -> None:
    stage = Stage()
    stage.order("kitchen-door", "LOCKED_DOWN")
    stage.fire()
    assert "hold kitchen-door" in stage.cut_power()
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    assert stage.end_fire() == ["EMERGENCY_ENDED", "relock kitchen-door"]
    assert stage.mode("kitchen-door") == "LOCKED_DOWN"


def test_a_mode_ordered_under_fire_survives_a_power_cut() -> None:
    stage = Stage()
    stage.fire()
    state, after = stage.standing(), len(stage.journal)
    stage.order("kitchen-door", "BLOCKED")
    stage.cut_power(state, after)
    assert stage.mode("kitchen-door") == "LOCKED_OPEN"
    stage.end_fire()
    assert stage.mode("kitchen-door") == "BLOCKED"


def test_a_release_is_over_after_a_power_cut_and_its_door_forced() -> None:
    stage = Stage()
    stage.press("kitchen-door")
    stage.cut_power()
    told = stage.swing("kitchen-door", is_open=True)
    assert told == ["DOOR_OPENED", "DOOR_FORCED_OPEN"]


def test_a_new_journal_epoch_moves_every_open_number_along() -> None:
    stage = Stage(next_seq=100)
    stage.scan("wang")
    stage.controller.renumber(-60)
    stage.press("kitchen-door")
    stage.press("kitchen-door")
    assert [release.cause for release in stage.releases()] == [41]
    stage.controller.renumber(-40)
    assert stage.press("kitchen-door") == ["release kitchen-door"]
    assert [release.cause for release in stage.releases()] == [1]
    assert stage.swing("kitchen-door", is_open=True)[1] == "ACCESS_TAKEN"
    taken = stage.last.events[1]
    assert (taken.seq, taken.fact("cause")) == (3, 0)
    assert json.loads(stage.standing())["open"] == []
