# SPDX-License-Identifier: Apache-2.0
"""The platform put together: its database, its key, its connection to the broker.

The law of the module: it builds and starts, and leaves clocks and signals to whoever
calls. Other ways in (ingest workers on a cluster, say) use :func:`open_database` and
``Reception`` as :func:`run` does; nothing of what they store depends on the way.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import keys
from cloud_sync.platform.alarms.callers import caller_of
from cloud_sync.platform.alarms.routing import Patience, Routing
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.commanding.commander import Commander
from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.enrolment import authority
from cloud_sync.platform.reception import Reception
from cloud_sync.platform.settings import broker_of
from cloud_sync.platform.shell import Shell
from cloud_sync.platform.sqlite import open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.platform.enrolment.authority import Authority
    from cloud_sync.platform.settings import Settings


@asynccontextmanager
async def open_database(settings: Settings, folder: Path) -> AsyncIterator[Database]:
    """Hold the database of the settings open; DatabaseError if it cannot be."""
    store = settings.store
    if store.sqlite is not None:
        async with open_sqlite(folder / store.sqlite) as database:
            yield database
        return
    try:
        postgres = importlib.import_module("cloud_sync.platform.postgres")
    except ImportError as lack:
        raise DatabaseError(
            "store.postgresql needs asyncpg; install menshen[platform]"
        ) from lack
    async with postgres.open_postgres(store.postgresql) as database:
        yield database


async def run(settings: Settings, folder: Path, now_ms: Callable[[], int]) -> None:
    """Serve gateways until cancelled; paths of the settings count from ``folder``."""
    signer = keys.load(folder / settings.platform.signing_key)
    broker, ours = broker_of(settings.broker, folder), _authority(settings, folder)
    async with open_database(settings, folder) as database:
        shell = Shell(
            broker=broker,
            client_id=settings.broker.client_id,
            reception=Reception(database, Answers(signer), ours),
            commander=Commander(database, signer),
            now_ms=now_ms,
        )
        works = [shell.run(), _routing(settings, database, now_ms).run()]
        if settings.web is not None:
            # Loaded here alone: who does without it saves 10 MiB.
            web = importlib.import_module("cloud_sync.platform.web.server")
            lent = importlib.import_module("cloud_sync.platform.web.app").Lent(
                database=database,
                signer=signer,
                settings=settings,
                folder=folder,
                now_ms=now_ms,
            )
            works.append(web.serve(settings.web, lent))
        await _together(works)


def _authority(settings: Settings, folder: Path) -> Authority | None:
    """Return the platform's own authority, if it has one."""
    files = settings.authority
    certificate, key = folder / files.certificate, folder / files.key
    if not certificate.exists() or not key.exists():  # its key may be kept elsewhere
        return None
    return authority.load(certificate, key)


def _routing(
    settings: Settings, database: Database, now_ms: Callable[[], int]
) -> Routing:
    wanted = settings.alarms
    return Routing(
        database,
        caller=caller_of(wanted.command, wanted.webhook, wanted.timeout_s),
        patience=Patience(
            answer_ms=wanted.answer_s * 1000,
            next_ms=wanted.next_s * 1000,
            repeats=wanted.repeats,
            tries=wanted.tries,
            timeout_ms=wanted.timeout_s * 1000,
            calls_an_hour=wanted.calls_an_hour,
        ),
        utc_offset_ms=settings.platform.utc_offset_min * 60_000,
        now_ms=now_ms,
    )


async def _together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run them until one ends; the first failure is raised as it is."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
