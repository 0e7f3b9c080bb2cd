# SPDX-License-Identifier: Apache-2.0
"""The platform put together: its database, its key, its connection to the broker.

The law of the module: it builds and starts, and leaves clocks and signals to whoever
calls. One platform or many workers, over MQTT or NATS: all are the same shell over
another line, and nothing of what they store depends on the way.
"""

from __future__ import annotations

import asyncio
import importlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from cloud_sync.platform import registry
from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.leases import file_leases
from cloud_sync.platform.mqtt_line import MqttLines
from cloud_sync.platform.serving import House, serve
from cloud_sync.platform.settings import broker_of, password_of, tls_of
from cloud_sync.platform.sqlite import open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from cloud_sync.platform.database import Database
    from cloud_sync.platform.leases import Leases
    from cloud_sync.platform.line import Lines
    from cloud_sync.platform.settings import Settings

#: A server finds out within a moment that a killed worker's session is gone.
PATIENCE_S = 5
#: How often a worker with shards of its own looks whether others are served.
LOOK_EVERY_S = 60.0
_log = structlog.get_logger("platform")


class WorkerError(Exception):
    """A worker cannot work as it was asked to; the text says what to do."""


@asynccontextmanager
async def open_database(settings: Settings, folder: Path) -> AsyncIterator[Database]:
    """Hold the database of the settings open; DatabaseError if it cannot be."""
    store = settings.store
    if store.sqlite is not None:
        async with open_sqlite(folder / store.sqlite) as database:
            yield database
        return
    postgres = _extra("cloud_sync.platform.postgres", "store.postgresql needs asyncpg")
    async with postgres.open_postgres(store.postgresql) as database:
        yield database


async def run(settings: Settings, folder: Path, now_ms: Callable[[], int]) -> None:
    """Serve gateways until cancelled; paths of the settings count from ``folder``."""
    broker = broker_of(settings.broker, folder)
    lines = MqttLines(broker, settings.broker.client_id)
    await _serve(settings, folder, now_ms, lines, with_web=True)


async def work(
    settings: Settings,
    folder: Path,
    now_ms: Callable[[], int],
    *,
    name: str,
    shards: frozenset[str] | None,
) -> None:
    """Serve some gateways beside other workers until cancelled.

    ``shards`` are those of an MQTT broker; with None they are shared over NATS.
    ``name`` tells people which worker this is. WorkerError if it cannot work so.
    """
    if shards is None:
        await _serve(settings, folder, now_ms, _nats_lines(settings, folder, name))
        return
    broker = broker_of(settings.broker, folder)
    client_id = f"{settings.broker.client_id}-{min(shards)}"
    async with leases_of(settings, folder, name) as leases:
        await _hold(leases, shards)
        lines = MqttLines(broker, client_id, shards)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(settings, folder, leases))
            try:
                await _serve(settings, folder, now_ms, lines)
            finally:
                watching.cancel()


@asynccontextmanager
async def leases_of(
    settings: Settings, folder: Path, name: str, *, is_worker: bool = True
) -> AsyncIterator[Leases]:
    """Hold the leases that go with the database of the settings."""
    store = settings.store
    if store.sqlite is not None:
        async with file_leases(folder / store.sqlite, name) as leases:
            yield leases
        return
    module = _extra(
        "cloud_sync.platform.postgres_leases", "store.postgresql needs asyncpg"
    )
    address = store.postgresql
    async with module.postgres_leases(address, name, is_worker=is_worker) as leases:
        yield leases


async def _serve(
    settings: Settings,
    folder: Path,
    now_ms: Callable[[], int],
    lines: Lines,
    *,
    with_web: bool = False,
) -> None:
    async with open_database(settings, folder) as database:
        house = House(
            settings=settings, folder=folder, database=database, now_ms=now_ms
        )
        await serve(house, lines, with_web=with_web)


def _nats_lines(settings: Settings, folder: Path, name: str) -> Lines:
    if settings.nats is None:
        raise WorkerError(
            "the settings have no [nats]; with an MQTT broker say which shards are "
            "this worker's, as in --shards 00-07"
        )
    if settings.store.postgresql is None:
        raise WorkerError(
            "workers that share the shards need store.postgresql: an SQLite file is "
            "for one machine; divide them by hand with --shards, or move"
        )
    found = settings.nats
    module = _extra("cloud_sync.platform.jetstream", "[nats] needs nats-py")
    at = module.Nats(
        servers=tuple(found.servers),
        stream=found.stream,
        copies=found.replicas,
        tls=tls_of(found, folder, "nats"),
        user=found.username,
        password=password_of(found, folder),
    )
    lines: Lines = module.JetStreamLines(at, lambda: leases_of(settings, folder, name))
    return lines


async def _hold(leases: Leases, shards: frozenset[str]) -> None:
    """Take all shards; a worker that was just killed may hold them for a moment."""
    wanted = sorted(shards)
    for patience in reversed(range(PATIENCE_S)):
        wanted = [each for each in wanted if not await leases.take(each)]
        if not wanted:
            return
        await asyncio.sleep(1 if patience else 0)
    holders = await leases.holders()
    told = ", ".join(f"{each} by {holders.get(each, '?')}" for each in wanted)
    raise WorkerError(
        f"shards served by another worker already: {told}; give each shard to one "
        "worker, `menshen platform shards` shows who has which"
    )


async def _watch(settings: Settings, folder: Path, leases: Leases) -> None:
    """Say which shards have gateways and no worker, at first and when it changes.

    DatabaseError when the leases are lost: whoever starts us again takes them anew.
    """
    told: list[str] = []
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        holders = await leases.holders()
        try:
            async with open_database(settings, folder) as base, base.reading() as work:
                populated = await registry.populations(work)
        except DatabaseError:
            continue  # whoever stores says so
        gaps = [each for each in populated if each not in holders]
        if gaps and gaps != told:
            _log.warning("gateways without a worker", shards=",".join(gaps))
        told = gaps


def _extra(module: str, lack: str) -> Any:
    """Import a module that needs a package of the extra ``platform``."""
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        raise DatabaseError(f"{lack}; install menshen[platform]") from missing
