# SPDX-License-Identifier: Apache-2.0
"""How fast a backlog reaches the platform's commit, beside a floor of the same run.

The law of the module: a whole gateway, a real broker at its default settings, the real
platform, and its own watermark read from its database. The floor is a program in one
process without broker, socket or gateway, that parses the same messages, hashes the
chain and inserts rows of the same length with one durable commit a handful: what is
beyond it is what the way costs. Both in turn, three times, medians.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from cloud_sync.envelope import fill_batch
from edge.cli.bench.drain import fill
from edge.cli.bench.scan import cpu_ms
from edge.cli.bench.sync.house import living
from edge.cli.bench.sync.stage import GATEWAY, Stage, staged
from edge.core.chain import genesis
from edge.core.record import Record

WITHIN_S = 300.0
#: What a gateway's window lets out at once.
HANDFUL = 8
ROWS_A_BATCH = 400
_RECORDS = "SELECT place, core, salt, pii, com, hash FROM event ORDER BY place"
_ROW = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainOptions:
    """How many events, through which broker, into which database, how often."""

    events: int = 100_000
    broker: str = "mosquitto"
    store: str = "sqlite"
    rounds: int = 3


async def _drained(options: DrainOptions, folder: Path) -> dict[str, float]:
    async with staged(folder, options.broker, options.store) as stage:
        home = folder / "gateway"
        home.mkdir()
        node = stage.nodes[0]
        node.kill()
        house = living(
            home,
            port=node.port,
            keys_json=stage.keys_json,
            events=options.events,
            rate=1,
        )
        async with house as gateway:
            pids = {"gateway": gateway.pid, "platform": _pid(stage)}
            before = {name: cpu_ms(pid) for name, pid in pids.items()}
            await stage.restart(node)
            high = 0
            while not high:
                high = await stage.high()
                await asyncio.sleep(0.005)
            begun_s = time.monotonic()
            ended_s = await stage.until_high(options.events, WITHIN_S)
            spent = {name: cpu_ms(pid) - before[name] for name, pid in pids.items()}
    return {
        "events_per_s": (options.events - high) / max(1e-9, ended_s - begun_s),
        "gateway_cpu_us_per_event": 1000 * spent["gateway"] / options.events,
        "platform_cpu_us_per_event": 1000 * spent["platform"] / options.events,
    }


def _pid(stage: Stage) -> int:
    process = stage.platform.process
    assert process is not None  # noqa: S101  it was started
    return process.pid


async def _floor(events: int, folder: Path) -> float:
    """Return events a second of the floor, on messages of a journal of that many."""
    path = folder / "floor-journal.db"
    await fill(path, events, "{}")
    messages = _messages(path)
    return await asyncio.to_thread(_floor_run, messages, events, folder / "floor.db")


def _messages(path: Path) -> list[bytes]:
    """Return a journal as a gateway sends it."""
    with closing(sqlite3.connect(path)) as journal:
        [(epoch,)] = journal.execute("SELECT name FROM epoch")
        rows = [Record(*row) for row in journal.execute(_RECORDS)]
    made, start, previous = [], 0, genesis(epoch)
    while start < len(rows):
        batch = fill_batch(
            gateway=GATEWAY,
            epoch=epoch,
            previous=previous,
            records=rows[start : start + ROWS_A_BATCH],
            time_ms=0,
        )
        made.append(batch.payload)
        start, previous = start + len(batch.hashes), batch.hashes[-1]
    return made


def _floor_run(messages: list[bytes], events: int, path: Path) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, kind TEXT, core TEXT, "
            "salt BLOB, pii TEXT, hash BLOB, at INTEGER)"
        )
        begun_s, previous = time.monotonic(), b""
        for start in range(0, len(messages), HANDFUL):
            database.execute("BEGIN")
            for message in messages[start : start + HANDFUL]:
                items = json.loads(message)["data"]["items"]
                rows = []
                for item in items:
                    core, pii = json.dumps(item["core"]), json.dumps(item["pii"])
                    salt = bytes.fromhex(item["salt"])
                    sealed = sha256(salt + pii.encode()).digest()
                    inner = sha256(core.encode()).digest()
                    previous = sha256(previous + inner + sealed).digest()
                    kind = item["core"]["k"]
                    rows.append((item["seq"], kind, core, salt, pii, previous, 0))
                database.executemany(_ROW, rows)
            database.execute("COMMIT")
        return events / (time.monotonic() - begun_s)


async def _measure(options: DrainOptions, folder: Path) -> dict[str, Any]:
    ours: list[dict[str, float]] = []
    floor: list[float] = []
    for number in range(options.rounds):
        at = folder / str(number)
        at.mkdir()
        floor.append(await _floor(options.events, at))
        ours.append(await _drained(options, at))
    middle = {name: median(each[name] for each in ours) for name in ours[0]}
    rate, bare = middle["events_per_s"], median(floor)
    return {
        "broker": options.broker,
        "store": options.store,
        "events": options.events,
        "events_per_s": round(rate),
        "floor_events_per_s": round(bare),
        "ratio": round(rate / bare, 2),
        "best_events_per_s": round(max(each["events_per_s"] for each in ours)),
        "gateway_cpu_us_per_event": round(middle["gateway_cpu_us_per_event"], 1),
        "platform_cpu_us_per_event": round(middle["platform_cpu_us_per_event"], 1),
    }


def run_draining(options: DrainOptions) -> dict[str, Any]:
    """Drain, floor, drain …; return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
