# SPDX-License-Identifier: Apache-2.0
"""A space's terms: the platform narrows what the site file allows, and no more."""

from __future__ import annotations

import itertools
import random

import pytest

from edge.core.moment import ClockVerdict, Moment
from edge.core.people.community_rows import ScheduleRow, SpaceRow
from edge.core.people.terms import narrowed
from edge.core.plan import EntryRule, SitePlan, SpacePlan
from edge.core.schedule import MINUTE_MS, Schedule, read_hours

DAY_MS = 86_400_000
#: A Monday, local midnight.
MONDAY_MS = 1_795_363_200_000
OFFSET_MS = 8 * 3_600_000


def site(hours: str | None = None, **terms: object) -> SitePlan:
    schedule = None
    if hours is not None:
        schedule = Schedule(week=read_hours(hours), utc_offset_ms=OFFSET_MS)
    space = SpacePlan(
        space_id="hall",
        lead_ms=0,
        grace_ms=0,
        hours=schedule,
        **terms,  # type: ignore[arg-type]
    )
    return SitePlan(
        site_id="s",
        spaces={"hall": space},
        doors={},
        access_points={},
        settings_revision="r",
    )


def hours_of(told: str, **more: object) -> ScheduleRow:
    week = read_hours(told) if told else None
    return ScheduleRow(schedule_id="s", space_id="hall", week=week, **more)  # type: ignore[arg-type]


def is_open(schedule: Schedule | None, at_ms: int) -> bool:
    now = Moment(monotonic_s=0.0, earliest_ms=at_ms, latest_ms=at_ms, boot="b")
    return schedule is None or schedule.against(now) is ClockVerdict.INSIDE


@pytest.mark.parametrize(
    ("own", "told", "holds"), [(0, 20, 20), (30, 20, 20), (20, 30, 20), (20, 0, 20)]
)
def test_the_smaller_capacity_counts(own: int, told: int, holds: int) -> None:
    rows = [SpaceRow(space_id="hall", name="厅", capacity=told)]
    assert narrowed(site(capacity=own), rows, [])["hall"].capacity == holds


def test_a_shelter_holds_whom_the_file_says() -> None:
    rows = [SpaceRow(space_id="hall", name="厅", capacity=1)]
    for own, shelter in ((30, 90), (30, 0), (0, 0)):
        plan = site(capacity=own, shelter_capacity=shelter)
        kept = narrowed(plan, rows, [])["hall"]
        assert (kept.shelter_capacity or kept.capacity) >= (shelter or own or 1_000)


@pytest.mark.parametrize(("own", "told"), [*itertools.product(EntryRule, EntryRule)])
def test_no_way_in_is_added(own: EntryRule, told: EntryRule) -> None:
    rows = [SpaceRow(space_id="hall", name="厅", entry=told.value)]
    plan = narrowed(site(entry=own), rows, [])["hall"]
    strict = [EntryRule.BOOKING, EntryRule.STAFFED, EntryRule.WALK_IN]
    assert plan.entry is strict[min(strict.index(own), strict.index(told))]


def test_what_is_not_of_the_site_has_no_effect() -> None:
    plan = site(capacity=9)
    rows = [SpaceRow(space_id="other", name="厅", capacity=1)]
    hours = [ScheduleRow(schedule_id="s", space_id="other", week=((),) * 7)]
    assert narrowed(plan, rows, hours) == plan.spaces


@pytest.mark.parametrize("seed", range(30))
def test_it_is_open_where_both_are_and_nowhere_else(seed: int) -> None:
    chance = random.Random(seed)

    def some() -> str:
        parts = []
        for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"):
            if chance.random() < 0.8:
                start = chance.randrange(0, 24)
                end = min(48, start + chance.randint(1, 24))
                parts.append(f"{day} {start:02}:00-{end:02}:00")
        return "; ".join(parts) or "mon 08:00-09:00"

    own, told = some(), some()
    closed = (MONDAY_MS // DAY_MS + 1 + chance.randrange(7),)
    both = narrowed(site(own), [], [hours_of(told, closed=closed)])["hall"].hours
    file = site(own).spaces["hall"].hours
    row = Schedule(
        week=read_hours(told),
        utc_offset_ms=OFFSET_MS,
        holidays={closed[0]: ()},
    )
    for minute in range(0, 9 * 24 * 60, 30):
        at_ms = MONDAY_MS + minute * MINUTE_MS
        expected = is_open(file, at_ms) and is_open(row, at_ms)
        assert is_open(both, at_ms) is expected, (own, told, closed, minute)


def test_hours_where_the_file_has_none_and_closed_days_alone() -> None:
    day = MONDAY_MS // DAY_MS + 1
    noon_ms = MONDAY_MS + 12 * 60 * MINUTE_MS
    opened = narrowed(site(), [], [hours_of("mon 08:00-10:00")])["hall"].hours
    assert not is_open(opened, noon_ms)
    closed = narrowed(site(), [], [hours_of("", closed=(day,))])["hall"].hours
    assert not is_open(closed, noon_ms)
    assert is_open(closed, noon_ms + DAY_MS)


def test_two_rows_about_a_space_both_count() -> None:
    rows = [hours_of("daily 08:00-12:00"), hours_of("daily 11:00-15:00")]
    hours = narrowed(site(), [], rows)["hall"].hours
    opened = [
        hour for hour in range(24) if is_open(hours, MONDAY_MS + hour * 60 * MINUTE_MS)
    ]
    assert opened == [11]
