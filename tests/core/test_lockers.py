# SPDX-License-Identifier: Apache-2.0
"""Lockers at work: taken, opened again, given back, and everything that jams."""

from __future__ import annotations

import pytest

from edge.core.command import OpenCompartment
from edge.core.event import EventKind, Person
from tests.core.scene import booking as booked
from tests.core.scene import holder, neighbours, revocation, roster
from tests.core.stage import Stage

C1 = "c1 wang lounge 14:00-16:00 S"
TAKEN_1 = ["RENTAL_STARTED", "ACCESS_GRANTED", "open hall 1"]
USED = ["COMPARTMENT_OPENED", "COMPARTMENT_CLOSED"]
AGAIN_1 = ["ACCESS_GRANTED", "open hall 1"]


def locked(*bookings: str) -> Stage:
    """Return a stage with these bookings."""
    return Stage(neighbours(*bookings))


def stored(stage: Stage, who: str = "wang") -> int:
    """Let somebody take a compartment, put things in and go away; its number."""
    stage.scan(who, "hall-in")
    (wish,) = stage.openings()
    stage.use(wish.number)
    stage.wait(61)
    return wish.number


def test_a_rental_from_the_first_scan_to_its_end() -> None:
    stage = locked(C1)
    assert stage.scan("wang", "hall-in") == TAKEN_1
    assert stage.said() == [("GRANTED", "", "")]
    started, granted = stage.journal
    person = Person(holder="holder-wang", booking="c1")
    assert (started.subject, started.person) == ("hall", person)
    assert (granted.subject, granted.person) == ("hall-in", person)
    assert granted.fact("bank") == "hall"
    assert granted.fact("number") == started.fact("number") == 1
    assert stage.openings() == [
        OpenCompartment(bank="hall", number=1, cause=2, is_first_aid=False)
    ]
    assert stage.locker(1) == "HELD holder-wang"
    assert stage.leaf(1, is_open=True) == ["COMPARTMENT_OPENED"]
    assert stage.journal[-1].fact("unasked") is None
    assert stage.leaf(1, is_open=False) == ["COMPARTMENT_CLOSED"]
    assert stage.locker(1) == "OCCUPIED holder-wang"
    stage.wait(60)
    assert stage.scan("wang", "hall-in") == AGAIN_1
    assert stage.use(1) == USED
    stage.wait(59.999)
    assert stage.scan("wang", "hall-in") == ["RENTAL_ENDED"]
    assert stage.openings() == []
    assert stage.journal[-1].fact("why") == "finished"
    assert stage.locker(1) == "FREE -"


@pytest.mark.parametrize(("seconds", "is_end"), [(59.999, True), (60.0, False)])
def test_a_scan_within_a_minute_of_closing_says_finished(
    seconds: float, *, is_end: bool
) -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    stage.use(1)
    stage.wait(seconds)
    assert stage.scan("wang", "hall-in") == (["RENTAL_ENDED"] if is_end else AGAIN_1)


def test_a_closing_after_a_key_says_nothing_of_having_finished() -> None:
    stage = locked(C1)
    stored(stage)
    assert stage.use(1) == USED
    assert stage.journal[-2].fact("unasked") == 1
    assert stage.scan("wang", "hall-in") == AGAIN_1


def test_scanning_while_it_is_on_its_way_or_stands_open_wishes_for_nothing() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    for _ in range(2):
        assert stage.scan("wang", "hall-in") == []
        assert stage.said() == [("GRANTED", "", "")]
        stage.leaf(1, is_open=True)


def test_none_of_the_size_a_bigger_one_and_then_none() -> None:
    people = ("wang", "li", "zhao", "qian", "chen")
    told = [f"c{n} {who} lounge 14:00-16:00 S" for n, who in enumerate(people)]
    stage = locked(*told)
    assert [stored(stage, who) for who in people[:4]] == [1, 2, 3, 4]
    assert stage.scan("chen", "hall-in") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "NO_FREE_COMPARTMENT", "ASK_VOLUNTEER")]
    assert stage.end_rental(3) == ["RENTAL_ENDED"]
    assert stored(stage, "chen") == 3


