# SPDX-License-Identifier: Apache-2.0
"""``menshen bench scan``: from a code's bytes to the unlock frame, beside the floor.

The law of the module: the real gateway in its own process, floor and gateway in turn
three times, medians of three; ``lost`` counts codes that no unlock answered.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from edge.cli.bench.bench_site import BenchSite, make_site
from edge.cli.bench.player import Bench, make_bench
from edge.cli.children import Child, free_port
from edge.control.client import ControlError, ask
from firmware_sim.pseudo_terminal import PseudoTerminal

ROUNDS = 3
READY_WITHIN_S = 60.0
WARM_UP = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Scans a second, seconds for each side, and the roster's size."""

    rate: int = 50
    for_s: float = 30.0
    credentials: int = 100_000
    bookings: int = 20_000


def at(ordered: list[float], share: float) -> float:
    """Return the quantile of a sorted list, 0.0 for an empty one."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(rounds: list[list[float]]) -> dict[str, float]:
    """Return medians of the rounds' p50 and p99; p999 and max over all of them."""
    everything = sorted(wait for waits in rounds for wait in waits)
    each = [sorted(waits) for waits in rounds]
    return {
        "p50": round(median(at(waits, 0.50) for waits in each), 3),
        "p99": round(median(at(waits, 0.99) for waits in each), 3),
        "p999": round(at(everything, 0.999), 3),
        "max": round(everything[-1], 3) if everything else 0.0,
    }


def cpu_ms(pid: int) -> float:
    """Return user and system time of a process in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    ticks = sum(int(field) for field in fields.split()[11:13])
    return ticks * 1000 / os.sysconf("SC_CLK_TCK")


async def _gateway(site: BenchSite) -> Child:
    words = ["edge.cli.run", "--site", str(site.site)]
    child = Child(
        name="gateway", words=[*words, "--state", str(site.folder)], logs=site.folder
    )
    await child.start()
    return child


def _wait_ready(bench: Bench, socket: Path) -> None:
    """Serve the board until the gateway knows its people and its devices."""
    until_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until_s:
        bench.serve_until(time.monotonic() + 0.2, is_awaited=False)
        try:
            status = ask(socket, "status")
        except ControlError:
            continue
        if status["roster"]["credentials"] and all(
            d["online"] for d in status["devices"].values()
        ):
            return
    raise TimeoutError(f"the gateway was not ready within {READY_WITHIN_S:.0f} s")


async def _floor(site: BenchSite, port: Path, board: Path, number: int) -> Child:
    codes = site.folder / "codes.txt"
    codes.write_bytes(b"\n".join(site.codes))
    words = ["edge.cli.bench.floor", "--scanner", str(port), "--board", str(board)]
    words += ["--codes", str(codes), "--database"]
    child = Child(
        name="floor", words=[*words, f"{site.folder}/{number}.db"], logs=site.folder
    )
    await child.start()
    return child


async def _measure(options: ScanOptions, folder: Path) -> dict[str, Any]:
    site = await make_site(
        folder,
        credentials=options.credentials,
        bookings=options.bookings,
        rate=options.rate,
        broker_port=free_port(),
    )
    ports = folder / "ports"
    ports.mkdir()
    scanners = [
        PseudoTerminal(ports / f"scanner-{n}") for n in range(1, site.scanners + 1)
    ]
    bench = make_bench(scanners, PseudoTerminal(ports / "board"))
    bare = make_bench(
        [PseudoTerminal(ports / "floor-scanner")], PseudoTerminal(ports / "floor-board")
    )
    bare.beside = bench
    scans = max(1, int(options.rate * options.for_s / ROUNDS))
    ours: list[list[float]] = []
    floor: list[list[float]] = []
    spent_ms = 0.0
    gateway = await _gateway(site)
    try:
        await asyncio.to_thread(_wait_ready, bench, folder / "control.sock")
        assert gateway.process is not None  # noqa: S101  it was just started
        pid = gateway.process.pid
        bench.play(site.codes[-WARM_UP:], options.rate)
        for number in range(ROUNDS):
            codes = _codes(site, number * scans, scans)
            child = await _floor(
                site, ports / "floor-scanner", ports / "floor-board", number
            )
            await asyncio.sleep(1.0)  # the floor has read its codes by then
            floor.append(bare.play(codes, options.rate))
            child.kill()
            await child.end()
            before_ms = cpu_ms(pid)
            ours.append(bench.play(codes, options.rate))
            spent_ms += cpu_ms(pid) - before_ms
    finally:
        await gateway.end()
    return _report(ours, floor, spent_ms, bench.lost)


def _codes(site: BenchSite, start: int, count: int) -> list[bytes]:
    known = len(site.codes) - WARM_UP
    return [site.codes[(start + index) % known] for index in range(count)]


def _report(
    ours: list[list[float]], floor: list[list[float]], spent_ms: float, lost: int
) -> dict[str, Any]:
    menshen, bare = summary(ours), summary(floor)
    scans = sum(map(len, ours)) + lost
    return {
        "scan_to_unlock_ms": menshen,
        "floor_ms": bare,
        "ratio_p50": round(menshen["p50"] / bare["p50"], 2) if bare["p50"] else 0.0,
        "ratio_p99": round(menshen["p99"] / bare["p99"], 2) if bare["p99"] else 0.0,
        "scans": scans,
        "lost": lost,
        "cpu_ms_per_scan": round(spent_ms / max(1, scans), 2),
    }


def run_scan(options: ScanOptions) -> dict[str, Any]:
    """Measure and return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
