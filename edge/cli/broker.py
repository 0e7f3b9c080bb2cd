# SPDX-License-Identifier: Apache-2.0
"""The embedded broker of demonstrations and benches, as a process of its own.

The law of the module: loopback alone, nothing persistent, nobody asked for a
password: it is never a site's broker. Source: amqtt 0.12, broker configuration.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal

from amqtt.broker import Broker

PLUGINS: dict[str, dict[str, str]] = {
    "amqtt.plugins.authentication.AnonymousAuthPlugin": {}
}


async def _serve(port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = {"type": "tcp", "bind": f"127.0.0.1:{port}"}
    broker = Broker({"listeners": {"default": listener}, "plugins": PLUGINS})
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="edge.cli.broker")
    parser.add_argument("--port", type=int, required=True)
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
