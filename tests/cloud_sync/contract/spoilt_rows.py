# SPDX-License-Identifier: Apache-2.0
"""Bad rows of the feed, each with why and what becomes of it.

The law of the module: as in spoiling.py; a verdict is the product's own word for what
becomes of the value.
"""

from __future__ import annotations

from tests.cloud_sync.contract.community_samples import SPOILT_COMMUNITY
from tests.cloud_sync.contract.key_values import SPOILT as SPOILT_KEYS
from tests.cloud_sync.contract.spoiling import GONE, Spoilt, bad, unsaid, without

_ROW = (
    *without("FEED_SHAPE", "kind", "id", "ver", "body"),
    *bad(
        "FEED_SHAPE",
        ("a kind in capitals", "kind", "Holder"),
        ("a kind with a line end", "kind", "holder\n"),
        ("a kind of 32 letters", "kind", "h" * 32),
        ("a kind that is a number", "kind", 7),
        ("an id that is a number", "id", 7),
        ("no id", "id", ""),
        ("an id of 129 characters", "id", "h" * 129),
        ("a version that is text", "ver", "1"),
        ("a version that is a truth value", "ver", True),
        ("a body that is a list", "body", []),
        ("null in the body", "body/language", None),
        ("a list in a list", "body/roles", [["RESIDENT"]]),
        ("an object beside the body", "meta", {"by": "x"}),
    ),
    *bad(
        "BODY",
        ("a version beyond 64 bits", "ver", 1 << 63),
        ("a version below 64 bits", "ver", -(1 << 63) - 1),
    ),
)
_LONG = ("a text of 65 characters", "y" * 65)
_KEPT_OUT = "QUARANTINED"
_OF_NO_SORT = (
    *bad("PASSED_OVER", ("of a kind of its own", "kind", "cell")),
    *bad("FEED_SHAPE", ("a body that is a list", "body", [])),
)
_HOLDER = (
    *_OF_NO_SORT,
    *without(
        _KEPT_OUT,
        *("body/enabled", "body/extended", "body/language"),
        *("body/roles", "body/credentials"),
    ),
    *bad(
        _KEPT_OUT,
        ("an id of 65 characters", "id", "h" * 65),
        ("an id with a line end", "id", "h-1\n"),
        ("enabled is a truth value", "body/enabled", 2),
        ("extended is text", "body/extended", "0"),
        ("no language", "body/language", ""),
        (_LONG[0], "body/language", _LONG[1]),
        ("roles are a text", "body/roles", "RESIDENT"),
        ("a role with a space", "body/roles", ["SOCIAL WORKER"]),
        ("17 roles", "body/roles", ["R"] * 17),
        ("a credential without its kind", "body/credentials", ["ab" * 16]),
        (
            "a credential of a kind that is none",
            "body/credentials",
            ["FACE:" + "ab" * 16],
        ),
        ("a token of 15 bytes", "body/credentials", ["CARD:" + "ab" * 15]),
        ("valid from before 1970", "body/valid_from", -1),
        ("valid from a date in words", "body/valid_from", "today"),
        ("valid to beyond 52 bits", "body/valid_to", (1 << 52) + 1),
        ("extended less than no", "body/extended", -1),
        ("17 credentials", "body/credentials", ["CARD:" + "ab" * 16] * 17),
        ("a credential that is a number", "body/credentials", [7]),
        ("roles that are numbers", "body/roles", [7]),
        ("care of less than no days", "body/care_days", -1),
        ("care in words", "body/care_days", "often"),
        ("valid until nothing", "body/valid_to", 0),
        ("more care than a year", "body/care_days", 367),
        ("a site key without a number", "body/key", "new"),
        ("a site key of number 0", "body/key", 0),
    ),
    *unsaid(
        _KEPT_OUT,
        "that one field is after another",
        ("ends as it begins", "body/valid_from", 1 << 52),
        of="every field",
    ),
)
_BOOKING = (
    *_OF_NO_SORT,
    *without(
        _KEPT_OUT,
        *("body/holder", "body/space", "body/from"),
        *("body/to", "body/party", "body/state"),
    ),
    *bad(
        _KEPT_OUT,
        ("a time that is text", "body/from", "2025-10-09"),
        ("from before 1970", "body/from", -1),
        ("from beyond all bookings", "body/from", (1 << 52) - 31 * 86_400_000 + 1),
        ("an end in words", "body/to", "later"),
        ("an end at the beginning of time", "body/to", 0),
        ("an end beyond 52 bits", "body/to", (1 << 52) + 1),
        ("a party in words", "body/party", "two"),
        ("a debt in words", "body/due", "much"),
        ("nobody comes", "body/party", 0),
        ("more than 500 persons", "body/party", 501),
        ("a state that is none", "body/state", "MAYBE"),
        ("a size that is none", "body/size", "XL"),
        ("a debt of the house", "body/due", -1),
        ("a debt beyond 100,000 yuan", "body/due", 10_000_001),
        ("half of a yes", "body/counts_all", 2),
        ("a ticket of no bytes", "body/ticket", ""),
        ("a ticket of 17 bytes", "body/ticket", "0a" * 17),
        ("a ticket that is no hexadecimal", "body/ticket", "ticket"),
    ),
    *unsaid(
        _KEPT_OUT,
        "that one field is after another",
        ("ends as it begins", "body/to", 1_760_000_000_000),
        ("longer than 31 days", "body/to", 1_760_000_000_001 + 31 * 86_400_000),
    ),
)
_HEEDED = "QUARANTINED_BUT_HEEDED"
_REVOCATION = (
    *_OF_NO_SORT,
    *without(_KEPT_OUT, "body/token"),
    *bad(
        _KEPT_OUT,
        ("a token of 15 bytes and nothing else", "body/token", "ab" * 15),
        ("an id of 65 characters", "id", "r" * 65),
    ),
    *without(_HEEDED, "body/reason"),
    *bad(
        _HEEDED,
        ("a reason that is a number", "body/reason", 1),
        ("a holder that is none, beside a good token", "body/holder", ""),
        ("a ticket that is none, beside a good token", "body/ticket", "x"),
        ("a site key that is none, beside a good token", "body/key", 0),
    ),
)
_POLICY = (
    *_OF_NO_SORT,
    *without(_KEPT_OUT, "body/role", "body/places", "body/hours"),
    *bad(
        _KEPT_OUT,
        ("a role that is none", "body/role", ""),
        ("a place that is not a list", "body/places", "kitchen"),
        ("65 places", "body/places", ["d"] * 65),
        ("a place that is a number", "body/places", [7]),
        ("hours that are a number", "body/hours", 8),
        ("hours in words", "body/hours", "in the morning"),
        ("a day that is none", "body/hours", "mom 08:00-12:00"),
        ("a 60th minute", "body/hours", "mon 08:60-12:00"),
        ("beyond the next day", "body/hours", "mon 08:00-49:00"),
        ("hours beyond 512 characters", "body/hours", "mon 08:00-12:00;" * 33),
    ),
    *unsaid(
        _KEPT_OUT,
        "how long a window is",
        ("a window of more than a day", "body/hours", "mon 08:00-33:00"),
    ),
)
_TICKET_KEY = (
    *_OF_NO_SORT,
    *without(
        _KEPT_OUT,
        *("body/kid", "body/key", "body/from"),
        *("body/to", "body/issuer", "body/doors"),
    ),
    *bad(
        _KEPT_OUT,
        ("a kid of no bytes", "body/kid", ""),
        ("a kid of five bytes", "body/kid", "00" * 5),
        ("a key of 31 bytes", "body/key", "ab" * 31),
        ("a kid that is a number", "body/kid", 10),
        ("a key that is a number", "body/key", 10),
        ("from before 1970", "body/from", -1),
        ("from in words", "body/from", "now"),
        ("from at the end of time", "body/from", 1 << 52),
        ("an end in words", "body/to", "later"),
        ("an end at the beginning of time", "body/to", 0),
        ("an end beyond 52 bits", "body/to", (1 << 52) + 1),
        ("an issuer that is a number", "body/issuer", 1),
        ("a door that is a number", "body/doors", [7]),
        ("an issuer of nine characters", "body/issuer", "hangzhou1"),
        ("an issuer beyond ASCII", "body/issuer", "杭州"),
        ("doors are a text", "body/doors", "door-1"),
    ),
    *unsaid(
        _KEPT_OUT,
        "that one field is after another",
        ("ends as it begins", "body/to", 1_760_000_000_000),
    ),
)
_ELDER = (
    *_OF_NO_SORT,
    *without(_KEPT_OUT, "body/holder", "body/order", "body/route"),
    *bad(
        _KEPT_OUT,
        ("an order beyond 10000", "body/order", 10_001),
        ("an order below 0", "body/order", -1),
        ("an order that is text", "body/order", "first"),
        ("a route of two lines", "body/route", "二楼\n左手"),
        ("an empty name", "body/name", ""),
        ("a name that is a list", "body/name", ["陈*"]),
        ("a place of two lines", "body/place", "东巷\n3 号"),
        ("needs that are a text", "body/needs", "WHEELCHAIR"),
        ("a need that is a number", "body/needs", [1]),
        ("an empty need", "body/needs", [""]),
        ("five needs", "body/needs", ["STRETCHER"] * 5),
    ),
)
_SHIFT = (
    *_OF_NO_SORT,
    *without(
        _KEPT_OUT,
        *("body/holder", "body/boot", "body/began", "body/minutes"),
        *("body/by", "body/at", "body/number"),
    ),
    *bad(
        _KEPT_OUT,
        ("minutes beyond half a day", "body/minutes", 721),
        ("minutes below 0", "body/minutes", -1),
        ("minutes that are text", "body/minutes", "90"),
        ("a beginning before its boot", "body/began", -1),
        ("a beginning beyond 52 bits", "body/began", (1 << 52) + 1),
        ("confirmed before 1970", "body/at", -1),
        ("the word of number 0", "body/number", 0),
        ("the word of number 1001", "body/number", 1_001),
        ("nobody confirmed", "body/by", ""),
        ("a reason of two lines", "body/reason", "他提早\n离开"),
        ("an empty reason", "body/reason", ""),
        ("a boot that is a number", "body/boot", 17),
        ("more confirmed than there are minutes", "body/total", 446_400_001),
    ),
    *(
        Spoilt(why=why, path=path, value=value, verdict=_KEPT_OUT, of="planned")
        for why, path, value in (
            ("a plan without its place", "body/space", GONE),
            ("a plan that names a boot", "body/boot", "boot-17"),
            ("a plan that began", "body/began", 1),
            ("a plan of no minute", "body/minutes", 0),
            ("a plan of before 1970", "body/from", -1),
            ("a plan by nobody", "body/by", GONE),
            ("a plan of which nobody knows when it was made", "body/at", GONE),
            ("a plan without its number", "body/number", GONE),
            ("a plan whose reason has two lines", "body/reason", "换\n班"),
            ("a task of two lines", "body/task", "前台\n厨房"),
        )
    ),
)
SPOILT_ROWS: dict[str, tuple[Spoilt, ...]] = {
    **SPOILT_COMMUNITY,
    "gone_row.json": (
        *without("FEED_SHAPE", "kind", "id", "ver", "body"),
        *bad("FEED_SHAPE", ("a version that is text", "ver", "1")),
        *bad("PASSED_OVER", ("a row that is there", "body", {})),
    ),
    "row.json": _ROW,
    "row_holder.json": _HOLDER,
    "row_booking.json": _BOOKING,
    "row_revocation.json": _REVOCATION,
    "row_policy.json": _POLICY,
    "row_ticket_key.json": _TICKET_KEY,
    "row_elder.json": _ELDER,
    "row_shift.json": _SHIFT,
    **SPOILT_KEYS,
}
