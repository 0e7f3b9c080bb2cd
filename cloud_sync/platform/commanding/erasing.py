# SPDX-License-Identifier: Apache-2.0
"""A person erased from the platform's own tables, at one site.

The law of the module: an event keeps its place, its core and its commitment, so that
every chain verifies and every count goes on; what names the person goes: salt and
pii, his rows of the feed, and what was ever wished about him. It may be done again.
Source: docs/platform.md, "Erasing a person"; docs/sync-contract.md, section 3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import feeds
from cloud_sync.platform.commanding.naming import naming
from cloud_sync.platform.shift import ERASED
from edge.core.chain import commitment

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

_FIND = """
SELECT e.journal, e.seq, e.salt, e.pii FROM event AS e
JOIN journal AS j ON j.id = e.journal
WHERE j.gateway = ?1 AND e.pii LIKE ?2 ESCAPE '!'
"""
_SHIFTS = "UPDATE duty_confirmation SET holder = ?3 WHERE gateway = ?1 AND holder = ?2"
_PLANS = """
UPDATE duty_plan SET holder = ?3, task = '', reason = ''
WHERE gateway = ?1 AND holder = ?2
"""
_ERASE = """
UPDATE event SET com = ?3, salt = NULL, pii = NULL WHERE journal = ?1 AND seq = ?2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many events and rows of the feed named him."""

    events: int
    rows: int


async def erase(work: Work, gateway: str, holder: str, now_ms: int) -> Erased:
    """Forget a holder of one site; rows that name nobody but his bookings too."""
    found = await _events(work, gateway, "holder", holder)
    rows = await _rows(work, gateway, holder)
    bookings = {str(pii["booking"]) for *_, pii in found if "booking" in pii}
    bookings |= {name for kind, name in rows if kind == "booking"}
    for booking in sorted(bookings):
        found += [
            each
            for each in await _events(work, gateway, "booking", booking)
            if "holder" not in each[3]
        ]
    if found:
        erased = [(journal, seq, com) for journal, seq, com, _ in found]
        await work.executemany(_ERASE, erased)
    # His hours stay hours of the place.
    await work.execute(_SHIFTS, gateway, holder, ERASED)
    await work.execute(_PLANS, gateway, holder, ERASED)
    if rows:
        change = feeds.Change(put={}, remove=rows)
        await feeds.change(work, gateway, change, now_ms)
    return Erased(events=len(found), rows=len(rows))


async def forget_wishes(work: Work, gateway: str, holder: str) -> None:
    """Take a holder's name out of whatever was wished about him and is over."""
    for field in ("holder", "by"):
        await work.execute(
            "UPDATE wish SET fields = '{}', signed = '', is_open = 0"
            " WHERE gateway = ?1 AND fields LIKE ?2 ESCAPE '!'",
            gateway,
            naming(field, holder),
        )


async def _events(
    work: Work, gateway: str, field: str, name: str
) -> list[tuple[int, int, bytes, dict[str, Any]]]:
    """Return journal, seq, commitment and person of each event that names ``name``."""
    rows = await work.fetch(_FIND, gateway, naming(field, name))
    return [
        (journal, seq, commitment(bytes(salt), pii), told)
        for journal, seq, salt, pii in rows
        if (told := json.loads(pii)).get(field) == name
    ]


async def _rows(work: Work, gateway: str, holder: str) -> list[tuple[str, str]]:
    """Return the keys of the feed's rows that name a holder or a card of his."""
    his = await work.fetch(
        "SELECT kind, id, body FROM feed_row WHERE gateway = ?1"
        " AND (id = ?2 OR body LIKE ?3 ESCAPE '!')",
        gateway,
        holder,
        naming("holder", holder),
    )
    told = [(kind, name, json.loads(body)) for kind, name, body in his]
    keys = [
        (kind, name)
        for kind, name, body in told
        if (kind, name) == ("holder", holder) or body.get("holder") == holder
    ]
    cards = [
        str(each).partition(":")[2]
        for kind, name, body in told
        if (kind, name) == ("holder", holder)
        for each in body.get("credentials", ())
    ]
    for token in cards:
        called_back = await work.fetch(
            "SELECT kind, id, body FROM feed_row WHERE gateway = ?1"
            " AND kind = 'revocation' AND body LIKE ?2 ESCAPE '!'",
            gateway,
            naming("token", token),
        )
        keys += [(kind, name) for kind, name, _ in called_back]
    return keys
