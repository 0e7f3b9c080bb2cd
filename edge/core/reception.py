# SPDX-License-Identifier: Apache-2.0
"""What is said at an access point, and what is written down of it.

The law of the module: the person hears every refusal, the journal only the first few
a minute of each access point; those beyond are counted there (an attacker must not
wear out the disk). Every decision stores what explains it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from edge.core.access.tries import MAX_TRIES, Tries
from edge.core.command import Indicate, Indication
from edge.core.event import EventKind, Facts
from edge.core.limiter import Limiter

if TYPE_CHECKING:
    from edge.core.access.answers import Decision, Denied
    from edge.core.moment import Moment
    from edge.core.outcome import OutcomeBuilder
    from edge.core.people.entries import Cardholder
    from edge.core.people.roster import Cursor

#: Refusals of one access point that are told singly a minute.
SINGLE_DENIALS = 5
#: … and rules that raised.
SINGLE_FAULTS = 3


def language_of(holder: Cardholder | None) -> str:
    """Return the language that somebody asked for, "" where nobody is known."""
    return "" if holder is None else holder.language


class Known(Protocol):
    """Who is known, as far as a decision names it."""

    @property
    def cursor(self) -> Cursor:
        """Where in the platform's feed it stands."""

    @property
    def confirmed_ms(self) -> int:
        """When the platform called it current, UTC, a lower bound; 0: never."""


class Reception:
    """Speaks at every access point of a site."""

    def __init__(self, out: OutcomeBuilder, settings_revision: str) -> None:
        self._out = out
        self._settings_revision = settings_revision
        self._denials = Limiter(SINGLE_DENIALS)
        self._faults = Limiter(SINGLE_FAULTS)
        #: Wrong tries in a row, by access point: codes are guessed wherever they open.
        self.tries = Tries()

    def crowd(self, *, is_crowded: bool) -> None:
        """Count refusals only, while the journal has no room for each; or no longer."""
        self._denials.is_crowded = is_crowded

    def decided(self, rule: str, known: Known, now: Moment) -> Facts:
        """Return what every decision stores, so that it can be explained later.

        How old the feed was stands there only where both ends are known.
        """
        facts: Facts = (
            ("fr", known.cursor.revision),
            ("rule", rule),
            ("set", self._settings_revision),
        )
        age_ms = now.earliest_ms - known.confirmed_ms
        if not known.confirmed_ms or age_ms < 0:
            return facts
        return (("age_s", age_ms // 1000), *facts)

    def deny(
        self,
        access_point: str,
        denied: Denied,
        now: Moment,
        facts: Facts,
        known: Known,
        *,
        indication: Indication = Indication.DENIED,
        language: str = "",
    ) -> None:
        """Say a refusal, in the person's own language if it is known; write it down."""
        reason, step = denied.reason.value, denied.next_step.value
        self.indicate(
            access_point,
            indication,
            reason,
            next_step=step,
            facts=denied.facts,
            language=language,
        )
        self.record(access_point, denied, now, facts, known)
        now_s = now.monotonic_s
        if self.tries.refused(access_point, denied.reason, now_s, denied.facts):
            told: Facts = (("tries", MAX_TRIES),)
            self._out.event(EventKind.WRONG_TRIES, access_point, now, facts=told)

    def record(
        self, subject: str, denied: Denied, now: Moment, facts: Facts, known: Known
    ) -> None:
        """Write a refusal down, or count it."""
        reason = denied.reason.value
        if self._denials.is_single(subject, reason, now.monotonic_s):
            facts = (("reason", reason), *facts, *denied.facts)
            self._out.event(
                EventKind.ACCESS_DENIED,
                subject,
                now,
                facts=(*facts, *self.decided(denied.rule, known, now)),
                person=denied.person,
            )
        self.tell_fault(subject, denied, now)

    def tell_fault(self, subject: str, answer: Decision, now: Moment) -> None:
        """Tell of a rule that raised: our own mistake, which must not stay unseen."""
        error = next((value for name, value in answer.facts if name == "error"), None)
        rule = answer.rule
        if error is None or not self._faults.is_single(subject, rule, now.monotonic_s):
            return
        facts: Facts = (("error", error), ("rule", rule))
        self._out.event(EventKind.RULE_FAULT, subject, now, facts=facts)

    def indicate(
        self,
        access_point: str,
        indication: Indication,
        reason: str = "",
        *,
        next_step: str = "",
        facts: Facts = (),
        language: str = "",
    ) -> None:
        """Show something at an access point."""
        self._out.command(
            Indicate(
                access_point=access_point,
                indication=indication,
                reason=reason,
                next_step=next_step,
                facts=facts,
                language=language,
            )
        )

    def welcome(
        self,
        access_point: str,
        holder: Cardholder | None,
        *,
        is_slow: bool = False,
        until_ms: int | None = None,
    ) -> None:
        """Show that somebody may come in, and until when if that is known."""
        wish = Indicate(
            access_point=access_point,
            indication=Indication.GRANTED,
            language=language_of(holder),
            is_slow=is_slow,
            until_ms=until_ms,
        )
        self._out.command(wish)

    def deadline(self) -> float | None:
        """Return when what was counted is to be told."""
        times = (self._denials.deadline(), self._faults.deadline())
        return min((at_s for at_s in times if at_s is not None), default=None)

    def tell_counted(self, now: Moment, *, is_final: bool = False) -> None:
        """Tell the counts of windows that are over."""
        counted = self._denials.collect(now.monotonic_s, is_final=is_final)
        for subject, reason, count in counted:
            facts: Facts = (("count", count), ("reason", reason))
            self._out.event(EventKind.ACCESS_DENIED, subject, now, facts=facts)
        faults = self._faults.collect(now.monotonic_s, is_final=is_final)
        for subject, rule, count in faults:
            told: Facts = (("count", count), ("rule", rule))
            self._out.event(EventKind.RULE_FAULT, subject, now, facts=told)
