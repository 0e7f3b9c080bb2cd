# SPDX-License-Identifier: Apache-2.0
"""A duty desk of its own: one keeper, its journal, and a clock that can be unsure.

The law of the module: it plays the shell and judges nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.duty.care import Care
from edge.core.duty.duty import Duty
from edge.core.moment import UNBOUNDED_MS
from edge.core.order import DutyConfirmed, DutyCorrected, DutyOrdered
from edge.core.outcome import OutcomeBuilder
from edge.core.people.entries import Cardholder
from edge.core.reception import Reception
from tests.core.scene import SITE, clock_ms, moment
from tests.core.stage import as_stored

if TYPE_CHECKING:
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan

NIGHTLY = replace(SITE, closing_min=22 * 60)


class Desk:
    """One site's shifts and cared-for; 15:00 of a Monday at its rise."""

    def __init__(self, site: SitePlan = NIGHTLY) -> None:
        self.site = site
        self.journal: list[Event] = []
        self.now_s = 1000.0
        self.utc_ms = clock_ms("15:00")
        self.spread_ms = 0
        self.boot = "boot-1"
        self.out = OutcomeBuilder(1, self.follow)
        self.duty, self.care = self.fresh()

    def fresh(self) -> tuple[Duty, Care]:
        """Return keepers that know nothing yet."""
        reception = Reception(self.out, self.site.settings_revision)
        duty = Duty(self.site, self.out, reception)
        return duty, Care(self.site, self.out)

    def follow(self, event: Event) -> None:
        """Keep an event, and let both keepers hear of it."""
        self.journal.append(event)
        self.duty.follow(event)
        self.care.follow(event)

    def now(self) -> Moment:
        """Return this instant."""
        latest = self.utc_ms + self.spread_ms if self.spread_ms >= 0 else UNBOUNDED_MS
        return moment(self.utc_ms, latest, s=self.now_s, boot=self.boot)

    def wait(self, hours: float) -> list[str]:
        """Let time pass, with a tick at each deadline; return what was told."""
        before, end_s = len(self.journal), self.now_s + hours * 3600
        for _ in range(100_000):
            dues = (self.duty.deadline(), self.care.deadline())
            due_s = min((due for due in dues if due is not None), default=end_s)
            if due_s >= end_s:
                break
            self._pass(max(0.0, due_s - self.now_s))
            self.tick()
        self._pass(end_s - self.now_s)
        self.tick()
        return [event.kind.value for event in self.journal[before:]]

    def _pass(self, seconds: float) -> None:
        self.now_s += seconds
        self.utc_ms += round(seconds * 1000)

    def tick(self) -> None:
        """Let timers that ran out take effect."""
        self.duty.expire(self.now())
        self.care.expire(self.now())

    def order(self, who: str, *, start: bool = True, role: str = "VOLUNTEER") -> str:
        """Begin or end a shift at the panel."""
        holder = Cardholder(
            holder_id=who,
            roles=(role,),
            language="zh-CN",
            is_enabled=True,
            needs_extended_time=False,
        )
        order = DutyOrdered(holder=who, is_start=start, actor="manager")
        return self.duty.order(order, holder, self.now())

    def correct(
        self, seq: int, minutes: int, *, actor: str = "lin", second: str = "he"
    ) -> str:
        """Correct a shift."""
        order = DutyCorrected(
            seq=seq, minutes=minutes, actor=actor, second=second, reason="forgot"
        )
        return self.duty.correct(order, self.now())

    def confirm(self, seq: int, minutes: int) -> str:
        """Let the social worker confirm a shift."""
        order = DutyConfirmed(seq=seq, minutes=minutes, actor="worker")
        return self.duty.confirm(order, self.now())

    def restart(self, *, cut: int, away_h: float = 0.0) -> None:
        """Come back after a power cut from a snapshot ``cut`` events ago."""
        self.duty, self.care = self.replayed(cut)
        self.boot = f"boot-{len(self.boot)}{self.utc_ms}"
        self.utc_ms += round(away_h * 3_600_000)
        self.now_s = 5.0
        self.tick()

    def replayed(self, cut: int) -> tuple[Duty, Care]:
        """Return keepers rebuilt from a snapshot ``cut`` events ago and the rest."""
        told = [as_stored(event) for event in self.journal]
        first = max(0, len(told) - cut)
        before, after = self.fresh(), self.fresh()
        for event in told[:first]:
            before[0].follow(event)
            before[1].follow(event)
        after[0].load(before[0].dump())
        after[1].load(before[1].dump())
        for event in told[first:]:
            after[0].follow(event)
            after[1].follow(event)
        return after