def test_a_smaller_one_is_never_given() -> None:
    stage = locked(
        "c1 wang lounge 14:00-16:00 L",
        "c2 li lounge 14:00-16:00 L",
        "c3 li lounge 14:00-16:00 S",
    )
    assert stored(stage) == 4
    stage.scan("li", "hall-in")
    assert [wish.number for wish in stage.openings()] == [1]


def test_two_bookings_are_two_compartments_opened_in_turn() -> None:
    stage = locked(C1, "c2 wang lounge 14:00-16:00 M")
    assert [stored(stage) for _ in range(4)] == [1, 3, 1, 3]


def test_each_bank_is_of_its_own_space() -> None:
    stage = locked("c1 wang kitchen 14:00-16:00 S")
    assert stage.scan("wang", "hall-in") == ["ACCESS_DENIED"]
    assert stage.said() == [("DENIED", "WRONG_SPACE", "GO_TO_SPACE")]
    assert stage.scan("wang", "yard-in")[-1] == "open yard 1"


# The end of a booking


def test_what_was_left_after_the_end_opens_once_more_for_its_owner() -> None:
    stage = locked(C1)
    stored(stage)
    stage.wait(3 * 3600)
    assert stage.locker(1) == "OVERDUE holder-wang"
    assert stage.scan("wang", "hall-in") == AGAIN_1
    assert stage.journal[-1].fact("last") == 1
    stage.cut_power()
    stage.scan("wang", "hall-in")
    stage.leaf(1, is_open=True)
    assert stage.leaf(1, is_open=False) == ["COMPARTMENT_CLOSED", "RENTAL_ENDED"]
    assert stage.journal[-1].fact("why") == "last"
    stage.scan("wang", "hall-in")
    assert stage.said() == [("DENIED", "TOO_LATE", "BOOK_AGAIN")]


def test_what_was_claimed_and_never_opened_is_free_after_the_end() -> None:
    stage = locked(C1, "c2 li lounge 17:00-18:00 S")
    stage.scan("wang", "hall-in")
    stage.refuse(*stage.openings())
    stage.wait(2 * 3600)
    assert stage.scan("li", "hall-in") == ["RENTAL_ENDED", *TAKEN_1]
    assert stage.journal[-3].fact("why") == "unused"


def test_a_prolonged_booking_is_not_over() -> None:
    stage = locked(C1)
    stored(stage)
    longer = neighbours("c1 wang lounge 14:00-23:00 S")
    stage.take(stage.controller.adopt(longer, stage.now()))
    stage.wait(3 * 3600)
    stage.scan("wang", "hall-in")
    assert stage.journal[-1].fact("last") is None


def test_on_an_unsure_clock_one_s_own_opens_and_a_new_one_does_not() -> None:
    stage = locked(C1, "c2 li lounge 14:00-16:00 S")
    stored(stage)
    stage.spread_ms = 86_400_000
    assert stage.scan("wang", "hall-in") == AGAIN_1
    stage.scan("li", "hall-in")
    assert stage.said() == [("DENIED", "CLOCK_UNTRUSTED", "ASK_VOLUNTEER")]


@pytest.mark.parametrize(("reason", "opens"), [("LEFT", True), ("LOST", False)])
def test_who_left_fetches_what_is_his_once_but_not_with_a_lost_card(
    reason: str, *, opens: bool
) -> None:
    stage = locked(C1)
    stored(stage)
    gone = revocation("wang")
    gone = type(gone)(token=gone.token, reason=reason)
    stage.controller.house.adopt(roster(holder("wang"), booked(C1), gone), stage.utc_ms)
    told = stage.scan("wang", "hall-in")
    if not opens:
        assert stage.said() == [("DENIED", "CREDENTIAL_REVOKED", "ASK_VOLUNTEER")]
        return
    assert told == AGAIN_1
    assert stage.journal[-1].fact("barred") == "CREDENTIAL_REVOKED"
    assert stage.use(1) == [*USED, "RENTAL_ENDED"]
    assert stage.scan("wang", "hall-in") == ["ACCESS_DENIED"]


