# SPDX-License-Identifier: Apache-2.0
"""Scans at the doors: asked, answered, written down and told.

The law of the module: the decision decides, this carries out. A grant is an event
before it is a wish; whoever waits (for a second person, for a volunteer's word) is
decided anew with everything that is asked of others; who wants out waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, Granted, NextStep
from edge.core.access.confirmations import (
    CONFIRM_S,
    Confirmations,
    may_confirm,
)
from edge.core.access.decision import decide
from edge.core.access.pairs import Pairs, pair_identity
from edge.core.access.question import Question
from edge.core.access.rescans import Rescans
from edge.core.access.rules.credential import barred
from edge.core.access.ticket import Rotation, Ticket
from edge.core.command import Indication
from edge.core.doors.door import DoorMode
from edge.core.duty.care import CARE_FACT
from edge.core.emergency.state import EmergencyState
from edge.core.event import NOBODY, EventKind, Facts, Person
from edge.core.plan import Direction
from edge.core.reception import language_of

if TYPE_CHECKING:
    from edge.core.access.admissions import Admissions
    from edge.core.access.question import Presence
    from edge.core.access.redemptions import Redemptions
    from edge.core.doors.doorkeeper import Doorkeeper
    from edge.core.duty.duty import Duty
    from edge.core.emergency.emergency import Emergency
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.order import EntryConfirmed
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.plan import AccessPointPlan, SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import Scan

MAX_TEXT = 64
#: Refusals after which somebody stays where he is.
WAITING = frozenset({DenyReason.SECOND_PERSON_NEEDED, DenyReason.AWAITING_CONFIRMATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The parts of the house that a decision looks at."""

    doors: Doorkeeper
    rolls: Rolls
    emergency: Emergency
    presence: Presence
    duty: Duty
    admissions: Admissions
    redemptions: Redemptions


