# SPDX-License-Identifier: Apache-2.0
"""The controller at work: entry, party, the way out."""

from __future__ import annotations

import json

import pytest

from edge.core.command import Release
from edge.core.event import EventKind, Person
from edge.core.stimulus import ExitButtonChanged, Noted, ReadingBegan, Unreadable
from tests.core.scene import (
    EXTENDED_S,
    RELEASE_S,
    SLACK_S,
    booking,
    holder,
    neighbours,
    roster,
)
from tests.core.stage import Stage, persons

MODES = ("LOCKED", "UNLOCKED", "BLOCKED", "LOCKED_DOWN", "LOCKED_OPEN")
GRANTED = ["ACCESS_GRANTED", "release kitchen-door"]
OPENED_AND_TAKEN = ["DOOR_OPENED", "ACCESS_TAKEN"]
CLOSED = ["DOOR_CLOSED", "relock kitchen-door"]


def test_a_visit_from_the_scan_to_the_closed_door() -> None:
    stage = Stage()
    assert stage.scan("wang") == GRANTED
    assert stage.said() == [("GRANTED", "", "")]
    assert stage.releases() == [
        Release(door="kitchen-door", duration_s=5.0, cause=1, is_egress=False)
    ]
    stage.wait(2)
    came_in = [*OPENED_AND_TAKEN, "VISIT_STARTED"]
    assert stage.swing("kitchen-door", is_open=True) == came_in
    stage.wait(1)
    assert stage.swing("kitchen-door", is_open=False) == CLOSED
    assert stage.wait(600) == []
    granted, _, taken, visit, _ = stage.journal
    assert (visit.person, visit.fact("cause")) == (granted.person, taken.seq)
    assert granted.person == Person(holder="holder-wang", booking="b1")
    assert (taken.person, taken.fact("cause")) == (granted.person, granted.seq)


def test_every_decision_tells_what_explains_it_later() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.scan("li")
    granted, denied = stage.journal
    assert (granted.subject, denied.subject) == ("kitchen-in", "kitchen-in")
    for event, rule in ((granted, "booking"), (denied, "booking")):
        facts = [event.fact(name) for name in ("rule", "fr", "set", "kind")]
        assert facts == [rule, 7, "set-3", "CARD"]
    assert granted.fact("end") == stage.utc_ms + 3_600_000
    assert denied.fact("reason") == "UNAUTHORIZED"
    assert denied.person == Person(holder="holder-li")


def test_numbers_go_on_without_a_gap_from_the_first_given() -> None:
    stage = Stage(next_seq=41)
    stage.controller.start(stage.now())
    for who in ("wang", "li", "wang", "stranger"):
        stage.scan(who)
        stage.walk_through("kitchen-door")
        stage.wait(40)
    stage.take(stage.controller.adopt(neighbours(), stage.now()))
    stage.take(stage.controller.stop(stage.now()))
    seqs = [event.seq for event in stage.journal]
    assert seqs == list(range(42, 42 + len(seqs)))
    assert stage.controller.next_seq == seqs[-1] + 1


def test_a_slow_walker_gets_more_time() -> None:
    slow = holder("wang", needs_extended_time=True)
    stage = Stage(roster(slow, booking("b1 wang kitchen 14:00-16:00")))
    stage.scan("wang")
    assert [release.duration_s for release in stage.releases()] == [EXTENDED_S]
    assert stage.wait(EXTENDED_S + SLACK_S - 0.001) == []
    assert stage.wait(0.001) == ["ACCESS_NOT_TAKEN"]


def test_a_refusal_is_said_with_its_reason_and_step_and_moves_nothing() -> None:
    stage = Stage()
    assert stage.scan("li") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "UNAUTHORIZED", "BOOK")]
    assert stage.phase("kitchen-door") == "SECURE"
    assert stage.swing("kitchen-door", is_open=True) == [
        "DOOR_OPENED",
        "DOOR_FORCED_OPEN",
    ]


def test_an_unreadable_card_is_asked_for_again() -> None:
    stage = Stage()
    stage.do(Unreadable(access_point="kitchen-in", cause="checksum"))
    assert stage.told() == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "UNREADABLE", "SHOW_AGAIN")]
    event = stage.journal[-1]
    assert (event.fact("reason"), event.fact("cause")) == ("UNREADABLE", "checksum")


def test_a_card_on_the_reader_is_shown_at_once() -> None:
    stage = Stage()
    assert stage.do(ReadingBegan(access_point="kitchen-in")) == []
    assert stage.said() == [("READING", "", "")]


def test_no_event_and_no_wish_holds_a_token() -> None:
    stage = Stage()
    for who in ("wang", "stranger"):
        stage.scan(who)
        stage.scan(who, "lounge-in")
        held = repr((stage.last, stage.standing()))
        assert f"{who}...." not in held
        assert who.encode().ljust(16, b".").hex() not in held


def test_a_fact_of_the_shell_is_written_down_as_it_is() -> None:
    stage = Stage()
    facts = (("what", "EIO"), ("count", 3))
    stage.do(Noted(kind=EventKind.STORAGE_FAULT, subject="journal", facts=facts))
    (event,) = stage.journal
    assert (event.kind, event.subject) == (EventKind.STORAGE_FAULT, "journal")
    assert event.facts == (("count", 3), ("what", "EIO"))


def test_a_compartment_booking_opens_no_door_and_is_not_told_there() -> None:
    stage = Stage(neighbours("c1 wang kitchen 14:00-16:00 S"))
    assert stage.scan("wang") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "UNAUTHORIZED", "BOOK")]


# Party


