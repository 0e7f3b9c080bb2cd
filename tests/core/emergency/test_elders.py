# SPDX-License-Identifier: Apache-2.0
"""Listed elders: fetched, arrived, and never marked by another occasion."""

from __future__ import annotations

import pytest

from edge.core.emergency import elders as rooms
from edge.core.people.entries import Elder
from tests.core.emergency.place import Place


def awaited(place: Place) -> list[str]:
    return [each.holder_id for each in place.emergency.elders.awaited()]


def test_they_are_told_in_their_order_with_their_routes() -> None:
    place = Place()
    told = [(e.holder_id, e.route) for e in place.emergency.elders.progress()]
    assert told == [
        ("holder-wang", "ramp"),
        ("holder-zhao", "stairs B"),
        ("holder-qian", "lift is off: carry"),
    ]


@pytest.mark.parametrize("state", ["FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER"])
def test_marks_are_taken_while_an_emergency_stands(state: str) -> None:
    place = Place()
    idle = "neither an emergency stands nor a drill runs"
    assert place.elder("wang") == idle
    place.begin(state)
    place.wait(90)
    assert place.elder("wang") == ""
    event = place.journal[-1]
    assert event.person.holder == "holder-wang"
    assert "holder-wang" not in str(event.facts)
    assert (event.fact("mark"), event.fact("after_s")) == ("fetched", 90)
    assert awaited(place) == ["holder-zhao", "holder-qian"]
    place.wait(30)
    assert place.elder("wang", "arrived") == ""
    first = place.emergency.elders.progress()[0]
    assert (first.fetched_after_s, first.arrived_after_s) == (90, 120)
    place.end(state)
    if state != "FIRE":
        assert place.elder("wang") == idle
        assert len(awaited(place)) == 3


def test_who_came_on_foot_is_awaited_by_nobody() -> None:
    place = Place()
    place.begin("SHELTER")
    assert place.elder("qian", "arrived") == ""
    assert awaited(place) == ["holder-wang", "holder-zhao"]


def test_what_makes_no_sense_is_rejected_and_leaves_no_mark() -> None:
    place = Place()
    place.begin("SHELTER")
    before = len(place.journal)
    assert place.elder("sun") == "nobody of that name is listed"
    assert place.elder("wang", "lost") == (
        "there is no mark 'lost', known: fetched, arrived"
    )
    place.elder("wang")
    assert place.elder("wang") == "marked as fetched already"
    assert len(place.journal) == before + 1


def test_a_rehearsal_makes_nobody_safe() -> None:
    place = Place()
    place.drill("typhoon")
    place.elder("wang")
    assert place.fact("occasion") == "drill"
    place.wait(40)
    place.begin("SHELTER")
    assert len(awaited(place)) == 3
    place.wait(15)
    place.elder("wang")
    assert (place.fact("occasion"), place.fact("after_s")) == ("emergency", 15)


def test_a_second_emergency_forgets_nobody() -> None:
    place = Place()
    place.begin("SHELTER")
    place.elder("wang")
    place.wait(600)
    place.begin("FIRE")
    place.elder("zhao")
    assert place.fact("after_s") == 600
    assert awaited(place) == ["holder-qian"]
    place.fire_input(is_active=False)
    place.end("FIRE")
    assert awaited(place) == ["holder-qian"]


def test_what_begins_within_a_checkpoint_begins_the_list_anew() -> None:
    place = Place()
    place.begin("CHECKPOINT")
    place.elder("wang")
    place.drill("combined")
    assert len(awaited(place)) == 3
    place.elder("zhao")
    place.end_drill()
    assert len(awaited(place)) == 3
    place.begin("FIRE")
    place.elder("qian")
    assert awaited(place) == ["holder-wang", "holder-zhao"]


def test_marks_outlive_a_restart() -> None:
    place = Place()
    place.begin("SHELTER")
    place.wait(45)
    place.elder("wang")
    kept, after = place.emergency.dump(), len(place.journal)
    place.elder("zhao", "arrived")
    for revived in (place.rebuilt(kept, after), place.rebuilt(None, 0)):
        assert awaited(revived) == ["holder-qian"]
        assert revived.elder("zhao", "arrived") == "marked as arrived already"
        revived.wait(30)
        revived.elder("qian")
        assert revived.fact("after_s") == 75


def test_the_marks_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "MAX_MARKED", 2)
    place = Place()
    place.begin("SHELTER")
    assert [place.elder("wang"), place.elder("zhao")] == ["", ""]
    assert place.elder("qian") == "2 elders are marked already"
    assert place.elder("wang", "arrived") == ""


def test_the_list_is_the_rosters_as_it_is_now() -> None:
    place = Place()
    place.begin("SHELTER")
    place.listed.elders = (Elder(holder_id="holder-new", order=1, route=""),)
    assert awaited(place) == ["holder-new"]
    assert place.elder("new") == ""
    assert awaited(place) == []
