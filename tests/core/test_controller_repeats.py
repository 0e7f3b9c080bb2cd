# SPDX-License-Identifier: Apache-2.0
"""What comes again and again: the same card, stale scans, refusals in bulk."""

from __future__ import annotations

import pytest

from edge.core.event import EventKind
from edge.core.stimulus import Noted, RoomChanged
from tests.core.scene import RELEASE_S, SLACK_S, neighbours
from tests.core.stage import Stage, persons

GRANTED = ["ACCESS_GRANTED", "release kitchen-door"]
CLOSED = ["DOOR_CLOSED", "relock kitchen-door"]


# The same card again


@pytest.mark.parametrize(
    ("seconds", "is_again"), [(0.0, True), (2.999, True), (3.0, False), (3.5, False)]
)
def test_the_same_card_within_three_seconds_has_no_second_event(
    seconds: float, *, is_again: bool
) -> None:
    stage = Stage()
    stage.scan("wang")
    stage.wait(seconds)
    assert stage.scan("wang") == (["release kitchen-door"] if is_again else GRANTED)
    assert [release.cause for release in stage.releases()] == [1 if is_again else 2]
    assert stage.said() == [("GRANTED", "", "")]


def test_the_three_seconds_run_from_the_first_grant() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.wait(2.5)
    stage.scan("wang")
    stage.wait(0.5)
    assert stage.scan("wang") == GRANTED


def test_scanning_again_prolongs_the_release_and_keeps_its_grant_open() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.wait(2)
    stage.scan("wang")
    assert stage.wait(RELEASE_S + SLACK_S - 0.001) == []
    assert stage.wait(0.001) == ["ACCESS_NOT_TAKEN"]
    assert persons(stage.journal) == 0


def test_scanning_again_after_the_door_fell_shut_opens_without_counting() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    stage.wait(1)
    assert stage.scan("wang") == ["release kitchen-door"]
    assert stage.walk_through("kitchen-door") == ["DOOR_OPENED", *CLOSED]
    assert persons(stage.journal) == 1


def test_another_card_or_another_reader_is_not_the_same_card_again() -> None:
    stage = Stage(
        neighbours("b1 wang kitchen 14:00-16:00 x9", "b2 li kitchen 14:00-16:00")
    )
    stage.scan("wang")
    assert stage.scan("wang", "kitchen-yard") == GRANTED
    assert stage.scan("li") == GRANTED
    assert stage.scan("wang") == GRANTED, "another card in between ends it"


@pytest.mark.parametrize("mode", ["BLOCKED", "LOCKED_DOWN"])
def test_a_mode_change_ends_the_three_seconds(mode: str) -> None:
    stage = Stage()
    stage.scan("wang")
    stage.wait(1)
    stage.order("kitchen-door", mode)
    assert stage.scan("wang") == ["ACCESS_DENIED"]


@pytest.mark.parametrize("mode", ["BLOCKED", "UNLOCKED", "LOCKED"])
def test_a_mode_there_and_back_ends_the_three_seconds_too(mode: str) -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    stage.order("kitchen-door", mode)
    stage.order("kitchen-door", "LOCKED")
    assert stage.scan("wang") == ["ACCESS_DENIED"]
    assert stage.said()[0][1] == "PARTY_FULL"


@pytest.mark.parametrize("mode", ["UNLOCKED", "LOCKED_OPEN"])
def test_a_free_door_records_the_same_card_once_in_three_seconds(mode: str) -> None:
    stage = Stage()
    stage.order("kitchen-door", mode)
    stage.wait(0)
    assert stage.scan("stranger") == ["ACCESS_GRANTED"]
    assert stage.scan("stranger") == []
    assert stage.said() == [("GRANTED", "", "")]
    stage.wait(3)
    assert "ACCESS_GRANTED" in stage.scan("stranger")
    assert stage.journal[-1].fact("free") == 1


# Stale scans and refusals in bulk


def test_a_scan_older_than_two_seconds_makes_no_decision() -> None:
    stage = Stage()
    assert stage.scan("wang", age_s=2.001) == []
    assert stage.said() == [("TRY_AGAIN", "", "SHOW_AGAIN")]
    assert stage.scan("wang", age_s=2.0) == GRANTED


