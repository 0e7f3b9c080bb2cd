# SPDX-License-Identifier: Apache-2.0
"""A serial port in the event loop: the stream link over a port of this box.

The law of the module: it joins the two and adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.links.serial_port import SerialPort
from drivers.links.stream_link import StreamLink

if TYPE_CHECKING:
    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState


class SerialLink(StreamLink):
    """A serial port and its device; see :mod:`drivers.links.device_link`."""

    def __init__(
        self,
        port: str,
        baud: int,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
    ) -> None:
        opener = SerialPort(port, baud)
        super().__init__(opener, device, on_signals, now=now, on_state=on_state)