def test_a_party_enters_up_to_its_size() -> None:
    stage = Stage()
    for person in (1, 2, 3):
        assert stage.scan("wang")[0] == "ACCESS_GRANTED"
        stage.walk_through("kitchen-door")
        stage.wait(10)
        assert persons(stage.journal) == person
    assert stage.scan("wang") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "PARTY_FULL", "ASK_VOLUNTEER")]


def test_a_grant_that_nobody_used_is_given_back() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    for _ in range(3):
        assert stage.scan("wang") == GRANTED
        assert stage.wait(10) == ["ACCESS_NOT_TAKEN"]
    assert stage.scan("wang") == GRANTED
    stage.walk_through("kitchen-door")
    stage.wait(10)
    assert stage.scan("wang") == ["ACCESS_DENIED"]


def test_what_ran_out_before_a_scan_is_reckoned_in_that_very_scan() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.pass_time(RELEASE_S + SLACK_S)  # no tick in between
    assert stage.scan("wang") == ["ACCESS_NOT_TAKEN", *GRANTED]


def test_entries_on_an_unsure_clock_are_two_and_an_unused_one_is_not_counted() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00 x9"))
    stage.spread_ms = 86_400_000
    stage.scan("wang")
    assert stage.journal[-1].fact("time_unverified") == 1
    stage.wait(10)
    for _ in range(2):
        assert stage.scan("wang") == GRANTED
        stage.walk_through("kitchen-door")
        stage.wait(10)
    stage.scan("wang")
    assert stage.said() == [("DENIED", "CLOCK_UNTRUSTED", "ASK_VOLUNTEER")]
    stage.spread_ms = 0
    assert stage.scan("wang") == GRANTED


def test_two_grants_and_one_opening_are_both_taken() -> None:
    stage = Stage(
        neighbours("b1 wang kitchen 14:00-16:00", "b2 li kitchen 14:00-16:00")
    )
    stage.scan("wang")
    stage.scan("li", "kitchen-yard")
    stage.swing("kitchen-door", is_open=True)
    taken = [(e.fact("cause"), e.person.booking) for e in stage.last.events[1:3]]
    assert taken == [(1, "b1"), (2, "b2")]


def test_a_grant_at_an_open_leaf_is_taken_at_its_end() -> None:
    stage = Stage()
    stage.scan("wang")
    stage.swing("kitchen-door", is_open=True)
    stage.wait(4)
    assert stage.scan("wang") == GRANTED
    assert stage.wait(RELEASE_S + SLACK_S) == ["ACCESS_TAKEN"]
    assert stage.swing("kitchen-door", is_open=False) == CLOSED
    assert persons(stage.journal) == 2


def test_the_use_of_a_booking_is_forgotten_a_day_after_its_end() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.walk_through("kitchen-door")
    stage.pass_time(3600 + 86_400)
    assert json.loads(stage.standing())["bookings"][0][:2] == ["b1", 1]
    stage.pass_time(0.001)
    assert json.loads(stage.standing())["bookings"] == []


def test_a_grant_given_back_after_its_booking_was_forgotten_counts_nothing() -> None:
    stage = Stage(neighbours("b1 wang kitchen 14:00-16:00"))
    stage.scan("wang")
    stage.utc_ms += 3 * 86_400_000  # a source told the time in between
    stage.standing()
    assert stage.wait(10) == ["ACCESS_NOT_TAKEN"]
    assert stage.controller.house.admissions.by_booking == {}, "less than nobody"


# The way out


@pytest.mark.parametrize("mode", MODES)
def test_exit_in_every_mode(mode: str) -> None:
    stage = Stage()
    stage.order("kitchen-door", mode)
    stage.wait(0)
    is_held = mode == "LOCKED_OPEN"
    release = [] if is_held else ["release kitchen-door"]
    assert stage.press("kitchen-door") == ["REQUEST_TO_EXIT", *release]
    assert all(release.is_egress for release in stage.releases())
    assert stage.walk_through("kitchen-door")[0] == "DOOR_OPENED"
    assert "DOOR_FORCED_OPEN" not in [e.kind.value for e in stage.journal]
    assert stage.mode("kitchen-door") == mode, "an exit forgets no lock-down"


def test_exit_without_roster_and_with_a_clock_that_knows_nothing() -> None:
    stage = Stage(roster())
    stage.utc_ms, stage.spread_ms = 0, 1 << 50
    assert stage.press("lounge-door") == ["REQUEST_TO_EXIT", "release lounge-door"]


def test_exit_is_told_once_a_release_and_names_its_own_event() -> None:
    stage = Stage()
    stage.press("kitchen-door")
    (first,) = stage.releases()
    stage.wait(1)
    assert stage.press("kitchen-door") == ["release kitchen-door"]
    (second,) = stage.releases()
    assert (first.cause, second.cause) == (1, 1)
    stage.wait(10)
    assert stage.press("kitchen-door")[0] == "REQUEST_TO_EXIT"
    assert [release.cause for release in stage.releases()] == [2]


def test_letting_the_exit_button_go_does_nothing() -> None:
    stage = Stage()
    assert stage.do(ExitButtonChanged(door="kitchen-door", is_pressed=False)) == []
    assert stage.phase("kitchen-door") == "SECURE"


def test_an_exit_takes_no_grant_and_gives_none_back() -> None:
    stage = Stage()
    stage.press("kitchen-door")
    assert stage.walk_through("kitchen-door") == ["DOOR_OPENED", *CLOSED]
    stage.press("kitchen-door")
    assert stage.wait(10) == []


def test_an_exit_does_not_shorten_the_pulse_of_an_unlocked_door() -> None:
    stage = Stage()
    stage.order("kitchen-door", "UNLOCKED")
    stage.wait(0)
    stage.press("kitchen-door")
    assert [release.duration_s for release in stage.releases()] == [10.0]
