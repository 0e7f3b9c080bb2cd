# SPDX-License-Identifier: Apache-2.0
"""Snapshots: what an older version wrote, and what is no longer there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.lockers.rental import Rental, RentalKind
from tests.core.lockers.wall import Wall
from tests.core.scene import neighbours

if TYPE_CHECKING:
    from edge.core.lockers.compartment import Compartment

#: As version 1 wrote them: a booking's rental has four values, nothing has marks.
OLD = {
    "compartments": [
        ["hall", 1, "OCCUPIED", 7, "holder-wang", "c1", 9, 1],
        ["hall", 2, "OCCUPIED", 8, "holder-li", "c2", 9, 3],
        ["hall", 3, "FAULT", 0],
        ["gone", 1, "OPEN", 0],
    ]
}


def test_an_older_snapshot_is_understood() -> None:
    lockers = Wall(neighbours()).parts.lockers
    lockers.load(OLD)
    ours = Rental(holder="holder-wang", booking="c1", end_ms=9, was_opened=True)
    standing = lockers.standing()
    assert standing["hall", 1].rental == ours
    assert ours.kind is RentalKind.BOOKED
    theirs = standing["hall", 2].rental
    assert theirs is not None
    assert (theirs.was_opened, theirs.is_last, theirs.is_overdue) == (True, True, False)
    assert standing["hall", 3].phase.value == "FAULT"
    assert ("gone", 1) not in standing


def test_one_from_before_there_were_lockers_has_none() -> None:
    wall = Wall(neighbours())
    empty = wall.parts.dump()
    wall.parts.lockers.load({})
    assert wall.parts.dump() == empty


def _token_of(compartment: Compartment) -> bytes:
    assert compartment.rental is not None
    return compartment.rental.token


@pytest.mark.parametrize("marks", [(0, 1), (1, 0), (1, 1)])
def test_marks_and_tokens_come_back(marks: tuple[int, int]) -> None:
    lockers = Wall(neighbours()).parts.lockers
    token = "0f" * 16
    state = {
        "compartments": [
            ["hall", 1, "OCCUPIED", 7, "", "", 9, 5, "WALK_IN", token],
            ["hall", 2, "FAULT", 0],
        ],
        "compartment_marks": [["hall", 2, *marks]],
    }
    lockers.load(state)
    assert lockers.dump() == state
    assert _token_of(lockers.standing()["hall", 1]) == bytes.fromhex(token)
    assert token not in repr(lockers.standing())
