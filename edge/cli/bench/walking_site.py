# SPDX-License-Identifier: Apache-2.0
"""Eight doors that people walk through, with broker and platform: the cost of a scan.

The law of the module: who comes is granted, opens the leaf and lets it fall shut, and
the platform acknowledges all of it before the reading ends. What the same gateway
spends on nobody is measured first and taken off; ``idle_cpu_percent`` tells that.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.cli.bench.bench_site import CODES_A_SCANNER, make_site
from edge.cli.bench.player import Bench
from edge.cli.bench.process_figures import SiteError
from edge.cli.bench.scan import cpu_ms
from edge.cli.children import Child, free_port
from edge.cli.demo.journal_file import journal_keys, read_journal, read_ledger
from edge.control.client import ControlError, ask
from firmware_sim.pseudo_terminal import PseudoTerminal
from firmware_sim.relays.relay_board import RelayBoard, RelayBoardSettings
from firmware_sim.relays.relay_bus import RelayBus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.cli.bench.bench_site import BenchSite

#: As many as the board has relays and inputs.
DOORS = 8
#: Somebody at each door twice a second: inputs are asked every 100 ms, and a leaf
#: that is open for less than two of these might never be seen.
SCANS_A_SECOND = 16
OPENS_AFTER_S = 0.08
SHUTS_AFTER_S = 0.30
#: Holders of the site; each comes once.
PEOPLE = 1_000
READY_WITHIN_S = 30.0
ACKED_WITHIN_S = 10.0
IDLE_FOR_S = 8.0
_STRIKE = 'strike = { device = "board", output = 1 }\n'
_DOOR = """
[[door]]
id = "door-{n}"
space = "hall"
lock = "fail_secure"
egress = "mechanical"
release_s = 3.0
strike = {{ device = "board", output = {n} }}
contact = {{ device = "board", input = {n} }}
"""


def with_doors(text: str) -> str:
    """Give each access point of a bench site a door of its own, with a contact."""
    contact = 'contact = { device = "board", input = 1 }\n'
    text = text.replace(_STRIKE, _STRIKE + contact)
    for n in range(2, DOORS + 1):
        point = f'id = "front-{n}"\ndoor = "door'
        text = text.replace(f'{point}"\n', f'{point}-{n}"\n')
    return text + "".join(_DOOR.format(n=n) for n in range(2, DOORS + 1))


@dataclass(slots=True, kw_only=True)
class Walkers:
    """People in turn at eight doors; leaves move by a timetable of their own."""

    bench: Bench
    board: RelayBoard
    _moves: list[tuple[float, int, bool]] = field(default_factory=list)

    def serve_until(self, until_s: float) -> None:
        """Answer the gateway, and move the leaves that are due."""
        while self._moves and self._moves[0][0] <= until_s:
            due_s, door, is_closed = heapq.heappop(self._moves)
            self.bench.serve_until(due_s, is_awaited=False)
            self.board.set_input(door, time.monotonic(), is_closed=is_closed)
        self.bench.serve_until(until_s, is_awaited=False)

    def walk(self, codes: tuple[bytes, ...]) -> None:
        """Let one after the other come, at a steady rate."""
        begun_s = time.monotonic()
        for index, code in enumerate(codes):
            due_s = begun_s + index / SCANS_A_SECOND
            self.serve_until(due_s)
            door = index % DOORS
            self.bench.scanners[door].write(code + b"\r")
            heapq.heappush(self._moves, (due_s + OPENS_AFTER_S, door + 1, False))
            heapq.heappush(self._moves, (due_s + SHUTS_AFTER_S, door + 1, True))
        self.serve_until(begun_s + len(codes) / SCANS_A_SECOND + SHUTS_AFTER_S)


def _children(site: BenchSite, port: int) -> list[Child]:
    folder = site.folder
    shared = json.loads((folder / "keys" / "site.json").read_text(encoding="ascii"))
    described = {
        "gateways": {"gw-bench": "00"},
        "site": "bench",
        **shared,
    }
    (folder / "platform.json").write_text(json.dumps(described), encoding="ascii")
    words = {
        "broker": ("edge.cli.broker", "--port", str(port)),
        "platform": (
            *("firmware_sim.platform", "--broker", f"127.0.0.1:{port}"),
            *("--state", str(folder / "platform")),
            *("--site-json", str(folder / "platform.json")),
        ),
        "gateway": (
            *("edge.cli.run", "--site", str(site.site)),
            *("--state", str(folder)),
        ),
    }
    return [Child(name=name, words=said, logs=folder) for name, said in words.items()]


async def cpu_of_walking(folder: Path, *, for_s: float) -> float:
    """Return the gateway's CPU milliseconds for each person who walked in."""
    port = free_port()
    site = await make_site(
        folder,
        credentials=PEOPLE,
        bookings=PEOPLE,
        rate=DOORS * CODES_A_SCANNER,
        broker_port=port,
    )
    site.site.write_text(with_doors(site.site.read_text(encoding="utf-8")), "utf-8")
    ports = folder / "ports"
    ports.mkdir()
    scanners = [PseudoTerminal(ports / f"scanner-{n + 1}") for n in range(DOORS)]
    closed = tuple(range(1, DOORS + 1))
    board = RelayBoard(RelayBoardSettings(address=1, closed_inputs=closed))
    bench = Bench(
        scanners=scanners, board=PseudoTerminal(ports / "board"), bus=RelayBus([board])
    )
    walkers = Walkers(bench=bench, board=board)
    children = _children(site, port)
    try:
        for child in children:
            await child.start()
        process = children[-1].process
        assert process is not None  # noqa: S101  it was just started
        await asyncio.to_thread(_until_ready, walkers, folder)
        count = min(PEOPLE, int(for_s * SCANS_A_SECOND))
        return _measure(walkers, folder, process.pid, site.codes[:count])
    finally:
        for child in reversed(children):
            await child.end()
        for terminal in (*scanners, bench.board):
            terminal.close()


