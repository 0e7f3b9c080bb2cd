# SPDX-License-Identifier: Apache-2.0
"""``menshen bench footprint``: what a site takes of its box while people come and go.

The law of the module: real processes on three sites, one after the other, and every
figure taken from /proc or at a process's ends, never from the gateway's counters.

``gateway_rss_mb``       most MiB ever resident: 100,000 credentials loaded from disk,
                         then swapped for the platform's own 100,000
``panel_rss_mb``         most MiB of the panel, its pages read and a stream open
``start_s``              from spawning the gateway, roster on disk, to the unlock frame
                         of the first scan; codes are shown every ``KNOCK_EVERY_S``
``first_start_s``        the same once after an update, when the site file is checked
                         and the roster read row by row; all else is of the second run
``disk_bytes_per_event`` the kernel's write_bytes for each event in the journal's file,
                         ``single`` at a scan a second, ``burst10`` with ten codes that
                         lie at ten scanners when the stopped process goes on
``cpu_ms_per_scan``      beyond idling, door movement and acknowledged events included
``idle_cpu_percent``     of one core, on the demonstration's site with its panel
"""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.cli.bench.bench_site import BenchSite, make_site
from edge.cli.bench.living_site import idle_and_panel
from edge.cli.bench.player import Bench, make_bench
from edge.cli.bench.process_figures import SiteError, peak_mib, written_bytes
from edge.cli.bench.walking_site import cpu_of_walking
from edge.cli.children import Child, free_port
from edge.cli.demo.journal_file import journal_keys
from edge.control.client import ControlError, ask
from firmware_sim.pseudo_terminal import PseudoTerminal

START_WITHIN_S = 30.0
#: One code at one scanner after the other; none is shown more than four a second.
KNOCK_EVERY_S = 0.05
SWAP_WITHIN_S = 90.0
BURST = 10
BURST_EVERY_S = 0.5
#: A scan is granted long before; what follows from it is stored by then, too.
CALM_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FootprintOptions:
    """How many credentials, and how long each part lasts; whole within 3 minutes."""

    credentials: int = 100_000
    bookings: int = 20_000
    single_for_s: float = 20.0
    bursts: int = 20
    walk_for_s: float = 20.0
    idle_for_s: float = 15.0


@dataclass(slots=True, kw_only=True)
class _House:
    """One gateway with its ten scanners, and how many codes were shown."""

    site: BenchSite
    bench: Bench
    gateway: Child
    shown: int = 0

    @property
    def pid(self) -> int:
        """The gateway's process id."""
        assert self.gateway.process is not None  # noqa: S101  it was started
        return self.gateway.process.pid

    def codes(self, count: int) -> list[bytes]:
        """Return codes that nobody has shown yet."""
        self.shown += count
        return list(self.site.codes[self.shown - count : self.shown])


async def _loaded(options: FootprintOptions, folder: Path) -> dict[str, Any]:
    """Start on a roster from disk, store singly and in bursts, swap the roster."""
    port = free_port()
    site = await make_site(
        folder,
        credentials=options.credentials,
        bookings=options.bookings,
        rate=4 * BURST,
        broker_port=port,
    )
    ports = folder / "ports"
    ports.mkdir()
    scanners = [PseudoTerminal(ports / f"scanner-{n + 1}") for n in range(BURST)]
    bench = make_bench(scanners, PseudoTerminal(ports / "board"))
    words = ["edge.cli.run", "--site", str(site.site), "--state", str(folder)]
    gateway = Child(name="gateway", words=words, logs=folder)
    house = _House(site=site, bench=bench, gateway=gateway)
    try:
        first_start_s = await _first_unlock(house)
        bench.serve_until(time.monotonic() + CALM_S, is_awaited=False)
        await gateway.end()
        start_s = await _first_unlock(house)
        bench.serve_until(time.monotonic() + CALM_S, is_awaited=False)
        single = _single(house, options.single_for_s)
        burst = _bursts(house, options.bursts)
        await _swap(house, port, options.credentials)
        return {
            "gateway_rss_mb": peak_mib(house.pid),
            "start_s": start_s,
            "first_start_s": first_start_s,
            "disk_bytes_per_event": {"single": single, "burst10": burst},
        }
    finally:
        await gateway.end()
        for terminal in (*scanners, bench.board):
            terminal.close()


async def _first_unlock(house: _House) -> float:
    begun_s = time.monotonic()
    await house.gateway.start()
    while (now_s := time.monotonic()) < begun_s + START_WITHIN_S:
        scanner = house.bench.scanners[house.shown % BURST]
        [code] = house.codes(1)
        scanner.write(code + b"\r")
        unlocked_s = house.bench.serve_until(now_s + KNOCK_EVERY_S, is_awaited=True)
        if unlocked_s is not None:
            return round(unlocked_s - begun_s, 2)
    tail = house.gateway.log_tail(5)
    raise SiteError(f"no unlock within {START_WITHIN_S:.0f} s: {tail}")


