# SPDX-License-Identifier: Apache-2.0
"""Drills: one at a time, timed against the marks, compared, never in the way."""

from __future__ import annotations

import json

import pytest

from edge.core.emergency.drill_plan import (
    DRILLS_OF_DOORS,
    FORGOTTEN_S,
    STAGES,
    DrillKind,
)
from edge.core.moment import UNBOUNDED_MS
from tests.core.emergency.place import ESCAPE, Place

#: The reference marks, minutes after the beginning.
MARKS_MIN = {"responded": 1, "arrived": 3, "supported": 5}
MARKED = [
    (kind, stage)
    for kind, stages in STAGES.items()
    for stage in stages
    if stage.within_s
]


def held() -> dict[str, str]:
    return dict.fromkeys(ESCAPE, "LOCKED_OPEN")


def run(place: Place, seconds: float, *, stages: int, kind: str = "fire") -> None:
    """Run a drill for so long, in which so many stages are reached."""
    assert place.drill(kind) == ""
    for stage in STAGES[DrillKind(kind)][:stages]:
        assert place.stage(stage.name) == ""
    place.wait(seconds)
    assert place.end_drill() == ""


@pytest.mark.parametrize("kind", list(DrillKind))
def test_every_kind_has_stages_and_the_marks_of_one_three_five(kind: DrillKind) -> None:
    names = [stage.name for stage in STAGES[kind]]
    assert len(set(names)) == len(names) >= 6
    for stage in STAGES[kind]:
        assert stage.within_s == MARKS_MIN.get(stage.name, 0) * 60
    assert {"responded", "arrived"} <= set(names)


@pytest.mark.parametrize(
    ("kind", "stage"), MARKED, ids=lambda word: getattr(word, "name", word)
)
@pytest.mark.parametrize(("over_ms", "is_late"), [(-1, 0), (0, 0), (1, 1)])
def test_a_mark_is_met_up_to_its_last_moment(
    kind: DrillKind, stage: object, over_ms: int, is_late: int
) -> None:
    place = Place()
    place.drill(kind.value)
    name = getattr(stage, "name", "")
    within_s = MARKS_MIN[name] * 60
    place.wait(within_s + over_ms / 1000)
    assert place.stage(name) == ""
    assert place.fact("is_late") == is_late
    assert place.fact("within_s") == within_s
    assert place.fact("after_s") == within_s - (over_ms < 0)


def test_a_stage_without_a_mark_is_never_late() -> None:
    place = Place()
    place.drill()
    place.wait(3000)
    assert place.stage("called") == ""
    assert place.fact("is_late") is None
    assert place.fact("after_s") == 3000


def test_stages_are_marked_once_in_any_order() -> None:
    place = Place()
    place.drill()
    assert place.stage("counted") == ""
    assert place.stage("called") == ""
    assert place.stage("called") == "called is marked already"
    assert "known: alarm, responded" in place.stage("tea")
    drill = place.emergency.drills.running
    assert drill is not None
    assert "called" not in drill.missing
    assert drill.missing[0] == "alarm"


def test_one_runs_at_a_time_and_none_has_nothing_to_mark() -> None:
    place = Place()
    assert place.stage("alarm") == "no drill is running"
    assert place.end_drill() == "no drill is running"
    assert place.drill("flood") == ""
    assert place.drill("fire") == "a flood drill is running"
    assert place.drill("earthquake").startswith("there is no drill 'earthquake'")


def test_the_end_tells_how_it_went_and_what_is_to_be_mended() -> None:
    place = Place()
    place.drill("illness")
    begun = place.journal[-1].seq
    place.stage("responded")
    place.wait(100.9)
    place.end_drill("key box " * 20, "Mrs Chen")
    facts = dict(place.journal[-1].facts)
    assert facts == {
        "action": ("key box " * 20)[:64],
        "actor": "chen",
        "cause": begun,
        "drill": "illness",
        "duration_s": 100,
        "missing": "called,arrived,first_aid_given,supported,handed_over",
        "outcome": "done",
        "owner": "Mrs Chen",
        "reached": 1,
    }


def test_it_is_compared_with_the_last_and_the_best_of_its_kind() -> None:
    place = Place()
    everything = len(STAGES[DrillKind.FIRE])
    run(place, 200, stages=everything)
    assert (place.fact("previous_s"), place.fact("best_s")) == (None, None)
    run(place, 300, stages=everything)
    assert (place.fact("previous_s"), place.fact("best_s")) == (200, 200)
    run(place, 10, stages=1)
    assert (place.fact("previous_s"), place.fact("best_s")) == (300, 200)
    run(place, 400, stages=everything)
    # The one broken off is the last one, but was never the best.
    assert (place.fact("previous_s"), place.fact("best_s")) == (10, 200)
    run(place, 50, stages=1, kind="flood")
    assert place.fact("previous_s") is None
    run(place, 60, stages=1, kind="flood")
    assert (place.fact("previous_s"), place.fact("best_s")) == (50, None)


@pytest.mark.parametrize("kind", list(DrillKind))
def test_doors_move_only_where_it_was_ticked(kind: DrillKind) -> None:
    place = Place()
    assert place.drill(kind.value) == ""
    assert place.leaves.heard == []
    place.end_drill()
    rejected = place.drill(kind.value, with_doors=True)
    if kind in DRILLS_OF_DOORS:
        assert rejected == ""
        assert place.leaves.held == held()
        place.end_drill()
        assert place.leaves.held == {}
    else:
        assert rejected == f"a {kind.value} drill moves no doors"
        assert place.leaves.heard == []


