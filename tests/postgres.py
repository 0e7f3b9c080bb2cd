# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL for tests, quick because nothing of it need survive.

The law of the module: it is the bench's own server; only its settings and the
emptying between tests are added.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from edge.cli.bench import postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a test writes need not survive the machine.
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off")


class PostgresServer:
    """A server that answers; ``address`` is of its one database."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def empty(self) -> str:
        """Take every row out of every table, and return the address.

        Tables of their own for each test would cost thirty files each time.
        """
        connection = await asyncpg.connect(self.address)
        try:
            sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            for row in await connection.fetch(sql):
                await connection.execute(f'DELETE FROM "{row[0]}"')  # noqa: S608
        finally:
            await connection.close()
        return self.address


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """Run a server for the block."""
    with postgres_server.postgres(QUICK) as server:
        yield PostgresServer(server.address)
