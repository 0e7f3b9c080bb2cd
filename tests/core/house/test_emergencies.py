# SPDX-License-Identifier: Apache-2.0
"""Fire, lock-down and shelter through the whole house, and which goes first."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import DrillOrdered
from edge.core.people.roster_row import RevocationRow
from edge.core.stimulus import DeviceChanged
from tests.core.house.place import Place
from tests.core.house.plan import (
    ESCAPES,
    HALL_ROOM,
    HALL_SHELTER_ROOM,
    INNER,
    MEDICINE,
    PLACE,
    TICKET,
)
from tests.core.scene import token

if TYPE_CHECKING:
    from collections.abc import Callable

BOOKED = "b1 wang kitchen 14:00-17:00"
HELD = {f"hold {name}" for name in ESCAPES}
#: By precedence.
STATES = ("FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER")


def _silent(*bookings: str) -> Place:
    """Return a place whose fire input is known to be at rest."""
    place = Place(*bookings)
    place.fire_input(is_active=False)
    return place


# -- fire ----------------------------------------------------------------------------


def _opened(place: Place) -> None:
    place.scan("wang")
    place.swing("kitchen-door", is_open=True)


def _held_too_long(place: Place) -> None:
    place.swing("hall-door", is_open=True)
    place.wait(99)


def _awaited(place: Place) -> None:
    place.begin("CHECKPOINT")
    place.scan("wang")


def _rehearsed(place: Place) -> None:
    place.do(DrillOrdered(drill="fire", with_doors=True, actor="chen"))


def _without_a_clock(place: Place) -> None:
    place.spread_ms = UNBOUNDED_MS


def _without_a_board(place: Place) -> None:
    doors = tuple(PLACE.doors)
    gone = DeviceChanged(device="relay", is_online=False, detail="", doors=doors)
    place.do(gone)


def _ordered(mode: DoorMode, place: Place) -> None:
    for door in PLACE.doors:
        place.order(door, mode.value)


BEFORE: dict[str, Callable[[Place], object]] = {
    "at rest": Place.now,
    "released": lambda place: place.scan("wang"),
    "open": _opened,
    "forced": lambda place: place.swing("kitchen-door", is_open=True),
    "too long": _held_too_long,
    "under lock-down": lambda place: place.begin("LOCK_DOWN"),
    "under checkpoint": lambda place: place.begin("CHECKPOINT"),
    "under shelter": lambda place: place.begin("SHELTER"),
    "waiting": _awaited,
    "in a drill": _rehearsed,
    "without a clock": _without_a_clock,
    "without a board": _without_a_board,
    **{f"ordered {mode}": partial(_ordered, mode) for mode in DoorMode},
}


@pytest.mark.parametrize("by", ["input", "panel"])
@pytest.mark.parametrize("before", BEFORE)
def test_fire_opens_every_escape_door_at_once_from_every_state(
    before: str, by: str
) -> None:
    place = _silent(BOOKED)
    BEFORE[before](place)
    told = place.fire_input(is_active=True) if by == "input" else place.begin("FIRE")
    assert set(told) >= HELD, "in the same outcome"
    assert "EMERGENCY_STARTED" in told
    assert [place.mode(name) for name in ESCAPES] == ["LOCKED_OPEN"] * len(ESCAPES)
    assert not any(word.startswith(("open", "stove on")) for word in told)


def test_fire_leaves_the_other_doors_as_they_are() -> None:
    place = _silent("b1 wang studio 14:00-17:00")
    place.fire_input(is_active=True)
    assert {place.mode(name) for name in INNER} == {"LOCKED"}
    assert place.scan("wang", "studio-in")[-1] == "release studio-door"
    assert place.scan("li", "studio-in") == ["ACCESS_DENIED"]


def test_in_a_fire_everybody_is_let_in_and_written_down() -> None:
    place = _silent()
    place.begin("FIRE")
    assert place.scan("stranger") == ["ACCESS_GRANTED"]
    assert place.newest("ACCESS_GRANTED").fact("free") == 1


def test_fire_ends_by_hand_alone_and_only_with_its_input_at_rest() -> None:
    place = _silent()
    place.fire_input(is_active=True)
    assert place.end("FIRE") == ["COMMAND_REJECTED"]
    assert place.controller.rejection == "the fire input is active"
    assert place.fire_input(is_active=False) == []
    place.wait(3 * 86_400)
    assert place.states() == ["FIRE"]
    told = place.end("FIRE")
    assert told[0] == "EMERGENCY_ENDED"
    assert set(told) >= {f"relock {name}" for name in ESCAPES}
    assert place.states() == []


def test_a_silent_board_neither_begins_nor_ends_a_fire() -> None:
    place = _silent()
    gone = DeviceChanged(device="io", is_online=False, detail="", senses_fire=True)
    place.do(gone)
    assert place.states() == []
    place.begin("FIRE")
    assert place.end("FIRE") == ["COMMAND_REJECTED"]
    assert "nobody knows" in place.controller.rejection


def test_an_order_meanwhile_waits_beneath_the_fire() -> None:
    place = _silent()
    place.begin("FIRE")
    assert place.order("kitchen-door", "BLOCKED") == ["DOOR_MODE_CHANGED"]
    assert place.mode("kitchen-door") == "LOCKED_OPEN"
    place.end("FIRE")
    assert place.mode("kitchen-door") == "BLOCKED"


# -- lock-down -----------------------------------------------------------------------


def test_a_lock_down_closes_every_door_to_all_but_few() -> None:
    place = _silent(BOOKED)
    place.begin("LOCK_DOWN")
    assert {place.mode(name) for name in PLACE.doors} == {"LOCKED_DOWN"}
    for who in ("wang", "chen", "stranger"):
        assert place.scan(who) == ["ACCESS_DENIED"]
        assert place.reason() == "DOOR_LOCKED_DOWN"
    assert place.open_by_hand("kitchen-door") == ["ACCESS_DENIED"]
    for who in ("sun", "ma"):
        assert place.scan(who)[-1] == "release kitchen-door"


@pytest.mark.parametrize("door", PLACE.doors)
def test_out_of_a_lock_down_one_gets_by_every_door(door: str) -> None:
    place = _silent()
    place.begin("LOCK_DOWN")
    assert place.press(door) == ["REQUEST_TO_EXIT", f"release {door}"]
    (release,) = place.releases()
    assert release.is_egress, "it waits for no commit"


def test_out_of_a_lock_down_by_an_exit_reader() -> None:
    place = _silent()
    place.begin("LOCK_DOWN")
    for who in ("wang", "stranger"):
        assert place.scan(who, "kitchen-out")[-1] == "release kitchen-door"
        assert place.releases()[-1].is_egress


def test_a_lock_down_closes_lockers_to_all_but_staff() -> None:
    place = _silent("c1 wang hall 14:00-17:00 S", "c2 chen hall 14:00-17:00 S")
    place.scan("wang", "bank-in")
    place.leaf(1, is_open=True)
    place.leaf(1, is_open=False)
    place.begin("LOCK_DOWN")
    assert place.scan("wang", "bank-in") == ["ACCESS_DENIED"]
    assert place.reason() == "DOOR_LOCKED_DOWN"
    assert place.openings() == []
    assert place.scan("chen", "bank-in")[-1] == "open 2"


@pytest.mark.parametrize("who", ["stranger", "wang", "ma"])
@pytest.mark.parametrize("state", STATES)
def test_the_medicine_box_opens_in_every_emergency(state: str, who: str) -> None:
    place = _silent()
    place.begin(state)
    told = place.scan(who, "aid", is_secure=False)
    assert told == ["MEDICINE_BOX_OPENED", f"open {MEDICINE}"]


# -- shelter -------------------------------------------------------------------------


def test_a_shelter_takes_in_every_readable_card() -> None:
    place = Place(more=(RevocationRow(token=token("qian"), reason="LOST"),))
    place.begin("SHELTER")
    place.wait_until("23:00")  # the kitchen is closed by now
    for who in ("stranger", "li", "qian"):
        assert place.scan(who)[-1] == "release kitchen-door"
        place.wait(10)
    assert place.newest("ACCESS_GRANTED").fact("barred") == "CREDENTIAL_REVOKED"


def test_a_shelter_has_more_room_and_then_is_full() -> None:
    place = Place()
    place.begin("SHELTER")
    for number in range(HALL_SHELTER_ROOM):
        place.enter(f"stranger-{number}", "hall-in")
    assert HALL_SHELTER_ROOM > HALL_ROOM
    assert place.scan("one-more", "hall-in") == ["ACCESS_DENIED"]
    assert place.reason() == "SPACE_FULL"


def test_a_forged_ticket_is_no_card_even_in_a_shelter() -> None:
    place = Place()
    place.begin("SHELTER")
    told = place.scan("code:qr", ticket=replace(TICKET, audience="elsewhere"))
    assert told == ["ACCESS_GRANTED", "release kitchen-door"], "a ticket, if not ours"
    place.wait(10)
    assert place.scan("code:qr") == ["ACCESS_DENIED"], "an unknown code is no card"


# -- precedence ----------------------------------------------------------------------


def _mode(door: str, standing: tuple[str, ...]) -> str:
    """Return what a plain reading says a door stands in."""
    if "FIRE" in standing and door in ESCAPES:
        return "LOCKED_OPEN"
    return "LOCKED_DOWN" if "LOCK_DOWN" in standing else "LOCKED"


@pytest.mark.parametrize("order", [STATES, STATES[::-1], ("LOCK_DOWN", "FIRE")])
def test_the_gravest_counts_and_each_end_returns_to_the_next(
    order: tuple[str, ...],
) -> None:
    place = _silent()
    begun: tuple[str, ...] = ()
    for state in order:
        place.begin(state)
        begun = (*begun, state)
        assert place.states() == sorted(begun, key=STATES.index)
        for door in PLACE.doors:
            assert place.mode(door) == _mode(door, begun)
    for state in order:
        place.end(state)
        begun = begun[1:]
        for door in PLACE.doors:
            assert place.mode(door) == _mode(door, begun)
    assert place.states() == []


def test_one_that_stands_is_not_begun_twice_but_driven_again() -> None:
    place = _silent()
    place.begin("FIRE")
    told = place.begin("FIRE")
    assert "EMERGENCY_STARTED" not in told
    assert set(told) >= HELD
    assert place.end("SHELTER") == ["COMMAND_REJECTED"]
    assert place.controller.rejection == "SHELTER does not stand"
