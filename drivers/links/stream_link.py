# SPDX-License-Identifier: Apache-2.0
"""A link over bytes that come in order: a serial port, or a serial server by TCP.

The law of the module: it owns the open port's descriptor and what the port did not
take yet. Nothing leaves late: what a driver gave up, but the kernel still holds, is
taken back before the driver says more; where that cannot be, the port is given up.

Source: tty_ioctl(4) TIOCOUTQ; the opening of a port is its opener's.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from drivers.links.device_link import DeviceLink
from drivers.links.sending import Sending

if TYPE_CHECKING:
    import asyncio

    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState, OpenPort, PortOpener

READ_BYTES = 4096
#: A driver's longest frame is far shorter; so much unsent means a line that is stuck.
MAX_UNSENT_BYTES = 4096
#: Reads that empty a port at most when its input is thrown away; a babbling device
#: could otherwise hold the loop.
MAX_DRAIN_READS = 16


class StreamLink(DeviceLink):
    """One port and its device; see :class:`drivers.links.device_link.DeviceLink`."""

    def __init__(
        self,
        opener: PortOpener,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
    ) -> None:
        super().__init__(opener.name, device, on_signals, now=now, on_state=on_state)
        self._opener = opener
        self._port: OpenPort | None = None
        self._fd = -1
        self._unsent = bytearray()
        self._sending = Sending(byte_s=opener.byte_s, late_s=opener.late_s)

    @property
    def is_open(self) -> bool:
        """Whether bytes can be read and written at this moment."""
        return self._fd >= 0

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        port = await self._opener.open()
        try:
            loop.add_reader(port.descriptor, self._readable)
        except OSError:
            port.close()
            raise
        self._port, self._fd = port, port.descriptor

    def _let_go(self) -> None:
        if self._loop is not None and self.is_open:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        self._fd = -1
        self._unsent.clear()
        self._sending.left()

    def _close(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as fault:
            self._lose(f"read failed: {fault.strerror}")
            return
        if data:
            self.data_received(data)
        else:
            self._lose("the port hung up")

    def _send(self, data: bytes) -> None:
        self._take_back_late()
        if not self.is_open:
            return
        self._sending.wrote(len(data), self._now())
        if self._unsent:
            self._unsent += data
        else:
            self._unsent += data[self._write_some(data) :]
        if len(self._unsent) > MAX_UNSENT_BYTES:
            self._lose("the port takes no more bytes")
        elif self._unsent and self._loop is not None and self.is_open:
            self._loop.add_writer(self._fd, self._writable)

    def _writable(self) -> None:
        del self._unsent[: self._write_some(self._unsent)]
        if not self._unsent and self._loop is not None and self.is_open:
            self._loop.remove_writer(self._fd)

    def _write_some(self, data: bytes | bytearray) -> int:
        """Write what the port takes; all of it counts as gone with a lost port."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as fault:
            self._lose(f"write failed: {fault.strerror}")
            return len(data)

    def _take_back_late(self) -> None:
        if not self._sending.is_under_way or self._port is None or not self.is_open:
            return
        try:
            if not self._unsent and not self._port.unsent_bytes():
                self._sending.left()
            elif self._sending.is_late(self._now()):
                self._port.recall()
                self._forget_unsent()
        except OSError as fault:
            self._lose(str(fault))

    def _discard(self) -> None:
        # Both queues: what waits to be sent is as old as what waits to be read.
        if self._port is not None:
            self._port.discard()
        self._forget_unsent()
        with suppress(BlockingIOError):
            for _ in range(MAX_DRAIN_READS):
                if not os.read(self._fd, READ_BYTES):
                    return

    def _lose(self, why: str) -> None:
        # At once: until the session closes the port, a stuck line could come loose.
        if self._port is not None:
            with suppress(OSError):
                self._port.recall()
        super()._lose(why)

    def _forget_unsent(self) -> None:
        self._unsent.clear()
        self._sending.left()
        if self._loop is not None:
            self._loop.remove_writer(self._fd)
