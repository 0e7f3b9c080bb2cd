# SPDX-License-Identifier: Apache-2.0
"""The reference platform as a process of its own, asked as its operators ask it.

The law of the module: everything is typed as a verb of ``menshen platform``; what no
verb tells is read from its database, and never written while it runs but on purpose.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.brokers import BrokerProcess


class RealPlatform:
    """A folder with settings, key and database, and the process that serves it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.settings = folder / "platform.toml"
        self.database = folder / "platform.db"

    async def type(self, *words: str) -> str:
        """Type a verb; return what it prints, and fail if it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli.main", "platform", *words),
            *("--settings", str(self.settings)),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, words
        return out.decode()

    async def ask(self, *words: str) -> Any:
        """Ask a question; return the rows of the answer."""
        return json.loads(await self.type(*words, "--json"))

    def table(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what stands in the database."""
        with closing(sqlite3.connect(self.database, timeout=10.0)) as connection:
            return connection.execute(sql).fetchall()

    def spoil(self, sql: str) -> None:
        """Do to the database what nobody should."""
        with closing(sqlite3.connect(self.database, timeout=10.0)) as connection:
            connection.execute(sql)
            connection.commit()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Run it until the block ends."""
        words = ("-m", "edge.cli.main", "platform", "run")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, "--settings", str(self.settings)
        )
        try:
            yield
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


async def founded(
    folder: Path, broker: BrokerProcess, gateway: str, shard: str
) -> RealPlatform:
    """Set a platform up that knows one gateway; its public key is platform.json."""
    platform = RealPlatform(folder)
    await platform.type("init")
    text = platform.settings.read_text("utf-8")
    platform.settings.write_text(text.replace("1883", str(broker.port)), "utf-8")
    await platform.type("gateway", "add", gateway, "--shard", shard)
    await platform.type("keys", "--out", str(folder / "platform.json"))
    return platform