def test_stale_scans_are_told_together_once_a_second() -> None:
    stage = Stage()
    for _ in range(7):
        stage.scan("wang", age_s=9)
        stage.scan("li", "lounge-in", age_s=9)
    assert stage.wait(0.999) == []
    assert stage.wait(0.001) == ["STALLED", "STALLED"]
    assert [(e.subject, e.fact("scans")) for e in stage.last.events] == [
        ("kitchen-in", 7),
        ("lounge-in", 7),
    ]
    assert stage.wait(600) == []


def test_refusals_beyond_five_a_minute_are_counted_by_reader_and_reason() -> None:
    stage = Stage()
    told = [stage.scan("li") for _ in range(9)]
    assert told == [["ACCESS_DENIED"]] * 5 + [[]] * 4
    assert stage.said() == [("DENIED", "UNAUTHORIZED", "BOOK")], "still told to li"
    stage.scan("stranger")
    assert stage.scan("li", "kitchen-yard") == ["ACCESS_DENIED"], "a reader of its own"
    assert stage.scan("wang") == GRANTED, "known cards always pass"
    stage.walk_through("kitchen-door")
    assert stage.wait(59.999) == []
    assert stage.wait(0.001) == ["ACCESS_DENIED", "ACCESS_DENIED"]
    counts = {e.fact("reason"): e.fact("count") for e in stage.last.events}
    assert counts == {"UNAUTHORIZED": 4, "CREDENTIAL_NOT_FOUND": 1}
    assert stage.scan("li") == ["ACCESS_DENIED"], "a new minute"


def test_what_was_only_counted_is_told_at_an_orderly_stop() -> None:
    stage = Stage()
    for _ in range(8):
        stage.scan("li")
        stage.scan("wang", age_s=9)
    told = stage.take(stage.controller.stop(stage.now()))
    assert told == ["ACCESS_DENIED", "STALLED", "STOPPED"]
    counts = [e.fact("count") or e.fact("scans") for e in stage.last.events]
    assert counts == [3, 8, None]


def test_while_there_is_no_room_refusals_are_only_counted_and_grants_are_kept() -> None:
    stage = Stage()
    told = stage.do(RoomChanged(is_crowded=True, waiting=1_000_001))
    assert told == ["STORAGE_FAULT"]
    (event,) = stage.last.events
    assert (event.fact("what"), event.fact("count")) == ("crowded", 1_000_001)
    assert [stage.scan("li") for _ in range(3)] == [[]] * 3
    assert stage.said() == [("DENIED", "UNAUTHORIZED", "BOOK")], "still told to li"
    assert stage.scan("wang") == GRANTED
    stage.walk_through("kitchen-door")
    assert stage.wait(60) == ["ACCESS_DENIED"]
    (event,) = stage.last.events
    assert (event.fact("reason"), event.fact("count")) == ("UNAUTHORIZED", 3)
    stage.do(RoomChanged(is_crowded=False, waiting=0))
    assert stage.scan("li") == ["ACCESS_DENIED"]


PROVOKED = ("DEVICE_FAULT", "QUEUE_FULL", "PLATFORM_REFUSED", "ROSTER_REFUSED")


def _note(stage: Stage, kind: str, subject: str) -> list[str]:
    return stage.do(Noted(kind=EventKind(kind), subject=subject, facts=(("n", 1),)))


@pytest.mark.parametrize("kind", PROVOKED)
def test_notes_that_a_stranger_can_provoke_are_counted_beyond_three(kind: str) -> None:
    stage = Stage()
    told = [_note(stage, kind, "reader-1") for _ in range(8)]
    assert told == [[kind]] * 3 + [[]] * 5
    assert _note(stage, kind, "reader-2") == [kind], "a subject of its own"
    assert stage.wait(59.999) == []
    assert stage.wait(0.001) == [kind]
    (counted,) = stage.last.events
    assert (counted.subject, counted.fact("count")) == ("reader-1", 5)


def test_other_notes_are_all_told() -> None:
    stage = Stage()
    others = [kind for kind in ("STORAGE_FAULT", "CLOCK_STEPPED") for _ in range(9)]
    assert [_note(stage, kind, "gateway") for kind in others] == [[k] for k in others]
