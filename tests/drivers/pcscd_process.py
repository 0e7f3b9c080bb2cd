# SPDX-License-Identifier: Apache-2.0
"""A real pcscd with two virtual readers, apart from the machine's own.

The law of the module: vpcd listens on every address, so it runs in a network of its
own (unshare) in which there is nothing but loopback, and its socket lies in our own
folder; several can run side by side. Where namespaces are not allowed it runs as the
machine's pcscd, if there is none, and its ports 35963 and 35964 stand open meanwhile.
It is ended by its process id. A card's connection is made inside and handed out.

Source: pcsc-lite 1.9 (PCSCLITE_CSOCK_NAME), vsmartcard 3.3, unshare(1), nsenter(1).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

#: The virtual readers' names, and the port of each.
SLOTS = {"Virtual PCD 00 00": 35963, "Virtual PCD 00 01": 35964}
READY_WITHIN_S = 10.0
_MACHINE = Path("/run/pcscd")
# 0x8914 is SIOCSIFFLAGS, 0x41 IFF_UP and IFF_RUNNING.
_LOOPBACK_UP = """
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
"""
_APART = """
mount -t tmpfs tmpfs /run && mkdir /run/pcscd && mount --bind "$1" /run/pcscd &&
"$2" -c "$3" && exec "$4" --foreground
"""
_CONNECT = """
import socket, sys, time
until = time.monotonic() + 10
while True:
    try:
        card = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        break
    except ConnectionRefusedError:
        if time.monotonic() > until:
            raise
        time.sleep(0.05)
with card, socket.socket(fileno=int(sys.argv[2])) as way_out:
    socket.send_fds(way_out, [b"."], [card.fileno()])
"""


class PcscdProcess:
    """pcscd; ``folder`` holds its socket and what it printed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._enter: list[str] = []
        self._apart = _namespaces()
        self._socket = (folder if self._apart else _MACHINE) / "pcscd.comm"
        self._process: subprocess.Popen[bytes] | None = None
        # The client library reads this at its first call, once and for all.
        os.environ["PCSCLITE_CSOCK_NAME"] = str(self._socket)

    def start(self) -> None:
        """Start, and return once the service can be reached."""
        if not self._apart and self._socket.exists():
            raise RuntimeError(f"another pcscd runs already ({self._socket}); stop it")
        with (self._folder / "pcscd.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        deadline_s = time.monotonic() + READY_WITHIN_S
        while not self._socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                self.stop()
                raise RuntimeError(f"no pcscd: {self._printed()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it; nothing if it does not run."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)
        self.kill()

    def kill(self) -> None:
        """End it without a chance to tidy up; nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            self._tidy()

    def connect(self, reader: str) -> socket.socket:
        """Return a connection to a virtual reader, for its card."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            program = [sys.executable, "-c", _CONNECT, str(SLOTS[reader])]
            number = theirs.fileno()
            command = [*self._entering(), *program, str(number)]
            subprocess.run(command, check=True, pass_fds=[number], timeout=20)
            _, [card], _, _ = socket.recv_fds(ours, 1, 1)
        return socket.socket(fileno=card)

    def _command(self) -> list[str]:
        sbin = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
        program = shutil.which("pcscd", path=sbin) or "pcscd"
        if not self._apart:
            return [program, "--foreground"]
        script = ["sh", "-c", _APART, "sh", str(self._folder)]
        return [*self._apart, *script, sys.executable, _LOOPBACK_UP, program]

    def _entering(self) -> list[str]:
        if self._process is None or not self._apart:
            return []
        user = ["--user", "--preserve-credentials"] if os.geteuid() else []
        return ["nsenter", "--target", str(self._process.pid), "--net", *user]

    def _tidy(self) -> None:
        for left in ("pcscd.comm", "pcscd.pid"):
            (self._socket.parent / left).unlink(missing_ok=True)

    def _printed(self) -> str:
        return (self._folder / "pcscd.log").read_text(errors="replace")[-2000:]


def _namespaces() -> list[str]:
    """Return the command that makes a network and mounts of one's own, if allowed."""
    rights = ["--map-root-user"] if os.geteuid() else []
    command = ["unshare", "--net", "--mount", *rights]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return command
