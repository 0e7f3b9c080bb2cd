# SPDX-License-Identifier: Apache-2.0
"""A resident who scanned the code at a door: whether he has a booking there now.

The law of the module: what the gateway cannot check it must not have to. The holder is
enabled and valid, nothing of his was called back, and a confirmed booking that is paid
is for this door's room at this time, with the lead and grace that the site gives. A
refusal has a name for programs and a sentence for him.
Source: ARCHITECTURE.md, rulings; docs/sync-contract.md, section 5.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cloud_sync.platform.commanding.naming import naming

if TYPE_CHECKING:
    from cloud_sync.door_code import CodeFlaw
    from cloud_sync.platform.database import Work


class Refusal(StrEnum):
    """Why a resident is not let in, as far as the platform alone can say."""

    DOOR_UNKNOWN = "DOOR_UNKNOWN"
    CODE_MISSING = "CODE_MISSING"
    HOLDER_UNKNOWN = "HOLDER_UNKNOWN"
    HOLDER_NOT_VALID = "HOLDER_NOT_VALID"
    REVOKED = "REVOKED"
    NO_BOOKING = "NO_BOOKING"
    WRONG_SPACE = "WRONG_SPACE"
    NOT_PAID = "NOT_PAID"
    TOO_OFTEN = "TOO_OFTEN"


class ResidentError(Exception):
    """A resident is not let in; the text says why, for him."""

    def __init__(self, name: Refusal | CodeFlaw, why: str) -> None:
        super().__init__(why)
        self.name = name


async def set_door(
    work: Work, gateway: str, door: str, space: str, minutes: tuple[int, int]
) -> None:
    """Note of which room a door is, with its lead and grace in minutes."""
    lead_min, grace_min = minutes
    await work.execute(
        "INSERT INTO door (gateway, door, space, lead_ms, grace_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (gateway, door) DO UPDATE SET"
        " space = excluded.space, lead_ms = excluded.lead_ms,"
        " grace_ms = excluded.grace_ms",
        gateway,
        door,
        space,
        lead_min * 60_000,
        grace_min * 60_000,
    )


async def booking_now(
    work: Work, gateway: str, door: str, holder: str, now_ms: int
) -> str:
    """Return the booking by which he enters now; ResidentError says why there is none.

    Half-open: from the lead before its begin to the grace after its end.
    """
    rows = await work.fetch(
        "SELECT space, lead_ms, grace_ms FROM door WHERE gateway = ?1 AND door = ?2",
        gateway,
        door,
    )
    if not rows:
        raise ResidentError(
            Refusal.DOOR_UNKNOWN,
            f"nobody has said of which room {door} is; "
            "`menshen platform door` does, once",
        )
    [(space, lead_ms, grace_ms)] = rows
    await _check_holder(work, gateway, holder, now_ms)
    found = await _naming(work, gateway, "booking", holder)
    now = [
        (name, body)
        for name, body in found
        if body.get("holder") == holder
        and body.get("state") == "CONFIRMED"
        and _number(body, "from") - lead_ms <= now_ms < _number(body, "to") + grace_ms
    ]
    his = [(name, body) for name, body in now if body.get("space") == space]
    if not his:
        name = Refusal.WRONG_SPACE if now else Refusal.NO_BOOKING
        rest = "yours is for another" if now else "show your card or your code"
        raise ResidentError(name, f"no booking for this room now; {rest}")
    paid = [name for name, body in his if not _number(body, "due")]
    if not paid:
        raise ResidentError(Refusal.NOT_PAID, "the booking is not paid yet")
    return paid[0]


async def _check_holder(work: Work, gateway: str, holder: str, now_ms: int) -> None:
    rows = await work.fetch(
        "SELECT body FROM feed_row WHERE gateway = ?1 AND kind = 'holder' AND id = ?2",
        gateway,
        holder,
    )
    body: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
    if not body.get("enabled"):
        raise ResidentError(
            Refusal.HOLDER_UNKNOWN, "nobody of that name may enter here"
        )
    last_ms = _number(body, "valid_to") or now_ms + 1
    if not _number(body, "valid_from") <= now_ms < last_ms:
        raise ResidentError(Refusal.HOLDER_NOT_VALID, "not valid at this time")
    for _, called_back in await _naming(work, gateway, "revocation", holder):
        if called_back.get("holder") == holder:
            raise ResidentError(Refusal.REVOKED, "revoked")


async def _naming(
    work: Work, gateway: str, kind: str, holder: str
) -> list[tuple[str, dict[str, Any]]]:
    """Return id and body of a feed's rows of a kind that may name a holder."""
    rows = await work.fetch(
        "SELECT id, body FROM feed_row WHERE gateway = ?1 AND kind = ?2"
        " AND body LIKE ?3 ESCAPE '!' ORDER BY id",
        *(gateway, kind, naming("holder", holder)),
    )
    return [(name, json.loads(body)) for name, body in rows]


def _number(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    return value if isinstance(value, int) else 0
