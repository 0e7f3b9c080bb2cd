# SPDX-License-Identifier: Apache-2.0
"""Long seeded walks over a whole place, with power cuts, against its ledger."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.command import Indicate
from edge.core.controller import Controller
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.people.roster_row import HolderRow
from edge.core.stimulus import Scan, Unreadable
from tests.core.house.ledger import Ledger
from tests.core.house.place import Place, as_stored
from tests.core.house.plan import ESCAPES, PEOPLE, PLACE
from tests.core.house.walk import DOORS, PARTIES, TOLD, USES, Walk

if TYPE_CHECKING:
    from edge.core.outcome import Outcome
    from edge.core.stimulus import Stimulus
    from tests.core.house.place import Base, Told

RUNS, STEPS = 100, 80
#: One test a batch, so that a failure names few seeds and workers share the work.
BATCHES = 4
#: Longer than any release, alarm or call waits.
REST_S = 700.0
ROLES = {row.holder_id: row.roles[0] for row in PEOPLE if isinstance(row, HolderRow)}
#: What the walks must have met, or they proved nothing.
MET = {
    EventKind.ACCESS_GRANTED,
    EventKind.ACCESS_TAKEN,
    EventKind.ACCESS_NOT_TAKEN,
    EventKind.ACCESS_DENIED,
    EventKind.REQUEST_TO_EXIT,
    EventKind.DOOR_FORCED_OPEN,
    EventKind.DOOR_HELD_WARNING,
    EventKind.DOOR_OPEN_TOO_LONG,
    EventKind.DOOR_MODE_CHANGED,
    EventKind.DOOR_UNLOCKED_BY_SCHEDULE,
    EventKind.DOOR_RELOCKED_BY_SCHEDULE,
    EventKind.DOOR_RELAY_STUCK,
    EventKind.COMPARTMENT_OPENED,
    EventKind.COMPARTMENT_FAULT,
    EventKind.RENTAL_STARTED,
    EventKind.RENTAL_ENDED,
    EventKind.MEDICINE_BOX_OPENED,
    EventKind.VISIT_STARTED,
    EventKind.VISIT_CLOSED,
    EventKind.OCCUPANCY_SET,
    EventKind.NO_SHOW,
    EventKind.CASH_NOTED,
    EventKind.CREDENTIAL_BOUND,
    EventKind.LOCAL_CHANGED,
    EventKind.CALL_RAISED,
    EventKind.CALL_ANSWERED,
    EventKind.APPLIANCE_ON,
    EventKind.APPLIANCE_OFF,
    EventKind.DUTY_STARTED,
    EventKind.DUTY_ENDED,
    EventKind.MANUAL_ENTRY,
    EventKind.CONFIRMATION_ASKED,
    EventKind.CONFIRMATION_GIVEN,
    EventKind.WRONG_TRIES,
    EventKind.COMMAND_REJECTED,
    EventKind.EMERGENCY_STARTED,
    EventKind.EMERGENCY_ENDED,
    EventKind.PARCEL_DEPOSITED,
    EventKind.MEDICINE_STOCKED,
    EventKind.COMPARTMENT_OVERDUE,
    EventKind.COMPARTMENT_OUT_OF_ORDER,
    EventKind.ELDER_MARKED,
    EventKind.DRILL_STARTED,
    EventKind.DRILL_ENDED,
}


class WatchedPlace(Place):
    """A place of which every outcome is entered in a ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger(PARTIES, ROLES, USES)
        super().__init__(*TOLD)

    def take(self, outcome: Outcome) -> Told:
        """Check the outcome, and that the controller believes what it told."""
        told = super().take(outcome)
        self.ledger.follow(outcome.events, outcome.commands)
        standing = {state.value for state in self.controller.emergency.standing}
        assert standing == self.ledger.standing
        for door in DOORS:
            assert self.mode(door) == self.ledger.mode(door), door
        assert set(self.controller.on_duty) == set(self.ledger.books.shifts)
        for space in PLACE.spaces:
            assert self.persons(space) >= 0
        return told

    def do(self, stimulus: Stimulus) -> Told:
        """Let it happen; whoever holds something up is told something at once."""
        told = super().do(stimulus)
        if isinstance(stimulus, Scan | Unreadable):
            spoken = [c for c in self.last.commands if isinstance(c, Indicate)]
            at = {command.access_point for command in spoken}
            assert stimulus.access_point in at, f"nothing was said: {stimulus}"
            assert all(c.next_step for c in spoken if c.reason), f"no way on: {spoken}"
        return told

    def replayed(self, state: str | None, after: int) -> dict[str, Any]:
        """Return the standing that a restart would find now."""
        revived = Controller(self.site, next_seq=len(self.journal) + 1)
        tail = [as_stored(e) for e in self.journal if e.seq > after]
        revived.recover(state, tail)
        told: dict[str, Any] = json.loads(revived.snapshot(self.now()))
        return told


def _walk(seed: int) -> Counter[str]:
    place = WatchedPlace()
    walk = Walk(place, seed)
    base = place.base()
    for number in range(STEPS):
        try:
            walk.step()
            if place.kept is not None and place.kept[1] > base[1]:
                base = place.kept
            if walk.chance.random() < 0.15:
                _is_replayed(place, base)
            if walk.chance.random() < 0.1:
                base = place.base()
        except Exception as error:
            error.add_note(f"seed {seed}, step {number}")
            raise
    _fire_opens(place, seed)
    _comes_to_rest(place)
    return place.ledger.seen


def _is_replayed(place: WatchedPlace, base: Base) -> None:
    live = json.loads(place.snapshot())
    again = place.replayed(*base)
    differing = [name for name in live if live[name] != again.get(name)]
    assert not differing, [(live[n], again.get(n)) for n in differing]


def _fire_opens(place: WatchedPlace, seed: int) -> None:
    told = place.begin("FIRE")
    assert {f"hold {name}" for name in ESCAPES} <= set(told), seed
    for door in set(DOORS) - set(ESCAPES):
        place.press(door)
        is_out = any(each.is_egress for each in place.releases())
        assert is_out or place.mode(door) == "LOCKED_OPEN", (seed, door)


def _comes_to_rest(place: WatchedPlace) -> None:
    place.spread_ms = 0
    place.fire_input(is_active=False)
    for state in EmergencyState:
        place.end(state.value)
    for door in DOORS:
        place.swing(door, is_open=False)
        place.order(door, "LOCKED")
    place.wait(REST_S)
    assert place.ledger.open == {}, "a grant without an outcome"
    assert place.ledger.books.calls == set(), "somebody still rings"
    place.wait_until("14:00", days=1)
    place.wait(1)
    assert [place.persons(space) for space in PLACE.spaces] == [0] * len(PLACE.spaces)
    assert place.ledger.books.visits == {}, "a visit that never ends"
    assert place.ledger.books.shifts == {}, "a shift that never ends"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_walk_breaks_a_rule_of_the_house(batch: int) -> None:
    seen: Counter[str] = Counter()
    seeds = range(batch, RUNS, BATCHES)
    print(f"seeds {list(seeds)}, {STEPS} steps each")
    for seed in seeds:
        seen += _walk(seed)
    assert seen.keys() >= MET, f"never met: {MET - seen.keys()}"


def test_one_seed_is_one_walk() -> None:
    def told(seed: int) -> list[str]:
        walk = Walk(Place(*TOLD), seed)
        return [walk.step() for _ in range(STEPS)] + [
            f"{event.kind} {event.subject}" for event in walk.place.journal
        ]

    assert told(7) == told(7)
    assert told(7) != told(8)
