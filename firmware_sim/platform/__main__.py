# SPDX-License-Identifier: Apache-2.0
"""The platform as a process of its own: ``python -m firmware_sim.platform``.

The law of the module: it alone reads a clock and catches signals. It ends within a
second of SIGTERM, since all that it ever said is committed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from firmware_sim.platform.control import Control, listen
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import load_signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.session import Session
from firmware_sim.platform.shell import Shell
from firmware_sim.platform.site import populate, read_site
from firmware_sim.platform.stick import Sticks

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

#: Leaving the broker politely may take this long after SIGTERM.
_FAREWELL_S = 0.5
#: Objects between two collections: a group of batches makes tens of thousands that
#: die together and never form a cycle.
_COLLECT_AFTER = 100_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="firmware_sim.platform", description="The simulated central platform."
    )
    parser.add_argument("--broker", required=True, help="HOST:PORT")
    parser.add_argument(
        "--state", required=True, type=Path, help="folder; made if missing"
    )
    parser.add_argument("--site-json", required=True, type=Path, help="the site file")
    parser.add_argument("--control", type=Path, help="socket; STATE/control.sock")
    return parser.parse_args()


def _steady_clock() -> Callable[[], int]:
    """Return UTC milliseconds that run on evenly from the system's time of now."""
    offset_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (time.monotonic_ns() + offset_ns) // 1_000_000


def _build(arguments: argparse.Namespace) -> Control:
    """Take up the state folder, or begin one."""
    now_ms = _steady_clock()
    site = read_site(arguments.site_json)
    state: Path = arguments.state
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = load_signer(state / "platform.key")
    keys = json.dumps(signer.public_keys)
    (state / "platform.pub.json").write_text(keys + "\n", encoding="ascii")
    store = FeedStore(state / "feed.db")
    if store.is_new:
        store.change(populate(site, now_ms()))
    ledger = Ledger(state / "ledger.db")
    session = Session(registry=site.registry, ledger=ledger, store=store, signer=signer)
    host, _, port = arguments.broker.rpartition(":")
    return Control(
        session=session,
        shell=Shell(session, host, int(port), now_ms),
        ledger=ledger,
        ledger_path=state / "ledger.db",
        store=store,
        signer=signer,
        sticks=Sticks(
            registry=site.registry,
            ledger=ledger,
            store=store,
            signer=signer,
            boxes=state / "boxes.json",
            now_ms=now_ms,
        ),
    )


async def _run(control: Control, listener: socket.socket) -> None:
    """Run until SIGTERM or SIGINT; a task that fails is raised."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(control.shell.run()),
        asyncio.create_task(control.serve(listener)),
        asyncio.create_task(stop.wait()),
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_FAREWELL_S)
    for task in done:
        task.result()
    # Not a return: asyncio would wait for a connection attempt that may still hang
    # in its thread. Whatever was said is committed; there is nothing to lose.
    os._exit(0)


def main() -> None:
    """Run the platform until SIGTERM."""
    arguments = _arguments()
    path = arguments.control or arguments.state / "control.sock"
    try:
        control = _build(arguments)
        listener = listen(path)
    except (OSError, ValueError) as wrong:
        sys.exit(f"firmware_sim.platform: {wrong}")
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    asyncio.run(_run(control, listener))


if __name__ == "__main__":
    main()
