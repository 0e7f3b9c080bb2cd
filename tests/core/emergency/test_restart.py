# SPDX-License-Identifier: Apache-2.0
"""What stands is what stood, after a restart at any point, with or without a file."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from edge.core.emergency.drill_plan import STAGES, DrillKind
from edge.core.emergency.state import EmergencyState
from tests.core.emergency.place import ESCAPE, Place

STATES = [state.value for state in EmergencyState]
STEPS = 60


def walk(place: Place, chance: Random) -> bool:
    """Let something happen; say whether somebody ended an emergency by hand."""
    kind = chance.choice(list(DrillKind)[:3])
    state = chance.choice(STATES)
    match chance.randrange(12):
        case 0 | 1:
            place.begin(state)
        case 2 | 3:
            return place.end(state) == ""
        case 4:
            place.fire_input(is_active=chance.random() < 0.3)
        case 5:
            place.emergency.fire_input_lost()
        case 6:
            place.tap(state)
        case 7:
            place.drill(kind.value, with_doors=chance.random() < 0.5)
        case 8:
            place.stage(chance.choice(STAGES[kind]).name)
        case 9:
            place.end_drill()
        case 10:
            who = chance.choice(["wang", "zhao", "qian", "sun"])
            place.elder(who, chance.choice(["fetched", "arrived"]))
        case _:
            # Halves of halves: of these the journal keeps every bit.
            place.wait(chance.choice([0.375, 3.125, 61, 20_000]))
    return False


@pytest.mark.parametrize("seed", range(40))
def test_a_replay_from_any_point_gives_what_the_day_gave(seed: int) -> None:
    chance = Random(seed)
    place = Place()
    kept: list[tuple[dict[str, Any] | None, int]] = [(None, 0)]
    for _ in range(STEPS):
        before = place.standing()
        was_ended = walk(place, chance)
        assert was_ended or before <= place.standing()
        kept.append((place.emergency.dump(), len(place.journal)))
    for state, after in chance.sample(kept, 12) + kept[:1]:
        revived = place.rebuilt(state, after)
        assert revived.emergency.dump() == place.emergency.dump()
        assert revived.leaves.held == place.leaves.held
        assert revived.wait(0) == []


@pytest.mark.parametrize("seed", range(40, 60))
def test_lives_follow_upon_lives_and_nothing_ends_by_them(seed: int) -> None:
    chance = Random(seed)
    place = Place()
    for _ in range(12):
        for _ in range(chance.randrange(8)):
            walk(place, chance)
        standing, held = place.standing(), dict(place.leaves.held)
        place = place.rebuilt(place.emergency.dump(), len(place.journal))
        assert (place.standing(), place.leaves.held) == (standing, held)


def test_a_fire_that_only_the_file_remembers_stands_and_is_written_down() -> None:
    place = Place()
    revived = place.rebuilt(None, 0, remembered=["FIRE"])
    assert revived.emergency.is_fire
    assert revived.leaves.held == dict.fromkeys(ESCAPE, "LOCKED_OPEN")
    assert revived.emergency.deadline() == 0.0
    assert revived.wait(0) == ["EMERGENCY_STARTED"]
    assert (revived.fact("by"), revived.fact("state")) == ("file", "FIRE")
    assert revived.wait(0) == []
    again = revived.rebuilt(None, 0)
    assert again.standing() == {"FIRE"}


@pytest.mark.parametrize("state", STATES)
def test_whatever_only_the_file_remembers_stands_and_is_written_down(
    state: str,
) -> None:
    """The journal was damaged and set aside, or never came to hear of it."""
    place = Place()
    place.begin(state)
    told = Place().rebuilt(None, 0, remembered=[state])
    assert (told.standing(), told.leaves.held) == ({state}, place.leaves.held)
    assert told.wait(0) == ["EMERGENCY_STARTED"]
    assert (told.fact("by"), told.fact("state")) == ("file", state)
    assert told.wait(0) == []
    assert told.rebuilt(None, 0).standing() == {state}
    told.fire_input(is_active=False)
    assert told.end(state) == ""
    assert (told.standing(), told.leaves.held) == (set(), {})


@pytest.mark.parametrize("lost", STATES)
def test_what_the_journal_knows_is_not_begun_twice(lost: str) -> None:
    place = Place()
    for state in STATES:
        if state != lost:
            place.begin(state)
    revived = place.rebuilt(None, 0, remembered=STATES)
    assert revived.standing() == set(STATES)
    assert revived.wait(0) == ["EMERGENCY_STARTED"]
    assert revived.fact("state") == lost


def test_a_fire_that_both_remember_is_told_once() -> None:
    place = Place()
    place.fire_input(is_active=True)
    revived = place.rebuilt(None, 0, remembered=["FIRE"])
    assert revived.wait(0) == []
    assert revived.standing() == {"FIRE"}
    revived.fire_input(is_active=False)
    assert revived.end("FIRE") == ""
    assert revived.standing() == set()


def test_an_older_fire_in_the_journal_does_not_end_the_one_of_the_file() -> None:
    place = Place()
    place.fire_input(is_active=True)
    place.fire_input(is_active=False)
    place.end("FIRE")
    revived = place.rebuilt(None, 0, remembered=["FIRE"])
    assert revived.standing() == {"FIRE"}
    assert revived.wait(0) == ["EMERGENCY_STARTED"]


def test_the_file_may_be_read_after_the_journal() -> None:
    place = Place().rebuilt(None, 0)
    place.emergency.assume({EmergencyState.FIRE})
    place.leaves.settle(place.now())
    assert place.leaves.held == dict.fromkeys(ESCAPE, "LOCKED_OPEN")
    place.fire_input(is_active=False)
    assert place.end("FIRE") == ""
    kinds = [event.kind.value for event in place.journal]
    assert kinds == ["EMERGENCY_STARTED", "EMERGENCY_ENDED"]
    assert (place.standing(), place.leaves.held) == (set(), {})


def test_a_fire_of_the_file_overtakes_the_drill_of_the_journal() -> None:
    place = Place()
    place.drill(with_doors=True)
    revived = place.rebuilt(None, 0, remembered=["FIRE"])
    assert revived.wait(0) == ["EMERGENCY_STARTED", "DRILL_ENDED"]
    assert revived.leaves.held == dict.fromkeys(ESCAPE, "LOCKED_OPEN")


def test_a_drill_whose_end_was_lost_is_ended_by_what_stands() -> None:
    place = Place()
    place.drill(with_doors=True)
    place.begin("SHELTER")
    assert place.journal.pop().fact("outcome") == "real"
    revived = place.rebuilt(None, 0)
    assert revived.emergency.deadline() == 0.0
    assert revived.wait(0) == ["DRILL_ENDED"]
    assert revived.leaves.held == {}


def test_a_snapshot_from_before_there_were_others_keeps_its_fire() -> None:
    place = Place().rebuilt({"fire": 1}, 0)
    assert place.standing() == {"FIRE"}
    assert place.leaves.held == dict.fromkeys(ESCAPE, "LOCKED_OPEN")
    assert Place().rebuilt({"fire": 0}, 0).standing() == set()
    assert Place().rebuilt({}, 0).standing() == set()


def test_words_of_another_version_in_the_journal_do_no_harm() -> None:
    place = Place()
    place.begin("FIRE")
    place.drill("fire")
    place.journal = [
        type(event)(
            seq=event.seq,
            kind=event.kind,
            moment=event.moment,
            subject=event.subject,
            facts=(("drill", "meteor"), ("state", "METEOR")),
        )
        for event in place.journal
    ]
    revived = place.rebuilt(None, 0)
    assert (revived.standing(), revived.emergency.drills.running) == (set(), None)
