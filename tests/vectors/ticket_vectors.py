# SPDX-License-Identifier: Apache-2.0
"""Writes tickets.json: good tickets with every step between, and how they are judged.

The law of the module: it knows the writer of tickets and never the reader, so every
expected flaw is said by hand. ``python -m tests.vectors.ticket_vectors`` writes the
file; a test holds the file to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.cli.ticket.writer import (
    CONTEXT,
    STEP_S,
    TicketOrder,
    code_of,
    encode,
    payload_of,
    rotating_text,
    secret_of,
    signed,
    static_text,
)
from tests.vectors.spoilt_tickets import spoilt_tickets

FILE = Path(__file__).parent / "tickets.json"
OLD_SEED, NEW_SEED = bytes(range(0x20)), bytes(range(0x20, 0x40))
ROTATION_KEY = bytes(range(0x40, 0x60))
FROM_S, TO_S, ISSUED_S = 1_795_320_000, 1_795_327_200, 1_795_312_800
#: The new key's life: a year and a bit round the tickets.
KEY_FROM_S, KEY_TO_S = FROM_S - 86_400, FROM_S + 400 * 86_400
SITE = "hz-demo"
SINGLE = TicketOrder(
    issuer="hz1",
    site=SITE,
    doors=(12, "kitchen"),
    from_s=FROM_S,
    to_s=TO_S,
    issued_s=ISSUED_S,
    ticket_id=bytes(range(8)),
    uses=1,
)
PARTY = replace(SINGLE, ticket_id=bytes(range(16)), uses=2, party=4)
EMERGENCY = replace(SINGLE, uses=0, is_emergency=True, doors=("kitchen", "lounge"))
ROTATING = replace(SINGLE, uses=0, rotates=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A good ticket with every value between its claims and its text."""

    name: str
    context: bytes
    key_id: bytes
    payload: bytes
    ticket: bytes
    text: str

    def as_values(self) -> dict[str, Any]:
        protected = encode({1: -8, 4: self.key_id})
        to_sign = encode(["Signature1", protected, self.context, self.payload])
        return {
            "name": self.name,
            "kid": self.key_id.hex(),
            "context": self.context.decode(),
            "protected": protected.hex(),
            "payload": self.payload.hex(),
            "to_sign": to_sign.hex(),
            "signature": self.ticket[-64:].hex(),
            "ticket": self.ticket.hex(),
            "text": self.text,
        }


def written(
    name: str,
    payload: bytes,
    *,
    key_id: bytes = b"\x02",
    seed: bytes = NEW_SEED,
    context: bytes = CONTEXT,
    code: str | None = None,
) -> Written:
    ticket = signed(payload, key_id, seed, context=context)
    text = static_text(ticket) if code is None else rotating_text(ticket, code)
    return Written(
        name=name,
        context=context,
        key_id=key_id,
        payload=payload,
        ticket=ticket,
        text=text,
    )


def the_code(at_s: int) -> str:
    return code_of(secret_of(ROTATION_KEY, ROTATING.ticket_id), at_s)


def good_tickets() -> list[tuple[Written, dict[str, Any]]]:
    """Return each good ticket with what its claims mean."""
    bare = encode({4: TO_S, 5: FROM_S, 7: bytes(range(8)), -1: 12})
    named = encode(
        {1: "hz1", 4: TO_S, 5: FROM_S, 7: bytes(range(8)), -65537: [[12, 13], 0]}
    )
    meant = meaning(SINGLE) | {"site": None, "issued_ms": None, "uses": 0}
    return [
        (
            written("codec-short", bare, context=b"", key_id=b"\x01", seed=OLD_SEED),
            meant | {"issuer": "", "doors": [12]},
        ),
        (
            written("codec-full", named, key_id=b"\x01", seed=OLD_SEED),
            meant | {"doors": [12, 13]},
        ),
        (written("single-use", payload_of(SINGLE)), meaning(SINGLE)),
        (written("party", payload_of(PARTY)), meaning(PARTY)),
        (written("emergency", payload_of(EMERGENCY)), meaning(EMERGENCY)),
        (
            written("rotating", payload_of(ROTATING), code=the_code(FROM_S)),
            meaning(ROTATING),
        ),
    ]


def meaning(order: TicketOrder) -> dict[str, Any]:
    return {
        "ticket_id": order.ticket_id.hex(),
        "issuer": order.issuer,
        "site": order.site,
        "doors": list(order.doors),
        "from_ms": order.from_s * 1000,
        "to_ms": order.to_s * 1000,
        "issued_ms": order.issued_s * 1000,
        "uses": order.uses,
        "party": order.party,
        "emergency": int(order.is_emergency),
        "rotates": int(order.rotates),
    }


