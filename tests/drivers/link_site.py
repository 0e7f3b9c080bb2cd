# SPDX-License-Identifier: Apache-2.0
"""A serial link under test: its device, and what it told the house."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from drivers.device import Garbled, Order, Pulse, Signal, Unreachable
from drivers.links.serial_link import SerialLink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from drivers.device import Device
    from drivers.links.link import Link
    from tests.drivers.pty_port import PtyPort

OPEN = Pulse(unit=1, channel=1, duration_s=1.0)


class Recorder:
    """A device that notes its calls, answers nothing and says what it is given."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received = b""
        self.outgoing = b""
        self.due_at: float | None = None
        self.fault: Exception | None = None

    def opened(self, now: float) -> None:
        self.calls.append("opened")

    def closed(self, now: float) -> list[Signal]:
        self.calls.append("closed")
        return [Unreachable(unit=0, why="closed")]

    def resumed(self, now: float) -> None:
        self.calls.append("resumed")

    def receive(self, data: bytes, now: float) -> list[Signal]:
        if self.fault is not None:
            raise self.fault
        self.received += data
        return [Garbled(unit=0, raw=data[:64], why="recorded")]

    def tick(self, now: float) -> list[Signal]:
        self.calls.append("tick")
        self.due_at = None
        return []

    def deadline(self) -> float | None:
        return self.due_at

    def order(self, order: Order, now: float) -> None:
        self.outgoing += b"order"

    def take_outgoing(self) -> bytes:
        outgoing, self.outgoing = self.outgoing, b""
        return outgoing


class Told:
    """What a link told, ready to be handed to one."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.states: list[tuple[bool, str]] = []

    def on_state(self, is_open: bool, why: str) -> None:  # noqa: FBT001
        self.states.append((is_open, why))


class Site(Told):
    """A serial link and what it told."""

    def __init__(self, port: PtyPort, device: Device) -> None:
        super().__init__()
        self.link = SerialLink(
            str(port.path),
            115200,
            device,
            self.signals.extend,
            now=time.monotonic,
            on_state=self.on_state,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with running(self.link):
            yield


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[None]:
    """Run a link beside the block."""
    task = asyncio.create_task(link.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object], within_s: float = 5.0) -> None:
    """Wait until ``condition`` holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)
