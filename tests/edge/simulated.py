# SPDX-License-Identifier: Apache-2.0
"""Simulated devices by themselves: in this loop, or in a process of their own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from firmware_sim.alone import choose
from firmware_sim.pty_host import PtyHost
from firmware_sim.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


@asynccontextmanager
async def living(port: Path, device: str, *faults: str) -> AsyncIterator[PtyHost]:
    """Let one device live at ``port`` in this loop."""
    chosen = choose(device, port.name, faults)
    async with PtyHost(World(chosen.site), port.parent) as host:
        chosen.apply(host.hand)
        yield host


class Simulation:
    """A running ``menshen sim`` and the hand at its device."""

    def __init__(self, port: Path, process: subprocess.Popen[str]) -> None:
        self.port = port
        self.process = process
        self.greeting: list[str] = []

    def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Act on the device; the answer says what became of it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"{self.port}.control")
            request = json.dumps({"do": verb, **fields}).encode() + b"\n"
            connection.sendall(request)
            with connection.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        assert answer["ok"], answer
        return answer

    def end(self) -> str:
        """Press Ctrl-C; return what was told since the greeting."""
        self.process.send_signal(signal.SIGINT)
        told, errors = self.process.communicate(timeout=10)
        assert self.process.returncode == 0, errors
        return told


@contextmanager
def simulated(port: Path, device: str, *faults: str) -> Iterator[Simulation]:
    """Run one device at ``port`` for the block."""
    words = ["sim", device, "--pty", str(port)]
    for fault in faults:
        words += ["--fault", fault]
    with subprocess.Popen(
        [sys.executable, "-m", "edge.cli.main", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        simulation = Simulation(port, process)
        assert process.stdout is not None
        for line in process.stdout:
            simulation.greeting.append(line.rstrip())
            if "Ctrl-C" in line:
                break
        try:
            yield simulation
        finally:
            if process.poll() is None:
                simulation.end()
