# SPDX-License-Identifier: Apache-2.0
"""Real MQTT brokers for tests, each a process of its own on a free loopback port.

The law of the module: a broker is ended by its process id and by nothing broader; it
comes back on the same port after a kill; what it printed stays in its folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

READY_WITHIN_S = 20.0
_AMQTT = """\
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
persistence false
"""


class BrokerProcess:
    """A broker that can be killed, frozen and started again."""

    host = "127.0.0.1"

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and return once connections are taken."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                self.kill()
                raise RuntimeError(f"no broker: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without a chance to say goodbye; nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Leave its connections half open."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGSTOP)

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=0.5).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def over_tls(ca: Path, certificate: Path, key: Path, crl: Path | None = None) -> str:
    """Return the lines with which mosquitto speaks TLS and asks who is there."""
    lines = [
        "user root",  # else it could not read the key that its starter made
        f"cafile {ca}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
    ]
    lines += [f"crlfile {crl}"] if crl is not None else []
    return "\n".join([*lines, ""])


@contextmanager
def amqtt(folder: Path) -> Iterator[BrokerProcess]:
    """Run amqtt, the broker that pip installs."""
    port, settings = free_port(), folder / "amqtt.yaml"
    settings.write_text(_AMQTT.format(port=port), encoding="utf-8")
    script = ["-m", "amqtt.scripts.broker_script", "-c", str(settings)]
    yield from _running([sys.executable, *script], port, folder / "amqtt.log")


@contextmanager
def mosquitto(folder: Path, more: str = "") -> Iterator[BrokerProcess]:
    """Run mosquitto, the broker that sites use; a Debian package.

    ``more`` are lines of its settings that follow those of its listener.
    """
    port, settings = free_port(), folder / "mosquitto.conf"
    settings.write_text(_MOSQUITTO.format(port=port) + more, encoding="utf-8")
    sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    program = shutil.which("mosquitto", path=sbin) or "mosquitto"
    command = [program, "-c", str(settings)]
    yield from _running(command, port, folder / "mosquitto.log")


def _running(command: list[str], port: int, log: Path) -> Iterator[BrokerProcess]:
    broker = BrokerProcess(command, port, log)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
