# SPDX-License-Identifier: Apache-2.0
"""NATS servers that are one broker, three as a rule: each message is kept by all.

The law of the module: loopback alone, nobody asked for a password, everything in the
folder that was given: it is for tests and benches, never a site's. The settings differ
from the server's own in nothing but places and the number of copies.
Source: nats-server 2.9, "MQTT" and "Clustering" (``server_name`` and JetStream are
demanded by its MQTT; ``stream_replicas`` from 2.9 on).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.cli.bench.brokers.process import BrokerProcess, free_port, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODES = 3
_SETTINGS = """\
server_name: "node-{number}"
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}/store-{number}" }}
mqtt {{ listen: "127.0.0.1:{mqtt}", stream_replicas: {copies} }}
"""
#: A node of a cluster waits for the others before its JetStream answers anybody.
_CLUSTER = """\
cluster {{
  name: "menshen"
  listen: "127.0.0.1:{route}"
  routes: [{routes}]
}}
"""


class NatsNode(BrokerProcess):
    """One server; ``port`` is its MQTT's, ``nats_port`` its own protocol's."""

    #: The cluster elects its leader, then makes its streams at the first CONNECT.
    patience_s = 60.0

    def __init__(self, settings: Path, mqtt: int, nats: int) -> None:
        command = [program("nats-server", "nats-server"), "-c", str(settings)]
        super().__init__(command, mqtt, settings.with_suffix(".log"))
        self.nats_port = nats

    @property
    def nats_url(self) -> str:
        """Where clients of its own protocol connect."""
        return f"nats://{self.host}:{self.nats_port}"


def nats_nodes(folder: Path, nodes: int = NODES) -> list[NatsNode]:
    """Write the settings of a cluster and return its nodes, none started yet."""
    ports = [free_port() for _ in range(nodes)]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    made = []
    for number, route in enumerate(ports, 1):
        settings = folder / f"nats-{number}.conf"
        mqtt, nats = free_port(), free_port()
        text = _SETTINGS.format(
            number=number, port=nats, mqtt=mqtt, folder=folder, copies=nodes
        )
        if nodes > 1:
            text += _CLUSTER.format(route=route, routes=routes)
        settings.write_text(text, encoding="utf-8")
        made.append(NatsNode(settings, mqtt, nats))
    return made


@contextmanager
def nats_cluster(folder: Path, nodes: int = NODES) -> Iterator[list[NatsNode]]:
    """Run a cluster for the block; each node lets clients in when it begins.

    Raises BrokerError where nats-server is not installed or does not come up.
    """
    made = nats_nodes(folder, nodes)
    try:
        for node in made:
            node.launch()
        for node in made:
            node.wait()
        yield made
    finally:
        for node in made:
            node.kill()
