# SPDX-License-Identifier: Apache-2.0
"""The two ends of a sync bench: a real broker, the real platform, and its database.

The law of the module: every part is a process of its own; what the platform holds is
read from its database by the platform's own port, never asked of the platform.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_sync.platform import keys, registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.settings import read_settings
from edge.cli.bench.brokers.kinds import KINDS
from edge.cli.bench.errors import BenchError
from edge.cli.bench.postgres_server import postgres
from edge.cli.children import Child
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from edge.cli.bench.brokers.process import BrokerProcess

GATEWAY = "gw-bench"
STORES = ("sqlite", "postgresql")
POLL_S = 0.01
HEARS_WITHIN_S = 60.0
_SETTINGS = """\
[broker]
host = "127.0.0.1"
port = {port}
[store]
{store}
[platform]
signing_key = "platform.key"
"""
_HIGH = "SELECT coalesce(max(hi), 0) FROM journal WHERE gateway = ?1"
_HELD = (
    "SELECT e.seq, e.hash FROM event AS e JOIN journal AS j ON j.id = e.journal "
    "WHERE j.gateway = ?1 ORDER BY j.id, e.seq"
)


@dataclass(slots=True, kw_only=True)
class Stage:
    """A folder, the nodes of a broker, the platform on the last of them."""

    folder: Path
    nodes: Sequence[BrokerProcess]
    platform: Child
    database: Database
    #: What the platform's public half is, as a gateway keeps it.
    keys_json: str = field(default="")

    async def high(self) -> int:
        """Return the platform's watermark."""
        async with self.database.reading() as work:
            [(high,)] = await work.fetch(_HIGH, GATEWAY)
        return int(high)

    async def held(self) -> list[tuple[int, bytes]]:
        """Return every event that the platform holds, and its hash."""
        async with self.database.reading() as work:
            return [(n, bytes(h)) for n, h in await work.fetch(_HELD, GATEWAY)]

    async def counted(self) -> dict[str, int]:
        """Return what came again, and what was refused or contradicted."""
        async with self.database.reading() as work:
            [(again,)] = await work.fetch("SELECT sum(repeated) FROM journal")
            [(aside,)] = await work.fetch("SELECT count(*) FROM quarantine")
            [(alarms,)] = await work.fetch("SELECT count(*) FROM alarm")
        return {"repeated": int(again or 0), "quarantined": aside, "alarms": alarms}

    async def until_high(self, wanted: int, within_s: float) -> float:
        """Wait for the watermark; return when it was seen (monotonic s)."""
        until_s = time.monotonic() + within_s
        while (high := await self.high()) < wanted:
            if time.monotonic() > until_s:
                raise BenchError(f"only {high} of {wanted} arrived in {within_s:.0f} s")
            await asyncio.sleep(POLL_S)
        return time.monotonic()

    async def restart(self, node: BrokerProcess) -> None:
        """Start a killed node again; from this thread, it would die with another."""
        node.launch()
        await asyncio.to_thread(node.wait)


@asynccontextmanager
async def staged(
    folder: Path, kind: str, store: str = "sqlite"
) -> AsyncIterator[Stage]:
    """Run broker and platform in ``folder`` for the block."""
    async with AsyncExitStack() as stack:
        home = folder / "broker"
        home.mkdir()
        nodes = stack.enter_context(KINDS[kind].running(home))
        where = 'sqlite = "platform.db"'
        if store == "postgresql":
            address = stack.enter_context(postgres()).address
            where = f'postgresql = "{address}"'
        at = folder / "central"
        at.mkdir(mode=0o700)
        path = at / "platform.toml"
        text = _SETTINGS.format(port=nodes[-1].port, store=where)
        path.write_text(text, encoding="ascii")
        path.chmod(0o600)
        signer = keys.make(at / "platform.key")
        database = await stack.enter_async_context(
            open_database(read_settings(path), at)
        )
        async with database.writing() as work:
            await registry.register(work, GATEWAY, "00", "", wall_ms())
        words = ["edge.cli.main", "platform", "run", "--settings", str(path)]
        platform = Child(name="platform", words=words, logs=folder)
        await platform.start()
        stack.push_async_callback(platform.end)
        made = Stage(
            folder=folder,
            nodes=nodes,
            platform=platform,
            database=database,
            keys_json=json.dumps(signer.public_keys),
        )
        await _connected(platform)
        yield made


async def _connected(platform: Child) -> None:
    until_s = time.monotonic() + HEARS_WITHIN_S
    while "event=connected" not in platform.log_tail(20):
        if not platform.is_running or time.monotonic() > until_s:
            raise BenchError(f"the platform is not up: {platform.log_tail(5)}")
        await asyncio.sleep(0.05)


def journal_hashes(path: Path) -> list[tuple[int, bytes]]:
    """Return the numbers and hashes of a journal's file, which nobody writes now."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        rows = journal.execute("SELECT place, hash FROM event ORDER BY place")
        return [(place, bytes(held)) for place, held in rows]
