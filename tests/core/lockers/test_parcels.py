# SPDX-License-Identifier: Apache-2.0
"""Parcels: put in by a volunteer, taken out by their holder, told when they wait on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from edge.core.command import OpenCompartment
from edge.core.event import NOBODY, EventKind, Person
from edge.core.lockers.parcels import MAX_PARCEL_MS
from edge.core.order import ParcelOrdered
from edge.core.plan import DAY_MS
from tests.core.lockers.wall import Wall, site
from tests.core.scene import clock_ms, holder, neighbours, revocation, roster

if TYPE_CHECKING:
    from edge.core.plan import Size

COLLECTED = ["COMPARTMENT_CLOSED", "PARCEL_COLLECTED", "RENTAL_ENDED"]
OPENS_1 = ["ACCESS_GRANTED", "open hall 1"]


def put_in(wall: Wall, who: str = "wang") -> int:
    """Let a volunteer put a parcel in; its number."""
    assert wall.deposit(who) == ""
    (wish,) = wall.openings()
    wall.use(wish.number)
    return wish.number


def test_a_parcel_from_the_order_to_the_holder_s_hands() -> None:
    wall = Wall(neighbours())
    assert wall.deposit("wang") == ""
    started, granted = wall.journal
    assert started.kind is EventKind.RENTAL_STARTED
    assert (started.person, granted.person) == (Person(holder="holder-wang"), NOBODY)
    assert started.fact("what") == "PARCEL"
    assert started.fact("end") == clock_ms("18:00")
    assert granted.fact("actor") == started.fact("actor") == "chen"
    (wish,) = wall.openings()
    assert (wish.number, wish.cause, wish.is_first_aid) == (1, granted.seq, False)
    assert wall.leaf(1, is_open=True) == ["COMPARTMENT_OPENED"]
    assert wall.journal[-1].fact("unasked") is None
    assert wall.leaf(1, is_open=False) == ["COMPARTMENT_CLOSED", "PARCEL_DEPOSITED"]
    deposited = wall.journal[-1]
    assert deposited.person == Person(holder="holder-wang")
    assert deposited.fact("until") == clock_ms("18:00")
    assert wall.locker(1) == "OCCUPIED holder-wang"
    wall.wait(3600)
    assert wall.scan("wang") == OPENS_1
    assert dict(wall.shown()) == {"number": 1, "parcel": 1}
    assert wall.journal[-1].fact("rule") == "parcel"
    wall.leaf(1, is_open=True)
    assert wall.leaf(1, is_open=False) == COLLECTED
    assert wall.journal[-2].person == Person(holder="holder-wang")
    assert wall.journal[-1].fact("why") == "collected"
    assert wall.locker(1) == "FREE -"


@pytest.mark.parametrize("kind", ["CARD", "QR"])
def test_card_and_code_collect_it_and_another_s_does_not(kind: str) -> None:
    wall = Wall(neighbours())
    put_in(wall)
    assert wall.scan("li", kind=kind) == ["ACCESS_DENIED"]
    assert wall.scan("stranger", kind=kind) == ["ACCESS_DENIED"]
    assert wall.scan("wang", kind=kind) == OPENS_1


def test_it_is_the_holder_s_only_once_the_leaf_was_shut_on_it() -> None:
    wall = Wall(neighbours())
    wall.deposit("wang")
    assert wall.scan("wang") == ["ACCESS_DENIED"], "on its way"
    wall.leaf(1, is_open=True)
    assert wall.scan("wang") == ["ACCESS_DENIED"], "the volunteer stands before it"
    wall.leaf(1, is_open=False)
    assert wall.scan("wang") == OPENS_1


def test_a_parcel_opens_before_the_own_rental_and_never_ends_it() -> None:
    wall = Wall()
    assert wall.stored() == 1
    assert wall.scan("wang") == OPENS_1
    assert put_in(wall) == 2
    wall.use(1)
    # Within a minute of closing the own one: the parcel, not "finished".
    assert wall.scan("wang") == ["ACCESS_GRANTED", "open hall 2"]
    wall.use(2)
    wall.wait(61)
    assert wall.scan("wang") == OPENS_1


def test_several_are_opened_one_after_another() -> None:
    wall = Wall(neighbours())
    assert [put_in(wall), put_in(wall), put_in(wall)] == [1, 2, 3]
    taken = []
    for _ in range(3):
        wall.scan("wang")
        (wish,) = wall.openings()
        assert wall.scan("wang") == [], "it is on its way"
        wall.leaf(wish.number, is_open=True)
        assert wall.scan("wang") == [], "it stands open"
        wall.leaf(wish.number, is_open=False)
        taken.append(wish.number)
    assert taken == [1, 2, 3]
    assert wall.scan("wang") == ["ACCESS_DENIED"]


def test_a_jammed_one_does_not_keep_the_others_back() -> None:
    wall = Wall(neighbours())
    put_in(wall), put_in(wall)
    wall.scan("wang")
    wall.jam(1)
    assert wall.scan("wang") == ["ACCESS_GRANTED", "open hall 2"]
    wall.use(2)
    assert wall.scan("wang") == OPENS_1, "tried again"
    assert wall.use(1) == ["COMPARTMENT_OPENED", *COLLECTED]


@pytest.mark.parametrize(("at", "is_told"), [("17:59:59.999", False), ("18:00", True)])
def test_what_is_not_collected_in_time_is_told_once_and_still_opens(
    at: str, *, is_told: bool
) -> None:
    wall = Wall(neighbours())
    put_in(wall)
    told = wall.until(at)
    assert told == (["COMPARTMENT_OVERDUE"] if is_told else [])
    wall.until("18:00")
    (overdue,) = wall.tell(EventKind.COMPARTMENT_OVERDUE)
    assert overdue.person == Person(holder="holder-wang")
    assert overdue.fact("what") == "PARCEL"
    assert wall.wait(DAY_MS / 1000) == []
    assert wall.locker(1) == "OVERDUE holder-wang"
    assert wall.scan("wang") == OPENS_1
    assert wall.use(1) == ["COMPARTMENT_OPENED", *COLLECTED]


def test_on_an_unsure_clock_it_opens_but_none_is_taken_in() -> None:
    wall = Wall(neighbours())
    put_in(wall)
    for spread_ms in (3 * 3_600_000, -1):
        wall.spread_ms = spread_ms
        assert wall.deposit("li").startswith("that time is over")
    assert wall.scan("wang") == OPENS_1


@pytest.mark.parametrize(
    ("size", "who", "until_ms", "why"),
    [
        ("XL", "wang", clock_ms("18:00"), "sizes are S, M, L"),
        ("S", "nobody", clock_ms("18:00"), "there is no such holder"),
        ("S", "wang", clock_ms("15:00"), "that time is over"),
        ("S", "wang", clock_ms("15:00") + MAX_PARCEL_MS + 1, "a parcel waits 14 days"),
        ("S", "wang", clock_ms("15:00") + MAX_PARCEL_MS, ""),
        ("S", "wang", clock_ms("15:00") + 1, ""),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    size: str, who: str, until_ms: int, why: str
) -> None:
    wall = Wall(neighbours())
    order = ParcelOrdered(
        bank="hall",
        size=cast("Size", size),  # an order comes from outside
        holder=f"holder-{who}",
        until_ms=until_ms,
        actor="chen",
    )
    answer = wall.parts.parcels.deposit(order, wall.now())
    assert answer.startswith(why)
    assert bool(answer) == bool(why)
    assert bool(wall.take()) != bool(why)


def test_sizes_go_up_and_then_there_is_no_room() -> None:
    wall = Wall(neighbours())
    for number in (3, 4):
        assert wall.deposit("wang", "M") == ""
        assert [wish.number for wish in wall.openings()] == [number]
        wall.use(number)
    assert wall.deposit("wang", "M") == "no compartment of size M or bigger is free"
    assert wall.deposit("wang", "S") == ""


# What goes wrong while it is put in


def test_a_slow_disk_keeps_it_held_and_the_next_order_goes_on() -> None:
    wall = Wall(neighbours())
    wall.deposit("wang")
    assert wall.deposit("wang") == "number 1 opens for this holder: put it in, shut it"
    wall.refuse(*wall_openings(wall))
    assert wall.locker(1) == "HELD holder-wang"
    assert wall.wait(10) == []
    assert wall.scan("wang") == ["ACCESS_DENIED"], "nothing is inside"
    assert wall.deposit("wang") == ""
    kinds = [event.kind.value for event in wall.last.events]
    assert kinds == ["RENTAL_ENDED", "RENTAL_STARTED", "ACCESS_GRANTED"]
    assert wall.last.events[0].fact("why") == "unused"
    assert wall.locker(1) == "HELD holder-wang"


def wall_openings(wall: Wall) -> list[OpenCompartment]:
    """Return the wish that the journal's last grant caused."""
    granted = wall.tell(EventKind.ACCESS_GRANTED)[-1]
    number = int(granted.fact("number") or 0)
    return [
        OpenCompartment(
            bank="hall", number=number, cause=granted.seq, is_first_aid=False
        )
    ]


