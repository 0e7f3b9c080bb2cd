# SPDX-License-Identifier: Apache-2.0
"""How long a visit may be said to have lasted, by how it ended.

The law of the module: who was seen to leave, until then; else to the end that the
text names: the booking's or the ticket's (with the grace, for whoever came in it), so
long after a walk-in's last entry, or closing time.
Source: ARCHITECTURE.md, ruling 9; docs/spaces.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.durations import fits, unsure_ms

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.plan import SitePlan, SpacePlan

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How it was told: ``began``, its newest entry ``last``, ``closed``.

    ``booked_until_ms`` is the end of what it was made by, None for a walk-in.
    """

    began: Told
    last: Told
    closed: Told
    booked_until_ms: int | None


def visit_minutes_fit(site: SitePlan, space: SpacePlan, visit: Visit) -> bool:
    """Say whether the minutes of a VISIT_CLOSED may be right."""
    began, last, closed = visit.began, visit.last, visit.closed
    minutes = closed.event.fact("minutes")
    blur_ms = unsure_ms(began, closed)
    if closed.event.fact("how") in ("exit", "emergency", "counted"):
        return fits(minutes, closed.true_ms - began.true_ms, blur_ms)
    by_seq = {told.seq: told.event.moment for told in (began, last, closed)}
    blur_ms += sum(each.latest_ms - each.earliest_ms for each in by_seq.values())
    lasted = [
        min(end, closed.true_ms) - began.true_ms for end in _ends(site, space, visit)
    ]
    return any(fits(minutes, each_ms, blur_ms) for each_ms in lasted)


def _ends(site: SitePlan, space: SpacePlan, visit: Visit) -> list[int]:
    """Return the instants to which it may have been counted."""
    closed, until_ms = visit.closed, visit.booked_until_ms
    match closed.event.fact("how"):
        case "walk_in_over":
            return [visit.last.true_ms + space.walk_in_ms]
        case "booking_end" if until_ms is not None:
            return [until_ms, until_ms + space.grace_ms]
        case "closing":
            return _closings(site, space, visit.began.true_ms, closed.true_ms)
        case _:
            return [closed.true_ms]


def _closings(site: SitePlan, space: SpacePlan, from_ms: int, to_ms: int) -> list[int]:
    """Return closing times of site and space between two instants, and the last."""
    found = [to_ms]
    first_day = (from_ms + site.utc_offset_ms) // _DAY_MS
    last_day = (to_ms + site.utc_offset_ms) // _DAY_MS
    for day in range(first_day - 1, last_day + 1):
        midnight_ms = day * _DAY_MS - site.utc_offset_ms
        found.append(midnight_ms + site.closing_min * _MINUTE_MS)
        if space.hours is not None:
            windows = space.hours.holidays.get(day, space.hours.week[(day + 3) % 7])
            found += [midnight_ms + end * _MINUTE_MS for _, end in windows]
    return [each for each in found if from_ms < each <= to_ms]
