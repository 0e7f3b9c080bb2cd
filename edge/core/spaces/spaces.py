# SPDX-License-Identifier: Apache-2.0
"""All that spaces keep: who is inside, visits, bells and stoves, as one part.

The law of the module: it is settled at the beginning and at the end of every stimulus,
so that what follows from an event is told in the same outcome. It looks only when an
event or the time gives cause to, since every stimulus of the site comes by here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.event import Event, EventKind, Facts
from edge.core.moment import UNBOUNDED_MS
from edge.core.spaces.appliances import Appliances
from edge.core.spaces.by_hand import ByHand
from edge.core.spaces.calls import Calls, Staff
from edge.core.spaces.no_shows import NoShows
from edge.core.spaces.presence import Listing, Presence
from edge.core.spaces.quotas import Quotas
from edge.core.spaces.stay import Ending
from edge.core.spaces.visits import Standing, Visits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.erasing.names import Names
    from edge.core.moment import Moment
    from edge.core.order import (
        ApplianceOrdered,
        CallAnswered,
        EntryCorrected,
        OccupancyCounted,
    )
    from edge.core.outcome import OutcomeBuilder
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import BellPressed

MAX_TEXT = 64
#: More people than any space of the trade holds: a slip of the finger.
MAX_COUNTED = 2_000
#: After these there may be something to tell.
STIRRING = frozenset(
    {
        EventKind.STARTED,
        EventKind.ACCESS_TAKEN,
        EventKind.REQUEST_TO_EXIT,
        EventKind.DOOR_OPENED,
        EventKind.MANUAL_ENTRY,
        EventKind.ENTRY_CORRECTED,
        EventKind.OCCUPANCY_SET,
        EventKind.CALL_RAISED,
        EventKind.CALL_ANSWERED,
        EventKind.APPLIANCE_ON,
        EventKind.APPLIANCE_OFF,
        EventKind.EMERGENCY_STARTED,
        EventKind.EMERGENCY_ENDED,
        EventKind.ROSTER_APPLIED,
        EventKind.LOCAL_CHANGED,
        EventKind.CLOCK_FIXED,
        EventKind.CLOCK_STEPPED,
    }
)


class Spaces:
    """The spaces of a site, as a keeper."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        reception: Reception,
        *,
        rolls: Listing,
        emergency: Standing,
        staff: Staff,
    ) -> None:
        self._site = site
        self._out = out
        self.presence = Presence(site, rolls)
        self.calls = Calls(site, out, reception, staff)
        self.by_hand = ByHand(site, out)
        self.appliances = Appliances(site, out, self.presence, emergency)
        self._quotas = Quotas()
        self._visits = Visits(
            site, out, self.presence, self._quotas, rolls=rolls, emergency=emergency
        )
        self._no_shows = NoShows(site, out, self.presence, rolls, emergency)
        self._last: Moment | None = None
        self._due_ms: int | None = None
        self._is_stirred = True

    def start(self, now: Moment) -> None:
        """Begin a boot: every stove off, and told what fell due meanwhile."""
        self.appliances.start(now)
        self._settle(now)

    def ring(self, pressed: BellPressed, now: Moment) -> None:
        """Take a press of a door's bell."""
        self.calls.ring(pressed, now)

    def answer(self, order: CallAnswered, now: Moment) -> str:
        """Answer a bell, or return why not."""
        return self.calls.answer(order, now)

    def correct(self, order: EntryCorrected, now: Moment) -> str:
        """Correct what was written of an opening by hand, or return why not."""
        return self.by_hand.correct(order, now)

    def switch(self, order: ApplianceOrdered, now: Moment) -> str:
        """Switch an appliance, or return why not."""
        return self.appliances.switch(order, now)

    def board_changed(self, appliance_ids: Iterable[str], now: Moment) -> None:
        """Put off what hangs on a board that went away or came back."""
        self.appliances.board_changed(appliance_ids, now)

    def count(self, order: OccupancyCounted, now: Moment) -> str:
        """Take over what a volunteer counted, or return why not."""
        if not 0 <= order.persons <= MAX_COUNTED:
            return f"a count is from 0 to {MAX_COUNTED}"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("how", Ending.COUNTED.value),
            ("persons", order.persons),
            ("was", self.presence.persons(order.space)),
        )
        self._out.event(EventKind.OCCUPANCY_SET, order.space, now, facts=facts)
        return ""

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        if self._last is None or self._is_stirred:
            return 0.0
        if self._due_ms is None:
            return None
        wait_ms = max(0, self._due_ms - self._last.earliest_ms)
        return self._last.monotonic_s + wait_ms / 1000

    def expire(self, now: Moment) -> None:
        """Tell what is over and what follows from the events since the last call."""
        is_due = self._due_ms is not None and now.earliest_ms >= self._due_ms
        if self._is_stirred or is_due or self._is_clock_changed(now):
            self._settle(now)
        elif self.appliances.on:
            self.appliances.withdraw(now)  # the clock may have become unsure
        self._last = now

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        self.presence.follow(event)
        self._quotas.follow(event)
        self.calls.follow(event)
        self.by_hand.follow(event)
        self.appliances.follow(event)
        self._no_shows.follow(event)
        is_free = event.kind is EventKind.ACCESS_GRANTED and event.fact("free")
        if is_free or event.kind in STIRRING:
            self._is_stirred = True

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self.presence.renumber(shift)
        self.appliances.renumber(shift)
        self.by_hand.renumber(shift)

    def forget(self, names: Names) -> None:
        """Forget a person who is not inside."""
        self.presence.forget(names)
        self._quotas.forget(names.holder)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        state = self.presence.dump() | self._quotas.dump()
        state |= self.calls.dump() | self.by_hand.dump()
        return state | self.appliances.dump()

    def load(self, state: dict[str, Any]) -> None:
        """Take a snapshot; an older one lacks these names."""
        parts = (self.presence, self._quotas, self.calls, self.by_hand)
        for part in (*parts, self.appliances):
            part.load(state)
        self._last = None

    def _is_clock_changed(self, now: Moment) -> bool:
        """Say whether the clock has got its upper bound, or lost it."""
        if self._last is None:
            return True
        was_bounded = self._last.latest_ms < UNBOUNDED_MS
        return was_bounded is not (now.latest_ms < UNBOUNDED_MS)

    def _settle(self, now: Moment) -> None:
        self.appliances.withdraw(now)  # gas goes before the books are closed
        self._visits.settle(now)
        self._no_shows.settle(now)
        self.calls.settle(now)
        self.appliances.settle(now)
        times = (
            self._visits.due_ms(),
            self._no_shows.due_ms(),
            self.calls.due_ms(),
            self.appliances.due_ms(now),
        )
        self._due_ms = min((ms for ms in times if ms is not None), default=None)
        self._last = now
        self._is_stirred = False
