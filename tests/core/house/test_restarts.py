# SPDX-License-Identifier: Apache-2.0
"""The power fails in every state: what stood, stands; what was safe, stays safe."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from edge.core.lockers.medicine_orders import MedicineStocked, MedicineUsed
from tests.core.house.orders import named
from tests.core.house.place import Place
from tests.core.house.plan import CARE_DAYS, ESCAPES, PLACE
from tests.core.scene import DAY_MS, clock_ms

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = ("FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER")
STANDING = [
    some for count in range(len(STATES) + 1) for some in combinations(STATES, count)
]
BOOKED = "b1 wang kitchen 14:00-17:00"


def _standing(states: tuple[str, ...]) -> Place:
    place = Place(BOOKED)
    place.fire_input(is_active=False)
    place.order("studio-door", "BLOCKED")
    for state in states:
        place.begin(state)
    return place


def _held(place: Place) -> dict[str, str]:
    return {name: place.mode(name) for name in PLACE.doors}


@pytest.mark.parametrize("kept", ["snapshot", "tail"])
@pytest.mark.parametrize("states", STANDING, ids="+".join)
def test_what_stood_stands_and_drives_the_same_outputs(
    states: tuple[str, ...], kept: str
) -> None:
    place = _standing(states)
    before, modes = place.states(), _held(place)
    if kept == "snapshot":
        place.restart(place.snapshot(), len(place.journal))
    else:
        place.restart()
    assert (place.states(), _held(place)) == (before, modes)
    holds = {f"hold {name}" for name in ESCAPES}
    assert (holds & set(place.told())) == (holds if "FIRE" in states else set())
    rest = {f"relock {n}" for n, mode in modes.items() if mode != "LOCKED_OPEN"}
    assert rest <= set(place.told())


@pytest.mark.parametrize("at", range(6))
def test_any_snapshot_and_its_tail_give_the_same(at: int) -> None:
    place = Place(BOOKED)
    steps: tuple[Callable[[], object], ...] = (
        lambda: place.fire_input(is_active=False),
        lambda: place.begin("CHECKPOINT"),
        lambda: place.order("gate", "UNLOCKED"),
        lambda: place.begin("LOCK_DOWN"),
        lambda: place.fire_input(is_active=True),
        lambda: place.order("hall-door", "BLOCKED"),
    )
    kept = (place.snapshot(), len(place.journal))
    for number, step in enumerate(steps):
        if number == at:
            kept = (place.snapshot(), len(place.journal))
        step()
    before, modes = place.states(), _held(place)
    place.restart(*kept)
    assert (place.states(), _held(place)) == (before, modes)


def test_the_emergency_file_alone_brings_a_fire_back() -> None:
    place = Place(BOOKED)
    told = place.restart(remembered=["FIRE"])
    told += place.wait(0)
    assert place.states() == ["FIRE"]
    assert {f"hold {name}" for name in ESCAPES} <= set(told)
    assert place.events("EMERGENCY_STARTED")[-1].fact("by") == "file"


def test_a_lock_down_outlives_a_journal_that_was_set_aside() -> None:
    place = Place(BOOKED)
    place.begin("LOCK_DOWN")
    before = _held(place)
    place.journal.clear()
    place.restart(remembered=place.states())
    assert (place.states(), _held(place)) == (["LOCK_DOWN"], before)
    place.wait(0)
    told = place.events("EMERGENCY_STARTED")
    assert [(e.fact("state"), e.fact("by")) for e in told] == [("LOCK_DOWN", "file")]


def test_a_fire_in_file_and_journal_is_one_fire() -> None:
    place = Place()
    place.fire_input(is_active=True)
    place.restart(remembered=["FIRE"])
    place.wait(1)
    assert len(place.events("EMERGENCY_STARTED")) == 1


def test_after_a_restart_the_fire_input_is_unknown_until_it_is_read() -> None:
    place = Place()
    place.fire_input(is_active=False)
    place.begin("FIRE")
    place.restart()
    assert place.end("FIRE") == ["COMMAND_REJECTED"]
    place.fire_input(is_active=False)
    assert "EMERGENCY_ENDED" in place.end("FIRE")


def test_a_grant_that_the_power_cut_hid_is_closed_as_unknown() -> None:
    place = Place(BOOKED)
    place.scan("wang")
    place.restart()
    closed = place.newest("ACCESS_NOT_TAKEN")
    assert (closed.fact("outcome"), closed.person.booking) == ("unknown", "b1")
    assert place.scan("wang")[-1] == "release kitchen-door"


def test_nothing_opens_because_the_power_came_back() -> None:
    place = Place(BOOKED, "c1 li hall 14:00-17:00 S")
    place.scan("wang")
    place.scan("li", "bank-in")
    place.scan("stranger", "aid")
    told = place.restart()
    assert not any(w.startswith(("release", "open", "stove on")) for w in told)


def test_a_volunteer_of_yesterday_unlocks_no_door_today() -> None:
    place = Place()
    place.vouch("he", "VOLUNTEER")
    place.bind("he")
    place.enter("he:id", "garden-in")
    place.wait_until("16:30", days=1)
    assert place.mode("garden-door") == "LOCKED"
    place.restart()
    place.wait(10)
    assert place.mode("garden-door") == "LOCKED", "nobody came in since it opened"


def test_a_stove_does_not_come_on_by_itself_after_a_power_cut() -> None:
    place = Place("b1 wang kitchen 15:10-17:00")
    place.enter("wang")  # before his time: the stove waits for it
    told = place.restart(off_s=15 * 60)
    told += place.wait(30)
    assert "stove on" not in told, "the slot runs and he is inside, but nobody looked"


def test_an_item_used_up_stays_on_the_list_over_a_power_cut() -> None:
    place = Place()
    good_until_ms = clock_ms("20:00", days=300)
    place.do(named(MedicineStocked, count=1, expires_ms=good_until_ms))
    used = named(MedicineUsed, count=1)
    assert place.do(used) == ["MEDICINE_USED"]
    place.restart(*place.base())
    assert place.do(used) == ["MEDICINE_USED"], "somebody has to fill it up"


def test_a_day_first_known_after_the_visit_counts_over_a_power_cut() -> None:
    place = Place()
    place.spread_ms = DAY_MS
    place.enter("zhao", "hall-in")
    place.spread_ms = 0
    place.wait_until("12:00", days=CARE_DAYS - 1)
    place.restart()
    place.wait_until("12:00", days=CARE_DAYS)
    assert len(place.events("CARE_SIGNAL")) == 1
