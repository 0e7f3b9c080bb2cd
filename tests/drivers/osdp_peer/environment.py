# SPDX-License-Identifier: Apache-2.0
"""Finds the peer's environment and runs the peer in it; it downloads nothing.

The law of the module: ``make test`` builds ``.venv-osdp-peer`` from the lock beside
this file before any test runs; here it is only looked for. Where it cannot be (no
wheel of libosdp for the machine) its tests are skipped and say so; with ``CI=true``
they fail. What runs in it is :mod:`tests.drivers.osdp_peer.peer`.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / ".venv-osdp-peer" / "bin" / "python"
PEER = Path(__file__).with_name("peer.py")
#: A start of Python and of libosdp on a busy machine.
READY_WITHIN_S = 20.0
MISSING = "libosdp's own environment is missing: run make test, or make osdp-peer"
#: What a peer says in a test: some hundred lines; more means that nobody reads.
MAX_LINES = 10_000


def is_there() -> bool:
    """Tell whether the environment stands and libosdp starts in it."""
    if not PYTHON.exists():
        return False
    words = [str(PYTHON), "-I", "-c", "import osdp_sys"]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="session")
def osdp_environment() -> Path:
    """The peer's Python; without it a skipped test, or in CI a failed one."""
    if is_there():
        return PYTHON
    if os.environ.get("CI") == "true":
        pytest.fail(MISSING)
    pytest.skip(MISSING)


class Peer:
    """The reader's process on one descriptor; its lines are read as they come.

    Without a key it is in install mode, as it left the factory.
    """

    def __init__(self, descriptor: int, *, address: int, key: bytes | None) -> None:
        words = [str(PYTHON), "-I", str(PEER), "--descriptor", str(descriptor)]
        words += ["--address", str(address)]
        words += ["--key", key.hex()] if key else []
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(descriptor,),
        )
        self.heard: deque[dict[str, Any]] = deque(maxlen=MAX_LINES)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_for("READY")

    def say(self, line: str) -> None:
        """Hold up a card or press keys: a line of the peer's."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def all(self, heard: str) -> list[dict[str, Any]]:
        """Return what it heard of one kind so far."""
        return [one for one in tuple(self.heard) if one["heard"] == heard]

    def kill(self) -> None:
        """End it without a goodbye, by its process id; harmless to repeat."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.heard.append(json.loads(line))

    def _wait_for(self, heard: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not self.all(heard):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.kill()
                raise RuntimeError(f"the peer never said {heard}")
            time.sleep(0.01)


@pytest.fixture
def peers(osdp_environment: Path) -> Iterator[Callable[..., Peer]]:
    """Start peers that are ended with the test, whatever happened in it."""
    started: list[Peer] = []

    def start(descriptor: int, *, address: int, key: bytes | None) -> Peer:
        started.append(Peer(descriptor, address=address, key=key))
        return started[-1]

    yield start
    for peer in started:
        peer.kill()
