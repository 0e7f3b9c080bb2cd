# SPDX-License-Identifier: Apache-2.0
"""One real broker as a process: started, killed, frozen, and back on its port.

The law of the module: a broker is ended by its process id and by nothing broader, and
dies with whoever started it; it counts as up when it lets an MQTT client in, not when
its port opens. What it printed stays in its folder.
Source: MQTT 3.1.1, sections 3.1 and 3.2 (CONNECT, CONNACK).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: A node of a cluster without its quorum takes the connection and says nothing.
_ASKED_FOR_S = 2.0
POLL_S = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


class BrokerError(Exception):
    """A broker cannot be run; the text says what it said, or what to install."""


def free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program(name: str, package: str) -> str:
    """Return where a program is; BrokerError names the package that has it."""
    sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    found = shutil.which(name, path=sbin)
    if found is None:
        raise BrokerError(f"{name} is not installed: apt-get install {package}")
    return found


def answers(host: str, port: int) -> bool:
    """Say whether anybody takes connections there."""
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def lets_in(host: str, port: int, within_s: float = _ASKED_FOR_S) -> bool:
    """Say whether an MQTT 3.1.1 client is let in at once."""
    name = b"menshen-" + secrets.token_hex(4).encode()
    asked = b"\0\x04MQTT\x04\x02\0\x3c" + len(name).to_bytes(2, "big") + name
    try:
        with socket.create_connection((host, port), timeout=within_s) as line:
            line.sendall(bytes((0x10, len(asked))) + asked)
            answer = line.recv(4)
            line.sendall(b"\xe0\0")
    except OSError:
        return False
    return answer == b"\x20\x02\0\0"


class BrokerProcess:
    """A broker that can be killed, frozen and started again.

    ``keys`` are added to the environment; ``user`` is who runs it.
    """

    host = "127.0.0.1"
    #: How long it may take to let clients in.
    patience_s: ClassVar[float] = 20.0

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        log: Path,
        keys: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.port = port
        self.log = log
        self._command = list(command)
        self._keys = dict(keys or {})
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Say whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process; RuntimeError while there is none."""
        if self._process is None:
            raise RuntimeError("the broker does not run")
        return self._process.pid

    def start(self) -> None:
        """Start, and return once clients are let in."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start without waiting: nodes of a cluster wait for each other.

        From the main thread alone: it would die with the thread that started it.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **self._keys},
                user=self._user,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  one call, no lock
            )

    def wait(self) -> None:
        """Return once clients are let in; BrokerError with its last words if not."""
        deadline_s = time.monotonic() + self.patience_s
        while not lets_in(self.host, self.port):
            if not self.is_running or time.monotonic() > deadline_s:
                self.kill()
                said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise BrokerError(f"no broker in {self.patience_s:.0f} s: {said}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End it without a chance to say goodbye; nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()

    def freeze(self) -> None:
        """Leave its connections half open."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was frozen."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
