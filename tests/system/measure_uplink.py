# SPDX-License-Identifier: Apache-2.0
"""Figures of docs/sync.md: bytes of an idle line, and an alarm behind a backlog.

The law of the module: real mosquitto, a real platform process on SQLite and the
product's client; what is counted are the bytes of the TCP connection, both ways.
``python -m tests.system.measure_uplink idle [SECONDS]`` and ``… alarm [EVENTS]``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cloud_sync.signing import PlatformKeys
from tests import brokers
from tests.cloud_sync.memory_ports import Site, until
from tests.cloud_sync.platform.desk import chained
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD
from tests.system.real_platform import RealPlatform, founded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge.core.record import Record

EARLY = "SELECT heard_ms FROM early"


class CountingProxy:
    """Carries one client's bytes to the broker and back, and counts them."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.up = self.down = 0
        self._to = port

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CountingProxy]:
        """Listen for as long as the block lasts."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)

        async def copy(
            source: asyncio.StreamReader, to: asyncio.StreamWriter, *, is_up: bool
        ) -> None:
            while data := await source.read(65_536):
                self.up += len(data) if is_up else 0
                self.down += 0 if is_up else len(data)
                to.write(data)
                await to.drain()
            to.close()

        await asyncio.gather(
            copy(reader, back, is_up=True), copy(there, writer, is_up=False)
        )


def a_site(port: int, platform: RealPlatform, records: list[Record]) -> Site:
    """Return a gateway that believes the platform."""
    site = Site(port, records)
    keys = json.loads((platform.folder / "platform.json").read_text("ascii"))
    site.session._keys = PlatformKeys(keys)
    return site


def a_journal(events: int) -> list[Record]:
    """Return events of which the last is a forced door."""
    cores = [
        {"at": "d", "b": "b", "hi": n, "k": "DOOR_OPENED", "lo": n, "m": n}
        for n in range(1, events + 2)
    ]
    cores[-1]["k"] = "DOOR_FORCED_OPEN"
    return chained(cores, [{"holder": f"h-{n}"} for n in range(events + 1)])


async def idle(folder: Path, seconds: float) -> None:
    """Print what an idle line costs."""
    with brokers.mosquitto(folder) as broker:
        platform = await founded(folder / "office", broker, GATEWAY, SHARD)
        async with platform.serving(), CountingProxy(broker.port).running() as proxy:
            site = a_site(proxy.port, platform, [])
            async with site.running():
                await until(lambda: site.client.status.is_connected)
                await asyncio.sleep(5.0)
                up, down = proxy.up, proxy.down
                await asyncio.sleep(seconds)
                up, down = proxy.up - up, proxy.down - down
    total = (up + down) / seconds
    print(f"idle {seconds:.0f} s: up {up} B, down {down} B, {total:.1f} bytes/s")


async def alarm(folder: Path, events: int) -> None:
    """Print how long an alarm takes that is raised while a backlog drains."""
    journal = a_journal(events)
    with brokers.mosquitto(folder) as broker:
        platform = await founded(folder / "office", broker, GATEWAY, SHARD)
        site = a_site(broker.port, platform, journal[:-1])
        async with platform.serving(), site.running():
            await until(lambda: site.journal.acked > events // 20, 60.0)
            drained_s = time.monotonic()
            acked = site.journal.acked
            site.journal.records.append(journal[-1])
            raised_ms = time.time_ns() // 1_000_000
            site.client.alarm(events + 1)
            await until(lambda: site.journal.acked == events + 1, 300.0)
            took_s = time.monotonic() - drained_s
        [(heard_ms,)] = platform.table(EARLY)
        [(stored_ms,)] = platform.table(
            "SELECT stored_ms FROM event WHERE seq = (SELECT seq FROM early)"
        )
    print(
        f"{events} events, {acked} of them acknowledged when the alarm was raised: "
        f"told early after {heard_ms - raised_ms} ms, its event after "
        f"{stored_ms - raised_ms} ms; the rest drained in {took_s:.1f} s"
    )


def main() -> None:
    """Measure what the command line asks for."""
    what = sys.argv[1] if len(sys.argv) > 1 else "idle"
    amount = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with TemporaryDirectory(prefix="mn-") as name:
        folder = Path(name)
        if what == "alarm":
            asyncio.run(alarm(folder, amount or 200_000))
        else:
            asyncio.run(idle(folder, amount or 60))


if __name__ == "__main__":
    main()
