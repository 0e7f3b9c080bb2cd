# SPDX-License-Identifier: Apache-2.0
"""Which site key a gateway holds, and which rows of its feed are of which key.

The law of the module: a gateway holds what it said that it has on its disk, in its
journal; before it said anything, the site's first key. No row of a key goes out before
the gateway that is to read it holds that key, and none of a key that was given up: it
would open for nobody, and a card that was reported lost would open.
Source: docs/enrolment.md, "A new site key"; docs/sync-contract.md section 7.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.credential import FIRST_KEY
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloud_sync.platform.database import Work

#: The use under which the key of before is kept, while it is needed.
FORMER = "former"
#: Kinds of rows that may hold tokens.
KINDS = ("holder", "revocation")
_NUMBERS = """
SELECT s.use_, s.number FROM site_secret AS s JOIN box AS b ON b.site = s.site
WHERE b.gateway = ?1 AND s.use_ IN ('site', 'former')
"""
_TOLD = """
SELECT e.core FROM event AS e JOIN journal AS j ON j.id = e.journal
WHERE e.kind = ?2 AND j.gateway = ?1 ORDER BY j.id, e.seq
"""
_ROWS = """
SELECT body FROM feed_row WHERE gateway = ?1 AND kind IN ('holder', 'revocation')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a gateway said of its site's keys; ``at_ms`` (UTC) 0: it said nothing."""

    current: int = FIRST_KEY
    former: tuple[int, ...] = ()
    at_ms: int = 0


async def held_by(work: Work, gateway: str) -> Held:
    """Return which site keys a gateway said last that it holds."""
    current, former, at_ms = FIRST_KEY, set[int](), 0
    kind = EventKind.SITE_KEY_CHANGED.value
    for (core,) in await work.fetch(_TOLD, gateway, kind):
        facts = json.loads(core)
        number, at_ms = int(facts.get("key", FIRST_KEY)), int(facts.get("lo", 0))
        if facts.get("what") == "given_up":
            former.discard(number)
        else:
            current = number
            former = {int(each) for each in str(facts.get("former", "")).split()}
    return Held(current=current, former=tuple(sorted(former)), at_ms=at_ms)


async def flaw(work: Work, gateway: str, put: Mapping[tuple[str, str], str]) -> str:
    """Say why one of these rows must not go out to a gateway yet; "" if all may.

    A gateway that did not enrol here has its key by another way, and is not asked.
    """
    named = {
        int(number): key
        for key, body in put.items()
        if key[0] in KINDS and '"key":' in body
        for number in [json.loads(body).get("key")]
        if number is not None
    }
    standing = dict(await work.fetch(_NUMBERS, gateway)) if named else {}
    if "site" not in standing:
        return ""
    held = await held_by(work, gateway)
    for number, (kind, name) in named.items():
        if number not in standing.values():
            known = " and ".join(str(each) for each in sorted(standing.values()))
            return f"{kind} {name}: of site key {number}; in use is {known}"
        if number > held.current:
            return (
                f"{kind} {name}: of site key {number}, and {gateway} has told of "
                f"{held.current} alone so far; wait until `menshen platform site-key "
                "show` says that it holds it"
            )
    return ""


async def rows_before(work: Work, gateway: str, number: int) -> int:
    """Count the rows of a feed with tokens of a key before that one.

    A row that names no key is of the oldest one in use.
    """
    count = 0
    for (body,) in await work.fetch(_ROWS, gateway):
        row = json.loads(body)
        has_tokens = row.get("credentials") or "token" in row
        count += bool(has_tokens) and row.get("key", 0) < number
    return count
