# SPDX-License-Identifier: Apache-2.0
"""The other end of a simulated line, as bare as can be: a file descriptor."""

from __future__ import annotations

import asyncio
import os
import termios
import tty
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

#: Far above any latency here, far below the suite's own time-out.
PATIENCE_S = 5.0


class LineEnd:
    """An open serial port; a context that closes it."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def write(self, data: bytes) -> None:
        assert os.write(self.descriptor, data) == len(data)

    def set_rate(self, rate: int) -> None:
        """Set both rates, as a serial driver does."""
        tty.setraw(self.descriptor)
        settings = termios.tcgetattr(self.descriptor)
        settings[4] = settings[5] = rate
        termios.tcsetattr(self.descriptor, termios.TCSANOW, settings)

    async def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes, or fail after ``PATIENCE_S``."""
        data = b""
        async with asyncio.timeout(PATIENCE_S):
            while len(data) < size:
                await self._readable()
                data += os.read(self.descriptor, size - len(data))
        return data

    async def ask(self, request: bytes, size: int) -> bytes:
        self.write(request)
        return await self.read(size)

    def pending(self) -> bytes:
        """Return what has arrived, without waiting."""
        try:
            return os.read(self.descriptor, 65_536)
        except BlockingIOError:
            return b""

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        arrived = loop.create_future()
        loop.add_reader(self.descriptor, arrived.set_result, None)
        try:
            await arrived
        finally:
            loop.remove_reader(self.descriptor)
