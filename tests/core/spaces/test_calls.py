# SPDX-License-Identifier: Apache-2.0
"""The doorbells."""

from __future__ import annotations

from edge.core.command import Indication
from edge.core.event import EventKind
from edge.core.order import CallAnswered
from edge.core.spaces.calls import OPEN_MS, RING_S
from edge.core.stimulus import BellPressed
from tests.core.spaces.house import House

RAISED, ANSWERED = EventKind.CALL_RAISED, EventKind.CALL_ANSWERED


def ring(house: House, door: str = "lounge-door") -> None:
    house.spaces.expire(house.now())
    house.spaces.ring(BellPressed(door=door), house.now())
    house.tell()


def answer(house: House, door: str = "lounge-door") -> str:
    house.spaces.expire(house.now())
    why = house.spaces.answer(CallAnswered(door=door, actor="chen"), house.now())
    house.tell()
    return why


def staff(house: House) -> list[object]:
    return [event.fact("staff") for event in house.told(RAISED)]


def test_a_ring_calls_and_tells_the_person_at_the_way_in() -> None:
    house = House()
    house.desk.on_duty = ("chen",)
    house.spaces.ring(BellPressed(door="lounge-door"), house.now())
    house.tell()
    (said,) = house.said()
    assert (said.access_point, said.indication) == ("lounge-in", Indication.DONE)
    assert (said.reason, said.facts) == ("CALL_RAISED", (("staff", 1),))
    assert staff(house) == [1]


def test_where_nobody_is_on_duty_the_person_is_told_so() -> None:
    house = House()
    house.spaces.ring(BellPressed(door="lounge-door"), house.now())
    house.tell()
    assert [each.facts for each in house.said()] == [(("staff", 0),)]
    assert staff(house) == [0]


def test_a_door_that_is_not_there_rings_nowhere() -> None:
    house = House()
    ring(house, "no-such-door")
    assert house.told(RAISED) == []


def test_one_ring_in_ten_seconds_is_told_but_each_is_heard() -> None:
    house = House()
    for _ in range(5):
        house.spaces.ring(BellPressed(door="lounge-door"), house.now())
        house.tell()
        assert len(house.said()) == 1
        house.pass_time(RING_S / 5)
    assert len(house.told(RAISED)) == 1
    ring(house)
    ring(house, "kitchen-door")
    assert [e.subject for e in house.told(RAISED)] == [
        "lounge-door",
        "lounge-door",
        "kitchen-door",
    ]


def test_an_answer_closes_the_call_and_says_after_how_long() -> None:
    house = House()
    ring(house)
    house.pass_time(42)
    ring(house)
    assert answer(house) == ""
    (told,) = house.told(ANSWERED)
    assert (told.subject, told.fact("after_s"), told.fact("rings")) == (
        "lounge-door",
        42,
        2,
    )
    assert (told.fact("actor"), told.fact("unanswered")) == ("chen", None)
    assert house.spaces.calls.open == {}


def test_an_answer_without_a_call_is_rejected() -> None:
    house = House()
    assert answer(house) != ""
    ring(house)
    assert answer(house, "kitchen-door") != ""
    assert answer(house) == ""
    assert answer(house) != ""
    assert len(house.told(ANSWERED)) == 1


def test_a_call_that_nobody_answers_closes_by_itself() -> None:
    house = House()
    ring(house)
    house.wait(OPEN_MS / 1000 - 1)
    assert set(house.spaces.calls.open) == {"lounge-door"}
    house.wait(2)
    (told,) = house.told(ANSWERED)
    assert (told.fact("unanswered"), told.fact("actor")) == (1, None)
    assert told.fact("after_s") == OPEN_MS // 1000


def test_a_call_outlasts_a_restart() -> None:
    house = House()
    ring(house)
    house.cut_power(off_s=60)
    assert set(house.spaces.calls.open) == {"lounge-door"}
    answer(house)
    house.cut_power()
    assert house.spaces.calls.open == {}
    ring(house)
    house.cut_power(off_s=OPEN_MS / 1000)
    assert house.spaces.calls.open == {}
    assert [e.fact("unanswered") for e in house.told(ANSWERED)] == [None, 1]
