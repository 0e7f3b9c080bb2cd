# SPDX-License-Identifier: Apache-2.0
"""What a door can say, and which of it each wish of the rules is.

The law of the module: pure. Every reason of a refusal has exactly one word. What
touches a person's money or standing is ``needs_person`` for all of them, with no
parameter: at the door they cannot be told apart, by eye or by ear.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from edge.core.access.answers import DenyReason
from edge.core.command import Indication
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.command import Indicate


class Word(StrEnum):
    """What a door says; each is a table of every language's file."""

    READY = "ready"
    READING = "reading"
    GRANTED = "granted"
    GRANTED_SLOW = "granted_slow"
    COMPARTMENT = "compartment"
    COMPARTMENT_DONE = "compartment_done"
    SHIFT_STARTED = "shift_started"
    SHIFT_ENDED = "shift_ended"
    AGAIN = "again"
    UNREADABLE = "unreadable"
    CONFIRMING = "confirming"
    SECOND_PERSON = "second_person"
    TAP_CARD = "tap_card"
    TAP_TWICE = "tap_twice"
    DONE = "done"
    BELL = "bell"
    BELL_UNSTAFFED = "bell_unstaffed"
    CLOSE_DOOR = "close_door"
    EVACUATE = "evacuate"
    DRILL = "drill"
    DRILL_EVACUATE = "drill_evacuate"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    NO_BOOKING = "no_booking"
    WRONG_ROOM = "wrong_room"
    FULL = "full"
    CLOSED = "closed"
    LIST_OLD = "list_old"
    QR_EXPIRED = "qr_expired"
    NEEDS_PERSON = "needs_person"
    WAIT = "wait"
    OTHER_DOOR = "other_door"
    STAFF_ABSENT = "staff_absent"
    NO_COMPARTMENT = "no_compartment"
    LOCKDOWN = "lockdown"
    DEVICE_FAULT = "device_fault"


_R, _W = DenyReason, Word

REFUSALS: Mapping[DenyReason, Word] = MappingProxyType(
    {
        _R.UNREADABLE: _W.UNREADABLE,
        _R.READER_INSECURE: _W.DEVICE_FAULT,
        _R.READER_PAUSED: _W.WAIT,
        _R.STRIKE_FAULT: _W.DEVICE_FAULT,
        _R.DOOR_BLOCKED: _W.OTHER_DOOR,
        _R.DOOR_LOCKED_DOWN: _W.LOCKDOWN,
        _R.DOOR_INTERLOCKED: _W.WAIT,
        _R.CREDENTIAL_NOT_FOUND: _W.NO_BOOKING,
        _R.CREDENTIAL_NOT_ENABLED: _W.NEEDS_PERSON,
        _R.CREDENTIAL_NOT_ACTIVE: _W.TOO_EARLY,
        _R.CREDENTIAL_EXPIRED: _W.NEEDS_PERSON,
        _R.CREDENTIAL_REVOKED: _W.NEEDS_PERSON,
        _R.INVALID_SIGNATURE: _W.QR_EXPIRED,
        _R.QR_EXPIRED: _W.QR_EXPIRED,
        _R.ALREADY_REDEEMED: _W.NEEDS_PERSON,
        _R.ALREADY_INSIDE: _W.NEEDS_PERSON,
        _R.UNAUTHORIZED: _W.NO_BOOKING,
        _R.WRONG_SPACE: _W.WRONG_ROOM,
        _R.TOO_EARLY: _W.TOO_EARLY,
        _R.TOO_LATE: _W.TOO_LATE,
        _R.CLOSED: _W.CLOSED,
        _R.PAYMENT_DUE: _W.NEEDS_PERSON,
        _R.ROSTER_STALE: _W.LIST_OLD,
        _R.CLOCK_UNTRUSTED: _W.DEVICE_FAULT,
        _R.STAFF_ABSENT: _W.STAFF_ABSENT,
        _R.SPACE_FULL: _W.FULL,
        _R.PARTY_FULL: _W.NEEDS_PERSON,
        _R.SECOND_PERSON_NEEDED: _W.SECOND_PERSON,
        _R.AWAITING_CONFIRMATION: _W.CONFIRMING,
        _R.NO_FREE_COMPARTMENT: _W.NO_COMPARTMENT,
        _R.STORAGE_FAULT: _W.DEVICE_FAULT,
        _R.RULE_FAULT: _W.DEVICE_FAULT,
    }
)
#: Words whose parameters would tell more than is meant for a public door.
SILENT_ABOUT = frozenset({_W.NEEDS_PERSON})

_INDICATIONS: Mapping[Indication, Word] = MappingProxyType(
    {
        Indication.READING: _W.READING,
        Indication.DENIED: _W.NEEDS_PERSON,
        Indication.TRY_AGAIN: _W.AGAIN,
        Indication.WAITING: _W.TAP_TWICE,
        Indication.CLOSE_DOOR: _W.CLOSE_DOOR,
        Indication.TAP_CARD: _W.TAP_CARD,
        Indication.DONE: _W.DONE,
        Indication.READY: _W.READY,
        Indication.FREE: _W.READY,
        Indication.BOOKED: _W.READY,
        Indication.DRILL: _W.DRILL,
        Indication.DRILL_EVACUATE: _W.DRILL_EVACUATE,
        Indication.OUT_OF_ORDER: _W.DEVICE_FAULT,
        Indication.LOCKED_DOWN: _W.LOCKDOWN,
        Indication.EVACUATE: _W.EVACUATE,
    }
)


def word_of(wish: Indicate) -> Word:
    """Return what a wish says; a reason that nobody knows needs a person."""
    facts = dict(wish.facts)
    if wish.reason == EventKind.CALL_RAISED.value:
        return Word.BELL if facts.get("staff") else Word.BELL_UNSTAFFED
    if wish.indication is Indication.GRANTED:
        return _granted(wish, facts)
    if wish.reason:
        known = wish.reason in DenyReason.__members__
        return REFUSALS[DenyReason(wish.reason)] if known else Word.NEEDS_PERSON
    return _INDICATIONS[wish.indication]


def _granted(wish: Indicate, facts: dict[str, int | str]) -> Word:
    if "duty" in facts:
        is_start = facts["duty"] == "started"
        return Word.SHIFT_STARTED if is_start else Word.SHIFT_ENDED
    if "number" in facts:
        return Word.COMPARTMENT_DONE if "ended" in facts else Word.COMPARTMENT
    return Word.GRANTED_SLOW if wish.is_slow else Word.GRANTED
