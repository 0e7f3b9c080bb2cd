# SPDX-License-Identifier: Apache-2.0
"""Which link a driver is reached by: one function opens them all.

The law of the module: one entry a kind of link; all but serial ports are imported when
a site file asks for them, and the absence of a package is told in words.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from drivers.errors import LocalError
from drivers.links.link import Link, LinkKind
from drivers.links.port_text import TCP
from drivers.links.serial_port import SerialPort
from drivers.links.stream_link import StreamLink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState, PortOpener
    from drivers.registry import DriverSpec

    #: ``(port, device, on_signals, *, now, on_state)``.
    MakeLink = Callable[..., Link]

#: Links that are rarely asked for: the module and the class, called as a MakeLink.
LAZY: Mapping[LinkKind, tuple[str, str]] = {
    LinkKind.UDP: ("drivers.links.udp_link", "UdpLink"),
    LinkKind.PCSC: ("drivers.pcsc.link", "PcscLink"),
    LinkKind.EVDEV: ("drivers.links.evdev_link", "EvdevLink"),
    LinkKind.GPIO: ("drivers.gpio.link", "GpioLink"),
}


def open_link(
    spec: DriverSpec,
    port: str,
    baud: int,
    device: Device,
    on_signals: OnSignals,
    *,
    now: Clock,
    on_state: OnState,
) -> Link:
    """Return the link of a port; nothing is opened before its ``run``.

    ``baud`` counts at a serial port of this box alone. LocalError: the port's text
    does not fit, or the link's package is missing.
    """
    if spec.link is not LinkKind.SERIAL:
        make = _lazy(spec.link)
        return make(port, device, on_signals, now=now, on_state=on_state)
    far = opener(port, baud)
    return StreamLink(far, device, on_signals, now=now, on_state=on_state)


def opener(port: str, baud: int) -> PortOpener:
    """Return what opens a stream's port; LocalError if its text does not fit."""
    if port.startswith(f"{TCP}://"):
        from drivers.links.tcp_port import TcpPort  # noqa: PLC0415  see the law

        return TcpPort(port)
    return SerialPort(port, baud)


def _lazy(kind: LinkKind) -> MakeLink:
    module, name = LAZY[kind]
    try:
        make: MakeLink = getattr(importlib.import_module(module), name)
    except ImportError as fault:
        raise LocalError(
            f"{kind.value.lower()} needs {fault.name or module}, which is not "
            "installed here: install menshen with the extra that brings it"
        ) from None
    return make