def test_what_does_not_open_for_the_volunteer_is_given_up_for_another() -> None:
    wall = Wall(neighbours())
    wall.deposit("wang")
    wall.jam(1)
    assert wall.deposit("wang") == ""
    assert (wall.locker(1), wall.locker(2)) == ("FAULT -", "HELD holder-wang")


def test_what_was_never_put_in_is_free_after_its_time() -> None:
    wall = Wall(neighbours("c2 li lounge 17:00-23:00 S"))
    wall.deposit("wang")
    wall.refuse(*wall_openings(wall))
    assert wall.until("18:00") == [], "nothing is inside that could be overdue"
    assert wall.scan("li")[0] == "RENTAL_ENDED"
    assert wall.locker(1) == "HELD holder-li"


def test_the_staff_may_end_one_and_its_compartment_is_cleaned() -> None:
    wall = Wall(neighbours(), site(cleans=True))
    put_in(wall)
    assert wall.end_rental(1) == ""
    assert wall.locker(1) == "CLEANING -"
    assert wall.scan("wang") == ["ACCESS_DENIED"]


# Who left, and the power


@pytest.mark.parametrize(("reason", "opens"), [("LEFT", True), ("LOST", False)])
def test_who_left_fetches_it_but_not_with_a_lost_card(
    reason: str, *, opens: bool
) -> None:
    wall = Wall(neighbours())
    put_in(wall)
    gone = revocation("wang")
    gone = type(gone)(token=gone.token, reason=reason)
    wall.rolls.adopt(roster(holder("wang"), gone), 0)
    assert wall.scan("wang") == (OPENS_1 if opens else ["ACCESS_DENIED"])


@pytest.mark.parametrize("back", [0, 1, 9])
def test_a_power_cut_at_any_point_loses_no_parcel(back: int) -> None:
    wall = Wall(neighbours())
    wall.deposit("wang")
    wall.restart(back)
    wall.use(1)
    assert wall.tell(EventKind.PARCEL_DEPOSITED)
    wall.restart(back)
    assert wall.locker(1) == "OCCUPIED holder-wang"
    assert wall.scan("wang") == OPENS_1
    assert wall.use(1) == ["COMPARTMENT_OPENED", *COLLECTED]
