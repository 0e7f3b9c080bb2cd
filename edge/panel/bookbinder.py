# SPDX-License-Identifier: Apache-2.0
"""Has a workbook written by a process of its own, piece by piece.

The law of the module: who writes is slower than who reads, so no piece is handed over
before the last was taken; a writer that is not asked to finish is killed, and one that
fails is a ConnectionError, so that half a file never looks like all of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

#: A year of rows is packed once they are all there, on a small box.
FINISH_S = 600.0


class Binder:
    """The panel's end of the line to the writer."""

    def __init__(self, writer: asyncio.subprocess.Process) -> None:
        assert writer.stdin is not None  # noqa: S101  asked for when it was started
        self._writer, self._line = writer, writer.stdin

    async def add(self, rows: Sequence[Sequence[str]]) -> None:
        """Hand rows over; ConnectionError if nobody takes them."""
        self._line.write(json.dumps(rows).encode() + b"\n")
        await self._line.drain()

    async def finish(self) -> None:
        """Wait until the file is whole; ConnectionError if it never will be."""
        self._line.close()
        try:
            async with asyncio.timeout(FINISH_S):
                status = await self._writer.wait()
        except TimeoutError:
            raise ConnectionError("the workbook takes too long") from None
        if status:
            raise ConnectionError(f"the workbook's writer ended with {status}")


@contextlib.asynccontextmanager
async def binding(path: Path) -> AsyncIterator[Binder]:
    """Start the writer of a workbook at ``path``."""
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.panel.workbook", str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Binder(writer)
    finally:
        if writer.returncode is None:
            writer.kill()
            await writer.wait()