class Entrance:
    """All access points of doors."""

    def __init__(
        self,
        site: SitePlan,
        out: OutcomeBuilder,
        reception: Reception,
        around: Surroundings,
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._around = around
        self._rescans = Rescans()
        self._pairs = Pairs()
        #: The scan of each first of two persons, and its door's mode changes.
        self._firsts: dict[str, tuple[Scan, int]] = {}
        self._confirmations = Confirmations()

    def scan(self, scan: Scan, holder: Cardholder | None, now: Moment) -> None:
        """Answer a credential that was presented at a door."""
        point = self._site.access_points[scan.access_point]
        is_entry = point.direction is Direction.IN
        if is_entry:  # who responds is let in all the same
            self.begins_emergency(scan, holder, now)
        again = self._again(scan, point, now)
        if again is not None:
            self._reopen(point, again, now)
        elif not (is_entry and self._confirms(scan, holder, now)):
            self._decide(scan, point, holder, now)

    def begins_emergency(
        self, scan: Scan, holder: Cardholder | None, now: Moment
    ) -> bool:
        """Take a responder's card at a reader that is meant for it."""
        point = self._site.access_points[scan.access_point]
        if not point.emergency or holder is None or not scan.is_secure:
            return False
        if barred(scan.credential, holder, self._rolls, now) is not None:
            return False
        state = EmergencyState(point.emergency)
        emergency = self._around.emergency
        return emergency.responder_card(state, holder, scan.access_point, now)

    def awaiting(self, now: Moment) -> frozenset[str]:
        """Return the access points where somebody waits for a volunteer's word."""
        return self._confirmations.open(now.monotonic_s)

    def confirm(self, order: EntryConfirmed, now: Moment) -> str:
        """Let in who waits for a volunteer's word; return why not."""
        scan = self._confirmations.confirm(order.access_point, now.monotonic_s)
        if scan is None:
            return "nobody waits there any more, let the person scan again"
        actor: Facts = (("actor", order.actor[:MAX_TEXT]),)
        self._let_in(scan, now, actor, NOBODY)
        return ""

    def unreadable(self, access_point: str, cause: str, now: Moment) -> None:
        """Refuse what could not be read, before anything is asked."""
        facts: Facts = (("cause", cause),)
        denied = Denied(rule="reader", reason=DenyReason.UNREADABLE, facts=facts)
        self._reception.deny(access_point, denied, now, (), self._rolls)

    def stale(self, access_point: str, now: Moment) -> None:
        """Ask for a new scan of whom nobody answered in time."""
        self._rescans.stale(access_point, now.monotonic_s)
        step = NextStep.SHOW_AGAIN.value
        self._reception.indicate(access_point, Indication.TRY_AGAIN, next_step=step)

    def follow(self, event: Event) -> None:
        """Forget a grant that nobody used: its person has been given back."""
        if event.kind is EventKind.ACCESS_NOT_TAKEN:
            self._rescans.forget(int(event.fact("cause") or 0))

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._rescans.renumber(shift)

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        times = (
            self._rescans.deadline(),
            self._pairs.deadline(),
            self._confirmations.deadline(),
        )
        return min((at_s for at_s in times if at_s is not None), default=None)

    def expire(self, now: Moment, *, is_final: bool = False) -> None:
        """Tell the stale scans that were counted; send home who waited long enough."""
        stale = self._rescans.collect(now.monotonic_s, is_final=is_final)
        for access_point, count in stale:
            facts: Facts = (("scans", count),)
            self._out.event(EventKind.STALLED, access_point, now, facts=facts)
        over = self._pairs.expire(now.monotonic_s)
        over += self._confirmations.expire(now.monotonic_s)
        for access_point in over:
            step = NextStep.SHOW_AGAIN.value
            self._reception.indicate(access_point, Indication.TRY_AGAIN, next_step=step)

    @property
    def _rolls(self) -> Rolls:
        return self._around.rolls

    def _again(
        self, scan: Scan, point: AccessPointPlan, now: Moment
    ) -> tuple[int, float] | None:
        """Return the grant that this scan repeats, and how long it releases."""
        doors, ticket = self._around.doors, scan.ticket
        if isinstance(ticket, Ticket) and ticket.rotation is Rotation.WRONG:
            return None  # a copy without the digits that change
        is_entry = point.direction is Direction.IN
        if is_entry and not self._may_reopen(scan, point, now):
            return None
        changes = doors.mode_changes(point.door_id)
        again = self._rescans.find(scan, changes, now.monotonic_s)
        if again is not None or not isinstance(ticket, Ticket):
            return again
        if doors.mode(point.door_id) is not DoorMode.LOCKED:
            return None
        cause = self._around.redemptions.running(ticket, scan.access_point)
        if cause is None:
            return None
        return cause, self._site.doors[point.door_id].release_s

    def _may_reopen(self, scan: Scan, point: AccessPointPlan, now: Moment) -> bool:
        """Say whether nothing has come between a grant and its repetition."""
        around, holder = self._around, self._rolls.find(*scan.credential.tokens)
        if not scan.is_secure or not around.doors.strike_is_sound(point.door_id):
            return False
        if not around.emergency.is_fire and around.doors.interlocked_by(point.door_id):
            return False
        ticket = scan.ticket
        if isinstance(ticket, Ticket):
            return self._rolls.ticket_revocation(ticket.ticket_id) is None
        reason = barred(scan.credential, holder, self._rolls, now)
        # A stranger's card, granted at a walk-in space, is as unknown as before.
        return reason in (None, DenyReason.CREDENTIAL_NOT_FOUND)

    def _reopen(
        self, point: AccessPointPlan, again: tuple[int, float], now: Moment
    ) -> None:
        """Same card within 3 s of its grant: release again, without a second event."""
        (cause, release_s), doors = again, self._around.doors
        if release_s > 0:
            # Not a cause anew: while nobody used it the door still remembers it.
            doors.release(point.door_id, release_s, now, cause=None)
            is_egress = point.direction is Direction.OUT
            doors.pulse(point.door_id, release_s, now, cause=cause, is_egress=is_egress)
        usual_s = self._site.doors[point.door_id].release_s
        name, is_slow = point.access_point_id, release_s > usual_s
        self._reception.welcome(name, None, is_slow=is_slow)

    def _confirms(self, scan: Scan, holder: Cardholder | None, now: Moment) -> bool:
        """Take a volunteer's card as his word for whoever waits at this reader."""
        waiting = self._confirmations.waiting(scan.access_point, now.monotonic_s)
        if waiting is None or holder is None or not scan.is_secure:
            return False
        if not may_confirm(scan.credential, holder, self._rolls, now):
            return False
        self._confirmations.confirm(scan.access_point, now.monotonic_s)
        self._let_in(waiting, now, (), Person(holder=holder.holder_id))
        return True

    def _let_in(self, scan: Scan, now: Moment, facts: Facts, by: Person) -> None:
        self._out.event(
            EventKind.CONFIRMATION_GIVEN, scan.access_point, now, facts=facts, person=by
        )
        point = self._site.access_points[scan.access_point]
        holder = self._rolls.find(*scan.credential.tokens)
        self._decide(scan, point, holder, now, is_confirmed=True)

    def _decide(
        self,
        scan: Scan,
        point: AccessPointPlan,
        holder: Cardholder | None,
        now: Moment,
        *,
        is_confirmed: bool = False,
    ) -> None:
        question = self._question(scan, point, holder, now, is_confirmed=is_confirmed)
        answer = decide(question)
        if isinstance(answer, Granted):
            self._grant(scan, question, answer)
            self._reception.tell_fault(scan.access_point, answer, now)
        else:
            self._deny(scan, question, answer)

    def _question(
        self,
        scan: Scan,
        point: AccessPointPlan,
        holder: Cardholder | None,
        now: Moment,
        *,
        is_confirmed: bool = False,
        is_first: bool = False,
    ) -> Question:
        site, around = self._site, self._around
        door = site.doors[point.door_id]
        doors, duty = around.doors, around.duty
        return Question(
            now=now,
            site=site,
            point=point,
            door=door,
            space=around.rolls.spaces[door.space_id],
            mode=doors.mode(door.door_id),
            credential=scan.credential,
            holder=holder,
            rolls=around.rolls,
            standing=around.emergency.standing,
            admissions=around.admissions.by_booking,
            redemptions=around.redemptions,
            presence=around.presence,
            ticket=scan.ticket,
            is_staff_present=bool(duty.on_duty),
            first_holder="" if is_first else self._first_of(point, now),
            interlocked_by=doors.interlocked_by(door.door_id),
            is_reader_sound=scan.is_secure,
            is_strike_sound=doors.strike_is_sound(door.door_id),
            is_confirmed=is_confirmed,
        )

    def _first_of(self, point: AccessPointPlan, now: Moment) -> str:
        """Return who waits for a second person there, if he still may come in.

        A card may have been called back since, or the door's mode have changed.
        """
        name = point.access_point_id
        first = self._pairs.first(name, now.monotonic_s)
        if not first or name not in self._firsts:
            return first
        scan, changes = self._firsts[name]
        holder = self._rolls.find(*scan.credential.tokens)
        if changes == self._around.doors.mode_changes(point.door_id):
            answer = decide(self._question(scan, point, holder, now, is_first=True))
            needed = DenyReason.SECOND_PERSON_NEEDED
            if isinstance(answer, Denied) and answer.reason is needed:
                return first
        self._pairs.end(name)
        return ""

    def _grant(self, scan: Scan, question: Question, granted: Granted) -> None:
        now, doors = question.now, self._around.doors
        door_id, access_point = question.door.door_id, scan.access_point
        is_free, is_exit = granted.release_s == 0, question.point.direction is _OUT
        facts = _kind(scan) + granted.facts
        facts += self._reception.decided(granted.rule, self._rolls, now)
        facts += (("free", 1),) if is_free else ()
        facts += (("dir", _OUT.value),) if is_exit else _care(question.holder)
        event = self._out.event(
            EventKind.ACCESS_GRANTED,
            access_point,
            now,
            facts=facts,
            person=granted.person,
        )
        if not is_free:
            release_s = granted.release_s
            doors.grant(door_id, release_s, event, now, is_egress=is_exit)
        changes = doors.mode_changes(door_id)
        self._rescans.granted(
            scan, changes, event.seq, granted.release_s, now.monotonic_s
        )
        self._pairs.end(access_point)
        end_ms = event.fact("end")
        self._reception.welcome(
            access_point,
            question.holder,
            is_slow=granted.release_s > question.door.release_s,
            until_ms=end_ms if isinstance(end_ms, int) else None,
        )

    def _deny(self, scan: Scan, question: Question, denied: Denied) -> None:
        now, access_point = question.now, scan.access_point
        waits = denied.reason in WAITING
        self._reception.deny(
            access_point,
            denied,
            now,
            _kind(scan),
            self._rolls,
            indication=Indication.WAITING if waits else Indication.DENIED,
            language=language_of(question.holder),
        )
        if denied.reason is DenyReason.SECOND_PERSON_NEEDED:
            identity = pair_identity(question)
            self._pairs.wait(access_point, identity, now.monotonic_s)
            changes = self._around.doors.mode_changes(question.door.door_id)
            self._firsts[access_point] = (scan, changes)
        elif denied.reason is DenyReason.AWAITING_CONFIRMATION:
            self._ask(scan, question)

    def _ask(self, scan: Scan, question: Question) -> None:
        """Let somebody wait for a volunteer's word, told once while he waits."""
        now, access_point = question.now, scan.access_point
        if self._confirmations.ask(scan, now.monotonic_s):
            self._out.event(EventKind.CONFIRMATION_ASKED, access_point, now)
        if question.first_holder:
            # A confirmation takes longer than the second of two persons may.
            self._pairs.wait(
                access_point,
                question.first_holder,
                now.monotonic_s,
                patience_s=CONFIRM_S,
            )


_OUT = Direction.OUT


def _kind(scan: Scan) -> Facts:
    return (("kind", scan.credential.kind.value),)


def _care(holder: Cardholder | None) -> Facts:
    """Say that the holder agreed to be asked after; of others nothing is kept."""
    if holder is None or not holder.care_days:
        return ()
    return ((CARE_FACT, holder.care_days),)