def judged() -> list[dict[str, Any]]:
    """Return tickets at a place and a time, with the answer: None if they hold."""
    single = written("", payload_of(SINGLE)).text
    rotating = written("", payload_of(ROTATING), code=the_code(FROM_S)).text
    cut_off = written("", payload_of(ROTATING)).text
    future = replace(SINGLE, issued_s=FROM_S + 121)
    ahead = written("", payload_of(future)).text
    tolerated = written("", payload_of(replace(future, issued_s=FROM_S + 120))).text
    from_ms, to_ms = FROM_S * 1000, TO_S * 1000
    key_to_ms = KEY_TO_S * 1000
    long = written("", payload_of(replace(SINGLE, to_s=KEY_TO_S + 86_400))).text
    bare = good_tickets()[1][0].text
    cases: list[tuple[str, str, int, str, int | str, str | None, str | None]] = [
        ("first instant", single, from_ms - 120_000, SITE, 12, None, None),
        ("too early", single, from_ms - 120_001, SITE, 12, "TOO_EARLY", "not_yet"),
        ("last instant", single, to_ms + 89_999, SITE, 12, None, None),
        ("ended", single, to_ms + 90_000, SITE, 12, "QR_EXPIRED", "expired"),
        ("door by its id", single, from_ms, SITE, "kitchen", None, None),
        ("another door", single, from_ms, SITE, 13, "WRONG_SPACE", "door"),
        ("another site", single, from_ms, "hz-2", 12, "WRONG_SPACE", "door"),
        ("site before time", single, to_ms + 90_000, "hz-2", 12, "WRONG_SPACE", "door"),
        (
            "issued 121 s ahead",
            ahead,
            from_ms,
            SITE,
            12,
            "INVALID_SIGNATURE",
            "not_yet",
        ),
        ("issued 120 s ahead", tolerated, from_ms, SITE, 12, None, None),
        ("key ends", long, key_to_ms, SITE, 12, "INVALID_SIGNATURE", "kid_expired"),
        ("key's last instant", long, key_to_ms - 1, SITE, 12, None, None),
        ("no site claim", bare, from_ms, SITE, 12, "INVALID_SIGNATURE", "format"),
        ("code of this step", rotating, from_ms, SITE, 12, None, None),
        ("code one step early", rotating, from_ms - 30_000, SITE, 12, None, None),
        ("code two steps old", rotating, from_ms + 89_999, SITE, 12, None, None),
        ("screenshot", rotating, from_ms + 90_000, SITE, 12, "QR_EXPIRED", "rotation"),
        ("too new", rotating, from_ms - 30_001, SITE, 12, "QR_EXPIRED", "rotation"),
        ("code cut off", cut_off, from_ms, SITE, 12, "QR_EXPIRED", "rotation"),
    ]
    names = ("why", "text", "at_ms", "site", "door", "reason", "detail")
    return [dict(zip(names, case, strict=True)) for case in cases]


def rotation() -> dict[str, Any]:
    secret = secret_of(ROTATION_KEY, ROTATING.ticket_id)
    steps = [FROM_S // STEP_S + offset for offset in range(-1, 4)]
    return {
        "key": ROTATION_KEY.hex(),
        "ticket_id": ROTATING.ticket_id.hex(),
        "secret": secret.hex(),
        "codes": {str(step): code_of(secret, step * STEP_S) for step in steps},
    }


def keys() -> list[dict[str, Any]]:
    def public(seed: bytes) -> str:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return private.public_key().public_bytes_raw().hex()

    old = {"kid": "01", "issuer": "", "seed": OLD_SEED.hex()}
    new = {"kid": "02", "issuer": "hz1", "seed": NEW_SEED.hex()}
    life = {"from_ms": KEY_FROM_S * 1000, "to_ms": KEY_TO_S * 1000}
    return [
        old | {"public": public(OLD_SEED)},
        new | {"public": public(NEW_SEED)} | life,
    ]


def build() -> dict[str, Any]:
    spoilt = spoilt_tickets(SINGLE, NEW_SEED)
    return {
        "about": "Tickets MS1 and MSR; docs/tickets.md says what each value is. "
        "The keys are published: a gateway refuses them.",
        "keys": keys(),
        "rotation": rotation(),
        "valid": [
            ticket.as_values() | {"claims": claims} for ticket, claims in good_tickets()
        ],
        "judged": judged(),
        "invalid": [
            {"why": why, "detail": detail, "text": text} for why, detail, text in spoilt
        ],
    }


def as_text(vectors: dict[str, Any]) -> str:
    return json.dumps(vectors, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(build()), encoding="utf-8")
