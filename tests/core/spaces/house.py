# SPDX-License-Identifier: Apache-2.0
"""A house whose doors say in events what people do to them.

The law of the module: nothing here decides anything; events come in the order in
which the doors of the product tell them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.command import Indicate, SwitchAppliance
from edge.core.event import (
    NOBODY,
    Event,
    EventKind,
    Person,
    decode,
    encode_core,
    encode_person,
)
from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.order import ApplianceOrdered, OccupancyCounted
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.reception import Reception
from edge.core.spaces.spaces import Spaces
from tests.core.scene import clock_ms, moment
from tests.core.spaces.plan import HOUSE, Alarm, Desk, People, booked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.emergency.state import EmergencyState
    from edge.core.plan import SitePlan

#: Deadlines in one wait of at most some weeks.
MAX_TICKS = 1_000
#: An event as it is told: kind, subject, facts, whom.
Tale = tuple[EventKind, str, "Mapping[str, int | str]", Person]


class House:
    """The spaces of the house in one boot, 15:00 at first."""

    def __init__(self, *bookings: str, site: SitePlan = HOUSE) -> None:
        """Begin the first boot with these bookings, as :func:`booked` reads them."""
        self.site = site
        self.people = People([booked(told) for told in bookings])
        self.alarm = Alarm()
        self.desk = Desk()
        self.journal: list[Event] = []
        self.last = Outcome()
        self.now_s = 1000.0
        self.utc_ms = clock_ms("15:00")
        self.spread_ms = 0
        self.boot = "boot-1"
        self.spaces, self._out = self._built(next_seq=1)
        self.start()

    def now(self) -> Moment:
        """Return this instant."""
        latest_ms = min(UNBOUNDED_MS, self.utc_ms + self.spread_ms)
        return moment(self.utc_ms, latest_ms, s=self.now_s, boot=self.boot)

    def at(self, local: str, *, days: int = 0) -> None:
        """Wait until that time, with a tick at every deadline."""
        self.wait((clock_ms(local, days=days) - self.utc_ms) / 1000)

    def wait(self, seconds: float) -> None:
        """Let time pass, with a tick at every deadline as the shell makes them."""
        end_s, ticks = self.now_s + seconds, 0
        while (due_s := self.spaces.deadline()) is not None and due_s <= end_s:
            self.pass_time(max(0.001, due_s - self.now_s))
            self.tell()
            ticks += 1
            assert ticks <= MAX_TICKS, "it never comes to rest"
        self.pass_time(max(0.0, end_s - self.now_s))

    def pass_time(self, seconds: float) -> None:
        """Let time pass without a tick."""
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    def tell(self, *events: Tale) -> int:
        """Let events happen in one outcome; return the first one's seq."""
        now = self.now()
        self.spaces.expire(now)
        first = self._out.next_seq
        for kind, subject, facts, person in events:
            self._out.event(
                kind, subject, now, facts=tuple(facts.items()), person=person
            )
        self._settle()
        return first

    def event(
        self,
        kind: EventKind,
        subject: str,
        person: Person = NOBODY,
        **facts: int | str,
    ) -> int:
        """Let one event happen; return its seq."""
        return self.tell((kind, subject, facts, person))

    def start(self) -> None:
        """Begin a boot as the controller does."""
        now = self.now()
        self._out.event(EventKind.STARTED, "gateway", now)
        self.spaces.start(now)
        self._settle()

    def grant(
        self,
        space_id: str,
        who: str,
        booking: str = "",
        *,
        out: bool = False,
        **facts: int,
    ) -> int:
        """Release a door's lock for somebody; return the grant's seq."""
        person = Person(holder=who or None, booking=booking or None)
        end = next(
            (b.to_ms for _, b in self.people.all_bookings if b.booking_id == booking), 0
        )
        told = {"end": end} if end else {}
        way = "out" if out else "in"
        granted = EventKind.ACCESS_GRANTED
        return self.event(granted, f"{space_id}-{way}", person, **told, **facts)

    def enter(
        self,
        space_id: str,
        who: str,
        booking: str = "",
        *,
        out: bool = False,
        **facts: int,
    ) -> int:
        """Scan, open, pass and shut; return the seq of ACCESS_TAKEN."""
        cause = self.grant(space_id, who, booking, out=out, **facts)
        self.pass_time(1)
        return self.take(space_id, who, booking, cause)

    def take(self, space_id: str, who: str, booking: str, cause: int) -> int:
        """Use a grant."""
        person = Person(holder=who or None, booking=booking or None)
        name = f"{space_id}-door"
        taken: Tale = (EventKind.ACCESS_TAKEN, name, {"cause": cause}, person)
        if not self.site.doors[name].has_contact:
            return self.tell(taken)
        opened: Tale = (EventKind.DOOR_OPENED, name, {}, NOBODY)
        seq = self.tell(opened, taken) + 1
        self.pass_time(1)
        self.event(EventKind.DOOR_CLOSED, name)
        return seq

    def leave(self, space_id: str, who: str = "") -> None:
        """Show a card at the exit reader, and go."""
        self.enter(space_id, who, out=True)

    def walk_out(self, space_id: str) -> None:
        """Press the button where there is one, and go by the door."""
        name = f"{space_id}-door"
        plan = self.site.doors[name]
        if plan.senses_exit:
            self.event(EventKind.REQUEST_TO_EXIT, name)
        self.pass_time(1)
        if plan.has_contact:
            self.swing(space_id)

    def swing(self, space_id: str, **facts: int) -> None:
        """Open the leaf and shut it again."""
        self.tell((EventKind.DOOR_OPENED, f"{space_id}-door", facts, NOBODY))
        self.event(EventKind.DOOR_CLOSED, f"{space_id}-door")

    def by_hand(self, space_id: str, count: int, booking: str = "") -> None:
        """A volunteer lets people in."""
        person = Person(booking=booking or None)
        entry = EventKind.MANUAL_ENTRY
        self.event(entry, f"{space_id}-door", person, count=count, actor="chen")

    def count(self, space_id: str, persons: int) -> str:
        """A volunteer counts the people."""
        now = self.now()
        self.spaces.expire(now)
        order = OccupancyCounted(space=space_id, persons=persons, actor="chen")
        why = self.spaces.count(order, now)
        self._settle()
        return why

    def switch(self, *, is_on: bool) -> str:
        """A volunteer switches the stove."""
        now = self.now()
        self.spaces.expire(now)
        order = ApplianceOrdered(
            appliance="stove", is_on=is_on, actor="chen", reason="soup"
        )
        why = self.spaces.switch(order, now)
        self._settle()
        return why

    def emergency(self, *standing: EmergencyState) -> None:
        """Let these and no others stand."""
        begun = frozenset(standing) - self.alarm.standing
        ended = self.alarm.standing - frozenset(standing)
        self.alarm.standing = frozenset(standing)
        for kind, states in (
            (EventKind.EMERGENCY_STARTED, begun),
            (EventKind.EMERGENCY_ENDED, ended),
        ):
            for state in sorted(states):
                self.event(kind, "site", state=state.value)

    def rebook(self, *bookings: str) -> None:
        """Let the platform send other bookings."""
        self.people.all_bookings = [booked(told) for told in bookings]
        self.event(EventKind.ROSTER_APPLIED, "gateway")

    def persons(self, space_id: str) -> int:
        """Return how many count as inside."""
        return self.spaces.presence.persons(space_id)

    def told(self, *kinds: EventKind) -> list[Event]:
        """Return all events of these kinds so far."""
        return [event for event in self.journal if event.kind in kinds]

    def told_visits(self) -> list[Event]:
        """Return the visits closed so far."""
        return self.told(EventKind.VISIT_CLOSED)

    def closed(self) -> list[str]:
        """Return the visits closed so far: who, booking, how, minutes, fen."""
        return [
            f"{e.person.holder or '-'} {e.person.booking or '-'} {e.fact('how')}"
            f" {e.fact('minutes')} {e.fact('fare_fen')}"
            for e in self.told(EventKind.VISIT_CLOSED)
        ]

    def stove(self) -> list[str]:
        """Return what happened to the stove so far."""
        both = self.told(EventKind.APPLIANCE_ON, EventKind.APPLIANCE_OFF)
        return [str(event.fact("why") or "on") for event in both]

    def switched(self) -> list[bool]:
        """Return the orders to the stove of the last outcome."""
        commands = self.last.commands
        return [c.is_on for c in commands if isinstance(c, SwitchAppliance)]

    def said(self) -> list[Indicate]:
        """Return what the last outcome said at readers."""
        return [c for c in self.last.commands if isinstance(c, Indicate)]

    def dump(self, spaces: Spaces | None = None) -> str:
        """Return what must survive a restart."""
        return json.dumps((spaces or self.spaces).dump(), sort_keys=True)

    def replayed(self, state: str | None = None, after: int = 0) -> Spaces:
        """Return the spaces rebuilt from a snapshot and the stored events after it."""
        return self._rebuilt(state, after)[0]

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._out.next_seq += shift
        self.spaces.renumber(shift)

    def cut_power(self, off_s: float = 0.0, state: str | None = None) -> None:
        """Lose everything but the journal, and start again some time later."""
        after = 0 if state is None else self.journal[-1].seq
        self.spaces, self._out = self._rebuilt(state, after)
        self.now_s = 5.0
        self.utc_ms += round(off_s * 1000)
        self.boot = f"boot-{self._out.next_seq}"
        self.start()

    def _rebuilt(self, state: str | None, after: int) -> tuple[Spaces, OutcomeBuilder]:
        spaces, out = self._built(self._out.next_seq)
        if state is not None:
            spaces.load(json.loads(state))
        for event in self.journal:
            if event.seq > after:
                spaces.follow(as_stored(event))
        return spaces, out

    def _built(self, next_seq: int) -> tuple[Spaces, OutcomeBuilder]:
        parts: list[Spaces] = []

        def hear(event: Event) -> None:
            parts[0].follow(event)

        out = OutcomeBuilder(next_seq, hear)
        spaces = Spaces(
            self.site,
            out,
            Reception(out, self.site.settings_revision),
            rolls=self.people,
            emergency=self.alarm,
            staff=self.desk,
        )
        parts.append(spaces)
        return spaces, out

    def _settle(self) -> None:
        self.spaces.expire(self.now())
        self.last = self._out.take()
        self.journal += self.last.events


def as_stored(event: Event) -> Event:
    """Return the event as the journal gives it back."""
    return decode(event.seq, encode_core(event), encode_person(event.person))