def _single(house: _House, for_s: float) -> int:
    events, written = _stored(house)
    house.bench.play(house.codes(max(1, int(for_s))), rate=1)
    house.bench.serve_until(time.monotonic() + CALM_S, is_awaited=False)
    return _per_event(house, events, written)


def _bursts(house: _House, count: int) -> int:
    """Lay ten codes ready while the process stands still, again and again."""
    events, written = _stored(house)
    for _ in range(count):
        house.gateway.kill(signal.SIGSTOP)
        try:
            for scanner, code in zip(
                house.bench.scanners, house.codes(BURST), strict=True
            ):
                scanner.write(code + b"\r")
        finally:
            house.gateway.kill(signal.SIGCONT)
        house.bench.serve_until(time.monotonic() + BURST_EVERY_S, is_awaited=False)
    house.bench.serve_until(time.monotonic() + CALM_S, is_awaited=False)
    return _per_event(house, events, written)


def _stored(house: _House) -> tuple[int, int]:
    journal = house.site.folder / "journal.db"
    return len(journal_keys(journal)), written_bytes(house.pid)


def _per_event(house: _House, events: int, written: int) -> int:
    events_now, written_now = _stored(house)
    if events_now == events:
        raise SiteError("no scan left an event in the journal")
    return round((written_now - written) / (events_now - events))


async def _swap(house: _House, port: int, credentials: int) -> None:
    """Let broker and platform come, and with them another roster of the same size."""
    folder = house.site.folder
    shared = json.loads((folder / "keys" / "site.json").read_text(encoding="ascii"))
    described = {
        "gateways": {"gw-bench": "00"},
        "site": "bench",
        "population": {"holders": credentials},
        **shared,
    }
    (folder / "platform.json").write_text(json.dumps(described), encoding="ascii")
    broker = Child(
        name="broker", words=["edge.cli.broker", "--port", str(port)], logs=folder
    )
    platform = Child(
        name="platform",
        words=[
            *("firmware_sim.platform", "--broker", f"127.0.0.1:{port}"),
            *("--state", str(folder / "platform")),
            *("--site-json", str(folder / "platform.json")),
        ],
        logs=folder,
    )
    before = _cursor(house)
    try:
        await broker.start()
        await platform.start()
        await asyncio.to_thread(_until_swapped, house, before)
    finally:
        await asyncio.gather(platform.end(), broker.end())


def _until_swapped(house: _House, before: tuple[str, int]) -> None:
    until_s = time.monotonic() + SWAP_WITHIN_S
    is_told = False
    while not is_told or _cursor(house) == before:
        is_told = is_told or _tell_newcomer(house.site.folder / "platform")
        if time.monotonic() > until_s:
            raise SiteError(f"no roster was swapped within {SWAP_WITHIN_S:.0f} s")
        house.bench.serve_until(time.monotonic() + 0.2, is_awaited=False)
    house.bench.serve_until(time.monotonic() + CALM_S, is_awaited=False)


def _tell_newcomer(platform: Path) -> bool:
    """Let somebody move in: a revision above the bench's makes the gateway pull.

    The whole snapshot comes with it. False while the platform does not answer yet.
    """
    body = {"credentials": [], "enabled": 1, "extended": 0, "language": "zh"}
    rows = [{"kind": "holder", "id": "h-new", "body": {**body, "roles": ["RESIDENT"]}}]
    try:
        ask(platform / "control.sock", "change", do="change", rows=rows)
    except ControlError:
        return False
    return True


def _cursor(house: _House) -> tuple[str, int]:
    """Return which roster is in force; it may be busy for a while."""
    while True:
        try:
            roster = ask(house.site.folder / "control.sock", "status")["roster"]
        except ControlError:
            house.bench.serve_until(time.monotonic() + 0.1, is_awaited=False)
            continue
        return roster["epoch"], roster["revision"]


async def _measure(options: FootprintOptions, folder: Path) -> dict[str, Any]:
    for name in ("loaded", "walking", "living"):
        (folder / name).mkdir()
    loaded = await _loaded(options, folder / "loaded")
    walking = await cpu_of_walking(folder / "walking", for_s=options.walk_for_s)
    living = await idle_and_panel(folder / "living", for_s=options.idle_for_s)
    return {**loaded, "cpu_ms_per_scan": walking, **living}


def run_footprint(options: FootprintOptions) -> dict[str, Any]:
    """Measure and return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
