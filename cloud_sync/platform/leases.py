# SPDX-License-Identifier: Apache-2.0
"""Which worker serves which shard: a lease in the database, gone with its holder.

The law of the module: a shard is held by one process at a time, and is free the moment
that process dies, by whatever death; nobody writes down a time. What is stored never
depends on a lease: two who both think they hold a shard add to its journals after each
other. Leases are there for order, so that a gateway's second batch does not overtake
its first.
Source: PostgreSQL 15, 13.3.5 (advisory locks of a session); flock(2).
"""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

#: All shards that there are (docs/sync-contract.md, section 1).
SHARDS = tuple(f"{number:02}" for number in range(16))


class Leases(Protocol):
    """What one worker asks of leases; each call may raise DatabaseError."""

    async def take(self, shard: str) -> bool:
        """Hold a shard; False if another process does."""

    async def give(self, shard: str) -> None:
        """Let a shard go that is held."""

    async def workers(self) -> int:
        """Return how many workers there are, oneself among them."""

    async def holders(self) -> dict[str, str]:
        """Return who holds each shard that is held, as he calls himself."""


class _FileLeases:
    """Locks on files beside the database: for the processes of one machine."""

    def __init__(self, database: Path, name: str, held: ExitStack) -> None:
        self._database = database
        self._name = name
        self._held = held
        self._descriptors: dict[str, int] = {}

    async def take(self, shard: str) -> bool:
        descriptor = os.open(self._path(shard), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, self._name.encode())
        self._descriptors[shard] = descriptor
        self._held.callback(self._close, shard)
        return True

    async def give(self, shard: str) -> None:
        self._close(shard)

    async def workers(self) -> int:
        return max(1, len(set((await self.holders()).values())))

    async def holders(self) -> dict[str, str]:
        return {shard: name for shard in SHARDS if (name := self._holder(shard))}

    def _holder(self, shard: str) -> str:
        if shard in self._descriptors:
            return self._name
        try:
            descriptor = os.open(self._path(shard), os.O_RDONLY)
        except FileNotFoundError:
            return ""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(descriptor, 256).decode(errors="replace") or "?"
        finally:
            os.close(descriptor)
        return ""

    def _close(self, shard: str) -> None:
        descriptor = self._descriptors.pop(shard, None)
        if descriptor is not None:
            os.close(descriptor)

    def _path(self, shard: str) -> str:
        return f"{self._database}.shard-{shard}"


@asynccontextmanager
async def file_leases(database: Path, name: str) -> AsyncIterator[Leases]:
    """Hold leases beside an SQLite file; all are given back when the block is left."""
    with ExitStack() as held:
        yield _FileLeases(database, name, held)
