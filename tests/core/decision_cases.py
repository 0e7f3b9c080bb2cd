# SPDX-License-Identifier: Apache-2.0
"""Who may come in when, and what is said to those who may not: the specification.

The law of the module: one case is one sentence about one scan; expectations are
literal and never computed from the code that they judge. Times are local, lead is
10 minutes, grace 5; unless a case says otherwise wang scans at the kitchen door at
15:00 and holds the booking ``b1 wang kitchen 14:00-16:00`` for one person.
"""

from __future__ import annotations

from tests.core.decision_case import B1, free, granted, refused
from tests.core.scene import EXTENDED_S, clock_ms

_UNVERIFIED = (("end", clock_ms("16:00")), ("time_unverified", 1))
_COME_1350 = (("from_ms", clock_ms("13:50")),)
_ENDED_1600 = (("to_ms", clock_ms("16:00")),)

WINDOW = (
    granted("booked for now"),
    granted("the first instant of the lead", at="13:50"),
    refused(
        "1 ms before the lead",
        "TOO_EARLY",
        "COME_AT",
        at="13:49:59.999",
        params=_COME_1350,
        booking="b1",
    ),
    granted("the last instant of the grace", at="16:04:59.999"),
    refused(
        "the instant the grace ends",
        "TOO_LATE",
        "BOOK_AGAIN",
        at="16:05",
        params=_ENDED_1600,
        booking="b1",
    ),
    granted("a slow walker has more time", slow=("wang",), release_s=EXTENDED_S),
    granted(
        "two bookings meet: the one that runs is used, not the one to come",
        at="15:55",
        bookings=(B1, "b2 wang kitchen 16:00-18:00"),
    ),
    granted(
        "within the grace of one and the lead of the next, the first counts",
        at="16:02",
        bookings=("b2 wang kitchen 16:00-18:00", B1),
    ),
)

CLOCK = (
    granted("an interval wholly inside", at="13:50", until="16:04:59.999"),
    granted(
        "perhaps before the lead: in, but flagged",
        at="13:49:59.999",
        until="13:50",
        rule="clock",
        params=_UNVERIFIED,
    ),
    granted(
        "perhaps after the grace: in, but flagged",
        at="16:04",
        until="16:05",
        rule="clock",
        params=_UNVERIFIED,
    ),
    granted(
        "after a power cut, no upper bound at all",
        at="08:00",
        until="?",
        rule="clock",
        params=_UNVERIFIED,
    ),
    granted(
        "no upper bound, the booking is days away",
        at="08:00",
        until="?",
        days=-6,
        rule="clock",
        params=_UNVERIFIED,
    ),
    granted(
        "the second entry on an unsure clock",
        at="08:00",
        until="?",
        bookings=(B1 + " x9",),
        used=(("b1", 1, 1),),
        rule="clock",
        params=_UNVERIFIED,
    ),
    refused(
        "the third entry on an unsure clock",
        "CLOCK_UNTRUSTED",
        "ASK_VOLUNTEER",
        at="08:00",
        until="?",
        bookings=(B1 + " x9",),
        used=(("b1", 2, 2),),
        rule="clock",
        booking="b1",
    ),
    granted(
        "entries on a sure clock leave those two untouched",
        at="08:00",
        until="?",
        bookings=(B1 + " x9",),
        used=(("b1", 7, 1),),
        rule="clock",
        params=_UNVERIFIED,
    ),
    refused(
        "an unsure clock does not widen a party",
        "CLOCK_UNTRUSTED",
        "ASK_VOLUNTEER",
        at="08:00",
        until="?",
        used=(("b1", 1, 0),),
        rule="clock",
        booking="b1",
    ),
    granted(
        "a third entry is free again once the clock is sure",
        bookings=(B1 + " x9",),
        used=(("b1", 2, 2),),
    ),
    granted(
        "what is sure goes before what is unsure",
        at="15:00",
        until="15:56",
        bookings=("b2 wang kitchen 16:00-18:00", B1),
    ),
    refused(
        "surely before, however wide the interval",
        "TOO_EARLY",
        "COME_AT",
        at="09:00",
        until="13:49:59.999",
        params=_COME_1350,
        booking="b1",
    ),
    refused(
        "surely after, although there is no upper bound",
        "TOO_LATE",
        "BOOK_AGAIN",
        at="16:05",
        until="?",
        params=_ENDED_1600,
        booking="b1",
    ),
    refused(
        "an unsure clock opens nothing without a booking",
        "UNAUTHORIZED",
        "BOOK",
        who="li",
        at="08:00",
        until="?",
    ),
    refused(
        "an unsure clock opens no other room",
        "UNAUTHORIZED",
        "BOOK",
        door="lounge-door",
        at="08:00",
        until="?",
    ),
)

PARTY = (
    granted("the last of four", bookings=(B1 + " x4",), used=(("b1", 3, 0),)),
    refused(
        "the fifth of four",
        "PARTY_FULL",
        "ASK_VOLUNTEER",
        bookings=(B1 + " x4",),
        used=(("b1", 4, 0),),
        rule="party",
        booking="b1",
    ),
    refused(
        "the second of one",
        "PARTY_FULL",
        "ASK_VOLUNTEER",
        used=(("b1", 1, 0),),
        rule="party",
        booking="b1",
    ),
    granted(
        "a full party and another booking with room",
        bookings=(B1, "b2 wang kitchen 15:00-17:00"),
        used=(("b1", 1, 0),),
        booking="b2",
        params=(("end", clock_ms("17:00")),),
    ),
    granted("another's party is no concern of mine", used=(("b7", 99, 9),)),
)

