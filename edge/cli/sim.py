# SPDX-License-Identifier: Apache-2.0
"""``menshen sim``: one simulated device on a pseudo-terminal or a UDP port.

The law of the module: it starts what :mod:`firmware_sim` has and says how to reach it;
what happens to the device is told line by line. It replaces no file but a link.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_sim.alone import ALONE, choose, knobs_of
from firmware_sim.control import ControlServer
from firmware_sim.errors import SimulationError
from firmware_sim.pty_host import PtyHost
from firmware_sim.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from firmware_sim.alone import Chosen
    from firmware_sim.happening import Happening

#: The word that lists the devices instead of starting one.
LIST = "list"


def run_sim(device: str, *, pty: Path | None, faults: Sequence[str]) -> int:
    """Run one device until a signal comes; exit code 2 for a wrong wish."""
    if device == LIST:
        print("\n".join(listing()))
        return 0
    try:
        if pty is not None:
            _run(device, pty, faults)
        else:
            with tempfile.TemporaryDirectory(prefix="menshen-sim-") as folder:
                _run(device, Path(folder) / device, faults)
    except (SimulationError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


def listing() -> Iterator[str]:
    """Yield each device with its knobs and its hands."""
    for name, kind in ALONE.items():
        yield f"{name:14} {kind.words}"
        for knob, value in knobs_of(kind):
            yield f"{'':14}   --fault {knob}={value}"
        yield f"{'':14}   hands: {', '.join(kind.verbs)}"


def _run(device: str, path: Path, faults: Sequence[str]) -> None:
    if path.exists() and not path.is_symlink():
        raise SimulationError(f"{path}: something is there already; choose another")
    chosen = choose(device, path.name, faults)
    asyncio.run(_live(chosen, path))


async def _live(chosen: Chosen, path: Path) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    host = PtyHost(World(chosen.site), path.parent)
    control = path.with_name(f"{path.name}.control")
    async with host, ControlServer(host, control):
        chosen.apply(host.hand)
        begun = host.now()
        host.watch(lambda happenings: _tell(happenings, begun))
        port = host.address(path.name)
        print("\n".join(_greeting(chosen, path.name, port, control)), flush=True)
        await ended.wait()


def _greeting(chosen: Chosen, name: str, port: str, control: Path) -> Iterator[str]:
    verbs = ", ".join(chosen.kind.verbs)
    yield f"{chosen.kind.words}"
    yield f'port = "{port}"'
    yield f"hands: {verbs}, unplug, plug, snapshot, on {control}"
    yield f"its name there is {chosen.name!r}, its port's {name!r}; for example"
    yield f"""  echo '{{"do": "snapshot"}}' | nc -NU {control}"""
    yield "Ctrl-C ends it."


def _tell(happenings: tuple[Happening, ...], begun: float) -> None:
    for happening in happenings:
        channel = "" if happening.channel is None else f" {happening.channel}"
        what = happening.what.value.replace("_", " ")
        print(
            f"{happening.at - begun:9.3f} s  {happening.name}{channel}: {what}",
            flush=True,
        )
