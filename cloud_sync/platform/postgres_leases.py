# SPDX-License-Identifier: Apache-2.0
"""Leases as locks of one session of PostgreSQL, whose end gives them back.

The law of the module: the session is this worker's life; when it is lost, so are all
its shards, and the worker learns it at its next question. A machine that vanishes
without a word is noticed by the server within half a minute.
Source: PostgreSQL 15, 9.27.10 and 20.3.2.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import asyncpg

from cloud_sync.platform.database import DatabaseError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from cloud_sync.platform.leases import Leases

#: The first half of our locks' names: a shard's, and a worker's own.
_SHARD, _WORKER = 6002, 6003
_WITHIN_S = 10.0
#: How the server finds out that a worker's machine is gone: 10 s, then thrice 5 s.
_KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_NAME_CHARACTERS = 63
_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
_HELD = """
SELECT l.objid::int, a.application_name FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = $1 AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class _PostgresLeases:
    def __init__(self, session: asyncpg.Connection) -> None:
        self._session = session

    async def take(self, shard: str) -> bool:
        sql = "SELECT pg_try_advisory_lock($1, $2)"
        with _told():
            return bool(await self._session.fetchval(sql, _SHARD, int(shard)))

    async def give(self, shard: str) -> None:
        with _told():
            sql = "SELECT pg_advisory_unlock($1, $2)"
            await self._session.execute(sql, _SHARD, int(shard))

    async def workers(self) -> int:
        with _told():
            return len(await self._session.fetch(_HELD, _WORKER))

    async def holders(self) -> dict[str, str]:
        with _told():
            found = await self._session.fetch(_HELD, _SHARD)
        return {f"{number:02}": name or "?" for number, name in sorted(found)}

    async def enter(self) -> None:
        with _told():
            sql = "SELECT pg_advisory_lock($1, pg_backend_pid())"
            await self._session.execute(sql, _WORKER)


@asynccontextmanager
async def postgres_leases(
    address: str, name: str, *, is_worker: bool = True
) -> AsyncIterator[Leases]:
    """Hold a session for leases; who only looks is not counted as a worker."""
    with _told():
        session = await asyncpg.connect(
            address,
            timeout=_WITHIN_S,
            command_timeout=_WITHIN_S,
            server_settings={
                "application_name": name[:_NAME_CHARACTERS],
                **_KEEPALIVE,
            },
        )
    try:
        leases = _PostgresLeases(session)
        if is_worker:
            await leases.enter()
        yield leases
    finally:
        session.terminate()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (*_FAULTS, ValueError) as fault:
        text = str(fault) or type(fault).__name__
        raise DatabaseError(f"the shards' leases: {text}") from fault
