# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ with its MQTT plugin, from Debian's package, in a folder of its own.

The law of the module: nothing of the machine's own RabbitMQ is read or touched: data,
logs, cookie, settings, node name and ports are ours, and so is ``epmd``, the port
mapper that Erlang would otherwise leave running for ever.
Source: RabbitMQ 3.10, "MQTT plugin" and "File and directory locations"; Erlang/OTP 25,
epmd(1) and erl(1).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.bench.brokers.process import (
    BrokerError,
    BrokerProcess,
    answers,
    free_port,
    program,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EPMD_WITHIN_S = 5.0
#: Behind Debian's wrapper, which would become the machine's own user and folders.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_SETTINGS = """\
listeners.tcp = none
mqtt.listeners.tcp.1 = 127.0.0.1:{port}
mqtt.allow_anonymous = true
mqtt.default_user = guest
mqtt.default_pass = guest
log.console = true
log.file = false
"""


class RabbitNode(BrokerProcess):
    """A node."""

    #: An Erlang machine starts, makes its database and then its plugin.
    patience_s = 90.0


@contextmanager
def rabbitmq(folder: Path) -> Iterator[list[BrokerProcess]]:
    """Run one node for the block; BrokerError where it is not installed."""
    if not SERVER.exists():
        raise BrokerError("rabbitmq is not installed: apt-get install rabbitmq-server")
    mapper_port = free_port()
    words = ["-port", str(mapper_port), "-address", "127.0.0.1"]
    mapper = BrokerProcess(
        [program("epmd", "erlang-base"), *words], mapper_port, folder / "epmd.log"
    )
    node = _node(folder, mapper_port)
    try:
        mapper.launch()
        _await(mapper)
        node.start()
        yield [node]
    finally:
        node.kill()
        mapper.kill()


def _node(folder: Path, mapper_port: int) -> RabbitNode:
    port, settings = free_port(), folder / "rabbitmq.conf"
    settings.write_text(_SETTINGS.format(port=port), encoding="ascii")
    plugins = folder / "enabled_plugins"
    plugins.write_text("[rabbitmq_mqtt].\n", encoding="ascii")
    home = folder / "home"
    home.mkdir()
    keys = {
        "HOME": str(home),
        "ERL_EPMD_PORT": str(mapper_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # Its script then becomes the node itself, so that its process id is the node's.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
        "RABBITMQ_CONFIG_FILE": str(settings),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_NODENAME": f"menshen-{port}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false"
        ),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    return RabbitNode([str(SERVER)], port, folder / "rabbitmq.log", keys)


def _await(mapper: BrokerProcess) -> None:
    deadline_s = time.monotonic() + EPMD_WITHIN_S
    while not answers(mapper.host, mapper.port):
        if not mapper.is_running or time.monotonic() > deadline_s:
            raise BrokerError(f"no epmd: {mapper.log.read_text(encoding='utf-8')}")
        time.sleep(0.02)
