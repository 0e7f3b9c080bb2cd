# SPDX-License-Identifier: Apache-2.0
"""Volunteers' shifts: begun and ended by a card at the desk, or at the panel.

The law of the module: a shift belongs to a holder, whichever desk he scans at; its
minutes are what this box knows, provisional until the platform confirms them. An end
that was forgotten is set at closing time and marked; no shift is longer than twelve
hours; a correction is a new event, and takes a second person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.core.access.answers import Denied, DenyReason, NextStep, person_of
from edge.core.access.rescans import AGAIN_S
from edge.core.access.rules.credential import barred
from edge.core.command import Indication
from edge.core.duty.confirmed import Confirmed
from edge.core.duty.ledger import Ledger
from edge.core.duty.logins import Logins
from edge.core.duty.planned import Planned
from edge.core.duty.shift import (
    CONFIRMATION,
    MAX_SHIFT_MIN,
    Shift,
    closing_ms,
    elapsed_min,
    end_facts,
)
from edge.core.event import EventKind, Person
from edge.core.order import DutyConfirmed
from edge.core.plan import MINUTE_MS
from edge.core.reception import language_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.erasing.names import Names
    from edge.core.event import Event, Facts
    from edge.core.moment import Moment
    from edge.core.order import DutyCorrected, DutyOrdered, DutyQuestioned
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.rolls import Rolls
    from edge.core.people.shift_row import ShiftRow
    from edge.core.plan import SitePlan
    from edge.core.reception import Reception
    from edge.core.stimulus import Scan

#: Whose shifts count.
ON_DUTY_ROLES = frozenset({"VOLUNTEER", "MANAGER"})
PANEL = "panel"
MAX_TEXT = 64


class Duty:
    """Who is on duty, since when, and what the shifts before came to."""

    def __init__(
        self, site: SitePlan, out: OutcomeBuilder, reception: Reception
    ) -> None:
        self._site = site
        self._out = out
        self._reception = reception
        self._ledger = Ledger(site.utc_offset_ms)
        self._confirmed = Confirmed(self._ledger, self._take_word)
        self._planned = Planned()
        #: Tablets at which somebody is about to log in by card.
        self.logins = Logins(site)
        self._toggled_s: dict[str, float] = {}
        #: When the first forgotten end is due, on the monotonic clock of this boot.
        self._due_s: float | None = None

    @property
    def on_duty(self) -> tuple[str, ...]:
        """The holders whose shift runs."""
        return tuple(self._ledger.running)

    @property
    def shifts(self) -> Mapping[int, Shift]:
        """The shifts that are remembered, by the seq of their beginning."""
        return self._ledger.shifts

    def points(self, holder: str, month: str, *, confirmed: bool = False) -> int:
        """Return a holder's points of a local month (``YYYY-MM``)."""
        return self._ledger.points(holder, month, confirmed=confirmed)

    def all_points(self, month: str) -> tuple[int, int]:
        """Return everybody's points of a local month, and the confirmed ones."""
        return self._ledger.all_points(month)

    def adopt(self, rolls: Rolls) -> None:
        """Take over what is planned, and confirmed; events of these follow by ticks."""
        self._planned.adopt(rolls.planned_shifts)
        self._confirmed.adopt(rolls.confirmed_shifts)

    def scan(
        self, scan: Scan, holder: Cardholder | None, rolls: Rolls, now: Moment
    ) -> None:
        """Begin or end the shift of whoever scanned; a log-in never ends one."""
        kind: Facts = (("kind", scan.credential.kind.value),)
        reason = barred(scan.credential, holder, rolls, now)
        if holder is None or reason is not None:
            reason = reason or DenyReason.CREDENTIAL_NOT_FOUND
            denied = Denied(rule="credential", reason=reason, person=person_of(holder))
            language = language_of(holder)
            self._reception.deny(
                scan.access_point, denied, now, kind, rolls, language=language
            )
            return
        name = holder.holder_id
        may_begin = not ON_DUTY_ROLES.isdisjoint(holder.roles)
        if self.logins.takes(scan, holder, ON_DUTY_ROLES, now):
            if may_begin and name not in self._ledger.running:
                self._toggled_s[name] = now.monotonic_s
                self._toggle(name, scan.access_point, kind, now)
            self._reception.indicate(scan.access_point, Indication.GRANTED)
            return
        if name not in self._ledger.running and not may_begin:
            denied = Denied(
                rule="duty",
                reason=DenyReason.UNAUTHORIZED,
                person=person_of(holder),
                step=NextStep.ASK_VOLUNTEER,
            )
            language = language_of(holder)
            self._reception.deny(
                scan.access_point, denied, now, kind, rolls, language=language
            )
            return
        last_s = self._toggled_s.get(name)
        if last_s is None or now.monotonic_s - last_s >= AGAIN_S:
            self._toggled_s[name] = now.monotonic_s
            self._toggle(name, scan.access_point, kind, now)
        word = "started" if name in self._ledger.running else "ended"
        self._reception.indicate(
            scan.access_point,
            Indication.GRANTED,
            facts=(("duty", word),),
            language=holder.language,
        )

    def order(self, order: DutyOrdered, holder: Cardholder | None, now: Moment) -> str:
        """Begin or end a shift at the panel; return why not, or nothing."""
        if holder is None:
            return "nobody of that name is known here"
        if (order.holder in self._ledger.running) is order.is_start:
            return "the shift runs already" if order.is_start else "no shift runs"
        if order.is_start and ON_DUTY_ROLES.isdisjoint(holder.roles):
            return "not a volunteer"
        self._toggle(order.holder, PANEL, (("actor", order.actor[:MAX_TEXT]),), now)
        return ""

    def correct(self, order: DutyCorrected, now: Moment) -> str:
        """Set a shift's minutes anew, with a second person; return why not."""
        shift = self._ledger.shifts.get(order.seq)
        if shift is None or shift.is_running:
            return "no ended shift began with that number"
        if not order.second or order.second == order.actor:
            return "a second person has to agree"
        if shift.holder in (order.actor, order.second):
            return "nobody corrects his own minutes"
        if not 0 <= order.minutes <= MAX_SHIFT_MIN:
            return f"a shift has 0 to {MAX_SHIFT_MIN} minutes"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("reason", order.reason[:MAX_TEXT]),
            ("second", order.second[:MAX_TEXT]),
            ("was", shift.minutes),
        )
        self._settle(EventKind.DUTY_CORRECTED, order, shift, facts, now)
        return ""

    def question(self, order: DutyQuestioned, now: Moment) -> str:
        """Note what a volunteer says of the own shift; its minutes stay; why not."""
        shift = self._ledger.shifts.get(order.seq)
        if shift is None or shift.is_running:
            return "no ended shift began with that number"
        if not 0 <= order.minutes <= MAX_SHIFT_MIN:
            return f"a shift has 0 to {MAX_SHIFT_MIN} minutes"
        facts: Facts = (
            ("actor", order.actor[:MAX_TEXT]),
            ("reason", order.reason[:MAX_TEXT]),
            ("was", shift.minutes),
        )
        self._settle(EventKind.DUTY_QUESTIONED, order, shift, facts, now)
        return ""

    def confirm(self, order: DutyConfirmed, now: Moment) -> str:
        """Take the social worker's word for a shift's minutes; return why not."""
        shift = self._ledger.shifts.get(order.seq)
        if shift is None or shift.is_running:
            return "no ended shift began with that number"
        if not 0 <= order.minutes <= MAX_SHIFT_MIN:
            return f"a shift has 0 to {MAX_SHIFT_MIN} minutes"
        facts: Facts = (("actor", order.actor[:MAX_TEXT]), ("was", shift.minutes))
        self._settle(EventKind.DUTY_CONFIRMED, order, shift, facts, now)
        return ""

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed."""
        self._ledger.follow(event)
        self._confirmed.follow(event)
        if event.kind in (EventKind.DUTY_STARTED, EventKind.DUTY_ENDED):
            self._due_s = 0.0  # looked at anew by the next tick

    def forget(self, names: Names) -> None:
        """Forget a person whose shift does not run."""
        self._ledger.forget(names.holder)

    def dump(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON values."""
        return {"shifts": self._ledger.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Take the state that :meth:`dump` returned; an older one has no shifts."""
        self._ledger.load(state.get("shifts", []))
        self._due_s = 0.0

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._ledger.renumber(shift)

    def deadline(self) -> float | None:
        """Return when :meth:`expire` has something to do."""
        if self._confirmed.waits:
            return 0.0
        return self._due_s if self._ledger.running else None

    def expire(self, now: Moment) -> None:
        """End what somebody forgot to end, and confirm what was confirmed."""
        self._confirmed.settle(now)
        if self._due_s is None or now.monotonic_s < self._due_s:
            return
        for holder, seq in tuple(self._ledger.running.items()):
            self._end_forgotten(holder, self._ledger.shifts[seq], now)
        waits = (
            self._wait_s(self._ledger.shifts[seq], now)
            for seq in self._ledger.running.values()
        )
        wait_s = min(waits, default=None)
        self._due_s = None if wait_s is None else now.monotonic_s + wait_s

    def _toggle(self, holder: str, at: str, facts: Facts, now: Moment) -> None:
        seq = self._ledger.running.get(holder)
        kind = EventKind.DUTY_STARTED
        if seq is not None:
            kind = EventKind.DUTY_ENDED
            since = self._ledger.shifts[seq].since
            facts = (*facts, *end_facts(since, now), ("cause", seq))
        else:
            facts = (*facts, *self._planned.facts(holder, now))
        self._out.event(kind, at, now, facts=facts, person=Person(holder=holder))

    def _take_word(self, seq: int, row: ShiftRow, now: Moment) -> None:
        """Note what the platform's feed says of a shift."""
        shift = self._ledger.shifts[seq]
        why: Facts = (("reason", row.reason[:MAX_TEXT]),) if row.reason else ()
        facts: Facts = (
            ("actor", row.by[:MAX_TEXT]),
            (CONFIRMATION, row.number),
            ("was", shift.minutes),
            *why,
        )
        order = DutyConfirmed(seq=seq, minutes=row.minutes, actor=row.by)
        self._settle(EventKind.DUTY_CONFIRMED, order, shift, facts, now)

    def _settle(
        self,
        kind: EventKind,
        order: DutyCorrected | DutyConfirmed | DutyQuestioned,
        shift: Shift,
        facts: Facts,
        now: Moment,
    ) -> None:
        told = (*facts, ("cause", order.seq), ("minutes", order.minutes))
        person = Person(holder=shift.holder)
        self._out.event(kind, PANEL, now, facts=told, person=person)

    def _end_forgotten(self, holder: str, shift: Shift, now: Moment) -> None:
        closed_ms = self._closing_ms(shift)
        minutes = elapsed_min(shift.since, now)
        why: Facts
        if closed_ms is not None and now.earliest_ms >= closed_ms:
            till_closing = (closed_ms - shift.since.earliest_ms) // MINUTE_MS
            minutes, why = min(minutes, till_closing), (("why", "closing"),)
        elif minutes >= MAX_SHIFT_MIN:
            why = (("capped", 1), ("why", "too_long"))
        else:
            return
        facts: Facts = (
            ("cause", self._ledger.running[holder]),
            ("minutes", min(minutes, MAX_SHIFT_MIN)),
            ("to_confirm", 1),
            *why,
        )
        person = Person(holder=holder)
        self._out.event(EventKind.DUTY_ENDED, PANEL, now, facts=facts, person=person)

    def _closing_ms(self, shift: Shift) -> int | None:
        """Return when the shift's day closes; None where nobody knows its day."""
        if not shift.is_sure:
            return None
        site = self._site
        since_ms = shift.since.earliest_ms
        return closing_ms(since_ms, site.closing_min, site.utc_offset_ms)

    def _wait_s(self, shift: Shift, now: Moment) -> float:
        """Return the seconds until a forgotten end may be due."""
        if shift.since.boot == now.boot:
            passed_s = now.monotonic_s - shift.since.monotonic_s
        else:
            passed_s = max(0, now.earliest_ms - shift.since.earliest_ms) / 1000
        waits = [MAX_SHIFT_MIN * 60 - passed_s]
        closed_ms = self._closing_ms(shift)
        if closed_ms is not None:
            waits.append((closed_ms - now.earliest_ms) / 1000)
        # A millisecond at least, or a tick that came a hair early would spin.
        return max(0.001, min(waits))
