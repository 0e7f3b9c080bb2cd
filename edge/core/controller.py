# SPDX-License-Identifier: Apache-2.0
"""The controller: every stimulus goes in here, every event and wish comes out.

The law of the module: pure and synchronous; it alone numbers events and holds the
site's standing, in parts that can each be rebuilt from the journal. It decides
nothing: it hands on. It never waits, and no stimulus can make it fail.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason
from edge.core.access.rules.way import CLOSED_MODES
from edge.core.command import Indication
from edge.core.event import Event, EventKind, Facts
from edge.core.house import House
from edge.core.limiter import Limiter
from edge.core.orders import Orders, check
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.reception import Reception
from edge.core.slips import Slips
from edge.core.stimulus import (
    BellPressed,
    CommandReceived,
    CommandStored,
    CompartmentChanged,
    CompartmentFailed,
    ContactChanged,
    DeviceChanged,
    EraseOrdered,
    ExitButtonChanged,
    FireInputChanged,
    Noted,
    OpenRefused,
    OutputChanged,
    ReadingBegan,
    RoomChanged,
    RowsErased,
    Scan,
    SiteKeysHeld,
    Stimulus,
    TracesGone,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.emergency.emergency import Emergency
    from edge.core.lockers.lockers import Lockers
    from edge.core.moment import Moment
    from edge.core.order import Order
    from edge.core.people.rolls import Rolls
    from edge.core.people.roster import Roster
    from edge.core.plan import SitePlan

#: A scan older than this opens nothing: the person may be gone (law 5).
SCAN_LIFE_S = 2.0
#: Notes of one kind and subject told singly a minute; what is beyond is counted.
SINGLE_NOTES = 3
#: Notes that somebody at the door, on the wire or at the broker can bring about.
PROVOKED_NOTES = frozenset(
    {
        EventKind.DEVICE_FAULT,
        EventKind.DEVICE_OFFLINE,
        EventKind.DEVICE_ONLINE,
        EventKind.QUEUE_FULL,
        EventKind.PLATFORM_REFUSED,
        EventKind.ROSTER_REFUSED,
        EventKind.RULE_FAULT,
        EventKind.COMMAND_REJECTED,
        EventKind.LOGIN_FAILED,
    }
)


class Controller:
    """One site's rules in motion."""

    def __init__(self, site: SitePlan, *, next_seq: int) -> None:
        self._site = site
        self._out = OutcomeBuilder(next_seq, self._follow)
        self._notes = Limiter(SINGLE_NOTES)
        self._reception = Reception(self._out, site.settings_revision)
        self._house = House(site, self._out, self._reception)
        self._orders = Orders(site, self._note, self._house.handlers())
        #: Why the last order was not carried out, in plain words; "" if it was.
        self.rejection = ""
        self._is_started = False
        self._slips = Slips()

    @property
    def next_seq(self) -> int:
        """The number that the next event will carry."""
        return self._out.next_seq

    @property
    def site(self) -> SitePlan:
        """The plan of the site, to be read."""
        return self._site

    @property
    def house(self) -> House:
        """Every part of the standing, to be read."""
        return self._house

    @property
    def rolls(self) -> Rolls:
        """Who is known, platform's and local, to be read."""
        return self._house.rolls

    @property
    def roster(self) -> Roster:
        """The platform's roster in force."""
        return self._house.rolls.roster

    @property
    def doors(self) -> Doorkeeper:
        """The doors' standing, to be read."""
        return self._house.doors

    @property
    def lockers(self) -> Lockers:
        """The compartments' standing, to be read."""
        return self._house.lockers

    @property
    def emergency(self) -> Emergency:
        """What emergencies stand, to be read."""
        return self._house.emergency

    @property
    def on_duty(self) -> tuple[str, ...]:
        """The holders whose shift runs."""
        return self._house.duty.on_duty

    def is_shut(self, door: str) -> bool:
        """Say whether the door's mode lets nobody in now."""
        return self._house.doors.mode(door) in CLOSED_MODES

    def check(self, order: Order) -> None:
        """Raise ValueError, with the names there are, if the order names another."""
        check(order, self._site)

    def handle(self, stimulus: Stimulus, now: Moment) -> Outcome:
        """Take one stimulus; timers that ran out before it take effect first.

        But an order that was never carried out cannot have failed meanwhile, and an
        output that has come to rest was not stuck.
        """
        if not isinstance(stimulus, OpenRefused | OutputChanged):
            self._expire(now)
        kind = type(stimulus).__name__
        if not self._slips.guard(kind, self._dispatch, stimulus, now):
            self._stumbled(stimulus, now)
        return self._finish(now)

    def tick(self, now: Moment) -> Outcome:
        """Let timers that ran out take effect."""
        self._expire(now)
        return self._finish(now)

    def deadline(self) -> float | None:
        """Return the monotonic second at which :meth:`tick` has something to do."""
        times = [self._slips.due(part) for part in self._house.timed]
        times += (self._reception.deadline(), self._notes.deadline())
        due = [at_s for at_s in times if at_s is not None]
        return min(due) if due else None

    def adopt(
        self, roster: Roster, now: Moment, *, confirmed_ms: int | None = None
    ) -> Outcome:
        """Swap the platform's roster whole and say so.

        ``confirmed_ms`` (UTC, a lower bound): when the platform called it current, if
        that is not now.
        """
        self._house.adopt(
            roster, now.earliest_ms if confirmed_ms is None else confirmed_ms
        )
        facts: Facts = (
            ("credentials", roster.credentials),
            ("epoch", roster.cursor.epoch),
            ("fr", roster.cursor.revision),
        )
        self._out.event(EventKind.ROSTER_APPLIED, "gateway", now, facts=facts)
        # Before the start nothing moves yet: what stood on may have to go off.
        return self._finish(now) if self._is_started else self._out.take()

    def snapshot(self, now: Moment) -> str:
        """Return the standing as JSON, to be stored beside the last event."""
        self._house.prune(now.earliest_ms)
        state: dict[str, object] = {}
        for part in self._house.kept:
            state |= part.dump()
        return json.dumps(state, separators=(",", ":"), ensure_ascii=False)

    def recover(self, state: str | None, tail: Iterable[Event]) -> None:
        """Rebuild the standing from a snapshot and the events after it."""
        if state is not None:
            loaded = json.loads(state)
            for part in self._house.kept:
                part.load(loaded)
        for event in tail:
            for learner in (*self._house.learning, *self._house.moving):
                learner.follow(event)
        self._house.recovered()

    def start(self, now: Moment, *, facts: Facts = ()) -> Outcome:
        """Begin: grants whose outcome a power cut hid are closed as unknown."""
        self._is_started = True
        self._out.event(EventKind.STARTED, "gateway", now, facts=facts)
        for seq, grant in list(self._house.admissions.open_grants.items()):
            self._out.event(
                EventKind.ACCESS_NOT_TAKEN,
                grant.access_point,
                now,
                facts=(("cause", seq), ("outcome", "unknown")),
                person=grant.person,
            )
        self._house.start(now)
        return self._finish(now)

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch, whose numbers begin anew.

        Open grants keep their place: a cause of 0 or less counts back into the epoch
        before, from its last acknowledged event.
        """
        self._out.next_seq += shift
        for part in self._house.kept:
            part.renumber(shift)
        self._house.entrance.renumber(shift)

    def stop(self, now: Moment) -> Outcome:
        """End: tell what was still being counted."""
        self._tell_counted(now, is_final=True)
        self._house.entrance.expire(now, is_final=True)
        self._out.event(EventKind.STOPPED, "gateway", now)
        return self._finish(now)

    def _finish(self, now: Moment) -> Outcome:
        for name, step in self._house.settling:
            self._slips.guard(name, step, now)
        for note in self._slips.take():
            self._note(note, now)
        return self._out.take()

    def _follow(self, event: Event) -> None:
        for learner in self._house.learning:
            self._slips.guard(type(learner).__name__, learner.follow, event)

    def _stumbled(self, stimulus: Stimulus, now: Moment) -> None:
        """Refuse whoever was in front of our mistake, and say that it was ours."""
        self.rejection = "a rule failed on it: see RULE_FAULT in the journal"
        if isinstance(stimulus, Scan):
            rule, reason = type(stimulus).__name__, DenyReason.RULE_FAULT
            denied, rolls = Denied(rule=rule, reason=reason), self._house.rolls
            self._reception.deny(stimulus.access_point, denied, now, (), rolls)

    def _dispatch(self, stimulus: Stimulus, now: Moment) -> None:
        house = self._house
        match stimulus:
            case Scan():
                self._scan(stimulus, now)
            case ReadingBegan():
                self._reception.indicate(stimulus.access_point, Indication.READING)
            case Unreadable():
                house.entrance.unreadable(stimulus.access_point, stimulus.cause, now)
            case ContactChanged():
                house.doors.contact(stimulus.door, now, is_open=stimulus.is_open)
            case OutputChanged():
                house.doors.output(stimulus.door, now, is_on=stimulus.is_on)
            case ExitButtonChanged():
                house.doors.exit(stimulus.door, now, is_pressed=stimulus.is_pressed)
            case FireInputChanged():
                house.emergency.fire_input(now, is_active=stimulus.is_active)
            case BellPressed():
                house.ring(stimulus, now)
            case DeviceChanged():
                self._device(stimulus, now)
            case CompartmentChanged() | CompartmentFailed() | OpenRefused():
                house.compartment(stimulus, now)
            case Noted():
                self._note(stimulus, now)
            case RoomChanged():
                self._room(stimulus, now)
            case CommandReceived() | CommandStored():
                house.remote.handle(stimulus, now)
            case EraseOrdered() | RowsErased() | TracesGone():
                self.rejection = house.erasing.handle(stimulus, now)
            case SiteKeysHeld():
                house.site_keys.handle(stimulus, now)
            case _:
                self.rejection = self._orders.carry_out(stimulus, now)

    def _scan(self, scan: Scan, now: Moment) -> None:
        if now.monotonic_s - scan.received_s > SCAN_LIFE_S:
            self._house.entrance.stale(scan.access_point, now)
        else:
            self._house.scan(scan, now)

    def _note(self, note: Noted, now: Moment) -> None:
        subject, kind = f"{note.subject}\0{note.kind.value}", note.kind.value
        is_provoked = note.kind in PROVOKED_NOTES
        if is_provoked and not self._notes.is_single(subject, kind, now.monotonic_s):
            return
        facts, person = note.facts, note.person
        self._out.event(note.kind, note.subject, now, facts=facts, person=person)

    def _room(self, stimulus: RoomChanged, now: Moment) -> None:
        """Number refusals by the dozen, so that what must be kept finds room."""
        self._reception.crowd(is_crowded=stimulus.is_crowded)
        what = "crowded" if stimulus.is_crowded else "room"
        facts: Facts = (("count", stimulus.waiting), ("what", what))
        self._out.event(EventKind.STORAGE_FAULT, "journal", now, facts=facts)

    def _device(self, stimulus: DeviceChanged, now: Moment) -> None:
        online, offline = EventKind.DEVICE_ONLINE, EventKind.DEVICE_OFFLINE
        kind = online if stimulus.is_online else offline
        facts: Facts = (("detail", stimulus.detail),) if stimulus.detail else ()
        if stimulus.is_news:
            # A cable that somebody wiggles must not wear out the disk.
            note = Noted(kind=kind, subject=stimulus.device, facts=facts)
            self._note(note, now)
        self._house.device_changed(stimulus, now)

    def _expire(self, now: Moment) -> None:
        for part in self._house.timed:
            self._slips.expire(part, now)
        self._tell_counted(now)

    def _tell_counted(self, now: Moment, *, is_final: bool = False) -> None:
        now_s = now.monotonic_s
        self._reception.tell_counted(now, is_final=is_final)
        for subject, kind, count in self._notes.collect(now_s, is_final=is_final):
            name = subject.partition("\0")[0]
            self._out.event(EventKind(kind), name, now, facts=(("count", count),))
