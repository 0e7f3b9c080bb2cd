# SPDX-License-Identifier: Apache-2.0
"""One stay in a space: whose, how many came in under it, and until when it counts.

The law of the module: values and pure functions; a stay lasts until somebody is seen
to leave, or until the moment at which it is surely over. Durations within one boot
are monotonic, over a restart they are of UTC and say so where that was unsure.
Source: docs/spaces.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.event import NOBODY, Person
from edge.core.moment import Moment
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from edge.core.plan import SitePlan, SpacePlan


class Ending(StrEnum):
    """How a visit came to its end."""

    EXIT = "exit"
    BOOKING_END = "booking_end"
    WALK_IN_OVER = "walk_in_over"
    CLOSING = "closing"
    #: A volunteer looked and found nobody.
    COUNTED = "counted"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Those inside under one holder and booking; nameless without either.

    ``entries`` are scans that no exit has answered yet, ``persons`` whom they let in.
    ``peak`` is the most persons at a time. ``end_ms``: the end that the grant told, of
    a booking or a ticket; 0 for none. ``cause`` is the seq of the newest entry, at
    ``seen_ms``; ``visit`` that of VISIT_STARTED, 0 until it is told. ``is_soft``:
    somebody left unrecognised since, perhaps this holder. ``away``: so many of the
    persons may have left so, or came in with the party and do not belong to it.
    """

    person: Person
    persons: int
    entries: int
    peak: int
    since: Moment
    seen_ms: int
    end_ms: int
    cause: int
    visit: int = 0
    is_soft: bool = False
    how: Ending = Ending.EXIT
    away: int = 0

    @property
    def is_named(self) -> bool:
        """Whether it is somebody's, and so a visit."""
        return self.person != NOBODY


def leaves(
    site: SitePlan, plan: SpacePlan, stay: Stay, booked_until_ms: int
) -> tuple[int, Ending]:
    """Return when (UTC ms) a stay that nobody was seen to end is over, and how.

    ``booked_until_ms``: the end of its booking as it is known now, 0 without one.
    """
    closes_ms = closing_ms(site, plan, stay.seen_ms, booked_until_ms)
    if plan.has_exit_reader:
        return closes_ms, Ending.CLOSING
    if booked_until_ms == 0:
        over_ms, how = stay.seen_ms + plan.walk_in_ms, Ending.WALK_IN_OVER
    else:
        # Who came in during the grace has what is left of it.
        is_late = stay.seen_ms >= booked_until_ms
        over_ms = booked_until_ms + plan.grace_ms * is_late
        how = Ending.BOOKING_END
    return (over_ms, how) if over_ms <= closes_ms else (closes_ms, Ending.CLOSING)


def closing_ms(
    site: SitePlan, plan: SpacePlan, seen_ms: int, booked_until_ms: int
) -> int:
    """Return when everybody who came in by ``seen_ms`` counts as gone.

    The end of the space's own hours; without hours the site's closing time, but not
    before a booking that runs over it has ended.
    """
    closes_ms = plan.hours.closing_ms(seen_ms) if plan.hours else None
    if closes_ms is not None:
        return closes_ms
    local_ms = seen_ms + site.utc_offset_ms - site.closing_min * MINUTE_MS
    return max(seen_ms + DAY_MS - local_ms % DAY_MS, booked_until_ms)


def lasted_ms(since: Moment, now: Moment, over_ms: int | None = None) -> int:
    """Return how long it lasted, until ``over_ms`` (UTC) where that lies behind."""
    if since.boot == now.boot:
        elapsed_ms = kept_ms(now) - kept_ms(since)
    else:
        elapsed_ms = now.earliest_ms - since.earliest_ms
    overrun_ms = 0 if over_ms is None else max(0, now.earliest_ms - over_ms)
    return max(0, elapsed_ms - overrun_ms)


def is_unsure(since: Moment, now: Moment) -> bool:
    """Say whether a duration rests on a clock that was unsure by a minute or more."""
    widest_ms = max(each.latest_ms - each.earliest_ms for each in (since, now))
    return since.boot != now.boot and widest_ms >= MINUTE_MS


def kept_ms(moment: Moment) -> int:
    """Return the monotonic time as the journal keeps it, live and read back."""
    # Read back, 1.001 s times 1,000 falls short of 1,001 by a rounding.
    return int(moment.monotonic_s * 1000 + 0.001)


def kept(moment: Moment) -> Moment:
    """Return a moment as the journal gives it back, so that a replay is the same."""
    return Moment(
        monotonic_s=kept_ms(moment) / 1000,
        earliest_ms=moment.earliest_ms,
        latest_ms=moment.latest_ms,
        boot=moment.boot,
    )


def dump_moment(moment: Moment) -> list[int | str]:
    """Return a moment as JSON values."""
    return [kept_ms(moment), moment.earliest_ms, moment.latest_ms, moment.boot]


def load_moment(told: list[int | str]) -> Moment:
    """Take what :func:`dump_moment` returned."""
    monotonic_ms, earliest_ms, latest_ms, boot = told
    return Moment(
        monotonic_s=int(monotonic_ms) / 1000,
        earliest_ms=int(earliest_ms),
        latest_ms=int(latest_ms),
        boot=str(boot),
    )


def dump_person(person: Person) -> list[str]:
    """Return a person as JSON values."""
    return [person.holder or "", person.booking or "", person.ticket or ""]


def load_person(told: list[str]) -> Person:
    """Take what :func:`dump_person` returned."""
    holder, booking, ticket = (name or None for name in told)
    return Person(holder=holder, booking=booking, ticket=ticket)
