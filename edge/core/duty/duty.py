# SPDX-License-Identifier: Apache-2.0
"""Volunteers' shifts: a card at the desk begins one, and ends it.

The law of the module: a shift belongs to a holder, whichever desk he scans at; its
minutes are what this box knows, provisional until the platform confirms them. What
was begun before a restart is ended by UTC, and says so where the clock was unsure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge.core.access.answers import Denied, DenyReason, NextStep, person_of
from edge.core.access.decision import barred
from edge.core.access.rescans import AGAIN_S
from edge.core.command import Indication
from edge.core.event import EventKind
from edge.core.moment import Moment

if TYPE_CHECKING:
    from edge.core.event import Event, Facts
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.roster import Roster
    from edge.core.reception import Reception
    from edge.core.stimulus import Scan

VOLUNTEER = "VOLUNTEER"
MINUTE_MS = 60_000


class Duty:
    """Who is on duty, and since when."""

    def __init__(self, out: OutcomeBuilder, reception: Reception) -> None:
        self._out = out
        self._reception = reception
        self._since: dict[str, Moment] = {}
        self._toggled_s: dict[str, float] = {}

    @property
    def on_duty(self) -> tuple[str, ...]:
        """The holders whose shift runs."""
        return tuple(self._since)

    def scan(
        self, scan: Scan, holder: Cardholder | None, roster: Roster, now: Moment
    ) -> None:
        """Begin or end the shift of whoever scanned."""
        kind: Facts = (("kind", scan.credential.kind.value),)
        reason = barred(scan.credential, holder, roster)
        if holder is None or reason is not None:
            reason = reason or DenyReason.CREDENTIAL_NOT_FOUND
            denied = Denied(rule="credential", reason=reason, person=person_of(holder))
            self._reception.deny(scan.access_point, denied, now, kind, roster)
            return
        name = holder.holder_id
        if name not in self._since and VOLUNTEER not in holder.roles:
            denied = Denied(
                rule="duty",
                reason=DenyReason.UNAUTHORIZED,
                person=person_of(holder),
                step=NextStep.ASK_VOLUNTEER,
            )
            self._reception.deny(scan.access_point, denied, now, kind, roster)
            return
        last_s = self._toggled_s.get(name)
        if last_s is None or now.monotonic_s - last_s >= AGAIN_S:
            self._toggle(scan, holder, kind, now)
        word = "started" if name in self._since else "ended"
        self._reception.indicate(
            scan.access_point, Indication.GRANTED, facts=(("duty", word),)
        )

    def _toggle(
        self, scan: Scan, holder: Cardholder, facts: Facts, now: Moment
    ) -> None:
        self._toggled_s[holder.holder_id] = now.monotonic_s
        since = self._since.get(holder.holder_id)
        what = EventKind.DUTY_STARTED if since is None else EventKind.DUTY_ENDED
        if since is not None:
            facts += _minutes(since, now)
        person = person_of(holder)
        event = self._out.event(
            what, scan.access_point, now, facts=facts, person=person
        )
        # As the journal keeps it, or a replay would differ by part of a millisecond.
        kept_s = int(now.monotonic_s * 1000) / 1000
        self.follow(replace(event, moment=replace(now, monotonic_s=kept_s)))

    def dump(self) -> dict[str, list[list[int | str]]]:
        """Return what must survive a restart, as JSON values."""
        return {
            "shifts": [[holder, *_dump(since)] for holder, since in self._since.items()]
        }

    def load(self, state: dict[str, list[list[int | str]]]) -> None:
        """Take the state that :meth:`dump` returned; an older one has no shifts."""
        for holder, monotonic_ms, earliest_ms, latest_ms, boot in state.get(
            "shifts", ()
        ):
            self._since[str(holder)] = Moment(
                monotonic_s=int(monotonic_ms) / 1000,
                earliest_ms=int(earliest_ms),
                latest_ms=int(latest_ms),
                boot=str(boot),
            )

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed; one erased is nobody's."""
        holder = event.person.holder
        if holder is None:
            return
        if event.kind is EventKind.DUTY_STARTED:
            self._since[holder] = event.moment
        elif event.kind is EventKind.DUTY_ENDED:
            self._since.pop(holder, None)


def _dump(since: Moment) -> tuple[int | str, ...]:
    monotonic_ms = round(since.monotonic_s * 1000)
    return monotonic_ms, since.earliest_ms, since.latest_ms, since.boot


def _minutes(since: Moment, now: Moment) -> Facts:
    if since.boot == now.boot:
        return (("minutes", int((now.monotonic_s - since.monotonic_s) // 60)),)
    elapsed_ms = max(0, now.earliest_ms - since.earliest_ms)
    minutes: Facts = (("minutes", elapsed_ms // MINUTE_MS),)
    widest_ms = max(each.latest_ms - each.earliest_ms for each in (since, now))
    return minutes if widest_ms < MINUTE_MS else (*minutes, ("time_unverified", 1))
