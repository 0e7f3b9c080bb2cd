# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL: Debian's, in a folder of its own, on a free loopback port.

The law of the module: it runs as a user without rights, since it refuses root; it is
ended by its process id; nothing of it is left when the block is. Its settings are its
own but for those that are given.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.bench.brokers.process import BrokerError, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READY_WITHIN_S = 30.0
#: Debian makes this one with the package; "nobody" does as well.
USERS = ("postgres", "nobody")


class PostgresServer:
    """A server that answers; ``address`` is of its one database."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address = f"postgresql:///postgres?host={folder}&port={port}&user=menshen"


@contextmanager
def postgres(settings: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """Run a server for the block; ``settings`` are like ``fsync=off``."""
    # Not in a private folder: that is closed to everybody but its owner.
    folder = Path(tempfile.mkdtemp(prefix="menshen-pg-"))
    try:
        yield from _running(folder, settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(folder: Path, settings: Sequence[str]) -> Iterator[PostgresServer]:
    user = _user()
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    data, port, log = folder / "data", free_port(), folder / "log"
    words = ["--pgdata", str(data), "--username", "menshen", "--auth", "trust"]
    subprocess.run(
        [_program("initdb"), *words, "--no-sync", "--encoding", "UTF8", "--no-locale"],
        check=True,
        capture_output=True,
        user=user,
        cwd=folder,
    )
    chosen = [word for each in settings for word in ("-c", each)]
    place = ["-D", str(data), "-k", str(folder), "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [_program("postgres"), *place, *chosen],
            stdout=out,
            stderr=out,
            user=user,
            cwd=folder,
        )
    try:
        _wait(process, folder, port, log)
        yield PostgresServer(folder, port)
    finally:
        process.send_signal(signal.SIGQUIT)  # at once, without a checkpoint
        process.wait()


def _wait(process: subprocess.Popen[bytes], folder: Path, port: int, log: Path) -> None:
    ready = [_program("pg_isready"), "-q", "-h", str(folder), "-p", str(port)]
    deadline_s = time.monotonic() + READY_WITHIN_S
    while subprocess.run(ready, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise BrokerError(f"no PostgreSQL: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in USERS if name in names)


def _program(name: str) -> str:
    """Find a program: Debian keeps a server's in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise BrokerError("PostgreSQL is not installed: apt-get install postgresql")
    return str(found[-1])
