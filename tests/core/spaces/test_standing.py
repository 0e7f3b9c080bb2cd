# SPDX-License-Identifier: Apache-2.0
"""What the spaces carry over a restart, a new epoch and an older snapshot."""

from __future__ import annotations

import pytest

from edge.core.event import EventKind
from edge.core.spaces.quotas import MAX_QUOTAS
from edge.core.stimulus import BellPressed
from tests.core.spaces.house import House
from tests.core.spaces.plan import HOUSE


def busy_house() -> House:
    """Return a house in which everything that is kept is in use."""
    house = House("b1 wang kitchen 15:00-16:00", "b2 li kitchen 15:00-15:10")
    house.enter("kitchen", "li", "b2")
    house.at("15:20")
    house.enter("kitchen", "wang", "b1")
    house.enter("lounge", "zhao")
    house.enter("lounge", "", persons=2)
    house.walk_out("lounge")
    house.by_hand("hall", 1)
    house.swing("hall")
    house.by_hand("hall", 2)
    house.event(EventKind.REQUEST_TO_EXIT, "hall-door")
    house.grant("lounge", "qian")
    house.spaces.ring(BellPressed(door="hall-door"), house.now())
    house.tell()
    return house


def test_a_replay_from_every_point_gives_the_same_standing() -> None:
    house = busy_house()
    told = {key for key, value in house.spaces.dump().items() if value}
    assert told == set(house.spaces.dump())  # everything is in use
    for event in house.journal:
        before = House()
        for each in house.journal[: event.seq]:
            before.spaces.follow(each)
        state = before.dump()
        assert house.dump(house.replayed(state, event.seq)) == house.dump()


def test_an_older_snapshot_lacks_all_of_it() -> None:
    house = House()
    house.spaces.load({})
    assert [house.persons(space_id) for space_id in HOUSE.spaces] == [0, 0, 0, 0]


@pytest.mark.parametrize("shift", [-1000, -5, 7])
def test_a_new_epoch_moves_every_number_that_is_held(shift: int) -> None:
    house = busy_house()
    grant = max(row[0] for row in house.spaces.dump()["passage_grants"])
    before = {stay.cause for stay in house.spaces.presence.stays("lounge")}
    house.renumber(shift)
    after = {stay.cause for stay in house.spaces.presence.stays("lounge")}
    assert after == {cause + shift for cause in before}
    house.take("lounge", "qian", "", grant + shift)
    assert house.spaces.presence.is_inside("lounge", "qian")
    house.leave("lounge", "zhao")
    house.switch(is_on=False)
    (closed,) = [e for e in house.told_visits() if e.person.holder == "zhao"]
    begun = next(
        e for e in house.told(EventKind.VISIT_STARTED) if e.person.holder == "zhao"
    )
    assert closed.fact("visit") == begun.seq + shift
    assert house.stove()[-1] == "ordered"


def test_free_minutes_are_remembered_of_so_many_at_most() -> None:
    house = House()
    rows = [[202603, "kitchen", f"p{n}", n + 1] for n in range(MAX_QUOTAS)]
    house.spaces.load({"quotas": rows})
    house.people.all_bookings = House("b1 wang kitchen 15:00-15:30").people.all_bookings
    house.enter("kitchen", "wang", "b1")
    house.at("15:31")
    quotas = {row[2]: row[3] for row in house.spaces.dump()["quotas"]}
    assert len(quotas) == MAX_QUOTAS
    assert "p0" not in quotas
    assert "wang" in quotas
