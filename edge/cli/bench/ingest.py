# SPDX-License-Identifier: Apache-2.0
"""``menshen bench ingest``: many gateways, three brokers, some workers, one database.

The law of the module: servers, workers and the crowd are processes of their own; what
counts is what stands in the tables at the end, compared event by event with what the
gateways' own chains say. An event's time runs until its gateway has the platform's
signed word, so it is never flattering. The floor is the same rows in the same handfuls
put into PostgreSQL by one connection, with nothing around it.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import keys, registry
from cloud_sync.platform.application import open_database
from cloud_sync.platform.settings import Settings
from cloud_sync.signing import PlatformKeys
from edge.cli.bench.errors import BenchError
from edge.cli.bench.ingest_crowd import Crowd
from edge.cli.bench.ingest_servers import nats_nodes
from edge.cli.bench.postgres_server import postgres
from edge.cli.bench.scan import cpu_ms
from edge.cli.children import Child
from edge.cli.system_clock import wall_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.platform.database import Database
    from edge.cli.bench.ingest_servers import NatsNodes

CONNECTED_WITHIN_S = 180.0
DONE_WITHIN_S = 120.0
#: How long a killed node or worker stays away.
AWAY_S = 3.0
#: Handfuls of the floor.
FLOOR_HANDFULS, FLOOR_ROWS = 100, 128
_STANDING = """
SELECT j.gateway, j.hi, j.hash, j.repeated, count(e.seq), coalesce(max(e.seq), 0)
FROM journal AS j LEFT JOIN event AS e ON e.journal = j.id
GROUP BY j.id, j.gateway, j.hi, j.hash, j.repeated
"""
_FLOOR_TABLE = "CREATE TABLE floor (journal BIGINT, seq BIGINT, row TEXT, PRIMARY KEY "


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """How many gateways, how often, how long, and what dies meanwhile."""

    gateways: int = 1_000
    rate: float = 5.0
    for_s: float = 60.0
    workers: int = 2
    kills: int = 2
    worker_kills: int = 0


class _Run:
    """One measurement in one folder."""

    def __init__(self, options: IngestOptions, folder: Path) -> None:
        self.options = options
        self.folder = folder

    async def measure(self) -> dict[str, Any]:
        # PostgreSQL keeps its durable settings.
        with postgres() as store:
            async with nats_nodes(self.folder) as nodes:
                return await self._measure(store.address, nodes)

    async def _measure(self, address: str, nodes: NatsNodes) -> dict[str, Any]:
        settings = self._settings(address, nodes)
        signer = keys.make(self.folder / "platform.key")
        public = PlatformKeys(signer.public_keys)
        crowd = Crowd(self.options.gateways, nodes.mqtt, public)
        async with open_database(settings, self.folder) as database:
            await _register(database, crowd)
            floor = await _floor(database)
            workers = [self._worker(number) for number in range(self._workers)]
            try:
                for worker in workers:
                    await worker.start()
                figures = await self._live(crowd, nodes, workers)
            finally:
                await asyncio.gather(*(worker.end() for worker in workers))
            figures |= await _judge(database, crowd)
            return figures | {"floor_events_per_s": floor}

    @property
    def _workers(self) -> int:
        return self.options.workers

    async def _live(
        self, crowd: Crowd, nodes: NatsNodes, workers: Sequence[Child]
    ) -> dict[str, Any]:
        begun_s = time.monotonic()
        tasks = [
            asyncio.create_task(each) for each in (crowd.stay_connected(), crowd.tend())
        ]
        try:
            await _until(
                lambda: crowd.connected == len(crowd.gateways),
                CONNECTED_WITHIN_S,
                f"not all gateways connected; see {self.folder}",
            )
            connected_s = time.monotonic() - begun_s
            everybody = [*nodes.children, *workers]
            before = _cpu_s(everybody)
            killing = asyncio.create_task(self._kill(nodes, workers))
            started_s = time.monotonic()
            await crowd.live(self.options.rate, self.options.for_s)
            await killing
            await _until(
                lambda: crowd.is_done, DONE_WITHIN_S, "not all events were acknowledged"
            )
            took_s = time.monotonic() - started_s
            after = _cpu_s(everybody)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        took = sorted(crowd.took_ms)
        return {
            "gateways": len(crowd.gateways),
            "workers": len(workers),
            "node_kills": self.options.kills,
            "worker_kills": self.options.worker_kills,
            "connections_per_s": round(len(crowd.gateways) / connected_s),
            "events": crowd.made,
            "offered_per_s": round(crowd.made / self.options.for_s),
            "events_per_s": round(crowd.made / took_s),
            "committed_p50_ms": _quantile(took, 0.50),
            "committed_p99_ms": _quantile(took, 0.99),
            "committed_max_ms": _quantile(took, 1.0),
            "connections_lost": crowd.losses,
            "crowd_cpu_s": round(time.process_time(), 1),
            "nats_cpu_s": _spent(nodes.children, before, after),
            "workers_cpu_s": _spent(workers, before, after),
        }

    async def _kill(self, nodes: NatsNodes, workers: Sequence[Child]) -> None:
        """Kill nodes and workers in turn, evenly over the time there is."""
        deaths = [("node", n) for n in range(self.options.kills)]
        deaths += [("worker", n) for n in range(self.options.worker_kills)]
        if not deaths:
            return
        pause_s = self.options.for_s / (len(deaths) + 1)
        for what, number in deaths:
            await asyncio.sleep(max(0.0, pause_s - AWAY_S))
            children = nodes.children if what == "node" else workers
            child = children[number % len(children)]
            child.kill()
            if child.process is not None:
                await child.process.wait()
            await asyncio.sleep(AWAY_S)
            await child.start()

    def _settings(self, address: str, nodes: NatsNodes) -> Settings:
        servers = [f"nats://127.0.0.1:{port}" for port in nodes.clients]
        text = (
            '[broker]\nhost = "127.0.0.1"\n'
            f"[store]\npostgresql = {json.dumps(address)}\n"
            f"[nats]\nservers = {json.dumps(servers)}\n"
        )
        (self.folder / "platform.toml").write_text(text, encoding="utf-8")
        return Settings.model_validate(
            {
                "broker": {"host": "127.0.0.1"},
                "store": {"postgresql": address},
                "nats": {"servers": servers},
            }
        )

    def _worker(self, number: int) -> Child:
        path = str(self.folder / "platform.toml")
        return Child(
            name=f"worker-{number + 1}",
            words=["edge.cli.main", "platform", "worker", "--settings", path],
            logs=self.folder,
        )


async def _register(database: Database, crowd: Crowd) -> None:
    async with database.writing() as work:
        for each in crowd.gateways:
            topics = each.topics
            await registry.register(work, topics.gateway, topics.shard, "", wall_ms())


async def _floor(database: Database) -> int:
    """Return how many bare rows a second one connection commits in such handfuls."""
    async with database.writing() as work:
        await work.execute(f"{_FLOOR_TABLE}(journal, seq))")
    begun_s = time.monotonic()
    for handful in range(FLOOR_HANDFULS):
        rows = [(handful, seq, "x" * 300) for seq in range(FLOOR_ROWS)]
        async with database.writing() as work:
            await work.executemany("INSERT INTO floor VALUES (?1, ?2, ?3)", rows)
    took_s = time.monotonic() - begun_s
    return round(FLOOR_HANDFULS * FLOOR_ROWS / took_s)


async def _judge(database: Database, crowd: Crowd) -> dict[str, Any]:
    """Compare the tables with what the gateways' own chains say."""
    async with database.reading() as work:
        found = {row[0]: row[1:] for row in await work.fetch(_STANDING)}
        [(alarms,)] = await work.fetch("SELECT count(*) FROM alarm")
        [(size,)] = await work.fetch("SELECT pg_total_relation_size('event')")
    lost = doubled = repeated = wrong = 0
    for each in crowd.gateways:
        hi, held, again, count, last = found.get(each.topics.gateway, (0, b"", 0, 0, 0))
        lost += max(0, each.last_seq - int(count))
        doubled += max(0, int(count) - each.last_seq)
        repeated += int(again)
        is_whole = hi == last == each.last_seq and bytes(held) == each.head
        wrong += each.last_seq > 0 and not is_whole
    return {
        "lost": lost,
        "doubled": doubled,
        "alarms": int(alarms) + wrong + sum(each.new_epochs for each in crowd.gateways),
        "absorbed_repeats": repeated,
        "stored_bytes_per_event": round(size / max(1, crowd.made)),
    }


async def _until(is_so: Any, within_s: float, else_say: str) -> None:
    until_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until_s:
            raise BenchError(else_say)
        await asyncio.sleep(0.05)


def _cpu_s(children: Sequence[Child]) -> dict[int, float]:
    return {
        child.process.pid: cpu_ms(child.process.pid) / 1000
        for child in children
        if child.process is not None and child.is_running
    }


def _spent(
    children: Sequence[Child], before: dict[int, float], after: dict[int, float]
) -> float:
    """Return the CPU seconds of those who live; who was killed is not counted whole."""
    pids = [child.process.pid for child in children if child.process is not None]
    return round(sum(after.get(pid, 0.0) - before.get(pid, 0.0) for pid in pids), 1)


def _quantile(values: Sequence[float], share: float) -> float:
    if not values:
        return 0.0
    return round(values[min(len(values) - 1, int(len(values) * share))], 1)


def run_ingest(options: IngestOptions) -> dict[str, Any]:
    """Measure and return the figures."""
    folder = tempfile.mkdtemp(prefix="menshen-bench-")
    os.chmod(folder, 0o711)  # noqa: PTH101, S103  PostgreSQL's user has to pass
    try:
        return asyncio.run(_Run(options, Path(folder)).measure())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
