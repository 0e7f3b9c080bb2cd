# SPDX-License-Identifier: Apache-2.0
"""``python -m firmware_sim``: a simulated site as a process of its own.

The law of the module: one line of JSON on standard output says that all ports and the
control socket are there; SIGTERM and SIGINT end the process cleanly, links removed.
Exit codes: 0 ended by a signal, 2 a wrong site file or folder.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tomllib
from pathlib import Path

from firmware_sim.control import ControlServer
from firmware_sim.errors import SimulationError
from firmware_sim.pty_host import PtyHost
from firmware_sim.site import Site
from firmware_sim.world import World


def main(arguments: list[str] | None = None) -> int:
    """Run a site until a signal comes; return the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        site = Site.from_mapping(_read(chosen.site))
        asyncio.run(_run(site, chosen))
    except (SimulationError, OSError) as error:
        sys.stderr.write(f"firmware_sim: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firmware_sim", description="Simulated readers, relay boards and doors."
    )
    parser.add_argument("--site", type=Path, required=True, help="JSON or TOML file")
    parser.add_argument("--folder", type=Path, required=True, help="for the ports")
    parser.add_argument("--control", type=Path, required=True, help="Unix socket")
    parser.add_argument(
        "--wire-time", action="store_true", help="bytes take their time on the line"
    )
    return parser


def _read(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text)
    except ValueError as error:
        raise SimulationError(f"{path}: {error}") from None


async def _run(site: Site, chosen: argparse.Namespace) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    host = PtyHost(World(site), chosen.folder, wire_time=chosen.wire_time)
    async with host, ControlServer(host, chosen.control):
        ready = {"ready": True, "control": str(chosen.control)}
        ports = {name: host.address(name) for name in host.world.site.ports}
        sys.stdout.write(json.dumps({**ready, "ports": ports}) + "\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    sys.exit(main())
