# SPDX-License-Identifier: Apache-2.0
"""The floor of the wire bench: what this machine takes without a gateway.

The law of the module: the shortest program that reads, commits and unlocks, behind the
same terminals and the same hands; what a busy machine costs, it costs both.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from edge.cli.bench.wire_house import BETWEEN_SCANS_S, Board
from edge.cli.children import Child
from firmware_sim.pseudo_terminal import PseudoTerminal

if TYPE_CHECKING:
    from pathlib import Path

    from edge.cli.bench.wire_site import WireSite

#: It has read its codes by then.
READY_AFTER_S = 1.0


async def floor(site: WireSite, folder: Path, count: int) -> list[float]:
    """Return the floor's waits in milliseconds, for ``count`` codes."""
    scanner = PseudoTerminal(folder / "scanner")
    board = Board(PseudoTerminal(folder / "board"))
    known = folder / "codes.txt"
    known.write_bytes(b"\n".join(site.codes))
    words = ["edge.cli.bench.floor", "--scanner", str(folder / "scanner")]
    words += ["--board", str(folder / "board"), "--codes", str(known)]
    words += ["--database", str(folder / "floor.db")]
    child = Child(name="floor", words=words, logs=folder)
    board.serve()
    await child.start()
    waits_ms = []
    try:
        await asyncio.sleep(READY_AFTER_S)
        for code in site.codes[:count]:
            begun_s = time.monotonic()
            read_s = await board.unlock_after(partial(scanner.write, code + b"\r"))
            if read_s is not None:
                waits_ms.append((read_s - begun_s) * 1000)
            await asyncio.sleep(BETWEEN_SCANS_S)
    finally:
        await child.end()
        board.close()
        scanner.close()
    return waits_ms
