# SPDX-License-Identifier: Apache-2.0
"""Three real nodes of NATS with the shipped settings, over TLS, on this machine.

The law of the module: what runs is ``config/brokers/nats-cluster`` but for its paths,
names and ports; a node is ended by its process id, and comes back with its own data.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from edge.cli.bench.brokers.nats import is_followed
from tests.brokers import BrokerProcess, free_port
from tests.edge.broker_doctor.authority import Authority
from tests.edge.broker_doctor.shipped import SETTINGS, changed, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NODES = (1, 2, 3)
READY_WITHIN_S = 40.0
_CONNACK = b"\x20\x02\x00\x00"


class NatsCluster:
    """The nodes by their numbers; ``nodes`` are reached over MQTT."""

    def __init__(self, folder: Path, gateways: Sequence[str]) -> None:
        self.folder = folder
        self._gateways = gateways
        self.authority = Authority(folder)
        self.authority.issue("broker")
        routes = folder / "routes"
        routes.mkdir()
        self.routes = Authority(routes)
        self.routes.issue("broker")
        ports = (4222, 6222, 8222, 8883)
        self._ports = {(node, port): free_port() for node in NODES for port in ports}
        self.nodes = {node: self._node(node) for node in NODES}

    @property
    def servers(self) -> list[str]:
        """Where workers enter."""
        return [f"nats://127.0.0.1:{self.port(node, 4222)}" for node in NODES]

    def port(self, node: int, of: int) -> int:
        """Return the port that stands for ``of`` of the settings."""
        return self._ports[node, of]

    def context(self, name: str) -> ssl.SSLContext:
        """Return how an account enters."""
        self.authority.issue(name)
        context = ssl.create_default_context(cafile=self.authority.ca)
        context.load_cert_chain(
            self.folder / f"{name}.crt", self.folder / f"{name}.key"
        )
        return context

    def start(self) -> None:
        """Start all nodes; return once all take MQTT's clients."""
        for node in NODES:
            self.nodes[node].start()
        for node in NODES:
            self.wait(node)

    def wait(self, node: int) -> None:
        """Wait until a node takes clients: it needs the votes of two."""
        context, until_s = self.context("probe-b"), time.monotonic() + READY_WITHIN_S
        while not self._takes_clients(node, context):
            if time.monotonic() > until_s:
                log = (self.folder / f"node-{node}.log").read_text(encoding="utf-8")
                raise RuntimeError(f"node {node} takes nobody: {log[-2000:]}")
            time.sleep(0.2)

    def wait_whole(self) -> None:
        """Wait until all nodes have all streams: who loses one before has lost two."""
        until_s = time.monotonic() + READY_WITHIN_S
        for node in NODES:
            while not is_followed(self._ports[node, 8222], f"nats-{node}"):
                if time.monotonic() > until_s:
                    raise RuntimeError(f"streams of node {node} are not kept by all")
                time.sleep(0.2)

    def end(self) -> None:
        """End what runs."""
        for node in self.nodes.values():
            node.kill()

    def _node(self, node: int) -> BrokerProcess:
        folder, ports = self.folder, self._ports
        names = (f"node-{node}.conf", "common.conf")
        paths = {
            "nats-server/menshen/common.conf": f"./common-{node}.conf",
            "/etc/nats-server/menshen/route.": f"{folder}/routes/broker.",
            "/etc/nats-server/menshen/routes-ca": f"{folder}/routes/ca",
            "/etc/nats-server/menshen": str(folder),
            "/var/lib/nats/menshen": f"{folder}/data-{node}",
            **{
                f"nats-{peer}.example:6222": f"127.0.0.1:{ports[peer, 6222]}"
                for peer in NODES
            },
            **{
                f"0.0.0.0:{port}": f"127.0.0.1:{ports[node, port]}"
                for port in (4222, 6222, 8883)
            },
        }
        shipped = [
            (SETTINGS / "nats-cluster" / name).read_text(encoding="utf-8")
            for name in names
        ]
        own, common = changed(shipped, paths)
        settings = folder / names[0]
        report = f'http: "127.0.0.1:{ports[node, 8222]}"\n'
        settings.write_text(own + report, encoding="utf-8")
        admitted = self._admitted(common)
        (folder / f"common-{node}.conf").write_text(admitted, encoding="utf-8")
        command = [program("nats-server"), "-c", str(settings)]
        return BrokerProcess(command, ports[node, 8883], folder / f"node-{node}.log")

    def _admitted(self, common: str) -> str:
        """Return settings with a block for each gateway, as an operator copies it."""
        one = re.search(
            r' {4}\{\n {6}user: "CN=probe-a".*?\n {4}\}\n', common, re.DOTALL
        )
        assert one is not None
        blocks = [one[0].replace("probe-a", gateway) for gateway in self._gateways]
        return common.replace(one[0], "".join([one[0], *blocks]))

    def _takes_clients(self, node: int, context: ssl.SSLContext) -> bool:
        address = ("127.0.0.1", self._ports[node, 8883])
        name = b"probe-b"
        body = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name
        with (
            suppress(OSError),
            socket.create_connection(address, timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
        ):
            client.sendall(b"\x10" + bytes([len(body)]) + body)
            return client.recv(4) == _CONNACK
        return False


@contextmanager
def nats_cluster(folder: Path, *gateways: str) -> Iterator[NatsCluster]:
    """Run three nodes that let these gateways in, for the block."""
    cluster = NatsCluster(folder, gateways)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()
