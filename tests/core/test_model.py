# SPDX-License-Identifier: Apache-2.0
"""Long seeded walks over all stimuli, with power cuts, against the invariants."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from edge.core.command import Release
from edge.core.event import EventKind
from tests.core.invariants import Invariants
from tests.core.scene import SITE
from tests.core.stage import Stage, Told
from tests.core.walk import DOORS, Walk

if TYPE_CHECKING:
    from edge.core.outcome import Outcome

RUNS, STEPS = 200, 200
#: One test a batch, so that a failure names few seeds and workers share the work.
BATCHES = 8
#: What a walk must have met, or it proved nothing.
MET = {
    EventKind.ACCESS_GRANTED,
    EventKind.ACCESS_TAKEN,
    EventKind.ACCESS_NOT_TAKEN,
    EventKind.ACCESS_DENIED,
    EventKind.REQUEST_TO_EXIT,
    EventKind.DOOR_FORCED_OPEN,
    EventKind.DOOR_OPEN_TOO_LONG,
    EventKind.DOOR_MODE_CHANGED,
    EventKind.EMERGENCY_STARTED,
    EventKind.EMERGENCY_ENDED,
    EventKind.STALLED,
    EventKind.COMPARTMENT_OPENED,
    EventKind.COMPARTMENT_CLOSED,
    EventKind.COMPARTMENT_FAULT,
    EventKind.RENTAL_STARTED,
    EventKind.RENTAL_ENDED,
    EventKind.MEDICINE_BOX_OPENED,
    EventKind.DUTY_STARTED,
    EventKind.DUTY_ENDED,
    EventKind.MANUAL_ENTRY,
    EventKind.COMMAND_REJECTED,
}


class WatchedStage(Stage):
    """A stage on which every outcome is checked."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.controller.roster)
        self.invariants = Invariants()

    def take(self, outcome: Outcome) -> Told:
        """Check the outcome, then write it down."""
        self.invariants.follow(outcome.events, outcome.commands)
        told = super().take(outcome)
        for door in DOORS:
            assert self.mode(door) == self.invariants.mode(door), door
        rentals = {
            place: compartment.rental.person
            for place, compartment in self.controller.lockers.standing().items()
            if compartment.rental is not None
        }
        assert rentals == self.invariants.lockers.rented
        assert b".." not in repr(outcome).encode(), "a token in an outcome"
        return told


def _walk(seed: int) -> Counter[str]:
    walk = Walk(seed)
    walk.stage = stage = WatchedStage(walk.stage)
    for number in range(STEPS):
        try:
            walk.step()
            if walk.chance.random() < 0.01:
                stage.cut_power()
        except Exception as error:
            error.add_note(f"seed {seed}, step {number}")
            raise
    _counts_agree(stage)
    for door in DOORS:  # a free door renews its pulses for ever
        stage.order(door, "LOCKED")
    stage.wait(200)
    stage.invariants.rest()
    return stage.invariants.seen


def _counts_agree(stage: WatchedStage) -> None:
    """Compare the controller's own count of persons with that of the journal."""
    counted = json.loads(stage.standing())["bookings"]
    for booking, persons, unverified, _ in counted:
        assert persons == stage.invariants.persons[booking]
        assert 0 <= unverified <= 2


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_walk_breaks_an_invariant(batch: int) -> None:
    seen: Counter[str] = Counter()
    seeds = range(batch, RUNS, BATCHES)
    print(f"seeds {list(seeds)}, {STEPS} steps each")
    for seed in seeds:
        seen += _walk(seed)
    assert seen.keys() >= MET, f"never met: {MET - seen.keys()}"


@pytest.mark.parametrize("seed", range(10))
def test_one_seed_is_one_walk(seed: int) -> None:
    first, second = Walk(seed), Walk(seed)
    for _ in range(100):
        assert first.step() == second.step()
    assert first.stage.journal == second.stage.journal


@pytest.mark.parametrize("seed", range(10))
def test_the_way_out_opens_at_any_point_of_any_walk(seed: int) -> None:
    walk = Walk(seed)
    for number in range(150):
        walk.step()
        for door in DOORS:
            walk.stage.press(door)
            is_held = walk.stage.mode(door) == "LOCKED_OPEN"
            out = [
                release
                for release in walk.stage.releases()
                if release.door == door and release.is_egress and release.cause > 0
            ]
            assert len(out) == (0 if is_held else 1), (seed, number, door)
            least_s = SITE.doors[door].release_s
            assert all(release.duration_s >= least_s for release in out)


def test_the_checker_would_notice_a_release_without_a_grant() -> None:
    command = Release(door="kitchen-door", duration_s=5.0, cause=1, is_egress=False)
    with pytest.raises(AssertionError, match="no grant in the journal"):
        Invariants().follow((), (command,))


def test_the_checker_would_notice_a_gap_and_a_party_grown_too_large() -> None:
    stage = Stage()
    stage.scan("wang")
    granted, after = stage.journal[0], Invariants()
    after.follow((granted,), ())
    with pytest.raises(AssertionError, match="gap"):
        after.follow((granted,), ())
    full = Invariants()
    full.inside["b1"] = 1
    with pytest.raises(AssertionError, match="party"):
        full.follow((granted,), ())
    with pytest.raises(AssertionError, match="without an outcome"):
        after.rest()
