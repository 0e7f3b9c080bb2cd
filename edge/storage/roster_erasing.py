# SPDX-License-Identifier: Apache-2.0
"""A person taken out of the roster's file, whatever rows name him.

The law of the module: his own row, what is his (bookings, a place on the list of
elders), and what calls back him or his cards; in force, staged or left over. The image
goes too, since it holds everybody; whoever holds the roster packs another.
Source: docs/sync-contract.md, section 5.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from edge.storage.connection import Synchronous, transaction

if TYPE_CHECKING:
    from edge.storage.connection import Connection

_HIS = (
    "SELECT place, kind, body FROM entry WHERE (kind = 'holder' AND id = ?1) OR"
    " CASE WHEN json_valid(body) THEN json_extract(body, '$.holder') END = ?1"
)
_OF_HIS_CARDS = (
    "SELECT place FROM entry WHERE kind = 'revocation' AND CASE WHEN json_valid(body)"
    " THEN json_extract(body, '$.token') END IN (SELECT value FROM json_each(?))"
)


class Taken(NamedTuple):
    """How many rows went that were in force, and the cards' tokens (hex) of all."""

    rows: int
    tokens: tuple[str, ...]


async def take_out(connection: Connection, holder: str) -> Taken:
    """Delete every row that names ``holder`` or a card of his, in one commit."""
    his = list(await connection.execute_fetchall(_HIS, (holder,)))
    bodies = (body for _, kind, body in his if kind == "holder")
    tokens = tuple(token for body in bodies for token in _tokens(body))
    called_back = await connection.execute_fetchall(
        _OF_HIS_CARDS, (json.dumps(tokens),)
    )
    gone = {place for place, _, body in his if not body}
    places = sorted(
        {*(place for place, *_ in his), *(place for (place,) in called_back)}
    )
    [(after, upto)] = await connection.execute_fetchall(
        "SELECT after, upto FROM current"
    )
    # Of a row that went with a change there is a place, and no row.
    rows = sum(after < place <= upto for place in places if place not in gone)
    async with transaction(connection, Synchronous.FULL):
        await connection.executemany(
            "DELETE FROM entry WHERE place = ?", [(place,) for place in places]
        )
        await connection.execute("UPDATE current SET count = count - ?", (rows,))
        await connection.execute("DELETE FROM image")
    return Taken(rows, tokens)


def _tokens(body: str) -> tuple[str, ...]:
    """Return the tokens of a holder's row; of one that makes no sense none."""
    try:
        credentials = json.loads(body)["credentials"]
        return tuple(str(each).partition(":")[2] for each in credentials)
    except (ValueError, LookupError, TypeError):
        return ()