# What jams


def test_what_does_not_open_in_time_is_out_of_order_and_another_is_tried() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    assert stage.wait(2.249) == []
    assert stage.wait(0.001) == ["COMPARTMENT_FAULT"]
    assert stage.journal[-1].fact("what") == "did_not_open"
    assert stage.said() == [("TRY_AGAIN", "", "SHOW_AGAIN")]
    assert stage.locker(1) == "FAULT holder-wang"
    told = ["RENTAL_STARTED", "ACCESS_GRANTED", "open hall 2"]
    assert stage.scan("wang", "hall-in") == told
    assert stage.journal[-2].fact("moved_from") == 1
    assert (stage.locker(1), stage.locker(2)) == ("FAULT -", "HELD holder-wang")
    assert stage.mend(1) == ["COMPARTMENT_FAULT"]
    assert stage.journal[-1].fact("what") == "mended"
    assert stage.locker(1) == "FREE -"


def test_a_leaf_that_opens_late_is_its_holder_s_all_the_same() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    stage.wait(5)
    assert stage.use(1) == USED
    assert stage.locker(1) == "OCCUPIED holder-wang"
    assert stage.scan("wang", "hall-in") == AGAIN_1


def test_what_jams_with_things_inside_stays_its_holder_s_and_is_tried_again() -> None:
    stage = locked(C1)
    stored(stage)
    stage.scan("wang", "hall-in")
    assert stage.jam(1) == ["COMPARTMENT_FAULT"]
    assert stage.journal[-1].fact("why") == "timed out"
    assert stage.jam(1) == [], "told once an order"
    assert stage.scan("wang", "hall-in") == AGAIN_1
    assert stage.use(1) == USED
    assert stage.locker(1) == "OCCUPIED holder-wang"


def test_all_out_of_order_and_none_to_move_to() -> None:
    stage = locked("c1 wang lounge 14:00-16:00 L")
    stage.scan("wang", "hall-in")
    stage.jam(4)
    stage.scan("wang", "hall-in")
    assert stage.said() == [("DENIED", "NO_FREE_COMPARTMENT", "ASK_VOLUNTEER")]


def test_a_leaf_left_open_is_an_alarm_and_stays_open() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    stage.leaf(1, is_open=True)
    assert stage.wait(59.999) == []
    assert stage.wait(0.001) == ["COMPARTMENT_FAULT"]
    assert stage.journal[-1].fact("what") == "left_open"
    assert stage.wait(600) == []
    assert stage.locker(1) == "OPEN holder-wang"
    stage.leaf(1, is_open=False)
    assert stage.locker(1) == "OCCUPIED holder-wang"


def test_a_feedback_stuck_at_open_locks_nobody_s_things_away() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    stage.leaf(1, is_open=True)
    stage.wait(59.999)
    assert stage.scan("wang", "hall-in") == []
    stage.wait(0.001)
    assert stage.scan("wang", "hall-in") == AGAIN_1
    assert stage.wait(10) == [], "it cannot be seen whether it opened"


def test_a_free_leaf_opened_by_a_key_is_not_given_and_free_when_shut() -> None:
    stage = locked(C1)
    assert stage.leaf(1, is_open=True) == ["COMPARTMENT_OPENED"]
    assert stage.journal[-1].fact("unasked") == 1
    stage.scan("wang", "hall-in")
    assert [wish.number for wish in stage.openings()] == [2]
    stage.leaf(1, is_open=False)
    assert stage.locker(1) == "FREE -"


# The slow disk


