# SPDX-License-Identifier: Apache-2.0
"""A link to lines of a GPIO chip: edges go to the driver, its wishes to the lines.

The law of the module: it debounces nothing and times nothing. A level that the driver
wants to know is read in the same call. Outputs are put to rest before the lines are
given back; where that fails, and when the process is killed, the kernel frees them. A
freed line becomes an input on some chips, so that the relay board's pull resistor
decides; on others, a Raspberry Pi's among them, it stays driven as it was.

Source: libgpiod 2, through :mod:`drivers.gpio.chips`; raspberrypi/linux pull requests
6117 and 6150 (persist_gpio_outputs, strict_gpiod).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.gpio.chips import GpiodChips
from drivers.gpio.lines import GpioLines
from drivers.gpio.wire import Wish, level_read, wishes
from drivers.links.device_link import DeviceLink

if TYPE_CHECKING:
    import asyncio

    from drivers.device import Device
    from drivers.gpio.chips import Lines, RequestLines
    from drivers.links.link import Clock, OnSignals, OnState

GPIO = "gpio"
#: Batches of edges thrown away at a flush; a chattering contact must not hold it.
MAX_DRAIN_READS = 16


class GpioLink(DeviceLink):
    """Lines of one chip; see :class:`drivers.links.device_link.DeviceLink`.

    ``port`` is ``gpio://LABEL``: ``gpio://pinctrl-rp1`` is the header of a Pi 5.
    """

    def __init__(
        self,
        port: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
        request: RequestLines | None = None,
    ) -> None:
        if not isinstance(device, GpioLines):
            raise LocalError(f"{port}: lines of a chip need the driver gpio_lines")
        if not device.lines:
            raise LocalError(f"{port}: no line is named, write inputs or outputs")
        super().__init__(port, device, on_signals, now=now, on_state=on_state)
        self._label = _label_of(port)
        self._wanted = device.lines
        self._request = request or GpiodChips()
        self._lines: Lines | None = None
        self._is_open = False

    @property
    def is_open(self) -> bool:
        """Whether the lines are ours."""
        return self._is_open

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        self._lines = self._request(self._label, self._wanted)
        loop.add_reader(self._lines.descriptor, self._readable)
        self._is_open = True

    def _let_go(self) -> None:
        if self._loop is not None and self._lines is not None and self._is_open:
            self._loop.remove_reader(self._lines.descriptor)
        self._is_open = False

    def _close(self) -> None:
        if self._lines is None:
            return
        with suppress(OSError):
            for line in self._wanted:
                if line.is_output:
                    self._lines.set_active(line.offset, is_active=False)
        self._lines.release()
        self._lines = None

    def _readable(self) -> None:
        if self._lines is None:
            return
        try:
            if not self._lines.has_edges():
                return  # flushed since the loop saw them; reading would wait for more
            edges = self._lines.take_edges()
        except OSError as fault:
            self._lose(f"read failed: {fault.strerror}")
            return
        self.data_received(edges)

    def _send(self, data: bytes) -> None:
        if self._lines is None:
            return
        levels = b""
        try:
            for kind, offset in wishes(data):
                if kind is Wish.READ:
                    is_active = self._lines.is_active(offset)
                    levels += level_read(offset, is_active=is_active)
                else:
                    is_active = kind is Wish.SET_ACTIVE
                    self._lines.set_active(offset, is_active=is_active)
        except OSError as fault:
            self._lose(f"a line can't be read or set: {fault.strerror}")
            return
        if levels:
            self.data_received(levels)

    def _take_back_late(self) -> None:
        """Do nothing: a line was set when it was set."""

    def _discard(self) -> None:
        for _ in range(MAX_DRAIN_READS):
            if self._lines is None or not self._lines.has_edges():
                return
            self._lines.take_edges()


def _label_of(port: str) -> str:
    scheme, _, label = port.partition("://")
    if scheme != GPIO or not label:
        raise LocalError(f"{port}: write gpio://LABEL, such as gpio://pinctrl-rp1")
    return label
