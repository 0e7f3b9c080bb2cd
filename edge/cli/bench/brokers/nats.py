# SPDX-License-Identifier: Apache-2.0
"""NATS servers that are one broker, three as a rule: each message is kept by all.

The law of the module: loopback alone, nobody asked for a password, everything in the
folder that was given: it is for tests and benches, never a site's. The settings differ
from the server's own in nothing but places and the number of copies.
Source: nats-server 2.9, "MQTT" and "Clustering" (``server_name`` and JetStream are
demanded by its MQTT; ``stream_replicas`` from 2.9 on), "Monitoring" (``/jsz``).
"""

from __future__ import annotations

import json
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edge.cli.bench.brokers.process import (
    POLL_S,
    BrokerError,
    BrokerProcess,
    free_port,
    program,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODES = 3
_NAME = "node-{number}"
_SETTINGS = """\
server_name: "{name}"
listen: "127.0.0.1:{port}"
http: "127.0.0.1:{report}"
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

    def __init__(
        self, settings: Path, number: int, *, mqtt: int, nats: int, report: int
    ) -> None:
        command = [program("nats-server", "nats-server"), "-c", str(settings)]
        super().__init__(command, mqtt, settings.with_suffix(".log"))
        self.nats_port = nats
        self._report = report
        self.name = _NAME.format(number=number)

    @property
    def nats_url(self) -> str:
        """Where clients of its own protocol connect."""
        return f"nats://{self.host}:{self.nats_port}"

    def wait(self) -> None:
        """Return once clients are let in and those that follow it have all it has.

        A cluster that loses a node while another is still catching up has lost two.
        """
        super().wait()
        deadline_s = time.monotonic() + self.patience_s
        while not is_followed(self._report, self.name):
            if time.monotonic() > deadline_s:
                raise BrokerError(f"streams not kept by all in {self.patience_s:.0f} s")
            time.sleep(POLL_S)


def is_followed(report_port: int, name: str) -> bool:
    """Say whether all streams are led, and those of node ``name`` are kept by all.

    ``report_port``: where that node tells of itself, on loopback.
    """
    try:
        url = f"http://127.0.0.1:{report_port}/jsz?accounts=true&streams=true"
        with urllib.request.urlopen(url, timeout=2.0) as answer:
            told = json.load(answer)
    except OSError:
        return False
    groups = [told["meta_cluster"]] if "meta_cluster" in told else []
    for account in told.get("account_details", ()):
        streams = account.get("stream_detail", ())
        groups += [stream["cluster"] for stream in streams if "cluster" in stream]
    return all(_is_whole(group, name) for group in groups)


def _is_whole(group: dict[str, Any], name: str) -> bool:
    """Say whether a group has a leader, and if it is ``name``, all of its copies."""
    leader = group.get("leader", "")
    followers = group.get("replicas", ())
    return bool(leader) and (
        leader != name or all(each.get("current") for each in followers)
    )


def nats_nodes(folder: Path, nodes: int = NODES) -> list[NatsNode]:
    """Write the settings of a cluster and return its nodes, none started yet."""
    ports = [free_port() for _ in range(nodes)]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    made = []
    for number, route in enumerate(ports, 1):
        settings = folder / f"nats-{number}.conf"
        mqtt, nats, report = free_port(), free_port(), free_port()
        text = _SETTINGS.format(
            name=_NAME.format(number=number),
            number=number,
            port=nats,
            mqtt=mqtt,
            report=report,
            folder=folder,
            copies=nodes,
        )
        if nodes > 1:
            text += _CLUSTER.format(route=route, routes=routes)
        settings.write_text(text, encoding="utf-8")
        made.append(NatsNode(settings, number, mqtt=mqtt, nats=nats, report=report))
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
