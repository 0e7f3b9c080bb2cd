# SPDX-License-Identifier: Apache-2.0
"""A space's terms as the site file allows them and the platform narrows them.

The law of the module: whatever the platform says, nothing is wider than in the site
file: no hour, no place and no way in is added. What the file leaves open (no capacity,
no hours) may be set. Emergencies, exits, lead, grace, fares and locks are the file's
alone. Two rows about one space both count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.core.plan import EntryRule
from edge.core.schedule import DAY_MIN, Schedule, Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edge.core.people.community_rows import ScheduleRow, SpaceRow
    from edge.core.plan import SitePlan, SpacePlan

#: Of a shelter whose site file knows none: more people than any room holds.
NO_LIMIT = 1_000_000
#: From the strictest to the widest.
_STRICTER = (EntryRule.BOOKING, EntryRule.STAFFED, EntryRule.WALK_IN)
_ALWAYS: tuple[tuple[Window, ...], ...] = (((0, DAY_MIN),),) * 7
#: A window begins this many days before the one that is asked about, at the earliest.
_BEFORE_DAYS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Within(Schedule):
    """Hours that hold where those of ``outer`` do, too."""

    outer: Schedule

    def _ever(self) -> bool:
        return Schedule._ever(self) and self.outer._ever()  # noqa: SLF001

    def _windows(self, first: int, last: int) -> Iterator[Window]:
        """Yield what both have in common, by the day on which that begins."""
        own = list(_merged(Schedule._windows(self, first - _BEFORE_DAYS, last + 1)))  # noqa: SLF001
        outer = list(
            _merged(self.outer._windows(first - _BEFORE_DAYS, last + 1))  # noqa: SLF001
        )
        for start_ms, end_ms in own:
            for from_ms, to_ms in outer:
                low, high = max(start_ms, from_ms), min(end_ms, to_ms)
                if low < high and first <= self.day(low) <= last:
                    yield low, high


def narrowed(
    site: SitePlan, spaces: Sequence[SpaceRow], schedules: Sequence[ScheduleRow]
) -> Mapping[str, SpacePlan]:
    """Return the site's spaces on the terms that hold."""
    terms = dict(site.spaces)
    for row in spaces:
        if row.space_id in terms:
            terms[row.space_id] = _under(terms[row.space_id], row)
    for hours in schedules:
        if hours.space_id in terms:
            plan = terms[hours.space_id]
            terms[hours.space_id] = _during(plan, hours, site.utc_offset_ms)
    return terms


def _under(plan: SpacePlan, row: SpaceRow) -> SpacePlan:
    capacity = plan.capacity
    if row.capacity:
        capacity = min(row.capacity, plan.capacity or row.capacity)
    # A shelter holds whom the file says, whatever the platform thinks of the room.
    shelter = plan.shelter_capacity or plan.capacity or NO_LIMIT
    entry = plan.entry
    if row.entry:
        entry = min(entry, EntryRule(row.entry), key=_STRICTER.index)
    return replace(plan, capacity=capacity, shelter_capacity=shelter, entry=entry)


def _during(plan: SpacePlan, row: ScheduleRow, utc_offset_ms: int) -> SpacePlan:
    closed: dict[int, tuple[Window, ...]] = dict.fromkeys(row.closed, ())
    week = _ALWAYS if row.week is None else row.week
    if plan.hours is None:
        hours = Schedule(week=week, utc_offset_ms=utc_offset_ms, holidays=closed)
    else:
        hours = Within(
            week=week, utc_offset_ms=utc_offset_ms, holidays=closed, outer=plan.hours
        )
    return replace(plan, hours=hours)


def _merged(windows: Iterator[Window]) -> Iterator[Window]:
    held: Window | None = None
    for start_ms, end_ms in sorted(windows):
        if held is not None and start_ms <= held[1]:
            held = (held[0], max(held[1], end_ms))
            continue
        if held is not None:
            yield held
        held = (start_ms, end_ms)
    if held is not None:
        yield held
