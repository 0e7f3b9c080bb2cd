# SPDX-License-Identifier: Apache-2.0
"""May this credential open this door now? One pure function, first refusal wins.

The law of the module: the rules stand in ``RULES`` in their order, each a function of
the same question that refuses, admits or passes on; nobody else decides. A path that
reaches the end without an admission is a refusal. Every answer names its rule.
Source: ARCHITECTURE.md, "The decision".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.admissions import UNUSED
from edge.core.door import FREE_MODES, DoorMode
from edge.core.event import NOBODY, Facts, Person
from edge.core.moment import ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.core.admissions import Admission
    from edge.core.credential import Credential
    from edge.core.moment import Moment
    from edge.core.plan import DoorPlan, SitePlan
    from edge.core.roster import Booking, Cardholder, Roster

DAY_MS = 86_400_000
#: Entries under one booking while the clock is unsure (trust: two, then refuse).
MAX_UNVERIFIED = 2


class DenyReason(StrEnum):
    """Why not; each has its next step in ``NEXT_STEP``."""

    CREDENTIAL_NOT_FOUND = "CREDENTIAL_NOT_FOUND"
    CREDENTIAL_NOT_ENABLED = "CREDENTIAL_NOT_ENABLED"
    CREDENTIAL_REVOKED = "CREDENTIAL_REVOKED"
    UNAUTHORIZED = "UNAUTHORIZED"
    WRONG_SPACE = "WRONG_SPACE"
    TOO_EARLY = "TOO_EARLY"
    TOO_LATE = "TOO_LATE"
    CLOCK_UNTRUSTED = "CLOCK_UNTRUSTED"
    DOOR_BLOCKED = "DOOR_BLOCKED"
    DOOR_LOCKED_DOWN = "DOOR_LOCKED_DOWN"
    PARTY_FULL = "PARTY_FULL"
    UNREADABLE = "UNREADABLE"
    STORAGE_FAULT = "STORAGE_FAULT"


class NextStep(StrEnum):
    """What a refused person can do now."""

    ASK_VOLUNTEER = "ASK_VOLUNTEER"
    BOOK = "BOOK"
    BOOK_AGAIN = "BOOK_AGAIN"
    COME_AT = "COME_AT"
    GO_TO_SPACE = "GO_TO_SPACE"
    SHOW_AGAIN = "SHOW_AGAIN"
    USE_OTHER_DOOR = "USE_OTHER_DOOR"


NEXT_STEP: dict[DenyReason, NextStep] = {
    DenyReason.CREDENTIAL_NOT_FOUND: NextStep.ASK_VOLUNTEER,
    DenyReason.CREDENTIAL_NOT_ENABLED: NextStep.ASK_VOLUNTEER,
    DenyReason.CREDENTIAL_REVOKED: NextStep.ASK_VOLUNTEER,
    DenyReason.UNAUTHORIZED: NextStep.BOOK,
    DenyReason.WRONG_SPACE: NextStep.GO_TO_SPACE,
    DenyReason.TOO_EARLY: NextStep.COME_AT,
    DenyReason.TOO_LATE: NextStep.BOOK_AGAIN,
    DenyReason.CLOCK_UNTRUSTED: NextStep.ASK_VOLUNTEER,
    DenyReason.DOOR_BLOCKED: NextStep.USE_OTHER_DOOR,
    DenyReason.DOOR_LOCKED_DOWN: NextStep.ASK_VOLUNTEER,
    DenyReason.PARTY_FULL: NextStep.ASK_VOLUNTEER,
    DenyReason.UNREADABLE: NextStep.SHOW_AGAIN,
    DenyReason.STORAGE_FAULT: NextStep.ASK_VOLUNTEER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that a rule may look at."""

    credential: Credential
    door: DoorPlan
    mode: DoorMode
    roster: Roster
    site: SitePlan
    admissions: Mapping[str, Admission]
    now: Moment
    holder: Cardholder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Come in: the rule that said so, for whom, and how long to release."""

    rule: str
    person: Person
    release_s: float
    facts: Facts = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """Not now: the reason, what to do next, and the refusal's parameters."""

    rule: str
    reason: DenyReason
    person: Person = NOBODY
    facts: Facts = ()

    @property
    def next_step(self) -> NextStep:
        """What the person can do now."""
        return NEXT_STEP[self.reason]


Decision = Granted | Denied


def decide(question: Question) -> Decision:
    """Ask the rules in order; the first that answers has decided."""
    for name, rule in RULES:
        answer = rule(question, name)
        if answer is not None:
            return answer
    return Denied(rule="end", reason=DenyReason.UNAUTHORIZED, person=_person(question))


def _person(question: Question, booking: Booking | None = None) -> Person:
    holder = question.holder
    if holder is None:
        return NOBODY
    booking_id = booking.booking_id if booking else None
    return Person(holder=holder.holder_id, booking=booking_id)