def test_a_commit_too_late_keeps_it_held_and_the_next_scan_opens_it() -> None:
    stage = locked(C1, "c2 li lounge 14:00-16:00 S")
    stage.scan("wang", "hall-in")
    (wish,) = stage.openings()
    assert stage.refuse(wish) == []
    assert stage.said() == [("DENIED", "STORAGE_FAULT", "SHOW_AGAIN")]
    assert stage.wait(10) == [], "what was never ordered cannot have jammed"
    assert stage.locker(1) == "HELD holder-wang"
    stage.scan("li", "hall-in")
    assert [other.number for other in stage.openings()] == [2]
    assert stage.scan("wang", "hall-in") == AGAIN_1
    assert stage.refuse(wish) == [], "an older order's refusal"
    assert stage.said() == []
    assert stage.controller.lockers.standing()["hall", 1].is_ordered


def test_a_refusal_that_a_stall_delayed_is_no_fault() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    (wish,) = stage.openings()
    stage.pass_time(30)
    assert stage.refuse(wish) == []
    assert stage.locker(1) == "HELD holder-wang"


def test_a_refusal_of_what_is_occupied_leaves_it_so() -> None:
    stage = locked(C1)
    stored(stage)
    stage.scan("wang", "hall-in")
    stage.refuse(*stage.openings())
    assert stage.locker(1) == "OCCUPIED holder-wang"


# The panel, the power


def test_a_rental_that_is_being_opened_cannot_be_ended() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    assert stage.end_rental(1) == ["COMMAND_REJECTED"]
    stage.leaf(1, is_open=True)
    assert stage.end_rental(1) == ["RENTAL_ENDED"]
    assert stage.locker(1) == "OPEN -"
    stage.leaf(1, is_open=False)
    assert stage.locker(1) == "FREE -"
    assert stage.mend(1) == ["COMMAND_REJECTED"]


@pytest.mark.parametrize("is_open", [True, False])
def test_after_a_power_cut_nothing_opens_and_the_feedback_tells(
    *, is_open: bool
) -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    assert not [told for told in stage.cut_power() if told.startswith("open")]
    assert stage.locker(1) == "HELD holder-wang"
    told = stage.leaf(1, is_open=is_open)
    assert told == (["COMPARTMENT_OPENED"] if is_open else [])
    assert stage.wait(10) == []
    assert stage.scan("wang", "hall-in") == ([] if is_open else AGAIN_1)


def test_a_leaf_that_stood_open_at_the_cut_is_timed_anew() -> None:
    stage = locked(C1)
    stage.scan("wang", "hall-in")
    stage.leaf(1, is_open=True)
    stage.cut_power()
    assert stage.leaf(1, is_open=True) == []
    assert stage.wait(60) == ["COMPARTMENT_FAULT"]
    assert stage.leaf(1, is_open=False) == ["COMPARTMENT_CLOSED"]
    assert stage.locker(1) == "OCCUPIED holder-wang"


def test_a_new_journal_epoch_moves_the_order_along() -> None:
    stage = Stage(neighbours(C1), next_seq=100)
    stage.scan("wang", "hall-in")
    (wish,) = stage.openings()
    stage.controller.renumber(-100)
    stage.refuse(wish)
    assert stage.said() == [], "the number of another epoch"
    moved = type(wish)(bank="hall", number=1, cause=1, is_first_aid=False)
    stage.refuse(moved)
    assert stage.said() == [("DENIED", "STORAGE_FAULT", "SHOW_AGAIN")]


def test_what_the_plan_no_longer_has_is_ignored() -> None:
    stage = locked(C1)
    assert stage.leaf(99, is_open=True) == []
    assert stage.jam(1, "gone") == []
    wish = OpenCompartment(bank="gone", number=1, cause=1, is_first_aid=False)
    assert stage.refuse(wish) == []
    assert [event.kind for event in stage.journal] == []
    state = stage.standing().replace(
        '"compartments":[]', '"compartments":[["gone",1,"OPEN",0]]'
    )
    stage.cut_power(state)
    assert {event.kind for event in stage.journal} == {EventKind.STARTED}
