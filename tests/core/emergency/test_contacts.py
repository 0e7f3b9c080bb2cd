# SPDX-License-Identifier: Apache-2.0
"""Contacts: who was called in this occasion, what came of it, and who stands behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.emergency import contacts as rooms
from edge.core.emergency.state import EmergencyState
from tests.core.emergency.place import Place

if TYPE_CHECKING:
    import pytest


def called(place: Place) -> dict[str, tuple[str, int, str]]:
    told = place.emergency.contacts.called
    return {name: (c.mark.value, c.after_s, c.actor) for name, c in told.items()}


def test_a_call_is_marked_with_who_and_when_and_the_last_one_counts() -> None:
    place = Place()
    assert place.call("c-1") == "neither an emergency stands nor a drill runs"
    place.begin("FIRE")
    place.wait(40)
    assert place.call("c-1", "no_answer") == ""
    assert place.journal[-1].kind == "CONTACT_MARKED"
    assert place.journal[-1].fact("contact") == "c-1"
    place.wait(30)
    assert place.call("c-1") == ""
    assert called(place) == {"c-1": ("reached", 70, "chen")}
    assert place.call("c-1") == "marked as reached already"


def test_what_makes_no_sense_is_rejected_and_leaves_no_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place()
    place.begin("SHELTER")
    before = len(place.journal)
    assert place.call("c-9") == "there is no such contact"
    assert "known: reached, no_answer" in place.call("c-1", "sung")
    monkeypatch.setattr(rooms, "MAX_MARKED", 0)
    assert place.call("c-1") == "0 contacts are marked already"
    assert len(place.journal) == before
    assert called(place) == {}


def test_the_next_occasion_begins_anew_and_a_second_emergency_does_not() -> None:
    place = Place()
    place.drill("fire")
    place.call("c-2")
    place.begin("SHELTER")
    assert called(place) == {}, "nobody was called in earnest"
    place.call("c-2")
    place.begin("LOCK_DOWN")
    assert set(called(place)) == {"c-2"}


def test_marks_survive_a_restart_by_snapshot_and_by_replay() -> None:
    place = Place()
    place.begin("SHELTER")
    place.call("c-1")
    state = json.loads(json.dumps(place.emergency.dump()))
    for revived in (place.rebuilt(state, 99), place.rebuilt(None, 0)):
        assert called(revived) == called(place)
        told = revived.emergency.begun_by
        assert told == {EmergencyState.SHELTER: ("panel", "chen")}
        assert revived.call("c-1") == "marked as reached already"


def test_a_snapshot_of_before_there_were_contacts_lets_them_be_marked() -> None:
    place = Place()
    place.begin("SHELTER")
    state = json.loads(json.dumps(place.emergency.dump()))
    for name in ("contacts", "begun_by", "drill_sheets"):
        del state[name]
    revived = place.rebuilt(state, 99)
    assert revived.call("c-1") == ""
    assert revived.emergency.begun_by == {}
