# SPDX-License-Identifier: Apache-2.0
"""A PC/SC link under test: its device, and what it told the house."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from drivers.device import CardUnreadable, TagRead, UnreadableCause
from drivers.pcsc.link import PcscLink
from drivers.pcsc.reader import PcscOptions, PcscReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from drivers.device import Device, Signal
    from drivers.pcsc.service import PcscService

CLASSIC = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
SEVEN = bytes.fromhex("04A1B2C3D4E5F6")
OK = b"\x90\x00"


class PcscSite:
    """A link and what it told."""

    def __init__(
        self,
        port: str,
        service: PcscService | None = None,
        device: Device | None = None,
    ) -> None:
        self.port = port
        self.signals: list[Signal] = []
        self.states: list[tuple[bool, str]] = []
        self.link = PcscLink(
            port,
            device or PcscReader(options=PcscOptions()),
            self.signals.extend,
            now=time.monotonic,
            on_state=lambda is_open, why: self.states.append((is_open, why)),
            service=service,
        )

    def numbers(self) -> list[bytes]:
        return [found.number for found in self.signals if isinstance(found, TagRead)]

    def refusals(self) -> list[UnreadableCause]:
        found = self.signals
        return [signal.why for signal in found if isinstance(signal, CardUnreadable)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the link; afterwards its thread is gone and it was quick to go."""
        task = asyncio.create_task(self.link.run())
        try:
            yield
        finally:
            began_at = time.monotonic()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert time.monotonic() - began_at < 1.5
        names = [thread.name for thread in threading.enumerate()]
        assert self.port not in names
        assert not self.link.is_open
