# SPDX-License-Identifier: Apache-2.0
"""Of several things that would help, the nearest: what a refused person is told.

The law of the module: it never lets anybody in. Another room now goes before this one
later, this one later before one that is over; all times are the person's own.
Source: ARCHITECTURE.md, "The decision", rule 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, person_of
from edge.core.moment import ClockVerdict
from edge.core.schedule import local_day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.plan import SitePlan
    from edge.core.schedule import Schedule

#: Of two remedies that begin at the same time, either will do: a booking or a policy.
_Remedy = tuple[int, "Booking | None"]


def verdict(booking: Booking, site: SitePlan, now: Moment) -> ClockVerdict:
    """Judge now against a booking with its space's lead and grace."""
    space = site.spaces[booking.space_id]
    start_ms = booking.from_ms - space.lead_ms
    return now.against(start_ms, booking.to_ms + space.grace_ms)


def nearest_remedy(
    asked: tuple[str, Cardholder, str],
    bookings: Iterable[Booking],
    site: SitePlan,
    now: Moment,
    schedules: Iterable[Schedule] = (),
) -> Denied:
    """Tell what would help most: the other room, the next slot, or booking again.

    ``asked`` are the rule that refuses, the holder and the space; ``bookings`` those
    of the holder that are of the kind asked for, earliest first; ``schedules`` those
    of his policies here, of which only today counts.
    """
    rule, holder, space_id = asked
    known = [booking for booking in bookings if booking.space_id in site.spaces]
    verdicts = [(verdict(booking, site, now), booking) for booking in known]

    def denied(reason: DenyReason, booking: Booking | None, facts: Facts) -> Denied:
        person = person_of(holder, booking)
        return Denied(rule=rule, reason=reason, person=person, facts=facts)

    for judged, booking in verdicts:
        if judged is ClockVerdict.INSIDE:
            elsewhere: Facts = (("space", booking.space_id),)
            return denied(DenyReason.WRONG_SPACE, booking, elsewhere)
    here = [(v, b) for v, b in verdicts if b.space_id == space_id]
    hours = tuple(schedules)
    lead_ms = site.spaces[space_id].lead_ms
    starts: list[_Remedy] = [
        (booking.from_ms - lead_ms, booking)
        for judged, booking in here
        if judged is ClockVerdict.BEFORE
    ]
    starts += [(ms, None) for ms in _starts_today(hours, site, now)]
    if starts:
        from_ms, next_one = min(starts, key=_when)
        return denied(DenyReason.TOO_EARLY, next_one, (("from_ms", from_ms),))
    ends: list[_Remedy] = [
        (booking.to_ms, booking)
        for judged, booking in here
        if judged is ClockVerdict.AFTER and _is_today(booking.to_ms, site, now)
    ]
    ends += [(ms, None) for each in hours if (ms := each.last_end_ms(now.earliest_ms))]
    if ends:
        to_ms, last_one = max(ends, key=_when)
        return denied(DenyReason.TOO_LATE, last_one, (("to_ms", to_ms),))
    return Denied(rule=rule, reason=DenyReason.UNAUTHORIZED, person=person_of(holder))


def _when(remedy: _Remedy) -> int:
    return remedy[0]


def _starts_today(
    hours: tuple[Schedule, ...], site: SitePlan, now: Moment
) -> list[int]:
    today = local_day(now.earliest_ms, site.utc_offset_ms)
    starts = [each.next_start_ms(now.earliest_ms, until_day=today) for each in hours]
    return [start_ms for start_ms in starts if start_ms is not None]


def _is_today(utc_ms: int, site: SitePlan, now: Moment) -> bool:
    offset_ms = site.utc_offset_ms
    return local_day(utc_ms, offset_ms) == local_day(now.earliest_ms, offset_ms)
