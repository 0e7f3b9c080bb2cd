# SPDX-License-Identifier: Apache-2.0
"""A shift that begins within its plan is tied to it; nothing else comes of a plan."""

from __future__ import annotations

import pytest

from edge.core.duty.planned import PLAN
from edge.core.people.rolls import Rolls
from edge.core.people.roster import NOWHERE, Cursor, Roster, RosterBuilder
from edge.core.people.roster_image import Unpacking, pack
from edge.core.people.shift_row import MAX_PLANNED, PlannedShift
from tests.core.duty.desk import Desk
from tests.core.scene import clock_ms

MINUTE_MS = 60_000


def planned(
    begins: str, name: str = "p1", who: str = "h-1", minutes: int = 240
) -> PlannedShift:
    """Return a planned shift of the desk's day, which is at 15:00."""
    return PlannedShift(
        row_id=name,
        holder_id=who,
        space_id="hall",
        from_ms=clock_ms(begins),
        minutes=minutes,
        task="前台",
    )


def roster(*rows: PlannedShift) -> Roster:
    builder = RosterBuilder()
    builder.add(rows)
    return builder.build(Cursor("0001-aa", 1))


def at_desk(*rows: PlannedShift) -> Desk:
    desk = Desk()
    desk.duty.adopt(Rolls(desk.site, roster=roster(*rows)))
    return desk


def tie(desk: Desk, who: str = "h-1") -> object:
    """Begin a shift; return the plan that its event names."""
    assert not desk.order(who)
    return desk.journal[-1].fact(PLAN)


@pytest.mark.parametrize(
    ("begins", "is_tied"),
    [
        ("16:00", True),  # an hour early, to the minute
        ("16:01", False),
        ("15:00", True),
        ("11:01", True),  # its last minute
        ("11:00", False),  # over
    ],
)
def test_an_hour_early_until_its_end(begins: str, *, is_tied: bool) -> None:
    assert (tie(at_desk(planned(begins))) == "p1") is is_tied


def test_another_s_plan_is_not_mine() -> None:
    assert tie(at_desk(planned("15:00", who="h-2"))) is None


def test_the_earlier_of_two_that_follow_each_other() -> None:
    rows = planned("15:30", "p2"), planned("11:30", "p1")
    assert tie(at_desk(*rows)) == "p1"


def test_who_goes_and_comes_again_is_tied_again_and_an_end_is_not() -> None:
    desk = at_desk(planned("15:00"))
    assert tie(desk) == "p1"
    assert not desk.order("h-1", start=False)
    assert desk.journal[-1].fact(PLAN) is None
    assert tie(desk) == "p1"


def test_a_clock_that_is_not_sure_of_it_ties_nothing() -> None:
    desk = at_desk(planned("15:00"))
    desk.spread_ms = 241 * MINUTE_MS
    assert tie(desk) is None
    desk = at_desk(planned("15:00"))
    desk.spread_ms = 60 * MINUTE_MS
    assert tie(desk) == "p1", "wherever it is in that hour"


def test_what_is_to_be_done_stays_out_of_the_journal() -> None:
    desk = at_desk(planned("15:00"))
    assert tie(desk) == "p1"
    assert "前台" not in str(desk.journal)


def test_a_plan_that_went_ties_nothing() -> None:
    desk = at_desk(planned("15:00"))
    desk.duty.adopt(Rolls(desk.site, roster=roster()))
    assert tie(desk) is None


def test_too_many_are_told_and_the_first_hold() -> None:
    rows = [planned("15:00", f"p{n}") for n in range(MAX_PLANNED + 1)]
    builder = RosterBuilder()
    builder.add(rows)
    [(kind, name, why)] = builder.strays()
    told = (kind, name, why)
    assert told == ("shift", f"p{MAX_PLANNED}", f"there are already {MAX_PLANNED}")
    assert len(builder.build(NOWHERE).tables.plans) == MAX_PLANNED


def test_an_image_keeps_the_plan() -> None:
    rows = planned("15:30", "p2"), planned("11:30", "p1")
    unpacking = Unpacking("0001-aa@1 h")
    for part in pack(roster(*rows).columns, "0001-aa@1 h"):
        unpacking.take(part)
    columns = unpacking.columns()
    assert columns is not None
    assert columns.tables.plans == [rows[1], rows[0]], "the earliest first"
