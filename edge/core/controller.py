# SPDX-License-Identifier: Apache-2.0
"""The controller: every stimulus goes in here, every event and wish comes out.

The law of the module: pure and synchronous; it alone numbers events and holds the
site's standing (doors, admissions, fire release, lockers, shifts), all of which can
be rebuilt from the journal. It never waits, and no stimulus can make it fail.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.core.access.admissions import Admissions
from edge.core.access.answers import Denied, DenyReason, Granted, NextStep
from edge.core.access.decision import CLOSED_MODES, Question, decide
from edge.core.access.rescans import Rescans
from edge.core.command import Indication
from edge.core.doors.doorkeeper import Doorkeeper
from edge.core.duty.duty import Duty
from edge.core.event import Event, EventKind, Facts
from edge.core.limiter import Limiter
from edge.core.lockers.lockers import Lockers
from edge.core.lockers.rentals import Rentals
from edge.core.orders import MAX_TEXT, Orders, check
from edge.core.outcome import Outcome, OutcomeBuilder
from edge.core.people.roster import EMPTY, Roster
from edge.core.reception import Reception
from edge.core.stimulus import (
    CompartmentChanged,
    CompartmentFailed,
    ContactChanged,
    DeviceChanged,
    EmergencyEndOrdered,
    ExitButtonChanged,
    FireInputChanged,
    MendOrdered,
    ModeOrdered,
    Noted,
    OpenRefused,
    Order,
    PanelOpenOrdered,
    ReadingBegan,
    RentalEndOrdered,
    Scan,
    Stimulus,
    Unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.moment import Moment
    from edge.core.people.entries import Cardholder
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
        EventKind.COMMAND_REJECTED,
    }
)


class Controller:
    """One site's rules in motion."""

    def __init__(self, site: SitePlan, *, next_seq: int) -> None:
        self.roster: Roster = EMPTY
        self._site = site
        self._out = OutcomeBuilder(next_seq, self._follow)
        self._doors = Doorkeeper(site, self._out)
        self._admissions = Admissions()
        self._notes = Limiter(SINGLE_NOTES)
        self._rescans = Rescans()
        self._reception = Reception(self._out, site.settings_revision)
        self._lockers = Lockers(site, self._out, self._reception)
        self._rentals = Rentals(site, self._out, self._reception, self._lockers)
        self._duty = Duty(site, self._out, self._reception)
        self._orders = Orders(
            site,
            self._note,
            {
                ModeOrdered: self._order_mode,
                PanelOpenOrdered: self._open_by_hand,
                RentalEndOrdered: self._end_rental,
                MendOrdered: self._mend,
            },
        )

    @property
    def next_seq(self) -> int:
        """The number that the next event will carry."""
        return self._out.next_seq

    @property
    def doors(self) -> Doorkeeper:
        """The doors' standing, to be read."""
        return self._doors

    @property
    def lockers(self) -> Lockers:
        """The compartments' standing, to be read."""
        return self._lockers

    @property
    def on_duty(self) -> tuple[str, ...]:
        """The holders whose shift runs."""
        return self._duty.on_duty

    def check(self, order: Order) -> None:
        """Raise ValueError, with the names there are, if the order names another."""
        check(order, self._site)

    def handle(self, stimulus: Stimulus, now: Moment) -> Outcome:
        """Take one stimulus; timers that ran out before it take effect first.

        But an order that was never carried out cannot have failed meanwhile.
        """
        if not isinstance(stimulus, OpenRefused):
            self._expire(now)
        self._dispatch(stimulus, now)
        return self._finish()

    def tick(self, now: Moment) -> Outcome:
        """Let timers that ran out take effect."""
        self._expire(now)
        return self._finish()

    def deadline(self) -> float | None:
        """Return the monotonic second at which :meth:`tick` has something to do."""
        times = (
            self._doors.deadline(),
            self._reception.deadline(),
            self._lockers.deadline(),
            self._duty.deadline(),
            self._notes.deadline(),
            self._rescans.deadline(),
        )
        return min((t for t in times if t is not None), default=None)

    def adopt(self, roster: Roster, now: Moment) -> Outcome:
        """Swap the roster whole and say so."""
        self.roster = roster
        facts: Facts = (
            ("credentials", roster.credentials),
            ("epoch", roster.cursor.epoch),
            ("fr", roster.cursor.revision),
        )
        self._out.event(EventKind.ROSTER_APPLIED, "gateway", now, facts=facts)
        return self._finish()

    def snapshot(self, now: Moment) -> str:
        """Return the standing as JSON, to be stored beside the last event."""
        self._admissions.prune(now.earliest_ms)
        state = self._admissions.dump() | self._doors.dump()
        state |= self._lockers.dump() | self._duty.dump()
        return json.dumps(state, separators=(",", ":"), ensure_ascii=False)

    def recover(self, state: str | None, tail: Iterable[Event]) -> None:
        """Rebuild the standing from a snapshot and the events after it."""
        if state is not None:
            loaded = json.loads(state)
            self._admissions.load(loaded)
            self._doors.load(loaded)
            self._lockers.load(loaded)
            self._duty.load(loaded)
        for event in tail:
            self._admissions.follow(event)
            self._doors.follow(event)
            self._lockers.follow(event)
            self._duty.follow(event)

    def start(self, now: Moment, *, facts: Facts = ()) -> Outcome:
        """Begin: grants whose outcome a power cut hid are closed as unknown."""
        self._out.event(EventKind.STARTED, "gateway", now, facts=facts)
        for seq, grant in list(self._admissions.open_grants.items()):
            self._out.event(
                EventKind.ACCESS_NOT_TAKEN,
                grant.access_point,
                now,
                facts=(("cause", seq), ("outcome", "unknown")),
                person=grant.person,
            )
        self._doors.reassert(self._site.doors)
        self._lockers.start(now)
        return self._finish()

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch, whose numbers begin anew.

        Open grants keep their place: a cause of 0 or less counts back into the epoch
        before, from its last acknowledged event.
        """
        self._out.next_seq += shift
        self._admissions.renumber(shift)
        self._doors.renumber(shift)
        self._rescans.renumber(shift)
        self._lockers.renumber(shift)
        self._duty.renumber(shift)

    def stop(self, now: Moment) -> Outcome:
        """End: tell what was still being counted."""
        self._tell_counted(now, is_final=True)
        self._out.event(EventKind.STOPPED, "gateway", now)
        return self._finish()

    def _finish(self) -> Outcome:
        return self._out.take()

    def _follow(self, event: Event) -> None:
        self._admissions.follow(event)
        self._duty.follow(event)
        if event.kind is EventKind.ACCESS_NOT_TAKEN:
            self._rescans.forget(int(event.fact("cause") or 0))

    def _dispatch(self, stimulus: Stimulus, now: Moment) -> None:
        match stimulus:
            case Scan():
                self._scan(stimulus, now)
            case ReadingBegan():
                self._reception.indicate(stimulus.access_point, Indication.READING)
            case Unreadable():
                facts: Facts = (("cause", stimulus.cause),)
                denied = Denied(
                    rule="reader", reason=DenyReason.UNREADABLE, facts=facts
                )
                self._deny(stimulus.access_point, denied, now, ())
            case ContactChanged():
                self._doors.contact(stimulus.door, now, is_open=stimulus.is_open)
            case ExitButtonChanged():
                self._doors.exit(stimulus.door, now, is_pressed=stimulus.is_pressed)
            case FireInputChanged():
                self._doors.fire_input(now, is_active=stimulus.is_active)
            case EmergencyEndOrdered():
                self._doors.end_fire(now, stimulus.actor, stimulus.reason)
            case DeviceChanged():
                self._device(stimulus, now)
            case CompartmentChanged():
                self._lockers.changed(stimulus, now)
            case CompartmentFailed():
                self._lockers.failed(stimulus, now)
            case OpenRefused():
                self._lockers.refused(stimulus, now)
            case Noted():
                self._note(stimulus, now)
            case _:
                self._orders.carry_out(stimulus, now)

    def _order_mode(self, order: ModeOrdered, now: Moment) -> str:
        self._doors.order_mode(order, now)
        return ""

    def _end_rental(self, order: RentalEndOrdered, now: Moment) -> str:
        return "" if self._lockers.end_rental(order, now) else "no rental to end"

    def _mend(self, order: MendOrdered, now: Moment) -> str:
        return "" if self._lockers.mend(order, now) else "not out of order"

    def _open_by_hand(self, order: PanelOpenOrdered, now: Moment) -> str:
        """Let people in by hand, unless the door's mode admits nobody."""
        mode = self._doors.mode(order.door)
        reason = CLOSED_MODES.get(mode)
        if reason is None:
            self._doors.open_by_hand(order, now)
            return ""
        who: Facts = (("actor", order.actor[:MAX_TEXT]), ("kind", "PANEL"))
        told: Facts = (("mode", mode.value),)
        denied = Denied(rule="mode", reason=reason, facts=told)
        self._reception.record(order.door, denied, now, who, self.roster)
        return ""

    def _note(self, note: Noted, now: Moment) -> None:
        subject, kind = f"{note.subject}\0{note.kind.value}", note.kind.value
        is_provoked = note.kind in PROVOKED_NOTES
        if is_provoked and not self._notes.is_single(subject, kind, now.monotonic_s):
            return
        self._out.event(note.kind, note.subject, now, facts=note.facts)

    def _device(self, stimulus: DeviceChanged, now: Moment) -> None:
        online, offline = EventKind.DEVICE_ONLINE, EventKind.DEVICE_OFFLINE
        kind = online if stimulus.is_online else offline
        facts: Facts = (("detail", stimulus.detail),) if stimulus.detail else ()
        if stimulus.is_news:
            # A cable that somebody wiggles must not wear out the disk.
            note = Noted(kind=kind, subject=stimulus.device, facts=facts)
            self._note(note, now)
        if stimulus.is_online:
            self._doors.reassert(stimulus.doors)
        elif stimulus.senses_fire:
            self._doors.fire_input_lost()

    def _scan(self, scan: Scan, now: Moment) -> None:
        if now.monotonic_s - scan.received_s > SCAN_LIFE_S:
            self._rescans.stale(scan.access_point, now.monotonic_s)
            step = NextStep.SHOW_AGAIN.value
            again = Indication.TRY_AGAIN
            self._reception.indicate(scan.access_point, again, next_step=step)
            return
        point = self._site.access_points[scan.access_point]
        holder = self.roster.find(scan.credential.token)
        if point.is_desk:
            self._duty.scan(scan, holder, self.roster, now)
        elif point.bank_id:
            self._rentals.scan(scan, holder, self.roster, now)
        else:
            self._scan_door(scan, point.door_id, holder, now)

    def _scan_door(
        self, scan: Scan, door_id: str, holder: Cardholder | None, now: Moment
    ) -> None:
        mode, changes = self._doors.mode(door_id), self._doors.mode_changes(door_id)
        again = self._rescans.find(scan, changes, now.monotonic_s)
        if again is not None:
            self._reopen(scan.access_point, door_id, again, now)
            return
        credential = scan.credential
        answer = decide(
            Question(
                credential=credential,
                door=self._site.doors[door_id],
                mode=mode,
                roster=self.roster,
                site=self._site,
                admissions=self._admissions.by_booking,
                now=now,
                holder=holder,
            )
        )
        facts: Facts = (("kind", credential.kind.value),)
        if isinstance(answer, Granted):
            self._grant(scan, door_id, answer, now, facts)
        else:
            self._deny(scan.access_point, answer, now, facts)

    def _grant(
        self, scan: Scan, door_id: str, granted: Granted, now: Moment, facts: Facts
    ) -> None:
        is_free = granted.release_s == 0
        facts += granted.facts + self._reception.decided(granted.rule, self.roster)
        event = self._out.event(
            EventKind.ACCESS_GRANTED,
            scan.access_point,
            now,
            facts=(*facts, ("free", 1)) if is_free else facts,
            person=granted.person,
        )
        if not is_free:
            self._doors.grant(door_id, granted.release_s, event, now)
        changes, now_s = self._doors.mode_changes(door_id), now.monotonic_s
        self._rescans.granted(scan, changes, event.seq, granted.release_s, now_s)
        self._reception.indicate(scan.access_point, Indication.GRANTED)

    def _reopen(
        self, access_point: str, door_id: str, again: tuple[int, float], now: Moment
    ) -> None:
        """Same card within 3 s of its grant: release again, without a second event."""
        cause, release_s = again
        if release_s > 0:
            # Not a cause anew: while nobody used it the door still remembers it.
            self._doors.release(door_id, release_s, now, cause=None)
            self._doors.pulse(door_id, release_s, now, cause=cause)
        self._reception.indicate(access_point, Indication.GRANTED)

    def _deny(
        self, access_point: str, denied: Denied, now: Moment, facts: Facts
    ) -> None:
        self._reception.deny(access_point, denied, now, facts, self.roster)

    def _expire(self, now: Moment) -> None:
        self._doors.expire(now)
        self._lockers.expire(now)
        self._duty.expire(now)
        self._tell_counted(now)

    def _tell_counted(self, now: Moment, *, is_final: bool = False) -> None:
        now_s = now.monotonic_s
        self._reception.tell_counted(now, is_final=is_final)
        for subject, kind, count in self._notes.collect(now_s, is_final=is_final):
            name = subject.partition("\0")[0]
            self._out.event(EventKind(kind), name, now, facts=(("count", count),))
        for access_point, count in self._rescans.collect(now_s, is_final=is_final):
            facts: Facts = (("scans", count),)
            self._out.event(EventKind.STALLED, access_point, now, facts=facts)
