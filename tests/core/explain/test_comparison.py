# SPDX-License-Identifier: Apache-2.0
"""A dry run: the same file changes nothing, another one exactly what it says."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from edge.core.access.answers import DenyReason
from edge.core.doors.door import DoorMode
from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.explain.comparison import MAX_EXAMPLES, Change, Comparison
from edge.core.explain.retelling import Unknown
from edge.core.order import (
    DutyOrdered,
    EmergencyEndOrdered,
    EmergencyOrdered,
    EntryConfirmed,
)
from edge.core.people.roster_row import PolicyRow
from edge.core.plan import EntryRule, Passback
from edge.core.schedule import Schedule, read_hours
from edge.core.stimulus import ContactChanged, Unreadable
from tests.core.explain.diary import Diary
from tests.core.scene import (
    PEOPLE,
    SITE,
    VOLUNTEER,
    booking,
    clock_ms,
    holder,
    neighbours,
    revocation,
    roster,
)

if TYPE_CHECKING:
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan

B1 = "b1 wang kitchen 14:00-16:00"


def _with_space(site: SitePlan, space: str, **fields: Any) -> SitePlan:
    changed = replace(site.spaces[space], **fields)
    return replace(site, spaces={**site.spaces, space: changed})


def _with_door(site: SitePlan, door: str, **fields: Any) -> SitePlan:
    changed = replace(site.doors[door], **fields)
    return replace(site, doors={**site.doors, door: changed})


def _compared(
    diary: Diary,
    known: Roster,
    after: SitePlan,
    before: SitePlan = SITE,
    from_ms: int = 0,
) -> Comparison:
    comparison = Comparison(before, after, known, from_ms=from_ms)
    for kept in diary.kept:
        comparison.follow(kept)
    return comparison


def _a_scan(known: Roster, at: str = "13:55", who: str = "wang") -> Diary:
    diary = Diary(known)
    diary.at(at)
    diary.scan(who)
    return diary


def test_a_shorter_lead_would_have_refused_who_came_early() -> None:
    known = neighbours(B1)
    after = _with_space(SITE, "kitchen", lead_ms=0)
    found = _compared(_a_scan(known), known, after)
    change = Change(door="kitchen-door", before=None, after=DenyReason.TOO_EARLY)
    assert found.changes == {change: 1}
    [example] = found.examples[change]
    assert (example.rule_before, example.rule_after) == ("booking", "booking")
    assert (found.decisions, found.same, found.unjudged.total()) == (1, 0, 0)


def test_a_walk_in_space_would_have_let_in_a_stranger() -> None:
    known = neighbours()
    after = _with_space(SITE, "kitchen", entry=EntryRule.WALK_IN)
    found = _compared(_a_scan(known, who="nobody"), known, after)
    reason = DenyReason.CREDENTIAL_NOT_FOUND
    change = Change(door="kitchen-door", before=reason, after=None)
    assert found.changes == {change: 1}


def test_opening_hours_would_have_closed() -> None:
    known = neighbours(B1)
    week = read_hours("daily 08:00-12:00")
    hours = Schedule(week=week, utc_offset_ms=SITE.utc_offset_ms)
    after = _with_space(SITE, "kitchen", hours=hours)
    found = _compared(_a_scan(known), known, after)
    assert [change.after for change in found.changes] == [DenyReason.CLOSED]


def test_a_door_for_two_would_have_asked_for_the_second_and_let_both_in() -> None:
    known = neighbours(B1, "b2 li kitchen 14:00-16:00")
    after = _with_door(SITE, "kitchen-door", needs_two_persons=True)
    diary = _a_scan(known)
    diary.go_through()
    diary.scan("li")
    found = _compared(diary, known, after)
    assert [(change.after, count) for change, count in found.changes.items()] == [
        (DenyReason.SECOND_PERSON_NEEDED, 1)
    ]
    assert found.same == 1


@pytest.mark.parametrize("is_left_open", [False, True])
def test_an_interlock_would_have_waited_for_the_partner(*, is_left_open: bool) -> None:
    """Released and not used yet, or used and not closed behind."""
    known = neighbours(B1, "b2 li lounge 14:00-16:00")
    interlock = frozenset({"kitchen-door"})
    after = _with_door(SITE, "lounge-door", interlocked_with=interlock)
    diary = _a_scan(known)
    if is_left_open:
        diary.handle(ContactChanged(door="kitchen-door", is_open=True))
    diary.scan("li", "lounge-in")
    diary.pass_ms(60_000)
    diary.handle(ContactChanged(door="kitchen-door", is_open=False))
    diary.scan("li", "lounge-in")
    found = _compared(diary, known, after)
    reason = DenyReason.DOOR_INTERLOCKED
    change = Change(door="lounge-door", before=None, after=reason)
    assert found.changes == {change: 1}


def test_a_reader_that_is_gone_is_not_judged() -> None:
    known = neighbours(B1)
    points = {n: p for n, p in SITE.access_points.items() if n != "kitchen-in"}
    found = _compared(_a_scan(known), known, replace(SITE, access_points=points))
    assert found.unjudged == {Unknown.NO_SUCH_READER: 1}
    assert not found.changes


def test_what_today_cannot_explain_is_not_judged() -> None:
    diary = _a_scan(neighbours(B1))
    after = _with_space(SITE, "kitchen", lead_ms=0)
    cancelled = neighbours()
    assert _compared(diary, cancelled, after).unjudged == {Unknown.ANOTHER_ANSWER: 1}
    nobody = roster(holder("li"))
    assert _compared(diary, nobody, after).unjudged == {Unknown.HOLDER_GONE: 1}
    diary.erase_all()
    assert _compared(diary, neighbours(B1), after).unjudged == {Unknown.ERASED: 1}


def test_what_could_not_be_read_or_was_only_counted_is_not_judged() -> None:
    known = neighbours()
    diary = Diary(known)
    diary.handle(Unreadable(access_point="kitchen-in", cause="torn"))
    for _ in range(9):
        diary.scan("wang")
        diary.pass_ms(3_100)
    diary.pass_ms(120_000)
    found = _compared(diary, known, SITE)
    assert found.unjudged[Unknown.NOTHING_ASKED] == 1
    assert found.unjudged[Unknown.COUNTED] == 1
    assert found.counted == 9 - found.same


def test_examples_are_bounded_and_the_days_too() -> None:
    known = neighbours("b1 wang kitchen 13:00-16:00 x20")
    after = _with_space(
        SITE, "kitchen", hours=Schedule(week=((),) * 7, utc_offset_ms=0)
    )
    diary = Diary(known)
    diary.at("14:00")
    for _ in range(MAX_EXAMPLES + 2):
        diary.scan("wang")
        diary.go_through()
        diary.pass_ms(10_000)
    found = _compared(diary, known, after)
    [(change, count)] = found.changes.items()
    assert (count, len(found.examples[change])) == (MAX_EXAMPLES + 2, MAX_EXAMPLES)
    later = _compared(diary, known, after, from_ms=clock_ms("14:00:15"))
    assert later.decisions == MAX_EXAMPLES
    revised = _compared(
        diary, known, after, before=replace(SITE, settings_revision="x")
    )
    assert revised.of_other_settings == MAX_EXAMPLES + 2


def _rich_site() -> SitePlan:
    """Return a site that asks for everything that a site can ask for."""
    site = _with_space(
        SITE,
        "kitchen",
        capacity=3,
        passback=Passback.HARD,
        hours=Schedule(
            week=read_hours("daily 08:00-20:00"), utc_offset_ms=SITE.utc_offset_ms
        ),
    )
    site = _with_space(site, "lounge", entry=EntryRule.STAFFED, capacity=4)
    site = _with_door(site, "store-door", needs_two_persons=True)
    interlocked = frozenset({"kitchen-door"})
    return _with_door(site, "lounge-door", interlocked_with=interlocked)


def _rich_roster() -> Roster:
    rows = [holder(name) for name in PEOPLE]
    rows += [holder("sick", is_enabled=False), holder("ma", roles=("MANAGER",))]
    rows.append(holder(VOLUNTEER, roles=("RESIDENT", "VOLUNTEER")))
    told = [
        "b1 wang kitchen 12:00-14:00 x2",
        "b2 li kitchen 13:00-18:00",
        "b3 zhao lounge 12:00-19:00 x4",
        "b4 qian kitchen 15:00-16:00",
    ]
    policies = [
        PolicyRow(policy_id=f"p-{role}", role=role, places=frozenset({"*"}), week=week)
        for role, week in (
            ("VOLUNTEER", read_hours("daily 12:00-17:00")),
            ("MANAGER", None),
        )
    ]
    return roster(*rows, *map(booking, told), *policies, revocation("qian"))


def _live(seed: int) -> Diary:
    """Live through an afternoon of scans, openings, modes and emergencies."""
    random = Random(seed)
    diary = Diary(_rich_roster(), _rich_site())
    people = (*PEOPLE, VOLUNTEER, "ma", "sick", "nobody")
    for _ in range(250):
        diary.pass_ms(random.choice((400, 4_000, 40_000, 200_000)))
        _happen(diary, random, people)
    return diary


def _happen(diary: Diary, random: Random, people: tuple[str, ...]) -> None:
    door = random.choice(("kitchen-door", "lounge-door", "store-door"))
    point = door.replace("-door", "-in")
    state = random.choice(list(EmergencyState))
    match random.randrange(14):
        case 0:
            mode = random.choice((DoorMode.BLOCKED, DoorMode.LOCKED, DoorMode.UNLOCKED))
            diary.mode(door, mode)
        case 1:
            order = EmergencyOrdered(state=state, actor="chen", reason="a try")
            diary.handle(order)
        case 2 | 3:
            for each in EmergencyState:
                diary.handle(
                    EmergencyEndOrdered(state=each, actor="chen", reason="over")
                )
        case 4:
            holder_id, is_start = f"holder-{VOLUNTEER}", random.random() < 0.6
            diary.handle(DutyOrdered(holder=holder_id, is_start=is_start, actor="chen"))
        case 5:
            diary.handle(EntryConfirmed(access_point=point, actor="chen"))
        case 6 if random.random() < 0.2:
            diary.restart()
        case _:
            diary.scan(random.choice(people), point)
            if random.random() < 0.6 and door != "store-door":
                diary.go_through(door)


@pytest.mark.parametrize("seed", range(1, 13))
def test_what_was_decided_is_decided_again_from_its_events(seed: int) -> None:
    """The whole scene is in the events: the same file changes nothing at all."""
    diary, known, site = _live(seed), _rich_roster(), _rich_site()
    found = _compared(diary, known, site, before=site)
    assert not found.changes
    assert found.unjudged[Unknown.ANOTHER_ANSWER] == 0
    assert found.same > 20


def test_a_walk_meets_many_reasons() -> None:
    """The seeds above would prove little if hardly anything happened."""
    reasons = {
        kept.event.fact("reason")
        for seed in range(1, 13)
        for kept in _live(seed).kept
        if kept.event.kind is EventKind.ACCESS_DENIED
    }
    assert len(reasons) > 12, reasons


def test_a_file_that_has_lost_rooms_and_lockers_still_judges_the_rest() -> None:
    """Events of what is no longer there pass it by."""
    site, diary = _rich_site(), _live(3)
    for point in ("hall-in", "yard-in", "aid", "desk"):
        diary.scan(VOLUNTEER, point)
        diary.pass_ms(10_000)
    kept = {n: p for n, p in site.access_points.items() if p.door_id == "kitchen-door"}
    small = replace(
        site,
        spaces={"kitchen": site.spaces["kitchen"]},
        doors={"kitchen-door": site.doors["kitchen-door"]},
        access_points=kept,
        banks={},
    )
    found = _compared(diary, _rich_roster(), small, before=site)
    assert found.unjudged[Unknown.NO_SUCH_READER] > 0
    assert found.same > 0
    assert {change.door for change in found.changes} <= {"kitchen-door"}
