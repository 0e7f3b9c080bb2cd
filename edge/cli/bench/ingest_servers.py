# SPDX-License-Identifier: Apache-2.0
"""The three nodes of NATS of ``menshen bench ingest``.

The law of the module: Debian's own program, each node a process of its own in a folder
of its own, on the loopback alone. NATS speaks without TLS here: what is measured is the
path of events, and the shipped settings have tests of their own.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from edge.cli.bench.errors import BenchError
from edge.cli.children import Child, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NODES = 3
_SBIN = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
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


def _ports() -> list[int]:
    return [free_port() for _ in range(NODES)]


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=_SBIN)
    if found is None:
        raise BenchError(f"{name} is not installed: apt-get install {package}")
    return found
