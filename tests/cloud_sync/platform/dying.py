# SPDX-License-Identifier: Apache-2.0
"""A platform that is killed between its first commit of events and what follows.

The law of the module: it is the product, with a database that dies after the commit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cloud_sync.platform import application
from cloud_sync.platform.settings import Settings
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from cloud_sync.platform.database import Database, Work


class _Dying:
    """A database that kills its process once it has committed events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def scour(self) -> bool:
        return await self._database.scour()

    def reading(self) -> AbstractAsyncContextManager[Work]:
        return self._database.reading()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        async with self._database.writing() as work:
            yield work
            [(count,)] = await work.fetch("SELECT count(*) FROM event")
        if count:
            os.kill(os.getpid(), signal.SIGKILL)


@asynccontextmanager
async def _opened(settings: Settings, folder: Path) -> AsyncIterator[Database]:
    async with _open_database(settings, folder) as database:
        yield _Dying(database)


_open_database = application.open_database
if __name__ == "__main__":
    application.open_database = _opened
    path = Path(sys.argv[1])
    found = Settings.model_validate_json(path.read_text("utf-8"))
    serve = application.run(found, path.parent, wall_ms)
    if "worker" in sys.argv:
        serve.close()
        serve = application.work(
            found, path.parent, wall_ms, name="dying:1", shards=None
        )
    asyncio.run(serve)