def test_a_real_fire_ends_the_drill_and_drives_its_doors_again() -> None:
    place = Place()
    place.drill(with_doors=True)
    place.leaves.heard.clear()
    told = place.fire_input(is_active=True)
    assert told == ["EMERGENCY_STARTED", "DRILL_ENDED"]
    assert place.fact("outcome") == "real"
    assert place.leaves.heard == [f"{name} again" for name in ESCAPE]
    assert place.leaves.held == held()
    assert place.emergency.drills.running is None
    assert not place.emergency.drills.records


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "SHELTER"])
def test_whoever_is_in_danger_does_not_rehearse(state: str) -> None:
    place = Place()
    place.drill(with_doors=True)
    assert place.begin(state) == ["EMERGENCY_STARTED", "DRILL_ENDED"]
    after = {"FIRE": held(), "SHELTER": {}}
    lock_down = dict.fromkeys(place.site.doors, "LOCKED_DOWN")
    assert place.leaves.held == after.get(state, lock_down)
    assert place.drill() == f"{state} stands"


def test_a_checkpoint_may_stand_for_weeks_and_stops_no_drill() -> None:
    place = Place()
    place.begin("CHECKPOINT")
    assert place.drill(with_doors=True) == ""
    place.begin("CHECKPOINT")
    assert place.leaves.held == held()
    assert place.end_drill() == ""


def test_a_drill_that_nobody_ended_is_closed() -> None:
    place = Place()
    place.drill(with_doors=True)
    assert place.wait(FORGOTTEN_S - 0.001) == []
    assert place.leaves.held == held()
    assert place.wait(0.001) == ["DRILL_ENDED"]
    assert (place.fact("forgotten"), place.fact("outcome")) == (1, "forgotten")
    assert place.fact("duration_s") == FORGOTTEN_S
    assert place.leaves.held == {}
    assert not place.emergency.drills.records


def test_one_that_fell_due_while_the_box_was_dark_is_closed_at_its_return() -> None:
    place = Place()
    place.drill(with_doors=True)
    place.utc_ms += FORGOTTEN_S * 1000
    revived = place.rebuilt(place.emergency.dump(), len(place.journal))
    assert revived.leaves.held == held()
    assert revived.wait(0) == ["DRILL_ENDED"]
    assert (revived.fact("forgotten"), revived.fact("duration_s")) == (1, FORGOTTEN_S)
    assert revived.leaves.held == {}


def test_one_that_is_younger_runs_on_through_a_restart() -> None:
    place = Place()
    place.drill()
    place.wait(600)
    revived = place.rebuilt(place.emergency.dump(), len(place.journal))
    assert revived.wait(0) == []
    assert revived.stage("arrived") == ""
    assert (revived.fact("after_s"), revived.fact("is_late")) == (600, 1)
    assert revived.wait(FORGOTTEN_S - 601) == []
    assert revived.wait(1) == ["DRILL_ENDED"]


def test_without_a_sure_clock_a_restart_gives_it_its_hours_anew() -> None:
    place = Place()
    place.spread_ms = UNBOUNDED_MS - place.utc_ms
    place.drill()
    place.utc_ms += 5 * FORGOTTEN_S * 1000
    revived = place.rebuilt(None, 0)
    revived.spread_ms = UNBOUNDED_MS - place.utc_ms
    assert revived.wait(0) == []
    assert revived.stage("arrived") == ""
    assert revived.fact("time_unverified") == 1
    assert revived.wait(FORGOTTEN_S - 1) == []
    assert revived.wait(1) == ["DRILL_ENDED"]


def test_a_clock_that_jumps_ahead_closes_no_running_drill() -> None:
    place = Place()
    place.drill()
    place.utc_ms += 365 * 86_400_000
    assert place.wait(60) == []
    assert place.stage("responded") == ""
    assert (place.fact("after_s"), place.fact("is_late")) == (60, 0)


def test_a_new_epoch_moves_the_cause() -> None:
    place = Place()
    place.drill()
    place.emergency.renumber(-1)
    place.stage("alarm")
    assert place.fact("cause") == place.journal[0].seq - 1


def test_a_drill_that_is_over_has_a_sheet_that_survives() -> None:
    place = Place()
    place.drill("illness")
    place.wait(45)
    place.stage("responded")
    place.wait(75)
    assert place.end_drill(action="mend the bell", owner="li") == ""
    place.drill("fire", with_doors=True)
    place.begin("FIRE")
    state = json.loads(json.dumps(place.emergency.dump()))
    for alive in (place, place.rebuilt(state, 99), place.rebuilt(None, 0)):
        done, real = alive.emergency.drills.sheets
        assert (done.drill, done.duration_s, done.outcome) == ("illness", 120, "done")
        assert (done.reached, done.actor) == ({"responded": 45}, "chen")
        assert (done.action, done.owner) == ("mend the bell", "li")
        assert "called" in done.missing
        assert (real.drill, real.with_doors, real.outcome) == ("fire", True, "real")
        assert alive.emergency.drills.last_done_ms is not None
    place.emergency.renumber(-3)
    assert [each.seq for each in place.emergency.drills.sheets] == [
        done.seq - 3,
        real.seq - 3,
    ]


def test_no_more_sheets_are_kept_than_a_year_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.core.emergency.drills.MAX_SHEETS", 2)
    place = Place()
    for kind in ("fire", "flood", "illness"):
        place.drill(kind)
        place.end_drill()
    kept = [each.drill for each in place.emergency.drills.sheets]
    assert kept == ["flood", "illness"]
