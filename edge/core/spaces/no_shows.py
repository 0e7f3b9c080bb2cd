# SPDX-License-Identifier: Apache-2.0
"""Bookings to which nobody came, told once their places are given to others.

The law of the module: it accuses nobody on a doubt. A booking counts only if this box
ran with a clock that had both bounds since the booking began, and not while an
emergency kept people out. It keeps nothing over a restart, for that reason.
Source: docs/spaces.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.emergency.state import EmergencyState
from edge.core.event import EventKind, Facts, Person
from edge.core.moment import UNBOUNDED_MS
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Booking
    from edge.core.plan import SitePlan, SpacePlan
    from edge.core.spaces.presence import Listing, Presence
    from edge.core.spaces.visits import Standing

#: In these nobody gets in, however early he came.
KEEPING_OUT = frozenset({EmergencyState.FIRE, EmergencyState.LOCK_DOWN})
#: How far ahead the next booking is looked for; a changed roster looks anew.
AHEAD_MS = DAY_MS


class NoShows:
    """Watches the bookings that began since it could."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        presence: Presence,
        rolls: Listing,
        emergency: Standing,
    ) -> None:
        self._site = site
        self._out = out
        self._presence = presence
        self._rolls = rolls
        self._emergency = emergency
        self._since_ms: int | None = None
        self._was_keeping_out = False
        self._settled_ms = 0
        #: Before this (UTC ms) nothing falls due, by the roster looked through last;
        #: None: look anew. Whoever passes it looks anew too.
        self._due_ms: int | None = None

    def settle(self, now: Moment) -> None:
        """Tell those to which surely nobody came in time."""
        if now.latest_ms >= UNBOUNDED_MS:
            self._due_ms = None
            return  # until a clock that is set stirs the spaces
        if self._since_ms is None:
            self._since_ms = self._settled_ms = now.latest_ms
        is_keeping_out = not KEEPING_OUT.isdisjoint(self._emergency.standing)
        if is_keeping_out or self._was_keeping_out:
            self._since_ms = now.latest_ms
        self._was_keeping_out = is_keeping_out
        if self._due_ms is None or now.earliest_ms >= self._due_ms:
            self._due_ms = now.earliest_ms + AHEAD_MS
            for plan in self._site.spaces.values():
                self._look(plan, now, self._since_ms)
        self._settled_ms = max(self._settled_ms, now.earliest_ms)

    def follow(self, event: Event) -> None:
        """Look anew through another roster."""
        if event.kind is EventKind.ROSTER_APPLIED:
            self._due_ms = None

    def due_ms(self) -> int | None:
        """Return when (UTC ms) the next booking may turn out so."""
        return self._due_ms

    def _look(self, plan: SpacePlan, now: Moment, since_ms: int) -> None:
        from_ms = min(self._settled_ms, now.earliest_ms) - plan.no_show_ms - 1
        to_ms = now.earliest_ms + AHEAD_MS
        for holder_id, booking in self._rolls.booked(plan.space_id, from_ms, to_ms):
            due_ms = min(booking.from_ms + plan.no_show_ms, booking.to_ms)
            if booking.from_ms < since_ms or due_ms <= self._settled_ms:
                continue
            if now.earliest_ms < due_ms:
                self._due_ms = min(self._due_ms or due_ms, due_ms)
            elif self._presence.arrived(booking.booking_id) == 0:
                self._tell(plan, holder_id, booking, now)

    def _tell(
        self, plan: SpacePlan, holder_id: str, booking: Booking, now: Moment
    ) -> None:
        facts: Facts = (("from", booking.from_ms), ("persons", booking.party))
        person = Person(holder=holder_id, booking=booking.booking_id)
        self._out.event(
            EventKind.NO_SHOW, plan.space_id, now, facts=facts, person=person
        )
