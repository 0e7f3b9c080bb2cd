# SPDX-License-Identifier: Apache-2.0
"""The brokers by their names: what each is, and how it starts.

The law of the module: what makes one broker unlike another stands here and in its own
file, so that whoever uses it says the same to all. A kind is a list of nodes; most
have one. Settings are the package's defaults but for a loopback port and for letting
everybody in: what a site's broker should be set to is no help to these.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.bench.brokers.nats import nats_cluster
from edge.cli.bench.brokers.process import BrokerProcess, free_port, program
from edge.cli.bench.brokers.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    Started = Callable[[Path], AbstractContextManager[Sequence[BrokerProcess]]]

_MOSQUITTO = "listener {port} 127.0.0.1\nallow_anonymous true\n"


@contextmanager
def mosquitto(folder: Path) -> Iterator[Sequence[BrokerProcess]]:
    """Run mosquitto: it keeps nothing over a kill, neither sessions nor messages."""
    port, settings = free_port(), folder / "mosquitto.conf"
    settings.write_text(_MOSQUITTO.format(port=port), encoding="ascii")
    command = [program("mosquitto", "mosquitto"), "-c", str(settings)]
    yield from _running(BrokerProcess(command, port, folder / "mosquitto.log"))


@contextmanager
def amqtt(folder: Path) -> Iterator[Sequence[BrokerProcess]]:
    """Run amqtt, the broker that pip installs; it keeps nothing either."""
    port = free_port()
    command = [sys.executable, "-m", "edge.cli.broker", "--port", str(port)]
    yield from _running(BrokerProcess(command, port, folder / "amqtt.log"))


def _running(broker: BrokerProcess) -> Iterator[Sequence[BrokerProcess]]:
    try:
        broker.start()
        yield [broker]
    finally:
        broker.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of broker: ``running`` it in a folder gives its nodes.

    ``package`` is the Debian package that it needs, None for one that pip installs.
    """

    running: Started
    package: str | None


KINDS = {
    "mosquitto": Kind(running=mosquitto, package="mosquitto"),
    "nats": Kind(running=partial(nats_cluster, nodes=1), package="nats-server"),
    "nats-x3": Kind(running=nats_cluster, package="nats-server"),
    "rabbitmq": Kind(running=rabbitmq, package="rabbitmq-server"),
    "amqtt": Kind(running=amqtt, package=None),
}
