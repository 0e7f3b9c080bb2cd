# SPDX-License-Identifier: Apache-2.0
"""A holder's bookings of one room and time are those among all of his."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.people.rolls import Rolls
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import BookingRow, HolderRow
from tests.core.scene import SITE

if TYPE_CHECKING:
    from edge.core.plan import Size

HOLDERS = ("wang", "li", "chen")
ROOMS = ("kitchen", "lounge", "cellar")
#: Few moments, so that bookings and what is asked for often share an edge.
MOMENTS_MS = range(0, 8_000, 1_000)


@pytest.mark.parametrize("seed", range(10))
def test_the_bookings_here_are_those_of_all_that_touch(seed: int) -> None:
    chance = random.Random(seed)
    rolls = _rolls(chance)
    for _ in range(300):
        holder, room = chance.choice((*HOLDERS, "nobody")), chance.choice(ROOMS)
        from_ms, to_ms = sorted(chance.sample(MOMENTS_MS, 2))
        expected = [
            each
            for each in rolls.bookings(holder)
            if each.space_id == room
            and each.size is None
            and each.from_ms < to_ms
            and each.to_ms > from_ms
        ]
        here = (room, from_ms, to_ms)
        assert rolls.bookings(holder, here) == expected, (seed, holder, here)


def test_another_roster_answers_for_itself() -> None:
    rolls, bare = Rolls(SITE), _builder()
    here = ("kitchen", 0, 1_000)
    booked = _builder()
    booked.add([_booking("b1", "wang", 0, 1_000)])
    rolls.adopt(booked.build(Cursor("0001", 1)), 0)
    assert [each.booking_id for each in rolls.bookings("wang", here)] == ["b1"]
    rolls.adopt(bare.build(Cursor("0001", 2)), 0)
    assert rolls.bookings("wang", here) == rolls.bookings("wang") == []


def _rolls(chance: random.Random) -> Rolls:
    builder = _builder()
    for number in range(60):
        from_ms, to_ms = sorted(chance.sample(MOMENTS_MS, 2))
        kept = _booking(f"b{number}", chance.choice(HOLDERS), from_ms, to_ms)
        size: Size | None = chance.choice((None, None, None, "S"))
        builder.add([replace(kept, space_id=chance.choice(ROOMS), size=size)])
    rolls = Rolls(SITE)
    rolls.adopt(builder.build(Cursor("0001", 1)), 0)
    return rolls


def _builder() -> RosterBuilder:
    builder = RosterBuilder()
    builder.add(
        HolderRow(
            holder_id=name,
            roles=("RESIDENT",),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
            credentials=(),
        )
        for name in HOLDERS
    )
    return builder


def _booking(name: str, holder: str, from_ms: int, to_ms: int) -> BookingRow:
    return BookingRow(
        booking_id=name,
        holder_id=holder,
        space_id="kitchen",
        from_ms=from_ms,
        to_ms=to_ms,
        party=1,
        is_confirmed=True,
    )
