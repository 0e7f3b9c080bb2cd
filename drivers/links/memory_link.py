# SPDX-License-Identifier: Apache-2.0
"""A link without a port: what the driver says is kept, what it hears is handed in.

The law of the module: it behaves as any link does and needs no machine; tests and
drivers of devices that are no devices use it. ``plug`` and ``unplug`` are the hand at
the cable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.links.device_link import DeviceLink
from drivers.links.link import PortError

if TYPE_CHECKING:
    import asyncio

    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState

#: What was said and nobody took; the oldest goes first.
MAX_KEPT_BYTES = 65_536


class MemoryLink(DeviceLink):
    """One device in memory; see :class:`drivers.links.device_link.DeviceLink`."""

    def __init__(
        self,
        name: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
    ) -> None:
        super().__init__(name, device, on_signals, now=now, on_state=on_state)
        self._is_open = False
        self._is_plugged = True
        self._said = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether the device can be spoken to at this moment."""
        return self._is_open

    def take_said(self) -> bytes:
        """Return what the device said since the last call."""
        said = bytes(self._said)
        self._said.clear()
        return said

    def hear(self, data: bytes) -> None:
        """Let the device receive bytes, unless its cable is out."""
        if self._is_open:
            self.data_received(data)

    def unplug(self) -> None:
        """Pull the cable."""
        self._is_plugged = False
        if self._is_open:
            self._lose("unplugged")

    def plug(self) -> None:
        """Put the cable in again; the link finds it with its next try."""
        self._is_plugged = True

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:  # noqa: ARG002
        if not self._is_plugged:
            raise PortError(f"{self.name}: unplugged")
        self._is_open = True

    def _let_go(self) -> None:
        self._is_open = False

    def _close(self) -> None:
        """Do nothing: there is no port."""

    def _send(self, data: bytes) -> None:
        self._said += data
        del self._said[:-MAX_KEPT_BYTES]

    def _take_back_late(self) -> None:
        """Do nothing: what was said was said at once."""

    def _discard(self) -> None:
        """Do nothing: what was heard was heard at once."""
