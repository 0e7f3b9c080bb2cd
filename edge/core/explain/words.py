# SPDX-License-Identifier: Apache-2.0
"""What rules, reasons and next steps are called by those who ask why.

The law of the module: a sentence for every rule id, reason and step that can stand in
an event, and none for another; whoever adds one adds its words here.
"""

from __future__ import annotations

from edge.core.access.answers import DenyReason, NextStep

#: By the rule's id in the events: what it looks at.
RULES: dict[str, str] = {
    "order": "somebody in charge ordered it",
    "exit": "who wants out gets out",
    "reader": "the lock answers and the reader's wire is secure",
    "mode": "the mode in which the door stands",
    "shelter": "a shelter takes in every readable card while there is room",
    "ticket": "a ticket that proves itself: signature, site, lifetime and doors",
    "credential": "the card or code is known and was not called back",
    "enabled": "the platform has the person enabled",
    "validity": "the person's own time has begun and not ended",
    "booking": "a booking for this space, from its lead to its grace",
    "party": "the booking's party is not complete yet",
    "policy": "a policy for one of the person's roles, within its hours",
    "walk_in": "the space takes in whoever shows a card",
    "hours": "opening hours and holidays of the space",
    "payment": "what is due for the booking is paid, or cash was noted",
    "roster": "the list of people is not too old for this class of person",
    "clock": "what the clock cannot tell for sure is allowed, flagged and seldom",
    "staff": "a volunteer is on duty where the space asks for one",
    "capacity": "the space is not full",
    "inside": "the person is not inside already",
    "redeemed": "the ticket is not used up, and no copy",
    "pair": "the door takes two persons",
    "interlock": "no partner of the door is released or open",
    "checkpoint": "a volunteer confirms every entry",
    "tries": "five wrong tries in a row let codes wait",
    "start": "what is asked before the first rule",
    "end": "nothing entitles the person",
    "emergency": "a lock-down keeps lockers for staff alone",
    "finished": "shown again just after closing: the rental ends",
    "waiting": "a compartment was given and not opened yet",
    "own": "the person's own compartment",
    "parcel": "a parcel was left here for the person",
    "refusal": "no booking gives a compartment now",
    "medicine": "first aid opens for everybody",
    "duty": "the desk begins and ends shifts",
    "binding": "the desk binds a card to a person",
}

_R = DenyReason

REASONS: dict[DenyReason, str] = {
    _R.UNREADABLE: "it could not be read",
    _R.READER_INSECURE: "the reader's wire is not secure, anybody could speak for it",
    _R.READER_PAUSED: "the reader pauses codes after five wrong tries",
    _R.STRIKE_FAULT: "the lock's board does not answer or its relay is stuck",
    _R.DOOR_BLOCKED: "the door is blocked",
    _R.DOOR_LOCKED_DOWN: "the door is locked down",
    _R.DOOR_INTERLOCKED: "a partner door is released or open",
    _R.CREDENTIAL_NOT_FOUND: "nobody knows this card or code",
    _R.CREDENTIAL_NOT_ENABLED: "the platform has the person disabled",
    _R.CREDENTIAL_NOT_ACTIVE: "the person's time has not begun yet",
    _R.CREDENTIAL_EXPIRED: "the person's time is over",
    _R.CREDENTIAL_REVOKED: "the card, the person or the ticket was called back",
    _R.INVALID_SIGNATURE: "the ticket is not one of the platform's",
    _R.QR_EXPIRED: "the ticket is over, or was copied",
    _R.ALREADY_REDEEMED: "the ticket has been used up",
    _R.ALREADY_INSIDE: "the person came in already and was not seen to leave",
    _R.UNAUTHORIZED: "there is neither a booking nor a policy for this door",
    _R.WRONG_SPACE: "it is for another space",
    _R.TOO_EARLY: "it is too early",
    _R.TOO_LATE: "it is over for today",
    _R.CLOSED: "the space is closed",
    _R.PAYMENT_DUE: "the booking is not paid for",
    _R.ROSTER_STALE: "the list of people is too old for this class of person",
    _R.CLOCK_UNTRUSTED: "the clock cannot tell whether the time is now",
    _R.STAFF_ABSENT: "no volunteer is on duty",
    _R.SPACE_FULL: "the space is full",
    _R.PARTY_FULL: "the booking's whole party is inside",
    _R.SECOND_PERSON_NEEDED: "the door waits for a second person",
    _R.AWAITING_CONFIRMATION: "a volunteer has to confirm",
    _R.NO_FREE_COMPARTMENT: "no compartment is free",
    _R.STORAGE_FAULT: "it could not be remembered",
    _R.RULE_FAULT: "a rule failed, which is a mistake in the program",
}

_N = NextStep

STEPS: dict[NextStep, str] = {
    _N.ASK_VOLUNTEER: "ask a volunteer",
    _N.BOOK: "book the space",
    _N.BOOK_AGAIN: "book again",
    _N.COME_AT: "come at that time",
    _N.GO_TO_SPACE: "go to that space",
    _N.SHOW_AGAIN: "show it again",
    _N.SHOW_NEW_CODE: "show a new code",
    _N.USE_OTHER_DOOR: "use another door",
    _N.PAY: "pay",
    _N.WAIT: "wait",
    _N.BRING_SECOND_PERSON: "bring a second person",
}
