# SPDX-License-Identifier: Apache-2.0
"""Processes that belong together: started, watched and ended as one.

The law of the module: none outlives its parent, not even one that was killed; each
writes to a log of its own; ending takes three seconds at the most.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import socket
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Politely asked first; what still lives after this is killed.
END_WITHIN_S = 2.5
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """Return a TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_ports(count: int) -> list[int]:
    """Return UDP ports of the loopback that nobody uses now, all different."""
    with contextlib.ExitStack() as held:
        probes = []
        for _ in range(count):
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            probes.append(held.enter_context(probe))
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@dataclass(slots=True)
class Child:
    """One process: its Python module (or program) with arguments, and its logs."""

    name: str
    words: Sequence[str]
    logs: Path
    is_program: bool = False
    process: asyncio.subprocess.Process | None = field(default=None)

    @property
    def is_running(self) -> bool:
        """Say whether it runs."""
        return self.process is not None and self.process.returncode is None

    @property
    def log(self) -> Path:
        """The file that takes its standard output and error."""
        return self.logs / f"{self.name}.log"

    def log_tail(self, lines: int) -> str:
        """Return the last lines of its log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    async def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C is its parent's matter."""
        self.logs.mkdir(parents=True, exist_ok=True)
        python = () if self.is_program else (sys.executable, "-m")
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *python,
                *self.words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, if there is somebody to take it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    async def end(self) -> int | None:
        """Ask it to stop, kill it if it does not; return its exit status."""
        if self.process is None:
            return None
        self.kill(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_WITHIN_S):
                return await self.process.wait()
        except TimeoutError:
            self.kill()
            return await self.process.wait()
