# SPDX-License-Identifier: Apache-2.0
"""``menshen bench drain``: a backlog to the platform's commit, over a real broker.

The law of the module: broker, platform and gateway are processes of their own; what
counts is the platform's own watermark, read from its ledger's file. ``events_per_s``
runs from the first commit seen to the last, ``first_s`` and ``last_s`` from the moment
the broker was started.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edge.cli.bench.bench_site import make_site
from edge.cli.bench.errors import BenchError
from edge.cli.bench.scan import cpu_ms
from edge.cli.children import Child, free_port
from edge.cli.system_clock import wall_ms
from edge.core.controller import Controller
from edge.core.event import Event, EventKind, Person
from edge.core.moment import Moment
from edge.settings.site_file import load
from edge.storage.connection import Synchronous, open_aiosqlite
from edge.storage.journal import Journal

FILL = 2_000
WITHIN_S = 300.0
READY_WITHIN_S = 60.0
POLL_S = 0.01
_MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainOptions:
    """How many events, and through which broker."""

    events: int = 100_000
    broker: Literal["embedded", "mosquitto"] = "embedded"


async def fill(path: Path, count: int, state: str) -> None:
    """Write a journal of ``count`` grants of a usual length, nothing acknowledged.

    ``state`` is the snapshot after them, as a gateway writes one every few hundred.
    """
    async with (
        open_aiosqlite(path, synchronous=Synchronous.NORMAL) as writer,
        open_aiosqlite(path, is_reader=True) as reader,
    ):
        journal = await Journal.open(
            writer,
            reader,
            new_epoch=lambda: secrets.token_hex(4),
            salt=lambda: secrets.token_bytes(16),
        )
        now_ms = wall_ms()
        for first in range(1, count + 1, FILL):
            last = min(count, first + FILL - 1)
            events = [event(seq, now_ms) for seq in range(first, last + 1)]
            await journal.append(events, state if last == count else None)


def event(seq: int, now_ms: int) -> Event:
    """Return a grant of a usual length."""
    at_ms = now_ms - 1_000_000_000 + seq * 100
    return Event(
        seq=seq,
        kind=EventKind.ACCESS_GRANTED,
        moment=Moment(
            monotonic_s=seq / 10,
            earliest_ms=at_ms,
            latest_ms=at_ms + 5,
            boot="bench000",
        ),
        subject="front",
        facts=(
            ("end", now_ms),
            ("fr", 5120),
            ("kind", "QR"),
            ("rule", "booking"),
            ("set", "00000000"),
        ),
        person=Person(holder=f"h-{seq % 1000:06}", booking=f"b-{seq % 5000:06}"),
    )


class Watermark:
    """The platform's watermark in its ledger's file; 0 while there is none."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._database: sqlite3.Connection | None = None

    def read(self) -> int:
        """Return the highest contiguous seq that the platform has committed."""
        if self._database is None:
            if not self._ledger.exists():
                return 0
            uri = f"file:{self._ledger}?mode=ro"
            self._database = sqlite3.connect(uri, uri=True)
        try:
            query = "SELECT coalesce(max(hi), 0) FROM stream"
            [(high,)] = self._database.execute(query)
            return int(high)
        except sqlite3.OperationalError:
            return 0  # the file is there, its tables are not yet

    def close(self) -> None:
        """Let the file go."""
        if self._database is not None:
            self._database.close()


def _broker(options: DrainOptions, port: int, folder: Path) -> Child:
    if options.broker == "embedded":
        words = ["edge.cli.broker", "--port", str(port)]
        return Child(name="broker", words=words, logs=folder)
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        raise BenchError(
            "mosquitto is not installed: apt-get install mosquitto, or leave out "
            "--broker mosquitto"
        )
    settings = folder / "mosquitto.conf"
    settings.write_text(_MOSQUITTO.format(port=port), encoding="ascii")
    words = [program, "-c", str(settings)]
    return Child(name="broker", words=words, logs=folder, is_program=True)


async def _measure(options: DrainOptions, folder: Path) -> dict[str, Any]:
    port = free_port()
    site = await make_site(folder, credentials=1, bookings=1, rate=1, broker_port=port)
    plan = load(site.site).plan()
    moment = event(1, wall_ms()).moment
    state = Controller(plan, next_seq=1).snapshot(moment)
    await fill(folder / "journal.db", options.events, state)
    shared = json.loads((folder / "keys" / "site.json").read_text(encoding="ascii"))
    described = {"gateways": {"gw-bench": "00"}, "site": "bench", **shared}
    (folder / "platform.json").write_text(json.dumps(described), encoding="ascii")
    platform = Child(
        name="platform",
        words=[
            *("firmware_sim.platform", "--broker", f"127.0.0.1:{port}"),
            *("--state", str(folder / "platform")),
            *("--site-json", str(folder / "platform.json")),
        ],
        logs=folder,
    )
    gateway = Child(
        name="gateway",
        words=[
            *("edge.cli.run", "--site", str(site.site)),
            *("--state", str(folder)),
        ],
        logs=folder,
    )
    broker = _broker(options, port, folder)
    watermark = Watermark(folder / "platform" / "ledger.db")
    try:
        await platform.start()
        await gateway.start()
        await _until_up(folder)
        begun_s = time.monotonic()
        await broker.start()
        return await _watch(options, watermark, gateway, begun_s)
    finally:
        watermark.close()
        await asyncio.gather(gateway.end(), platform.end())
        await broker.end()


async def _until_up(folder: Path) -> None:
    """Wait until gateway and platform are up and try to connect in vain."""
    until_s = time.monotonic() + READY_WITHIN_S
    sockets = (folder / "control.sock", folder / "platform" / "control.sock")
    while not all(socket.exists() for socket in sockets):
        if time.monotonic() > until_s:
            raise BenchError(f"not up within {READY_WITHIN_S:.0f} s: see the logs")
        await asyncio.sleep(0.05)
    await asyncio.sleep(1.0)


async def _watch(
    options: DrainOptions, watermark: Watermark, gateway: Child, begun_s: float
) -> dict[str, Any]:
    first_s, first_high, high = 0.0, 0, 0
    assert gateway.process is not None  # noqa: S101  it was just started
    before_ms = cpu_ms(gateway.process.pid)
    while high < options.events:
        now_s = time.monotonic()
        if now_s - begun_s > WITHIN_S:
            raise BenchError(f"only {high} of {options.events} arrived in time")
        high = watermark.read()
        if high and not first_high:
            first_s, first_high = time.monotonic(), high
        await asyncio.sleep(POLL_S)
    last_s = time.monotonic()
    rate = (high - first_high) / max(1e-9, last_s - first_s)
    return {
        "events": options.events,
        "broker": options.broker,
        "events_per_s": round(rate),
        "first_s": round(first_s - begun_s, 2),
        "last_s": round(last_s - begun_s, 2),
        "gateway_cpu_s": round((cpu_ms(gateway.process.pid) - before_ms) / 1000, 2),
    }


def run_drain(options: DrainOptions) -> dict[str, Any]:
    """Measure and return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
