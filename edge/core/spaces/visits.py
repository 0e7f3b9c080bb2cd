# SPDX-License-Identifier: Apache-2.0
"""Visits told: begun with an entry, closed once, with their minutes and their fare.

The law of the module: it tells what follows from who is inside and from the time, and
changes nothing itself; its events do. A visit closes when somebody was seen to leave,
else when its time is surely over. While people shelter or a fire is on, nobody leaves
by the clock: the count may be all that the fire brigade has.
Source: docs/spaces.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind
from edge.core.plan import MINUTE_MS, FareKind
from edge.core.spaces.fares import EXEMPT, fare, local_month
from edge.core.spaces.stay import Ending, is_unsure, lasted_ms, leaves

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan, SpacePlan
    from edge.core.spaces.presence import Listing, Presence
    from edge.core.spaces.quotas import Quotas
    from edge.core.spaces.stay import Stay

#: In these nobody counts as gone because of the time alone.
STAYING = frozenset({EmergencyState.FIRE, EmergencyState.SHELTER})


class Standing(Protocol):
    """The emergencies that stand (``edge.core.emergency``)."""

    @property
    def standing(self) -> Collection[EmergencyState]:
        """All of them."""


class Visits:
    """Tells visits and, of those without a name, the count that is left."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        presence: Presence,
        quotas: Quotas,
        *,
        rolls: Listing,
        emergency: Standing,
    ) -> None:
        self._site = site
        self._out = out
        self._presence = presence
        self._quotas = quotas
        self._rolls = rolls
        self._emergency = emergency

    def settle(self, now: Moment) -> None:
        """Tell what has begun and what is over."""
        for space_id, plan in self._site.spaces.items():
            for stay in self._presence.stays(space_id):
                if stay.is_named:
                    self._settle(plan, stay, now)
            self._dismiss(plan, now)

    def due_ms(self) -> int | None:
        """Return when (UTC ms) the next stay is over; None while none is to end."""
        if not STAYING.isdisjoint(self._emergency.standing):
            return None
        return min(
            (
                self._leaves(plan, stay)[0]
                for space_id, plan in self._site.spaces.items()
                for stay in self._presence.stays(space_id)
            ),
            default=None,
        )

    def _settle(self, plan: SpacePlan, stay: Stay, now: Moment) -> None:
        visit = stay.visit or self._begin(plan.space_id, stay, now)
        standing = self._emergency.standing
        if stay.persons == 0:
            self._close(plan, stay, visit, now, how=stay.how)
        elif EmergencyState.FIRE in standing:
            self._close(plan, stay, visit, now, how=Ending.EMERGENCY)
        elif EmergencyState.SHELTER not in standing:
            over_ms, how = self._leaves(plan, stay)
            if now.earliest_ms >= over_ms:
                self._close(plan, stay, visit, now, how=how, over_ms=over_ms)

    def _leaves(self, plan: SpacePlan, stay: Stay) -> tuple[int, Ending]:
        booked_until_ms = self._presence.booked_until_ms(plan.space_id, stay)
        return leaves(self._site, plan, stay, booked_until_ms)

    def _begin(self, space_id: str, stay: Stay, now: Moment) -> int:
        facts: Facts = (("cause", stay.cause), ("persons", stay.persons))
        begun = EventKind.VISIT_STARTED
        return self._out.event(
            begun, space_id, now, facts=facts, person=stay.person
        ).seq

    def _close(
        self,
        plan: SpacePlan,
        stay: Stay,
        visit: int,
        now: Moment,
        *,
        how: Ending,
        over_ms: int | None = None,
    ) -> None:
        minutes = lasted_ms(stay.since, now, over_ms) // MINUTE_MS
        facts: Facts = (
            ("how", how.value),
            ("minutes", minutes),
            ("persons", stay.peak),
            ("visit", visit),
            *self._price(plan, stay, minutes, how),
        )
        if is_unsure(stay.since, now):
            facts += (("time_unverified", 1),)
        closed = EventKind.VISIT_CLOSED
        self._out.event(closed, plan.space_id, now, facts=facts, person=stay.person)

    def _price(self, plan: SpacePlan, stay: Stay, minutes: int, how: Ending) -> Facts:
        """Return what is owed, with what explains it; a fire is nobody's visit."""
        name = stay.person.holder
        holder = self._rolls.holder(name) if name else None
        if how is Ending.EMERGENCY:
            return (("fare_fen", 0),)
        if holder is not None and holder.person_class in EXEMPT:
            return ("exempt", holder.person_class.value), ("fare_fen", 0)
        is_quota = plan.fare.kind is FareKind.PER_HOUR and plan.fare.free_minutes > 0
        if name is None or not is_quota:
            return (("fare_fen", fare(plan.fare, minutes, 0).fen),)
        month = local_month(stay.since.earliest_ms, self._site.utc_offset_ms)
        used_min = self._quotas.used_min(month, plan.space_id, name)
        owed = fare(plan.fare, minutes, plan.fare.free_minutes - used_min)
        return ("fare_fen", owed.fen), ("free_min", owed.free_min), ("month", month)

    def _dismiss(self, plan: SpacePlan, now: Moment) -> None:
        """Count those without a name as gone whose time is over."""
        if not STAYING.isdisjoint(self._emergency.standing):
            return
        over = [
            self._leaves(plan, stay)
            for stay in self._presence.stays(plan.space_id)
            if not stay.is_named
        ]
        due = [each for each in over if now.earliest_ms >= each[0]]
        if not due:
            return
        until_ms, how = max(due)
        facts: Facts = (
            ("how", how.value),
            ("persons", self._presence.persons_after(plan.space_id, until_ms)),
            ("until", until_ms),
        )
        self._out.event(EventKind.OCCUPANCY_SET, plan.space_id, now, facts=facts)
