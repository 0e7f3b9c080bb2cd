# SPDX-License-Identifier: Apache-2.0
"""What the house needs of a link, and what a link needs of a port.

The law of the module: words alone. A link is the shell around one driver: it owns the
port and the timers and understands no byte. A port that will not open says why in
plain words (:class:`PortError`), and what to do about it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Order, Signal

    OnSignals = Callable[[list[Signal]], None]
    OnState = Callable[[bool, str], None]
    Clock = Callable[[], float]


class LinkKind(StrEnum):
    """By what a driver reaches its device."""

    #: Bytes in order: a serial port, or a serial server behind ``tcp://``.
    SERIAL = "SERIAL"
    UDP = "UDP"
    PCSC = "PCSC"
    EVDEV = "EVDEV"
    GPIO = "GPIO"


class Link(Protocol):
    """One port and its device, as the house sees them."""

    @property
    def is_open(self) -> bool:
        """Whether the device can be spoken to at this moment."""

    async def run(self) -> None:
        """Keep the port open until cancelled; leaves nothing open behind."""

    def order(self, order: Order) -> None:
        """Hand an order to the device at once; LocalError if not running."""

    def flush_input(self) -> None:
        """Throw away what waits, after the process stood still."""


class PortError(OSError):
    """A port cannot be opened or used: why, and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


class OpenPort(Protocol):
    """A port whose bytes come in order; both ends of it never block."""

    @property
    def descriptor(self) -> int:
        """What the event loop watches, and what bytes are read from and written to."""

    def unsent_bytes(self) -> int:
        """Return how much of what was written the kernel still holds."""

    def recall(self) -> None:
        """Take back what the kernel holds; PortError if it will go out all the same."""

    def discard(self) -> None:
        """Forget what the kernel holds; whoever reads on empties the rest."""

    def close(self) -> None:
        """Close it without waiting for what is unsent."""


class PortOpener(Protocol):
    """How a port is opened, again and again."""

    @property
    def name(self) -> str:
        """The port as the site file names it."""

    @property
    def byte_s(self) -> float:
        """How long one byte takes on the wire."""

    @property
    def late_s(self) -> float:
        """How much longer than that bytes may stay in the kernel."""

    async def open(self) -> OpenPort:
        """Open the port with empty queues; OSError says why not."""
