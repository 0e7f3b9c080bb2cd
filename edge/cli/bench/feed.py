# SPDX-License-Identifier: Apache-2.0
"""``menshen bench feed``: what a door waits for while a big feed is put in force.

The law of the module: gateway, broker and the reference platform are processes of
their own, and nothing in them knows of the bench. A quiet reading, one while a snapshot
of all rows comes and one while as many changes come take turns; each figure is the
median of the turns. The readings begin with the platform's commit and end a second
after the gateway holds it; a quiet one lasts as long as the one before it.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from cloud_sync.platform import feed_head, feeds, keys, registry
from cloud_sync.platform.settings import DEFAULT_SETTINGS
from cloud_sync.platform.sqlite import open_sqlite
from edge.cli.bench.bars import at_most
from edge.cli.bench.bench_site import booking_of, holder_of, make_site
from edge.cli.bench.player import Bench, make_bench
from edge.cli.bench.process_figures import SiteError
from edge.cli.bench.scan import at
from edge.cli.children import Child, free_port
from edge.cli.system_clock import wall_ms
from edge.control.client import ControlError, ask
from firmware_sim.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from cloud_sync.platform.database import Database
    from edge.cli.bench.bench_site import BenchSite
    from edge.storage.roster_row import RosterRow

GATEWAY, SHARD = "gw-bench", "00"
READY_WITHIN_S = 90.0
APPLIED_WITHIN_S = 120.0
AFTER_S = 1.0
WARM_UP = 20
#: Codes between two looks at what the gateway holds.
LOOK_EVERY = 10
#: A door's slowest hundredth may take so many times as long while a feed comes.
RATIO_AT_MOST = 2.0
#: One in so many rows is a booking.
BOOKED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOptions:
    """Rows of the feed, scans a second meanwhile, and turns."""

    rows: int = 100_000
    rate: int = 20
    turns: int = 3


@dataclass(slots=True)
class Stand:
    """What stands while the bench runs."""

    site: BenchSite
    bench: Bench
    database: Database
    rows: list[RosterRow]
    rate: int
    shown: int = 0
    waits: dict[str, list[list[float]]] = field(default_factory=dict)
    applied_s: dict[str, list[float]] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        """The gateway's control socket."""
        return self.site.folder / "control.sock"

    def codes(self, count: int) -> list[bytes]:
        """Return the next codes; everybody comes in turn."""
        codes, start = self.site.codes, self.shown
        self.shown += count
        return [codes[(start + n) % len(codes)] for n in range(count)]


def _held(socket: Path) -> tuple[str, int]:
    roster = ask(socket, "status")["roster"]
    return roster["epoch"], roster["revision"]


async def _fed(stand: Stand, turn: int, *, is_snapshot: bool) -> tuple[str, int]:
    """Commit at the platform what is to come down; return where the feed stands.

    For a snapshot what the gateway holds falls below the floor.
    """
    changed = stand.rows[:1] if is_snapshot else stand.rows
    put = {(row.kind, row.id): _body(row, 2 * turn + is_snapshot) for row in changed}
    async with stand.database.writing() as work:
        done = await feeds.change(work, GATEWAY, feeds.Change(put=put), wall_ms())
        if is_snapshot:
            await feed_head.forget(work, GATEWAY, done.cursor.rev)
    return done.cursor.epoch, done.cursor.rev


def _body(row: RosterRow, number: int) -> str:
    """Return a body that no turn before had, and that changes nobody's rights."""
    body = json.loads(row.body) | {"turn": number}
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _scan(stand: Stand, wanted: tuple[str, int]) -> tuple[list[float], float]:
    """Scan until the gateway holds what is wanted, and a little longer."""
    begun_s, waits, applied_s = time.monotonic(), [], 0.0
    while True:
        waits += stand.bench.play(stand.codes(LOOK_EVERY), stand.rate)
        now_s = time.monotonic() - begun_s
        if not applied_s and _held(stand.socket) == wanted:
            applied_s = now_s
        if applied_s and now_s >= applied_s + AFTER_S:
            return waits, applied_s
        if now_s > APPLIED_WITHIN_S:
            raise SiteError(f"{wanted} was not in force after {now_s:.0f} s")


def _answer(bench: Bench, is_over: threading.Event) -> None:
    while not is_over.is_set():
        bench.serve_until(time.monotonic() + 0.02, is_awaited=False)


async def _turn(stand: Stand, turn: int) -> None:
    is_over = threading.Event()
    for name in ("snapshot", "changes"):
        # A board that nobody answers for is offline, and then nothing opens.
        answering = asyncio.create_task(
            asyncio.to_thread(_answer, stand.bench, is_over)
        )
        wanted = await _fed(stand, turn, is_snapshot=name == "snapshot")
        is_over.set()
        await answering
        is_over.clear()
        waits, applied_s = await asyncio.to_thread(_scan, stand, wanted)
        stand.waits.setdefault(name, []).append(waits)
        stand.applied_s.setdefault(name, []).append(applied_s)
        quiet = await asyncio.to_thread(_quiet, stand, len(waits))
        stand.waits.setdefault(f"{name} quiet", []).append(quiet)


