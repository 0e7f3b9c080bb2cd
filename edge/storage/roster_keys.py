# SPDX-License-Identifier: Apache-2.0
"""Which site key the roster's tokens are of.

The law of the module: an old key is given up only when nothing needs it, so a row that
nobody can read counts as one that does.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from edge.storage.errors import DamagedError

if TYPE_CHECKING:
    from edge.storage.connection import Connection
    from edge.storage.seal import RosterSeal

#: Rows that are opened in one go; between such goes doors have their turn.
PIECE_ROWS = 200
_WITH_TOKENS = (
    "SELECT kind, name, ver, cell, place FROM entry WHERE place > ? AND place <= ?"
    " AND kind IN ('holder', 'revocation') AND NOT is_gone ORDER BY place LIMIT ?"
)


async def tokens_under(
    connection: Connection, seal: RosterSeal, span: tuple[int, int], number: int
) -> int:
    """Count the rows of ``span`` whose tokens are of that site key, or of one before.

    A row that names no key is of the oldest that is held.
    """
    found, (last, upto) = 0, span
    while rows := list(
        await connection.execute_fetchall(_WITH_TOKENS, (last, upto, PIECE_ROWS))
    ):
        last = rows[-1][-1]
        for kind, name, ver, cell, _ in rows:
            try:
                body = json.loads(seal.row(kind, name, ver, cell).body)
            except (DamagedError, ValueError):
                found += 1
                continue
            has_tokens = bool(body.get("credentials")) or "token" in body
            found += has_tokens and body.get("key", 0) <= number
        await asyncio.sleep(0)
    return found
