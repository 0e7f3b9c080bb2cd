# SPDX-License-Identifier: Apache-2.0
"""All sixteen ways to stand, and what each beginning and ending makes of them."""

from __future__ import annotations

from itertools import chain, combinations

import pytest

from edge.core.emergency.effects import EscapeDoor, escape_doors
from edge.core.emergency.state import EmergencyState
from tests.core.emergency.place import ESCAPE, OTHER, WIRED, Place

STATES = ("FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER")
SUBSETS = [
    frozenset(subset)
    for subset in chain.from_iterable(combinations(STATES, n) for n in range(5))
]
#: Whether FIRE and LOCK_DOWN stand: what holds escape doors, what holds the others.
HELD = {
    (False, False): ("", ""),
    (False, True): ("LOCKED_DOWN", "LOCKED_DOWN"),
    (True, False): ("LOCKED_OPEN", ""),
    (True, True): ("LOCKED_OPEN", "LOCKED_DOWN"),
}


def standing(subset: frozenset[str]) -> Place:
    place = Place()
    place.fire_input(is_active=False)
    for state in sorted(subset):
        place.begin(state)
    place.leaves.heard.clear()
    return place


def check(place: Place, subset: frozenset[str]) -> None:
    """Compare with what is written here of the subset."""
    assert place.standing() == subset
    first = next((state for state in STATES if state in subset), None)
    assert place.emergency.first == first
    assert place.emergency.is_fire is ("FIRE" in subset)
    assert place.emergency.closes_lockers is ("LOCK_DOWN" in subset)
    escape, other = HELD["FIRE" in subset, "LOCK_DOWN" in subset]
    held = dict.fromkeys(ESCAPE, escape) | dict.fromkeys(OTHER, other)
    assert place.leaves.held == {name: mode for name, mode in held.items() if mode}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_a_beginning_adds_and_tells_it_once(subset: frozenset[str], state: str) -> None:
    place = standing(subset)
    check(place, subset)
    told = place.begin(state)
    assert told == ([] if state in subset else ["EMERGENCY_STARTED"])
    check(place, subset | {state})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_an_ending_returns_to_what_stands_beneath(
    subset: frozenset[str], state: str
) -> None:
    place = standing(subset)
    before = len(place.journal)
    rejected = place.end(state)
    told = [event.kind.value for event in place.journal[before:]]
    if state in subset:
        assert (rejected, told) == ("", ["EMERGENCY_ENDED"])
        assert (place.fact("state"), place.fact("by")) == (state, "panel")
    else:
        assert (rejected, told) == (f"{state} does not stand", [])
        assert place.leaves.heard == []
    check(place, subset - {state})


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_all_of_it_outlives_a_restart(subset: frozenset[str], state: str) -> None:
    place = standing(subset)
    kept, after = place.emergency.dump(), len(place.journal)
    place.begin(state)
    place.end(state)
    for revived in (place.rebuilt(kept, after), place.rebuilt(None, 0)):
        check(revived, subset - {state})
        assert revived.emergency.dump() == place.emergency.dump()


def test_the_precedence_is_that_of_the_table_above() -> None:
    assert tuple(state.value for state in EmergencyState) == STATES


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_fire_is_told_to_every_escape_door_whatever_stands(
    subset: frozenset[str],
) -> None:
    place = standing(subset)
    place.begin("FIRE")
    word = "again" if "FIRE" in subset else "LOCKED_OPEN"
    heard = [heard for heard in place.leaves.heard if heard.split()[0] in ESCAPE]
    assert heard == [f"{name} {word}" for name in ESCAPE]


def test_the_doors_that_open_hear_first() -> None:
    place = Place()
    place.begin("LOCK_DOWN")
    place.begin("FIRE")
    revived = place.rebuilt(None, 0)
    modes = [heard.split()[1] for heard in revived.leaves.heard]
    assert modes == ["LOCKED_OPEN", "LOCKED_OPEN", "LOCKED_DOWN", "LOCKED_DOWN"]


def test_who_did_it_stands_in_the_event_and_is_cut() -> None:
    place = Place()
    place.begin("SHELTER")
    started = place.journal[-1]
    assert dict(started.facts) == {
        "actor": "chen",
        "by": "panel",
        "reason": "smoke",
        "state": "SHELTER",
    }
    assert started.subject == "site"


def test_no_day_and_no_silence_ends_an_emergency() -> None:
    place = Place()
    for state in STATES:
        place.begin(state)
    before = len(place.journal)
    for _ in range(40):
        place.wait(86_400)
        place.emergency.fire_input_lost()
        place.fire_input(is_active=False)
    assert place.standing() == set(STATES)
    assert len(place.journal) == before


def test_each_escape_door_has_its_people() -> None:
    assert escape_doors(WIRED) == (
        EscapeDoor(door_id="kitchen-door", zone="", responsible="", deputy=""),
        EscapeDoor(door_id="yard-door", zone="back", responsible="Chen", deputy="Li"),
    )
