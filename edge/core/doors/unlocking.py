# SPDX-License-Identifier: Apache-2.0
"""Scheduled unlocking: when a door is free by its hours, and when not.

The law of the module: only a clock that is surely inside an opening unlocks, and a
door is locked again as soon as that is no longer sure. An order for LOCKED or
UNLOCKED goes before the schedule until its next change; BLOCKED, LOCKED_DOWN and
LOCKED_OPEN end by hand alone, or a door blocked in the evening would stand free in
the morning. An UNLOCKED to which somebody gave an end goes before the schedule until
then, and is over as soon as that time may be over, on any door.
Source: docs/doors.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.doors.door import DoorMode
from edge.core.moment import UNBOUNDED_MS, ClockVerdict
from edge.core.schedule import DAY_MS, SEARCH_DAYS

if TYPE_CHECKING:
    from edge.core.doors.intents import Intent
    from edge.core.moment import Moment
    from edge.core.order import ModeOrdered
    from edge.core.plan import SitePlan
    from edge.core.schedule import Schedule, Window

#: Orders that a schedule may follow upon.
YIELDING_MODES = frozenset({DoorMode.LOCKED, DoorMode.UNLOCKED})
#: Nobody lets a door stand free for longer without looking at it again.
MAX_TIMED_MS = DAY_MS
#: The clock may be set right meanwhile, so an order's end is asked for after so long;
ASK_AGAIN_S = 60.0
#: and after so long where somebody who is just being let through delays it.
TRY_AGAIN_S = 5.0


class OpenHours:
    """One schedule, looked up anew only when the clock has left what was looked up."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._opening: Window | None = None
        self._from_ms = self._to_ms = 0
        self._is_settled = False

    def opening(self, now: Moment) -> Window | None:
        """Return the opening in which now surely lies."""
        if not self._is_steady(now):
            self._opening = self._surely_inside(now)
            closing_ms = self._schedule.closing_ms(now.earliest_ms)
            self._is_settled = self._opening is not None or closing_ms is None
            self._from_ms = now.earliest_ms
            self._to_ms = self._asked_again_ms(now.earliest_ms)
        return self._opening

    def change_in_s(self, now: Moment) -> float:
        """Return in how many seconds :meth:`opening` may answer otherwise."""
        bound_ms = now.earliest_ms if self._opening is None else now.latest_ms
        return (self._to_ms - bound_ms) / 1000

    def change_ms(self, now_ms: int) -> int:
        """Return when the schedule changes next after ``now_ms``, as far as is seen."""
        closing_ms = self._schedule.closing_ms(now_ms)
        change_ms = closing_ms or self._schedule.next_start_ms(now_ms)
        return change_ms or UNBOUNDED_MS

    def _asked_again_ms(self, now_ms: int) -> int:
        if self._opening is not None:
            return self._opening[1]
        return min(self.change_ms(now_ms), now_ms + SEARCH_DAYS * DAY_MS)

    def _is_steady(self, now: Moment) -> bool:
        is_inside = self._opening is not None
        bound_ms = now.latest_ms if is_inside else now.earliest_ms
        is_within = self._from_ms <= now.earliest_ms and bound_ms < self._to_ms
        return is_within and self._is_settled

    def _surely_inside(self, now: Moment) -> Window | None:
        if now.latest_ms >= UNBOUNDED_MS:
            return None
        openings = self._schedule.openings(now.earliest_ms, now.latest_ms)
        inside = ClockVerdict.INSIDE
        return next((o for o in openings if now.against(*o) is inside), None)


class Unlocking:
    """What ends by the clock: schedules and orders, and when each is asked again."""

    def __init__(self, site: SitePlan) -> None:
        self._doors = site.doors
        self._hours = {
            door_id: OpenHours(plan.unlock)
            for door_id, plan in site.doors.items()
            if plan.unlock is not None
        }
        # Asked at the first opportunity: what fell due before the start is settled.
        self._due_s = dict.fromkeys(self._hours, 0.0)

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors that have a schedule, or an order with an end."""
        return tuple(self._due_s)

    def deadline(self) -> float | None:
        """Return the monotonic second at which a door is to be asked again."""
        return min(self._due_s.values()) if self._due_s else None

    def order_until_ms(self, door_id: str, now: Moment) -> int:
        """Return until when (UTC) an order goes before the schedule; 0: has none."""
        hours = self._hours.get(door_id)
        return 0 if hours is None else hours.change_ms(now.earliest_ms)

    @staticmethod
    def flaw(order: ModeOrdered, now: Moment) -> str:
        """Return why an order cannot end when it should, "" if it can."""
        if not order.until_ms:
            return ""
        if order.mode is not DoorMode.UNLOCKED:
            return f"{order.mode} has no end, only UNLOCKED can have one"
        if now.latest_ms >= UNBOUNDED_MS:
            return "the clock is not sure, nobody knows when it would end"
        if not now.latest_ms < order.until_ms <= now.earliest_ms + MAX_TIMED_MS:
            return "it has to end within a day from now"
        return ""

    def watch(self, door_id: str, intent: Intent) -> None:
        """See to the end of a door's order, if it has one."""
        if intent.ends_ms:
            self._due_s[door_id] = 0.0

    def heed(
        self, door_id: str, intent: Intent, now: Moment, *, is_staffed: bool = False
    ) -> Intent:
        """Return the intent that the clock makes of a door's intent now.

        ``is_staffed``: a volunteer has just come in by this door.
        """
        hours = self._hours.get(door_id)
        if hours is None and not intent.ends_ms:
            self._due_s.pop(door_id, None)
            return intent
        opening = None if hours is None else hours.opening(now)
        # An order ends where the schedule changes, so it needs no look of its own.
        change_s = ASK_AGAIN_S if hours is None else hours.change_in_s(now)
        if intent.ends_ms:
            left_s = (intent.ends_ms - now.latest_ms) / 1000
            change_s = min(change_s, ASK_AGAIN_S, left_s if left_s > 0 else TRY_AGAIN_S)
        self._due_s[door_id] = now.monotonic_s + change_s
        if _stands(intent, now) or intent.ordered not in YIELDING_MODES:
            return intent
        is_awaited = self._doors[door_id].first_person_in and not is_staffed
        if opening and not (is_awaited and intent.opened_until_ms != opening[1]):
            return intent if intent.is_unlocked else intent.unlock(opening[1])
        return intent.relock() if intent.own is DoorMode.UNLOCKED else intent


def _stands(intent: Intent, now: Moment) -> bool:
    """Say whether an order still goes before the schedule."""
    if intent.ends_ms:
        return now.latest_ms < intent.ends_ms
    return now.earliest_ms < intent.ordered_until_ms
