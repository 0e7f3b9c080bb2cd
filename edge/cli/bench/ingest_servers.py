# SPDX-License-Identifier: Apache-2.0
"""The servers of ``menshen bench ingest``: three nodes of NATS, and PostgreSQL.

The law of the module: Debian's own programs, each a process of its own in a folder of
its own, on the loopback alone; PostgreSQL keeps its durable settings. NATS speaks
without TLS here: what is measured is the path of events, and the shipped settings have
tests of their own.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.bench.errors import BenchError
from edge.cli.children import Child, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

NODES = 3
READY_WITHIN_S = 60.0
_SBIN = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
#: Who may run PostgreSQL where we are root, which it refuses.
_USERS = ("postgres", "nobody")
_NODE = """server_name: "nats-{number}"
listen: "127.0.0.1:{clients[{place}]}"
jetstream {{ store_dir: "{folder}/nats-{number}" }}
cluster {{
  name: "bench"
  listen: "127.0.0.1:{routes[{place}]}"
  routes: [{peers}]
}}
mqtt {{
  listen: "127.0.0.1:{mqtt[{place}]}"
  stream_replicas: 3
  consumer_replicas: 1
  consumer_memory_storage: true
}}
"""


class NatsNodes:
    """Three nodes; ``mqtt`` and ``clients`` are their ports."""

    def __init__(self, folder: Path) -> None:
        self.mqtt, self.clients = _ports(), _ports()
        routes = _ports()
        peers = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        self.children = []
        for place in range(NODES):
            number = place + 1
            text = _NODE.replace("{place}", str(place)).format(
                number=number,
                folder=folder,
                clients=self.clients,
                routes=routes,
                mqtt=self.mqtt,
                peers=peers,
            )
            settings = folder / f"nats-{number}.conf"
            settings.write_text(text, encoding="ascii")
            words = [_program("nats-server", "nats-server"), "-c", str(settings)]
            child = Child(
                name=f"nats-{number}", words=words, logs=folder, is_program=True
            )
            self.children.append(child)

    async def kill(self, place: int) -> None:
        """End a node without a word, as a power cut does."""
        child = self.children[place]
        child.kill()
        if child.process is not None:
            await child.process.wait()


@asynccontextmanager
async def nats_nodes(folder: Path) -> AsyncIterator[NatsNodes]:
    """Run three nodes for the block."""
    nodes = NatsNodes(folder)
    try:
        for child in nodes.children:
            await child.start()
        yield nodes
    finally:
        await asyncio.gather(*(child.end() for child in nodes.children))


@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[str]:
    """Run a PostgreSQL for the block; its address."""
    user = _user()
    place, data = folder / "postgres", folder / "postgres" / "data"
    place.mkdir()
    if user is not None:
        os.chown(place, user.pw_uid, user.pw_gid)
    port = free_port()
    begin = [*_as(user), _postgres("initdb"), "-D", str(data), "-U", "menshen"]
    await _run([*begin, "--auth=trust", "--encoding=UTF8", "--no-locale"], place)
    server = [_postgres("postgres"), "-D", str(data), "-k", str(place)]
    words = [*_as(user), *server, "-h", "", "-p", str(port)]
    child = Child(name="postgres", words=words, logs=folder, is_program=True)
    await child.start()
    address = f"postgresql:///postgres?host={place}&port={port}&user=menshen"
    try:
        await _until_ready(place, port, child)
        yield address
    finally:
        # A fast shutdown; SIGTERM would wait for whoever is still connected.
        await child.end()


async def _until_ready(place: Path, port: int, child: Child) -> None:
    until_s = time.monotonic() + READY_WITHIN_S
    probe = [_postgres("pg_isready"), "-q", "-h", str(place), "-p", str(port)]
    while True:
        process = await asyncio.create_subprocess_exec(*probe)
        if not await process.wait():
            return
        if not child.is_running or time.monotonic() > until_s:
            raise BenchError(f"PostgreSQL does not start: {child.log_tail(5)}")
        await asyncio.sleep(0.1)


async def _run(words: Sequence[str], folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise BenchError(f"{words[-1]}: {said.decode(errors='replace')[-300:]}")


def _ports() -> list[int]:
    return [free_port() for _ in range(NODES)]


def _user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(names[name] for name in _USERS if name in names)


def _as(user: pwd.struct_passwd | None) -> list[str]:
    if user is None:
        return []
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids]


def _postgres(name: str) -> str:
    """Find a program: Debian keeps a server's in a folder for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else _program(name, "postgresql")


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=_SBIN)
    if found is None:
        raise BenchError(f"{name} is not installed: apt-get install {package}")
    return found