def _until_ready(walkers: Walkers, folder: Path) -> None:
    """Serve the board until all is online and the platform holds the first events."""
    until_s = time.monotonic() + READY_WITHIN_S
    ledger = folder / "platform" / "ledger.db"
    while time.monotonic() < until_s:
        walkers.serve_until(time.monotonic() + 0.2)
        try:
            devices = ask(folder / "control.sock", "status")["devices"]
        except ControlError:
            continue
        is_online = all(device["online"] for device in devices.values())
        if is_online and ledger.exists() and read_ledger(ledger).keys:
            return
    raise SiteError(f"no platform, or no board, within {READY_WITHIN_S:.0f} s")


def _measure(
    walkers: Walkers, folder: Path, pid: int, codes: tuple[bytes, ...]
) -> float:
    idle_ms, idle_s = _spent_while(pid, lambda: _wait(walkers))
    spent_ms, spent_s = _spent_while(pid, lambda: _walk(walkers, folder, codes))
    events = read_journal(folder / "journal.db")
    taken: int = sum(event.core["k"] == "ACCESS_TAKEN" for event in events)
    if taken < len(codes):
        raise SiteError(f"only {taken} of {len(codes)} people came in")
    return round((spent_ms - idle_ms / idle_s * spent_s) / taken, 2)


def _spent_while(pid: int, do: Callable[[], None]) -> tuple[float, float]:
    begun_s, before_ms = time.monotonic(), cpu_ms(pid)
    do()
    return cpu_ms(pid) - before_ms, time.monotonic() - begun_s


def _wait(walkers: Walkers) -> None:
    walkers.serve_until(time.monotonic() + IDLE_FOR_S)


def _walk(walkers: Walkers, folder: Path, codes: tuple[bytes, ...]) -> None:
    """Walk, then wait until the platform has committed all that came of it."""
    walkers.walk(codes)
    ledger = folder / "platform" / "ledger.db"
    until_s = time.monotonic() + ACKED_WITHIN_S
    while journal_keys(folder / "journal.db") - read_ledger(ledger).keys:
        if time.monotonic() > until_s:
            raise SiteError(
                f"events without an acknowledgement: {ACKED_WITHIN_S:.0f} s"
            )
        walkers.serve_until(time.monotonic() + 0.2)