def _mode(question: Question, rule: str) -> Decision | None:
    if question.mode in FREE_MODES:
        person = _person(question)
        return Granted(rule=rule, person=person, release_s=0.0)
    closed = {
        DoorMode.BLOCKED: DenyReason.DOOR_BLOCKED,
        DoorMode.LOCKED_DOWN: DenyReason.DOOR_LOCKED_DOWN,
    }
    reason = closed.get(question.mode)
    if reason is None:
        return None
    return Denied(rule=rule, reason=reason, person=_person(question))


def _credential(question: Question, rule: str) -> Decision | None:
    if question.roster.revocation(question.credential.token) is not None:
        reason = DenyReason.CREDENTIAL_REVOKED
        return Denied(rule=rule, reason=reason, person=_person(question))
    if question.holder is None:
        return Denied(rule=rule, reason=DenyReason.CREDENTIAL_NOT_FOUND)
    return None


def _enabled(question: Question, rule: str) -> Decision | None:
    if question.holder is not None and not question.holder.is_enabled:
        reason = DenyReason.CREDENTIAL_NOT_ENABLED
        return Denied(rule=rule, reason=reason, person=_person(question))
    return None


def _booking(question: Question, rule: str) -> Decision | None:
    """Entitlement, clock and party: they judge the same booking together."""
    holder = question.holder
    if holder is None:
        return None
    bookings = question.roster.bookings(holder.holder_id)
    here = [b for b in bookings if b.space_id == question.door.space_id]
    verdicts = [(_verdict(question, booking), booking) for booking in here]
    inside = [b for verdict, b in verdicts if verdict is ClockVerdict.INSIDE]
    unsure = [b for verdict, b in verdicts if verdict is ClockVerdict.UNSURE]
    for booking in inside:
        if _has_room(question, booking):
            return _grant(question, rule, booking)
    if inside:
        person = _person(question, inside[0])
        return Denied(rule="party", reason=DenyReason.PARTY_FULL, person=person)
    if unsure:
        return _unsure(question, unsure)
    return _nearest_remedy(question, rule, bookings)


def _verdict(question: Question, booking: Booking) -> ClockVerdict:
    space = question.site.spaces[booking.space_id]
    start_ms = booking.from_ms - space.lead_ms
    return question.now.against(start_ms, booking.to_ms + space.grace_ms)


def _has_room(question: Question, booking: Booking) -> bool:
    used = question.admissions.get(booking.booking_id, UNUSED)
    return used.persons < booking.party


def _grant(
    question: Question, rule: str, booking: Booking, facts: Facts = ()
) -> Granted:
    holder, door = question.holder, question.door
    is_slow = holder is not None and holder.needs_extended_time
    return Granted(
        rule=rule,
        person=_person(question, booking),
        release_s=door.extended_release_s if is_slow else door.release_s,
        facts=(("end", booking.to_ms), *facts),
    )


def _unsure(question: Question, bookings: list[Booking]) -> Decision:
    """Let a booked person in although the clock cannot say when it is, but seldom."""
    for booking in bookings:
        used = question.admissions.get(booking.booking_id, UNUSED)
        if used.unverified < MAX_UNVERIFIED and used.persons < booking.party:
            return _grant(question, "clock", booking, (("time_unverified", 1),))
    person = _person(question, bookings[0])
    return Denied(rule="clock", reason=DenyReason.CLOCK_UNTRUSTED, person=person)


def _nearest_remedy(question: Question, rule: str, bookings: list[Booking]) -> Denied:
    """Tell what would help most: the other room, the next slot, or booking again."""
    spaces = question.site.spaces
    known = [booking for booking in bookings if booking.space_id in spaces]
    verdicts = [(_verdict(question, booking), booking) for booking in known]

    def denied(reason: DenyReason, booking: Booking, facts: Facts) -> Denied:
        person = _person(question, booking)
        return Denied(rule=rule, reason=reason, person=person, facts=facts)

    for verdict, booking in verdicts:
        if verdict is ClockVerdict.INSIDE:
            elsewhere: Facts = (("space", booking.space_id),)
            return denied(DenyReason.WRONG_SPACE, booking, elsewhere)
    here = [(v, b) for v, b in verdicts if b.space_id == question.door.space_id]
    for verdict, booking in here:
        if verdict is ClockVerdict.BEFORE:
            come_ms = booking.from_ms - spaces[booking.space_id].lead_ms
            return denied(DenyReason.TOO_EARLY, booking, (("from_ms", come_ms),))
    for verdict, booking in reversed(here):
        if verdict is ClockVerdict.AFTER and _is_today(question, booking.to_ms):
            return denied(DenyReason.TOO_LATE, booking, (("to_ms", booking.to_ms),))
    return Denied(rule=rule, reason=DenyReason.UNAUTHORIZED, person=_person(question))


def _is_today(question: Question, utc_ms: int) -> bool:
    offset_ms = question.site.utc_offset_ms
    today = (question.now.earliest_ms + offset_ms) // DAY_MS
    return (utc_ms + offset_ms) // DAY_MS == today


RULES: tuple[tuple[str, Callable[[Question, str], Decision | None]], ...] = (
    ("mode", _mode),
    ("credential", _credential),
    ("enabled", _enabled),
    ("booking", _booking),
)
