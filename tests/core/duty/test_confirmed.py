# SPDX-License-Identifier: Apache-2.0
"""What the platform's feed confirms of a shift becomes one event, whatever comes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge.core.duty.shift import ShiftState
from edge.core.people.rolls import Rolls
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import parse_row
from edge.core.people.shift_row import MAX_SHIFT_ROWS, ShiftRow
from tests.core.duty.desk import Desk

if TYPE_CHECKING:
    from edge.core.event import Event


@pytest.fixture
def desk() -> Desk:
    return Desk()


def worked(desk: Desk, who: str = "h-1", hours: float = 1.5) -> int:
    """Let a shift begin and end; return the number of its beginning."""
    assert not desk.order(who)
    begun = desk.journal[-1].seq
    desk.wait(hours)
    assert not desk.order(who, start=False)
    return begun


def word(begun: Event, minutes: int, number: int = 1, **more: str) -> ShiftRow:
    """Return the platform's word on the shift that began with an event."""
    body = {
        "holder": begun.person.holder,
        "boot": begun.moment.boot,
        "began": begun.moment.monotonic_ms,
        "minutes": minutes,
        "by": "李社工",
        "at": 1_760_000_000_000,
        "number": number,
        **more,
    }
    row = parse_row("shift", f"e:{begun.seq}", body)
    assert isinstance(row, ShiftRow)
    return row


def adopt(desk: Desk, *rows: ShiftRow) -> list[Event]:
    """Let a feed come, and the ticks behind it; return what was told."""
    before = len(desk.journal)
    builder = RosterBuilder()
    builder.add(rows)
    rolls = Rolls(desk.site, roster=builder.build(Cursor("0001-aa", 1)))
    desk.duty.adopt(rolls)
    for _ in range(1 + len(rows)):
        desk.tick()
    return desk.journal[before:]


def begun_at(desk: Desk, seq: int) -> Event:
    return next(event for event in desk.journal if event.seq == seq)


def test_a_word_is_told_once_and_points_are_confirmed(desk: Desk) -> None:
    seq = worked(desk)
    row = word(begun_at(desk, seq), 60, reason="他提早离开")
    month = "2026-03"
    assert (desk.duty.points("h-1", month), desk.duty.shifts[seq].minutes) == (1, 90)
    assert desk.duty.points("h-1", month, confirmed=True) == 0
    [told] = adopt(desk, row)
    facts = dict(told.facts)
    assert (told.kind, told.person.holder) == ("DUTY_CONFIRMED", "h-1")
    assert facts == {
        "actor": "李社工",
        "cause": seq,
        "confirmation": 1,
        "minutes": 60,
        "reason": "他提早离开",
        "was": 90,
    }
    assert desk.duty.shifts[seq].state is ShiftState.CONFIRMED
    assert desk.duty.points("h-1", month, confirmed=True) == 1
    assert adopt(desk, row) == []
    for cut in range(4):
        desk.restart(cut=cut)
        assert adopt(desk, row) == []


def test_a_correction_is_an_event_of_its_own(desk: Desk) -> None:
    begun = begun_at(desk, worked(desk))
    adopt(desk, word(begun, 90))
    [told] = adopt(desk, word(begun, 30, 2, reason="doubled by mistake"))
    assert (told.fact("minutes"), told.fact("was")) == (30, 90)
    assert adopt(desk, word(begun, 90)) == [], "an older word changes nothing"
    assert desk.duty.shifts[begun.seq].minutes == 30


def test_a_correction_here_stands_until_the_platform_speaks_again(desk: Desk) -> None:
    begun = begun_at(desk, worked(desk))
    adopt(desk, word(begun, 90))
    assert not desk.correct(begun.seq, 45)
    assert adopt(desk, word(begun, 90)) == []
    assert desk.duty.shifts[begun.seq].state is ShiftState.CORRECTED
    [told] = adopt(desk, word(begun, 45, 2, reason="as corrected at the desk"))
    assert told.fact("minutes") == 45


def test_a_shift_that_runs_is_confirmed_once_it_has_ended(desk: Desk) -> None:
    assert not desk.order("h-1")
    begun = desk.journal[-1]
    assert adopt(desk, word(begun, 60)) == []
    assert desk.duty.deadline() != 0.0, "nothing to do is no reason to spin"
    desk.wait(1.0)
    assert not desk.order("h-1", start=False)
    desk.tick()
    assert desk.journal[-1].kind == "DUTY_CONFIRMED"


def test_a_new_epoch_finds_the_shift_by_its_beginning(desk: Desk) -> None:
    seq = worked(desk)
    begun = begun_at(desk, seq)
    desk.duty.renumber(-100)
    [told] = adopt(desk, word(begun, 90))
    assert told.fact("cause") == seq - 100


def test_other_boots_other_people_and_unknown_shifts_are_passed_over(
    desk: Desk,
) -> None:
    begun = begun_at(desk, worked(desk))
    row = word(begun, 90)
    strange = [
        replace(row, holder_id="h-2"),
        replace(row, boot="boot-0"),
        replace(row, began_m=1),
    ]
    assert adopt(desk, *strange) == []


def test_a_month_is_taken_in_slices(desk: Desk) -> None:
    begun = [begun_at(desk, worked(desk, f"h-{n}", 0.1)) for n in range(50)]
    rolls_before = len(desk.journal)
    told = adopt(desk, *(word(each, 5) for each in begun))
    assert len(told) == 50
    assert len({event.fact("cause") for event in told}) == 50
    desk.duty.adopt(Rolls(desk.site))
    assert len(desk.journal) == rolls_before + 50


def test_more_rows_than_there_is_room_for_are_told() -> None:
    builder = RosterBuilder()
    desk = Desk()
    row = word(begun_at(desk, worked(desk)), 1)
    builder.add([row] * (MAX_SHIFT_ROWS + 1))
    assert [kind for kind, *_ in builder.strays()] == ["shift"]


def test_everybodys_points_are_told_with_how_many_are_sure(desk: Desk) -> None:
    first = begun_at(desk, worked(desk, "h-1", 2.0))
    worked(desk, "h-2", 1.0)
    month = "2026-03"
    assert desk.duty.all_points(month) == (3, 0)
    adopt(desk, word(first, 110))
    assert desk.duty.all_points(month) == (2, 1)
    assert desk.duty.all_points("2026-04") == (0, 0)
