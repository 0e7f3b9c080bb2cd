# SPDX-License-Identifier: Apache-2.0
"""May this credential open this door now? One pure function, first refusal wins.

The law of the module: the rules stand in ``RULES`` in their order, each a function of
the same question that refuses, admits or passes on; nobody else decides. A path that
reaches the end without an admission is a refusal. Every answer names its rule.
Source: ARCHITECTURE.md, "The decision".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.access.admissions import UNUSED
from edge.core.access.answers import Decision, Denied, DenyReason, Granted, person_of
from edge.core.doors.door import FREE_MODES, DoorMode
from edge.core.moment import ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.core.access.admissions import Admission
    from edge.core.credential import Credential
    from edge.core.event import Facts, Person
    from edge.core.moment import Moment
    from edge.core.people.entries import Booking, Cardholder
    from edge.core.people.roster import Roster
    from edge.core.plan import DoorPlan, SitePlan

DAY_MS = 86_400_000
#: Entries under one booking while the clock is unsure (trust: two, then refuse).
MAX_UNVERIFIED = 2


#: In these modes a door admits nobody.
CLOSED_MODES: dict[DoorMode, DenyReason] = {
    DoorMode.BLOCKED: DenyReason.DOOR_BLOCKED,
    DoorMode.LOCKED_DOWN: DenyReason.DOOR_LOCKED_DOWN,
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


def decide(question: Question) -> Decision:
    """Ask the rules in order; the first that answers has decided."""
    for name, rule in RULES:
        answer = rule(question, name)
        if answer is not None:
            return answer
    return Denied(rule="end", reason=DenyReason.UNAUTHORIZED, person=_person(question))


def _person(question: Question, booking: Booking | None = None) -> Person:
    return person_of(question.holder, booking)


def _mode(question: Question, rule: str) -> Decision | None:
    if question.mode in FREE_MODES:
        person = _person(question)
        return Granted(rule=rule, person=person, release_s=0.0)
    reason = CLOSED_MODES.get(question.mode)
    if reason is None:
        return None
    return Denied(rule=rule, reason=reason, person=_person(question))


def barred(
    credential: Credential, holder: Cardholder | None, roster: Roster
) -> DenyReason | None:
    """Return why this credential opens nothing at all, or None."""
    if roster.revocation(credential.token) is not None:
        return DenyReason.CREDENTIAL_REVOKED
    if holder is None:
        return DenyReason.CREDENTIAL_NOT_FOUND
    return None if holder.is_enabled else DenyReason.CREDENTIAL_NOT_ENABLED


def _credential(question: Question, rule: str) -> Decision | None:
    reason = barred(question.credential, question.holder, question.roster)
    if reason in (None, DenyReason.CREDENTIAL_NOT_ENABLED):
        return None
    return Denied(rule=rule, reason=reason, person=_person(question))


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
    every = question.roster.bookings(holder.holder_id)
    bookings = [booking for booking in every if booking.size is None]
    here = [b for b in bookings if b.space_id == question.door.space_id]
    verdicts = [(verdict(b, question.site, question.now), b) for b in here]
    inside = [b for judged, b in verdicts if judged is ClockVerdict.INSIDE]
    unsure = [b for judged, b in verdicts if judged is ClockVerdict.UNSURE]
    for booking in inside:
        if _has_room(question, booking):
            return _grant(question, rule, booking)
    if inside:
        person = _person(question, inside[0])
        return Denied(rule="party", reason=DenyReason.PARTY_FULL, person=person)
    if unsure:
        return _unsure(question, unsure)
    asked = (rule, holder, question.door.space_id)
    return nearest_remedy(asked, bookings, question.site, question.now)


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


def verdict(booking: Booking, site: SitePlan, now: Moment) -> ClockVerdict:
    """Judge now against a booking with its space's lead and grace."""
    space = site.spaces[booking.space_id]
    start_ms = booking.from_ms - space.lead_ms
    return now.against(start_ms, booking.to_ms + space.grace_ms)


def nearest_remedy(
    asked: tuple[str, Cardholder, str],
    bookings: list[Booking],
    site: SitePlan,
    now: Moment,
) -> Denied:
    """Tell what would help most: the other room, the next slot, or booking again.

    ``asked`` are the rule that refuses, the holder and the space; ``bookings`` those
    of the holder that are of the kind asked for, earliest first.
    """
    rule, holder, space_id = asked
    known = [booking for booking in bookings if booking.space_id in site.spaces]
    verdicts = [(verdict(booking, site, now), booking) for booking in known]

    def denied(reason: DenyReason, booking: Booking, facts: Facts) -> Denied:
        person = person_of(holder, booking)
        return Denied(rule=rule, reason=reason, person=person, facts=facts)

    for judged, booking in verdicts:
        if judged is ClockVerdict.INSIDE:
            elsewhere: Facts = (("space", booking.space_id),)
            return denied(DenyReason.WRONG_SPACE, booking, elsewhere)
    here = [(v, b) for v, b in verdicts if b.space_id == space_id]
    for judged, booking in here:
        if judged is ClockVerdict.BEFORE:
            come_ms = booking.from_ms - site.spaces[space_id].lead_ms
            return denied(DenyReason.TOO_EARLY, booking, (("from_ms", come_ms),))
    for judged, booking in reversed(here):
        is_over = judged is ClockVerdict.AFTER
        if is_over and _is_today(booking.to_ms, site, now):
            return denied(DenyReason.TOO_LATE, booking, (("to_ms", booking.to_ms),))
    return Denied(rule=rule, reason=DenyReason.UNAUTHORIZED, person=person_of(holder))


def _is_today(utc_ms: int, site: SitePlan, now: Moment) -> bool:
    today = (now.earliest_ms + site.utc_offset_ms) // DAY_MS
    return (utc_ms + site.utc_offset_ms) // DAY_MS == today


RULES: tuple[tuple[str, Callable[[Question, str], Decision | None]], ...] = (
    ("mode", _mode),
    ("credential", _credential),
    ("enabled", _enabled),
    ("booking", _booking),
)
