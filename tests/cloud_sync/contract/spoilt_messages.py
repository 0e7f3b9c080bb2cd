# SPDX-License-Identifier: Apache-2.0
"""Bad messages, headers and events, each with why and what becomes of it.

The law of the module: as in spoiling.py; a verdict is the product's own word for what
becomes of the value.
"""

from __future__ import annotations

from tests.cloud_sync.contract import spoilt_beside
from tests.cloud_sync.contract.spoiling import (
    GONE,
    STORED,
    Spoilt,
    bad,
    unsaid,
    without,
)
from tests.cloud_sync.contract.spoilt_commands import COMMAND, RESULT

_ENVELOPE = (
    *without(
        "GARBLED", "specversion", "type", "source", "id", "time", "datacontenttype"
    ),
    *without("GARBLED", "data"),
    *bad(
        "GARBLED",
        ("another version of CloudEvents", "specversion", "2.0"),
        ("another type", "type", "mn.other.v1"),
        ("a source that is no gateway", "source", "gw-kitchen-01"),
        ("a time that is none", "time", "yesterday"),
        ("a local time", "time", "2025-10-09T08:53:20+08:00"),
        ("another content type", "datacontenttype", "text/plain"),
        ("an id that is a number", "id", 17),
        ("data is a list", "data", []),
    ),
    *unsaid(
        "GARBLED",
        "on which topic it came",
        ("the source is not the gateway of the topic", "source", "/gw/gw-kitchen-02"),
    ),
)
_HELLO_UP = (
    *_ENVELOPE,
    *without(
        "GARBLED",
        *(f"data/{name}" for name in ("epoch", "last_seq", "head", "nonce", "boot")),
        *(f"data/{name}" for name in ("lo", "hi", "fw", "feed", "caps")),
        *("data/feed/epoch", "data/feed/rev"),
    ),
    *bad(
        "GARBLED",
        ("an epoch in capitals", "data/epoch", "0001-00C0FFEE"),
        ("an epoch of three digits", "data/epoch", "001-00c0ffee"),
        ("a line end after the epoch", "data/epoch", "0001-00c0ffee\n"),
        ("a negative number of events", "data/last_seq", -1),
        ("a number of events that is text", "data/last_seq", "3"),
        ("a truth value for a number", "data/last_seq", True),
        ("a fraction", "data/last_seq", 3.5),
        ("beyond 63 bits", "data/last_seq", 1 << 63),
        ("a hash of 63 digits", "data/head", "a" * 63),
        ("a nonce of 31 digits", "data/nonce", "0" * 31),
        ("a boot that is a number", "data/boot", 17),
        ("before 1970", "data/lo", -1),
        ("no upper bound at all", "data/hi", None),
        ("a version that is a number", "data/fw", 1),
        ("a revision without a feed", "data/feed", {"epoch": "", "rev": 5}),
        ("a feed epoch that is none", "data/feed/epoch", "3"),
        ("capabilities are a text", "data/caps", "demo"),
        ("a capability is a number", "data/caps", [1]),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("the id is not the nonce", "id", "f" * 32),
    ),
)
_ITEM = (
    *without("POISON", "core", "salt", "pii"),
    *bad(
        "POISON",
        ("a salt of 15 bytes", "salt", "ab" * 15),
        ("a salt that is no hexadecimal", "salt", "zz" * 16),
        ("the person is a text", "pii", "h-1"),
        ("a list in the person's part", "pii", {"holder": ["h-1"]}),
        ("a list in a newer field of the person's part", "pii", {"friends": ["h-1"]}),
        ("core is a list", "core", []),
        ("a fraction, which cannot be hashed alike everywhere", "core/m", 1.5),
        ("a truth value in core", "core/free", True),
        ("an object in core", "core/where", {"door": "d"}),
        ("null in core", "core/at", None),
    ),
    *without("NO_EVENT", "core/at", "core/b", "core/hi", "core/lo", "core/m"),
    *bad("NO_EVENT", ("a time that is a word", "core/lo", "then")),
    *without(STORED, "seq", "core/k"),
    *bad(
        STORED,
        ("a kind in small letters", "core/k", "access_granted"),
        ("a fact of another type", "core/cause", "many"),
        ("a holder that is a number", "pii/holder", 7),
        ("a booking that is a number", "pii/booking", 77),
        ("a ticket that is a number", "pii/ticket", 10),
        ("a boot that is a number", "core/b", 17),
        ("a time beyond 63 bits", "core/hi", 1 << 63),
        ("a number beyond 63 bits", "seq", 1 << 63),
        ("number 0", "seq", 0),
    ),
)
_BATCH = (
    *_ENVELOPE,
    *without("GARBLED", "data/epoch", "data/first", "data/prev", "data/items"),
    *bad(
        "GARBLED",
        ("no events", "data/items", []),
        ("events in an object", "data/items", {"1": {}}),
        ("begins with 0", "data/first", 0),
        ("begins with a text", "data/first", "1"),
        ("a hash in capitals", "data/prev", "A" * 64),
        ("an id without the last event", "id", "0001-00c0ffee:5"),
    ),
    *bad(
        "POISON",
        ("an event without its core", "data/items/0", {"seq": 5}),
        ("a damaged row, as it is told", "data/items/0", {"raw": "{", "seq": 5}),
    ),
    *unsaid(
        "GARBLED",
        "that two fields agree",
        ("the id names other events", "id", "0001-00c0ffee:5-6"),
        ("the id names another journal", "id", "0002-00c0ffee:5-5"),
        ("the first event is another", "data/first", 2),
    ),
)
_PULL = (
    *_ENVELOPE,
    *without("GARBLED", "data/epoch", "data/rev"),
    *bad(
        "GARBLED",
        ("an id that is no nonce", "id", "1"),
        ("a revision without a feed", "data", {"epoch": "", "rev": 1}),
        ("a negative revision", "data/rev", -1),
        ("a revision that is text", "data/rev", "41"),
        ("an epoch that is none", "data/epoch", "three"),
    ),
)
_FOR_US = (
    *without("GATEWAY", "gw"),
    *bad("GATEWAY", ("a gateway that cannot be one", "gw", "GW KITCHEN")),
    *unsaid(
        "GATEWAY",
        "for which gateway it is",
        ("for another gateway", "gw", "gw-kitchen-02"),
    ),
)
_HELLO_DOWN = (
    *_FOR_US,
    *without("BODY", "nonce", "epoch", "hi", "time", "feed", "feed/epoch", "feed/rev"),
    *bad("NONCE", ("a nonce that is none", "nonce", "1")),
    *bad("EPOCH", ("an epoch that is none", "epoch", "1")),
    *bad(
        "BODY",
        ("a nonce that is a number", "nonce", 17),
        ("a negative watermark", "hi", -1),
        ("a truth value for a watermark", "hi", False),
        ("a watermark without its hash", "hi", 3),
        ("a time that is text", "time", "2025-10-09T08:53:20Z"),
        ("a time before 1970", "time", -1),
        ("a time beyond the year 9999", "time", 253_402_300_800_000),
        ("capabilities are a text", "caps", "hb"),
        ("a capability is a number", "caps", [1]),
        ("the feed is a text", "feed", "0003-9f2c1d00/42"),
        ("a feed epoch that is none", "feed/epoch", "3"),
        ("a negative revision", "feed/rev", -1),
    ),
    *unsaid(
        "NONCE",
        "what the gateway asked",
        ("the nonce of another hello", "nonce", "f" * 32),
    ),
    *unsaid(
        "EPOCH",
        "which journal the gateway keeps",
        ("about another journal", "epoch", "0002-00c0ffee"),
    ),
)
_ACK = (
    *_FOR_US,
    *without("BODY", "epoch", "hi", "h"),
    *bad(
        "BODY",
        ("a watermark that is text", "hi", "3"),
        ("a negative watermark", "hi", -1),
        ("a fraction", "hi", 2.5),
        ("beyond 63 bits", "hi", 1 << 63),
        ("a hash of 63 digits", "h", "a" * 63),
        ("a hash in capitals", "h", "A" * 64),
        ("an epoch that is a number", "epoch", 1),
    ),
    *bad("IGNORED", ("an epoch that is none", "epoch", "1")),
    *unsaid(
        "IGNORED",
        "which journal the gateway keeps",
        ("about another journal", "epoch", "0002-00c0ffee"),
    ),
)
_FETCH = "a snapshot to be fetched"
_HOLDS = "what the gateway holds"
_FEED = (
    *_FOR_US,
    *without("BODY", "re", "epoch", "rev", "n", "i", "count", "hash", "rows"),
    *bad("FEED_PULL", ("a nonce that is none", "re", "1")),
    *bad(
        "BODY",
        ("a negative part", "i", -1),
        ("a part that is text", "i", "0"),
        ("a negative number of parts", "n", -1),
        ("a negative number of rows", "count", -1),
        ("parts that are text", "n", "1"),
        ("a hash of 63 digits", "hash", "a" * 63),
        ("rows in an object", "rows", {}),
        ("an epoch that is none", "epoch", "3"),
        ("rows beyond counting", "count", None),
    ),
    *bad(
        "FEED_LIMIT",
        ("more parts than may be", "n", 4097),
        ("more rows than may be", "count", 1_000_001),
    ),
    *bad(
        "FEED_SHAPE",
        ("a row that is a text", "rows/0", "holder h-1"),
        ("a row without its kind", "rows/0/kind", GONE),
        ("a kind in capitals", "rows/0/kind", "Holder"),
        ("a row without its id", "rows/0/id", GONE),
        ("an id beyond 128 characters", "rows/0/id", "h" * 129),
        ("a row without its version", "rows/0/ver", GONE),
        ("a row whose body is a list", "rows/0/body", []),
        ("a fraction in a row", "rows/0/body/enabled", 0.5),
        ("a list of lists in a row", "rows/0/body/roles", [["RESIDENT"]]),
        ("null in a row", "rows/0/body/language", None),
    ),
    *unsaid(
        "FEED_PULL",
        "what the gateway asked",
        ("the nonce of another pull", "re", "0" * 32),
    ),
    *unsaid(
        "FEED_SHAPE",
        "that two fields agree",
        ("part 1 of 1, counted from 0", "i", 1),
        ("more rows than were told", "count", 5),
    ),
    *(
        Spoilt(why=why, path=path, value=value, verdict="BODY", of=of)
        for why, path, value, of in (
            ("changes that name no head", "head", GONE, "changes"),
            ("changes at the head without a sum", "hash", "0", "changes"),
            ("changes since no revision", "from", -1, "changes"),
            ("an address elsewhere", "at", "https://x.example/", _FETCH),
            ("a path with a question", "at", "/v1/a?b", _FETCH),
        )
    ),
    *(
        Spoilt(
            why=why,
            path=path,
            value=value,
            verdict=verdict,
            unsaid=unknown,
            of="changes",
        )
        for why, path, value, verdict, unknown in (
            ("changes of what is not held", "from", 39, "FEED_CURSOR", _HOLDS),
            ("changes that change nothing", "rev", 40, "FEED_CURSOR", _HOLDS),
            ("changes without their sum", "hash", GONE, "BODY", "that rev is the head"),
        )
    ),
    *unsaid(
        "FEED_HASH",
        "the sum of hashes",
        ("another hash than that of the rows", "hash", "0" * 64),
    ),
)
_NUDGE = (
    *_FOR_US,
    *without("BODY", "epoch", "rev"),
    *bad(
        "BODY",
        ("a revision that is text", "rev", "42"),
        ("a truth value for a revision", "rev", True),
        ("a negative revision", "rev", -1),
        ("an epoch of seven hexadecimal digits", "epoch", "0003-9f2c1d0"),
    ),
)
_HEADER = (
    *without("NOT_SIGNED", "alg"),
    *without("KEY_UNKNOWN", "kid"),
    *without("PURPOSE", "typ"),
    *bad(
        "ALGORITHM",
        ("unsigned", "alg", "none"),
        ("a secret that is none", "alg", "HS256"),
        ("the algorithm's new name", "alg", "Ed25519"),
    ),
    *bad("PURPOSE", ("for no purpose of ours", "typ", "JWT")),
    *bad("KEY_UNKNOWN", ("a key's number", "kid", 1)),
    *bad(
        "NOT_SIGNED",
        ("an extension that has to be understood", "crit", ["exp"]),
        ("an unencoded payload", "b64", False),
        ("a key brought along", "jwk", {"kty": "OKP", "crv": "Ed25519", "x": "A"}),
    ),
    *unsaid(
        "KEY_UNKNOWN",
        "which keys the gateway holds",
        ("another key", "kid", "platform-9"),
    ),
)
SPOILT_MESSAGES: dict[str, tuple[Spoilt, ...]] = {
    "hello.json": _HELLO_UP,
    "event_batch.json": _BATCH,
    "event_item.json": _ITEM,
    "pull.json": _PULL,
    "hello_answer.json": _HELLO_DOWN,
    "ack.json": _ACK,
    "feed_part.json": _FEED,
    "nudge.json": _NUDGE,
    "command.json": (*_FOR_US, *COMMAND),
    "result.json": (*_ENVELOPE, *RESULT),
    "jws_header.json": _HEADER,
    "heartbeat.json": (*_ENVELOPE, *spoilt_beside.HEARTBEAT),
    "heartbeat_answer.json": (*_FOR_US, *spoilt_beside.HEARTBEAT_ANSWER),
    "alarm.json": (*_ENVELOPE, *spoilt_beside.ALARM),
    "day.json": (*_ENVELOPE, *spoilt_beside.DAY),
    "day_answer.json": (*_FOR_US, *spoilt_beside.DAY_ANSWER),
}
