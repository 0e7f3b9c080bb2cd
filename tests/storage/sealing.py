# SPDX-License-Identifier: Apache-2.0
"""A key for rosters of tests, and a hand that changes what is sealed by it."""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING

from edge.storage.roster_sealing import PUT
from edge.storage.seal import KEY_BYTES, NONCE_BYTES, RosterSeal

if TYPE_CHECKING:
    from edge.storage.connection import Connection

SEAL = RosterSeal(b"\x5a" * KEY_BYTES, lambda: token_bytes(NONCE_BYTES))


async def with_body(connection: Connection, body: str) -> None:
    """Let every row have this body, sealed by the right key."""
    found = await connection.execute_fetchall(
        "SELECT place, kind, name, ver, cell FROM entry"
    )
    rows = [(place, SEAL.row(*sealed)) for place, *sealed in found]
    await connection.execute("DELETE FROM entry")
    for place, row in rows:
        changed = row._replace(body=body)
        await connection.executemany(PUT, SEAL.entries([changed], place))
