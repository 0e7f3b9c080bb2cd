# SPDX-License-Identifier: Apache-2.0
"""A whole gateway (``menshen run``) on a stage: door, board and scanners simulated.

The law of the module: the process is the one that runs in a box; its doors work
whether there is a platform or not. The board's thread answers it for as long as the
block lasts, since a board that falls silent is a load of its own.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.bench.bench_site import BenchSite, make_site
from edge.cli.bench.drain import event, fill
from edge.cli.bench.errors import BenchError
from edge.cli.bench.player import Bench, make_bench
from edge.cli.children import Child
from edge.cli.system_clock import wall_ms
from edge.control.client import ControlError, ask
from edge.core.controller import Controller
from edge.settings.site_file import load
from firmware_sim.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

READY_WITHIN_S = 60.0
#: Codes that are shown again and again, some scans apart.
CODES = 200
#: How long a run of scans is before it is asked whether to go on.
SCANS_AT_ONCE = 5


@dataclass(slots=True, kw_only=True)
class House:
    """A gateway with its door; ``bench`` shows codes and hears unlocks."""

    site: BenchSite
    bench: Bench
    gateway: Child

    @property
    def pid(self) -> int:
        """The gateway's process."""
        process = self.gateway.process
        assert process is not None  # noqa: S101  it was started
        return process.pid

    def status(self) -> dict[str, Any]:
        """Return what the gateway says of itself; empty while it does not answer."""
        with suppress(ControlError):
            return ask(self.site.folder / "control.sock", "status")
        return {}

    def serve(self, until: Callable[[], bool], within_s: float) -> None:
        """Let the board answer until something is so; for a thread of its own."""
        until_s = time.monotonic() + within_s
        while not until():
            if time.monotonic() > until_s:
                raise BenchError(f"not within {within_s:.0f} s: see the logs")
            self.bench.serve_until(time.monotonic() + 0.05, is_awaited=False)

    def is_ready(self) -> bool:
        """Say whether all devices answer and the roster is known."""
        status = self.status()
        return (
            bool(status)
            and bool(status["roster"]["credentials"])
            and all(each["online"] for each in status["devices"].values())
        )

    def scan(self, rate: int, is_over: Callable[[], bool]) -> list[float]:
        """Show codes at ``rate`` a second until it is over; return each wait in ms."""
        waits_ms: list[float] = []
        start = 0
        while not is_over():
            codes = [
                self.site.codes[(start + n) % len(self.site.codes)]
                for n in range(SCANS_AT_ONCE)
            ]
            waits_ms += self.bench.play(codes, rate)
            start += SCANS_AT_ONCE
        return waits_ms


@asynccontextmanager
async def living(
    folder: Path, *, port: int, keys_json: str, events: int, rate: int
) -> AsyncIterator[House]:
    """Run a gateway whose journal already holds ``events``, none acknowledged."""
    site = await make_site(
        folder, credentials=CODES, bookings=CODES, rate=rate, broker_port=port
    )
    (folder / "keys" / "platform.json").write_text(keys_json, encoding="ascii")
    if events:
        moment = event(1, wall_ms()).moment
        state = Controller(load(site.site).plan(), next_seq=1).snapshot(moment)
        await fill(folder / "journal.db", events, state)
    ports = folder / "ports"
    ports.mkdir()
    scanners = [
        PseudoTerminal(ports / f"scanner-{n}") for n in range(1, site.scanners + 1)
    ]
    words = ["edge.cli.run", "--site", str(site.site), "--state", str(folder)]
    house = House(
        site=site,
        bench=make_bench(scanners, PseudoTerminal(ports / "board")),
        gateway=Child(name="gateway", words=words, logs=folder),
    )
    await house.gateway.start()
    try:
        await asyncio.to_thread(house.serve, house.is_ready, READY_WITHIN_S)
        yield house
    finally:
        await house.gateway.end()