REMEDY = (
    refused(
        "booked another room for now",
        "WRONG_SPACE",
        "GO_TO_SPACE",
        door="lounge-door",
        params=(("space", "kitchen"),),
        booking="b1",
    ),
    refused(
        "the other room now is nearer than this one later",
        "WRONG_SPACE",
        "GO_TO_SPACE",
        bookings=(B1, "b2 wang lounge 18:00-19:00"),
        door="lounge-door",
        params=(("space", "kitchen"),),
        booking="b1",
    ),
    refused(
        "another room later does not help",
        "UNAUTHORIZED",
        "BOOK",
        door="lounge-door",
        at="09:00",
    ),
    refused(
        "tomorrow, told with its date",
        "TOO_EARLY",
        "COME_AT",
        bookings=("b2 wang kitchen 09:00-10:00 +1d",),
        params=(("from_ms", clock_ms("08:50", days=1)),),
        booking="b2",
    ),
    refused(
        "of two to come the next is told",
        "TOO_EARLY",
        "COME_AT",
        at="09:00",
        bookings=("b2 wang kitchen 18:00-19:00", "b3 wang kitchen 12:00-13:00"),
        params=(("from_ms", clock_ms("11:50")),),
        booking="b3",
    ),
    refused(
        "one to come is nearer than one gone",
        "TOO_EARLY",
        "COME_AT",
        at="17:00",
        bookings=(B1, "b2 wang kitchen 20:00-21:00"),
        params=(("from_ms", clock_ms("19:50")),),
        booking="b2",
    ),
    refused(
        "of two gone the last is told",
        "TOO_LATE",
        "BOOK_AGAIN",
        at="17:00",
        bookings=(B1, "b2 wang kitchen 09:00-10:00"),
        params=_ENDED_1600,
        booking="b1",
    ),
    refused(
        "too late until local midnight",
        "TOO_LATE",
        "BOOK_AGAIN",
        at="23:59:59.999",
        params=_ENDED_1600,
        booking="b1",
    ),
    refused("yesterday's is gone", "UNAUTHORIZED", "BOOK", at="00:00", days=1),
    refused(
        "the day is local: before 8 in the morning UTC still has yesterday",
        "TOO_LATE",
        "BOOK_AGAIN",
        at="07:00",
        bookings=("b2 wang kitchen 02:00-03:00",),
        params=(("to_ms", clock_ms("03:00")),),
        booking="b2",
    ),
    refused("never booked", "UNAUTHORIZED", "BOOK", bookings=()),
    refused("cancelled", "UNAUTHORIZED", "BOOK", bookings=(B1 + " cancelled",)),
    refused("somebody else's booking", "UNAUTHORIZED", "BOOK", who="li"),
    refused(
        "a room that this site does not have",
        "UNAUTHORIZED",
        "BOOK",
        bookings=("b2 wang sauna 14:00-16:00",),
    ),
)

CREDENTIAL = (
    refused(
        "unknown card",
        "CREDENTIAL_NOT_FOUND",
        "ASK_VOLUNTEER",
        who="stranger",
        rule="credential",
        is_anonymous=True,
    ),
    refused(
        "reported lost",
        "CREDENTIAL_REVOKED",
        "ASK_VOLUNTEER",
        lost=("wang",),
        rule="credential",
    ),
    refused(
        "reported lost, holder unknown",
        "CREDENTIAL_REVOKED",
        "ASK_VOLUNTEER",
        who="stranger",
        lost=("stranger",),
        rule="credential",
        is_anonymous=True,
    ),
    refused(
        "disabled",
        "CREDENTIAL_NOT_ENABLED",
        "ASK_VOLUNTEER",
        disabled=("wang",),
        rule="enabled",
    ),
    refused(
        "lost goes before disabled",
        "CREDENTIAL_REVOKED",
        "ASK_VOLUNTEER",
        lost=("wang",),
        disabled=("wang",),
        rule="credential",
    ),
    refused(
        "disabled goes before the clock",
        "CREDENTIAL_NOT_ENABLED",
        "ASK_VOLUNTEER",
        disabled=("wang",),
        until="?",
        at="08:00",
        rule="enabled",
    ),
    granted("another's loss is no concern of mine", lost=("li",), disabled=("zhao",)),
)

MODE = (
    refused(
        "blocked",
        "DOOR_BLOCKED",
        "USE_OTHER_DOOR",
        mode="BLOCKED",
        rule="mode",
    ),
    refused(
        "locked down",
        "DOOR_LOCKED_DOWN",
        "ASK_VOLUNTEER",
        mode="LOCKED_DOWN",
        rule="mode",
    ),
    refused(
        "the mode goes before the card",
        "DOOR_BLOCKED",
        "USE_OTHER_DOOR",
        who="stranger",
        mode="BLOCKED",
        rule="mode",
        is_anonymous=True,
    ),
    refused(
        "the mode goes before a loss",
        "DOOR_LOCKED_DOWN",
        "ASK_VOLUNTEER",
        lost=("wang",),
        mode="LOCKED_DOWN",
        rule="mode",
    ),
    free("unlocked: admitted and recorded", mode="UNLOCKED"),
    free("held open: admitted and recorded", mode="LOCKED_OPEN"),
    free("unlocked without a booking", mode="UNLOCKED", who="li"),
    free("unlocked, unknown card", mode="UNLOCKED", who="stranger", is_anonymous=True),
    free("unlocked, lost card", mode="UNLOCKED", lost=("wang",)),
    free("held open, unsure clock", mode="LOCKED_OPEN", at="08:00", until="?"),
)

CASES = WINDOW + CLOCK + PARTY + REMEDY + CREDENTIAL + MODE
