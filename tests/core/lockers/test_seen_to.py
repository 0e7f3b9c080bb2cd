# SPDX-License-Identifier: Apache-2.0
"""What the staff does to lockers: open, take out of use, mend, clean, close them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.event import NOBODY, EventKind
from edge.core.plan import PersonClass
from tests.core.lockers.wall import Wall, site
from tests.core.scene import SITE, clock_ms, holder, neighbours, roster
from tests.core.scene import booking as booked

if TYPE_CHECKING:
    from edge.core.people.roster import Roster

C1 = "c1 wang lounge 14:00-16:00 S"
AGAIN_1 = ["ACCESS_GRANTED", "open hall 1"]
USED = ["COMPARTMENT_OPENED", "COMPARTMENT_CLOSED"]


# Opening another's


def test_the_staff_opens_any_and_ends_no_rental() -> None:
    wall = Wall()
    wall.stored()
    assert wall.open_by_hand(1) == ""
    granted = wall.journal[-1]
    assert (granted.kind, granted.person) == (EventKind.ACCESS_GRANTED, NOBODY)
    assert (granted.fact("actor"), granted.fact("reason")) == ("chen", "check")
    assert [wish.cause for wish in wall.openings()] == [granted.seq]
    assert wall.use(1) == USED
    assert wall.journal[-2].fact("unasked") is None
    assert wall.journal[-2].person.holder == "holder-wang", "whose things were seen"
    assert wall.locker(1) == "OCCUPIED holder-wang"
    assert wall.scan("wang") == AGAIN_1, "within a minute: but the staff closed it"


def test_a_last_opening_that_the_staff_made_is_not_the_holder_s() -> None:
    wall = Wall()
    wall.stored()
    wall.until("17:00")
    wall.scan("wang")
    wall.refuse(*wall.openings())
    wall.open_by_hand(1)
    assert wall.use(1) == USED
    assert wall.scan("wang") == AGAIN_1
    assert wall.use(1) == [*USED, "RENTAL_ENDED"]


def test_one_that_the_staff_orders_while_it_is_stuck_open_ends_nothing() -> None:
    wall = Wall(neighbours())
    wall.deposit("wang")
    wall.use(1)
    wall.scan("wang")
    wall.leaf(1, is_open=True)
    wall.wait(61)
    assert wall.open_by_hand(1) == ""
    assert wall.leaf(1, is_open=False) == ["COMPARTMENT_CLOSED"]
    assert wall.locker(1) == "OCCUPIED holder-wang"


def test_a_free_one_that_the_staff_opens_is_given_to_nobody_meanwhile() -> None:
    wall = Wall()
    wall.open_by_hand(1)
    wall.scan("wang")
    assert [wish.number for wish in wall.openings()] == [2]
    wall.use(1)
    assert wall.locker(1) == "FREE -"


def test_what_opens_or_stands_open_needs_no_order() -> None:
    wall = Wall()
    wall.scan("wang")
    for _ in range(2):
        assert wall.open_by_hand(1) == "it is being opened, or stands open"
        wall.leaf(1, is_open=True)
    wall.wait(60)
    assert wall.open_by_hand(1) == "", "the feedback may be stuck"


def test_the_medicine_box_is_not_opened_like_a_locker() -> None:
    wall = Wall()
    assert wall.open_by_hand(5) == "the medicine box has an order of its own"
    assert wall.journal == []


def test_an_order_of_the_staff_that_a_slow_disk_stopped_is_over() -> None:
    wall = Wall()
    wall.open_by_hand(1)
    wall.refuse(*wall.openings())
    assert wall.wait(10) == []
    assert wall.locker(1) == "FREE -"


def test_one_that_jams_for_the_staff_is_out_of_order() -> None:
    wall = Wall()
    wall.stored()
    wall.open_by_hand(1)
    assert wall.wait(3) == ["COMPARTMENT_FAULT"]
    assert wall.locker(1) == "FAULT holder-wang"


# Out of order


def test_out_of_order_until_mended_whatever_its_leaf_does() -> None:
    wall = Wall()
    assert wall.take_out(1) == ""
    (told,) = wall.journal
    assert told.kind is EventKind.COMPARTMENT_OUT_OF_ORDER
    assert (told.fact("number"), told.fact("reason")) == (1, "bent")
    assert wall.take_out(1) == "it is out of order already"
    wall.use(1)
    assert wall.locker(1) == "FAULT -"
    wall.scan("wang")
    assert [wish.number for wish in wall.openings()] == [2]
    wall.restart(back=99)
    wall.use(1)
    assert wall.locker(1) == "FAULT -"
    assert wall.mend(1) == ""
    assert wall.locker(1) == "FREE -"
    assert wall.mend(1) == "not out of order"


def test_what_lies_in_one_out_of_order_is_still_its_holder_s() -> None:
    wall = Wall()
    wall.stored()
    wall.take_out(1)
    assert wall.scan("wang") == AGAIN_1
    wall.use(1)
    assert wall.scan("wang") == ["RENTAL_ENDED"]
    assert wall.locker(1) == "FAULT -"


@pytest.mark.parametrize("at", ["15:30", "17:00"])
def test_mended_it_is_as_it_was(at: str) -> None:
    wall = Wall()
    wall.stored()
    before = wall.locker(1)
    wall.until(at)
    wall.take_out(1)
    wall.until("17:30")
    wall.mend(1)
    assert before == "OCCUPIED holder-wang"
    assert wall.locker(1) == "OVERDUE holder-wang"


def test_nothing_is_taken_out_or_cleaned_while_it_is_being_opened() -> None:
    wall = Wall()
    wall.scan("wang")
    assert wall.take_out(1) == "it is being opened"
    assert wall.cleaned(1) == "it is being opened"
    assert wall.mend(1) == "not out of order"
    assert wall.end_rental(1) == "no rental to end"


# Cleaning


def _ended(wall: Wall) -> None:
    wall.scan("wang")
    wall.use(1)
    wall.scan("wang")


def test_after_its_end_it_is_looked_after_before_it_is_given_again() -> None:
    wall = Wall(plan=site(cleans=True))
    _ended(wall)
    kinds = [event.kind.value for event in wall.last.events]
    assert kinds == ["RENTAL_ENDED", "COMPARTMENT_CLEANING"]
    assert wall.journal[-1].fact("what") == "due"
    assert wall.locker(1) == "CLEANING -"
    wall.open_by_hand(1)
    wall.use(1)
    assert wall.locker(1) == "CLEANING -"
    wall.restart(back=99)
    assert wall.locker(1) == "CLEANING -"
    wall.scan("wang")
    assert [wish.number for wish in wall.openings()] == [2]
    assert wall.cleaned(1) == ""
    assert wall.journal[-1].fact("what") == "done"
    assert wall.journal[-1].fact("actor") == "chen"
    assert wall.locker(1) == "FREE -"
    assert wall.cleaned(1) == "it does not wait to be cleaned"


def test_ended_while_it_stands_open_it_is_cleaned_too() -> None:
    wall = Wall(plan=site(cleans=True))
    wall.scan("wang")
    wall.leaf(1, is_open=True)
    wall.end_rental(1)
    assert wall.locker(1) == "OPEN -"
    wall.restart(back=99)
    wall.leaf(1, is_open=False)
    assert wall.locker(1) == "CLEANING -"


def test_broken_while_it_waits_for_cleaning_it_waits_on_once_mended() -> None:
    wall = Wall(plan=site(cleans=True))
    _ended(wall)
    wall.take_out(1)
    wall.mend(1)
    assert wall.locker(1) == "CLEANING -"


def test_what_was_never_opened_needs_no_cleaning() -> None:
    wall = Wall(plan=site(cleans=True))
    wall.scan("wang")
    wall.refuse(*wall.openings())
    wall.end_rental(1)
    assert wall.locker(1) == "FREE -"


# Lock-down, the reader, what is due, validity


@pytest.mark.parametrize("role", [each.value for each in PersonClass])
def test_a_lock_down_closes_lockers_to_all_but_staff(role: str) -> None:
    is_staff = role in ("VOLUNTEER", "MANAGER", "RESPONDER")
    known = holder("wang", roles=(role,))
    wall = Wall(roster(known, booked(C1)))
    wall.stored()
    wall.closes_lockers = True
    assert wall.scan("wang") == (AGAIN_1 if is_staff else ["ACCESS_DENIED"])
    if not is_staff:
        assert wall.said() == [("DENIED", "DOOR_LOCKED_DOWN")]
    assert wall.scan("stranger", "aid") == ["MEDICINE_BOX_OPENED", "open hall 5"]
    assert wall.open_by_hand(2) == "", "the panel is the staff's"


def test_a_reader_that_may_be_tampered_with_opens_the_medicine_box_alone() -> None:
    wall = Wall()
    assert wall.scan("wang", is_secure=False) == ["ACCESS_DENIED"]
    assert wall.said() == [("DENIED", "READER_INSECURE")]
    told = wall.scan("wang", "aid", is_secure=False)
    assert told == ["MEDICINE_BOX_OPENED", "open hall 5"]


def _owing(role: str) -> Roster:
    return roster(holder("wang", roles=(role,)), replace(booked(C1), due_fen=500))


@pytest.mark.parametrize("role", [each.value for each in PersonClass])
def test_what_is_due_is_asked_before_one_is_given(role: str) -> None:
    wall = Wall(_owing(role))
    is_bound = role in ("RESIDENT", "GUEST", "COURIER")
    wall.scan("wang")
    assert wall.said()[0][1] == ("PAYMENT_DUE" if is_bound else "")
    if is_bound:
        assert dict(wall.shown()) == {"due_fen": 500}
        assert wall.journal[-1].person.booking == "c1"


def test_what_was_paid_in_cash_is_paid_and_what_was_given_stays() -> None:
    wall = Wall(_owing("RESIDENT"))
    facts = (("actor", "chen"), ("due", 500), ("fen", 500))
    person = replace(NOBODY, booking="c1")
    wall.out.event(
        EventKind.CASH_NOTED, "gateway", wall.now(), facts=facts, person=person
    )
    assert wall.stored() == 1
    more = replace(booked(C1), due_fen=900)
    wall.rolls.adopt(roster(holder("wang"), more), 0)
    assert wall.scan("wang") == AGAIN_1


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "reason"),
    [
        (clock_ms("15:00"), clock_ms("15:00") + 1, ""),
        (clock_ms("15:00") + 1, clock_ms("16:00"), "CREDENTIAL_NOT_ACTIVE"),
        (0, clock_ms("15:00"), "CREDENTIAL_EXPIRED"),
    ],
)
def test_only_who_is_valid_gets_one(from_ms: int, to_ms: int, reason: str) -> None:
    valid = replace(holder("wang"), valid_from_ms=from_ms, valid_to_ms=to_ms)
    wall = Wall(roster(valid, booked(C1)))
    wall.scan("wang")
    assert wall.said()[0][1] == reason
    if reason == "CREDENTIAL_NOT_ACTIVE":
        assert dict(wall.shown()) == {"from_ms": from_ms}


def test_who_is_no_longer_valid_fetches_what_is_his_once() -> None:
    valid = replace(holder("wang"), valid_to_ms=clock_ms("15:30"))
    wall = Wall(roster(valid, booked(C1)))
    wall.stored()
    wall.until("15:30")
    assert wall.scan("wang") == AGAIN_1
    assert wall.journal[-1].fact("barred") == "CREDENTIAL_EXPIRED"
    assert wall.use(1) == [*USED, "RENTAL_ENDED"]
    assert wall.scan("wang") == ["ACCESS_DENIED"]


def test_cards_that_volunteers_called_back_are_lost_ones() -> None:
    wall = Wall()
    wall.stored()
    wall.local.revoked["holder-wang"] = "left his card in the kitchen"
    assert wall.scan("wang") == ["ACCESS_DENIED"]
    assert wall.said() == [("DENIED", "CREDENTIAL_REVOKED")]


def test_a_rule_that_raises_opens_nothing_and_says_so() -> None:
    spaces = {"kitchen": SITE.spaces["kitchen"]}
    wall = Wall(neighbours(C1), replace(SITE, spaces=spaces))
    wall.scan("wang")
    assert wall.openings() == []
    assert wall.said() == [("DENIED", "RULE_FAULT")]
    (denied,) = wall.tell(EventKind.ACCESS_DENIED)
    assert (denied.fact("rule"), denied.fact("error")) == ("booking", "KeyError")