def _quiet(stand: Stand, count: int) -> list[float]:
    """Scan as often, look as often, while nothing comes."""
    stand.bench.serve_until(time.monotonic() + AFTER_S, is_awaited=False)
    waits: list[float] = []
    while len(waits) + stand.bench.lost < count and len(waits) < count:
        waits += stand.bench.play(stand.codes(LOOK_EVERY), stand.rate)
        _held(stand.socket)
    return waits


def _wait_ready(stand: Stand) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until_s:
        stand.bench.serve_until(time.monotonic() + 0.2, is_awaited=False)
        try:
            status = ask(stand.socket, "status")
        except ControlError:
            continue
        is_fed = status["roster"]["credentials"] > 0
        if is_fed and all(each["online"] for each in status["devices"].values()):
            return
    raise SiteError(f"the gateway had no feed after {READY_WITHIN_S:.0f} s")


async def _measure(options: FeedOptions, folder: Path) -> dict[str, Any]:
    port, booked = free_port(), max(WARM_UP, options.rows // BOOKED)
    known = options.rows - booked
    site = await make_site(
        folder,
        credentials=known,
        bookings=min(known, booked),
        rate=options.rate,
        broker_port=port,
    )
    (folder / "roster.db").unlink()  # all of it comes by the feed
    rows = [holder_of(n, site.tokens.code(code)) for n, code in enumerate(site.people)]
    rows += map(booking_of, range(booked))
    ports = folder / "ports"
    ports.mkdir()
    scanners = [
        PseudoTerminal(ports / f"scanner-{n}") for n in range(1, site.scanners + 1)
    ]
    bench = make_bench(scanners, PseudoTerminal(ports / "board"))
    children = _children(folder, port)
    async with open_sqlite(folder / "reference.db") as database:
        stand = Stand(site, bench, database, rows, options.rate)
        await _prepare(stand)
        try:
            for child in children:
                await child.start()
            await asyncio.to_thread(_wait_ready, stand)
            bench.play(stand.codes(WARM_UP), options.rate)
            for turn in range(1, options.turns + 1):
                await _turn(stand, turn)
        finally:
            for child in reversed(children):
                await child.end()
    return _report(options, stand)


async def _prepare(stand: Stand) -> None:
    """Make the platform's key and its gateway, and give that a feed."""
    folder = stand.site.folder
    signer = keys.make(folder / "reference.key")
    public = json.dumps(signer.public_keys)
    (folder / "keys" / "platform.json").write_text(public, encoding="ascii")
    put = {(row.kind, row.id): _body(row, 0) for row in stand.rows}
    async with stand.database.writing() as work:
        await registry.register(work, GATEWAY, SHARD, "", wall_ms())
        await feeds.change(work, GATEWAY, feeds.Change(put=put), wall_ms())


def _children(folder: Path, port: int) -> list[Child]:
    settings = DEFAULT_SETTINGS.replace("port = 1883", f"port = {port}")
    settings = settings.replace('"platform.db"', '"reference.db"')
    settings = settings.replace('"platform.key"', '"reference.key"')
    path = folder / "platform.toml"
    path.write_text(settings, encoding="utf-8")
    site = ("--site", str(folder / "site.toml"), "--state", str(folder))
    words = {
        "broker": ("edge.cli.broker", "--port", str(port)),
        "platform": (
            *("edge.cli.main", "platform", "run"),
            *("--settings", str(path)),
        ),
        "gateway": ("edge.cli.run", *site),
    }
    return [Child(name=name, words=said, logs=folder) for name, said in words.items()]


def _report(options: FeedOptions, stand: Stand) -> dict[str, Any]:
    report: dict[str, Any] = {"rows": options.rows, "rate": options.rate}
    for name in ("snapshot", "changes"):
        fed, quiet = (stand.waits[each] for each in (name, f"{name} quiet"))
        figures = {
            "applied_s": round(median(stand.applied_s[name]), 1),
            "p50_ms": _at(fed, 0.5),
            "p99_ms": _at(fed, 0.99),
            "quiet_p50_ms": _at(quiet, 0.5),
            "quiet_p99_ms": _at(quiet, 0.99),
            "max_ms": round(max(wait for waits in fed for wait in waits), 1),
            "scans": sum(map(len, fed)),
        }
        ratios = [
            at(sorted(one), 0.99) / at(sorted(other), 0.99)
            for one, other in zip(fed, quiet, strict=True)
        ]
        report[name] = figures | {"ratio_p99": round(median(ratios), 2)}
    bars = {
        f"{name}_ratio_p99": at_most(RATIO_AT_MOST, report[name]["ratio_p99"])
        for name in ("snapshot", "changes")
    }
    return report | {"lost": stand.bench.lost, "bars": bars}


def _at(rounds: list[list[float]], share: float) -> float:
    return round(median(at(sorted(waits), share) for waits in rounds), 2)


def run_feed(options: FeedOptions) -> dict[str, Any]:
    """Measure and return the figures."""
    with tempfile.TemporaryDirectory(prefix="menshen-bench-") as folder:
        return asyncio.run(_measure(options, Path(folder)))
