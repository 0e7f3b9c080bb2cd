# SPDX-License-Identifier: Apache-2.0
"""The two answers that a decision has, and the words in which it refuses.

The law of the module: a refusal is a value with a reason, its parameters and a next
step; no rule lives here. Every reason has a next step.
Source: ARCHITECTURE.md, "The decision"; ONVIF access control (deny reasons).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.event import NOBODY, Facts, Person

if TYPE_CHECKING:
    from edge.core.people.entries import Booking, Cardholder


class DenyReason(StrEnum):
    """Why not; each has its next step in ``NEXT_STEP``."""

    UNREADABLE = "UNREADABLE"
    READER_INSECURE = "READER_INSECURE"
    READER_PAUSED = "READER_PAUSED"
    STRIKE_FAULT = "STRIKE_FAULT"
    DOOR_BLOCKED = "DOOR_BLOCKED"
    DOOR_LOCKED_DOWN = "DOOR_LOCKED_DOWN"
    DOOR_INTERLOCKED = "DOOR_INTERLOCKED"
    CREDENTIAL_NOT_FOUND = "CREDENTIAL_NOT_FOUND"
    CREDENTIAL_NOT_ENABLED = "CREDENTIAL_NOT_ENABLED"
    CREDENTIAL_NOT_ACTIVE = "CREDENTIAL_NOT_ACTIVE"
    CREDENTIAL_EXPIRED = "CREDENTIAL_EXPIRED"
    CREDENTIAL_REVOKED = "CREDENTIAL_REVOKED"
    INVALID_SIGNATURE = "INVALID_SIGNATURE"
    QR_EXPIRED = "QR_EXPIRED"
    ALREADY_REDEEMED = "ALREADY_REDEEMED"
    ALREADY_INSIDE = "ALREADY_INSIDE"
    UNAUTHORIZED = "UNAUTHORIZED"
    WRONG_SPACE = "WRONG_SPACE"
    TOO_EARLY = "TOO_EARLY"
    TOO_LATE = "TOO_LATE"
    CLOSED = "CLOSED"
    PAYMENT_DUE = "PAYMENT_DUE"
    ROSTER_STALE = "ROSTER_STALE"
    CLOCK_UNTRUSTED = "CLOCK_UNTRUSTED"
    STAFF_ABSENT = "STAFF_ABSENT"
    SPACE_FULL = "SPACE_FULL"
    PARTY_FULL = "PARTY_FULL"
    SECOND_PERSON_NEEDED = "SECOND_PERSON_NEEDED"
    AWAITING_CONFIRMATION = "AWAITING_CONFIRMATION"
    NO_FREE_COMPARTMENT = "NO_FREE_COMPARTMENT"
    STORAGE_FAULT = "STORAGE_FAULT"
    #: A rule raised: our mistake, and the door stays shut (law 3).
    RULE_FAULT = "RULE_FAULT"


class NextStep(StrEnum):
    """What a refused person can do now."""

    ASK_VOLUNTEER = "ASK_VOLUNTEER"
    BOOK = "BOOK"
    BOOK_AGAIN = "BOOK_AGAIN"
    COME_AT = "COME_AT"
    GO_TO_SPACE = "GO_TO_SPACE"
    SHOW_AGAIN = "SHOW_AGAIN"
    SHOW_NEW_CODE = "SHOW_NEW_CODE"
    USE_OTHER_DOOR = "USE_OTHER_DOOR"
    PAY = "PAY"
    WAIT = "WAIT"
    BRING_SECOND_PERSON = "BRING_SECOND_PERSON"


_R, _N = DenyReason, NextStep

NEXT_STEP: dict[DenyReason, NextStep] = {
    _R.UNREADABLE: _N.SHOW_AGAIN,
    _R.READER_INSECURE: _N.ASK_VOLUNTEER,
    _R.READER_PAUSED: _N.WAIT,
    _R.STRIKE_FAULT: _N.ASK_VOLUNTEER,
    _R.DOOR_BLOCKED: _N.USE_OTHER_DOOR,
    _R.DOOR_LOCKED_DOWN: _N.ASK_VOLUNTEER,
    _R.DOOR_INTERLOCKED: _N.WAIT,
    _R.CREDENTIAL_NOT_FOUND: _N.ASK_VOLUNTEER,
    _R.CREDENTIAL_NOT_ENABLED: _N.ASK_VOLUNTEER,
    _R.CREDENTIAL_NOT_ACTIVE: _N.COME_AT,
    _R.CREDENTIAL_EXPIRED: _N.ASK_VOLUNTEER,
    _R.CREDENTIAL_REVOKED: _N.ASK_VOLUNTEER,
    _R.INVALID_SIGNATURE: _N.SHOW_NEW_CODE,
    _R.QR_EXPIRED: _N.SHOW_NEW_CODE,
    _R.ALREADY_REDEEMED: _N.ASK_VOLUNTEER,
    _R.ALREADY_INSIDE: _N.ASK_VOLUNTEER,
    _R.UNAUTHORIZED: _N.BOOK,
    _R.WRONG_SPACE: _N.GO_TO_SPACE,
    _R.TOO_EARLY: _N.COME_AT,
    _R.TOO_LATE: _N.BOOK_AGAIN,
    _R.CLOSED: _N.COME_AT,
    _R.PAYMENT_DUE: _N.PAY,
    _R.ROSTER_STALE: _N.ASK_VOLUNTEER,
    _R.CLOCK_UNTRUSTED: _N.ASK_VOLUNTEER,
    _R.STAFF_ABSENT: _N.ASK_VOLUNTEER,
    _R.SPACE_FULL: _N.WAIT,
    _R.PARTY_FULL: _N.ASK_VOLUNTEER,
    _R.SECOND_PERSON_NEEDED: _N.BRING_SECOND_PERSON,
    _R.AWAITING_CONFIRMATION: _N.WAIT,
    _R.NO_FREE_COMPARTMENT: _N.ASK_VOLUNTEER,
    _R.STORAGE_FAULT: _N.ASK_VOLUNTEER,
    _R.RULE_FAULT: _N.ASK_VOLUNTEER,
}


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
    #: Where the usual next step of the reason would lead nowhere.
    step: NextStep | None = None

    @property
    def next_step(self) -> NextStep:
        """What the person can do now."""
        return self.step or NEXT_STEP[self.reason]


Decision = Granted | Denied


def person_of(holder: Cardholder | None, booking: Booking | None = None) -> Person:
    """Return whom an answer is about."""
    if holder is None:
        return NOBODY
    booking_id = booking.booking_id if booking else None
    return Person(holder=holder.holder_id, booking=booking_id)
