# SPDX-License-Identifier: Apache-2.0
"""Openings by hand that were written down wrongly, and doors that wait longer."""

from __future__ import annotations

import pytest

from edge.core.command import Release
from edge.core.order import EntryCorrected, PanelOpenOrdered
from tests.core.house.place import Place, Told
from tests.core.house.plan import PLACE

DOOR, SPACE = "hall-door", "hall"
REASON = "no card"


def correct(place: Place, persons: int, *, seq: int = 0, reason: str = REASON) -> Told:
    """Correct the newest entry by hand, or another."""
    cause = seq or place.newest("MANUAL_ENTRY").seq
    return place.do(
        EntryCorrected(seq=cause, persons=persons, actor="luo", reason=reason)
    )


def let_in(count: int, *, has_walked: bool = True) -> Place:
    place = Place()
    place.open_by_hand(DOOR, count=count)
    if has_walked:
        place.walk(DOOR)
        assert place.persons(SPACE) == count
    return place


@pytest.mark.parametrize("right", [0, 1, 2, 4])
@pytest.mark.parametrize("has_walked", [True, False])
def test_the_room_counts_what_was_right(right: int, *, has_walked: bool) -> None:
    place = let_in(3, has_walked=has_walked)
    assert correct(place, right)[0] == "ENTRY_CORRECTED"
    if not has_walked:
        assert place.persons(SPACE) == 0
        place.walk(DOOR)
    assert place.persons(SPACE) == right


def test_the_entry_stays_as_it_was_and_the_correction_names_it_and_its_actor() -> None:
    place = let_in(1)
    entry = place.newest("MANUAL_ENTRY")
    correct(place, 2, reason="NO_BOOKING")
    fixed = place.newest("ENTRY_CORRECTED")
    assert (fixed.subject, fixed.fact("cause")) == (DOOR, entry.seq)
    assert (fixed.fact("persons"), fixed.fact("was")) == (2, 1)
    assert (fixed.fact("actor"), fixed.fact("reason")) == ("luo", "NO_BOOKING")
    assert place.newest("MANUAL_ENTRY") == entry


def test_a_wrong_correction_is_corrected_too() -> None:
    place = let_in(1)
    correct(place, 4)
    correct(place, 2)
    assert place.persons(SPACE) == 2
    assert place.newest("ENTRY_CORRECTED").fact("was") == 4


def test_an_entry_that_nobody_used_counts_nobody_whatever_it_is_corrected_to() -> None:
    place = let_in(1, has_walked=False)
    place.wait(30)
    correct(place, 3)
    assert place.persons(SPACE) == 0


def test_a_minute_later_nothing_is_corrected() -> None:
    place = let_in(2)
    place.wait(60)
    assert correct(place, 1) == ["COMMAND_REJECTED"]
    assert "too late" in place.controller.rejection
    assert place.persons(SPACE) == 2


def test_what_is_no_entry_and_what_changes_nothing_is_rejected() -> None:
    place = let_in(2)
    assert correct(place, 2) == ["COMMAND_REJECTED"]
    assert correct(place, 1, seq=1) == ["COMMAND_REJECTED"]
    assert correct(place, -1) == ["COMMAND_REJECTED"]
    correct(place, 501)
    assert place.persons(SPACE) == 2


def test_who_came_by_a_booking_is_not_counted_anew_but_the_reason_is() -> None:
    place = Place("b1 wang kitchen 14:00-17:00 x2 due900")
    place.open_by_hand("kitchen-door", cash_fen=900, booking="b1")
    assert correct(place, 2) == ["COMMAND_REJECTED"]
    assert correct(place, 1, reason="HELP")[0] == "ENTRY_CORRECTED"


@pytest.mark.parametrize("has_walked", [True, False])
def test_a_restart_forgets_no_entry(*, has_walked: bool) -> None:
    place = let_in(3, has_walked=has_walked)
    place.restart(off_s=20)
    assert correct(place, 1)[0] == "ENTRY_CORRECTED"
    assert place.persons(SPACE) == (1 if has_walked else 0)


def test_who_needs_more_time_gets_the_longer_release() -> None:
    place = Place()
    order = PanelOpenOrdered(door=DOOR, actor="chen", reason="HELP", is_extended=True)
    place.do(order)
    assert place.newest("MANUAL_ENTRY").fact("extended") == 1
    plan = PLACE.doors[DOOR]
    [release] = [c for c in place.last.commands if isinstance(c, Release)]
    assert release.duration_s == plan.extended_release_s > plan.release_s
    place.wait(plan.extended_release_s - 1)
    place.walk(DOOR)
    assert place.persons(SPACE) == 1
