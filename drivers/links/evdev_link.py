# SPDX-License-Identifier: Apache-2.0
"""A keyboard-like device of this box in the event loop, for us alone.

The law of the module: it opens and grabs; what cannot be grabbed is not read, since
its keys would be typed into the console too. All else is the stream link's. No package
is needed: the kernel's events are read as they are.

Source: Linux ``include/uapi/linux/input.h`` (EVIOCGRAB), evdev's ``EBUSY`` for a device
that another program has grabbed, ``ENODEV`` once it is unplugged.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.links.link import PortError
from drivers.links.port_faults import why_not
from drivers.links.stream_link import StreamLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.device import Device
    from drivers.links.link import Clock, OnSignals, OnState

#: ``_IOW('E', 0x90, int)``.
EVIOCGRAB = 0x40044590
BY_ID = Path("/dev/input/by-id")
#: Names of devices listed in a text at most; a box has two to six.
MAX_NAMES = 8


def grab(descriptor: int) -> None:
    """Have the device's events come to this descriptor alone; OSError if not."""
    fcntl.ioctl(descriptor, EVIOCGRAB, 1)


class OpenEvdevPort:
    """An open device, only read from; see :class:`drivers.links.link.OpenPort`."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def unsent_bytes(self) -> int:
        """Return 0: nothing is ever written."""
        return 0

    def recall(self) -> None:
        """Have nothing to take back."""

    def discard(self) -> None:
        """Leave it to the reader: a device's queue is emptied by reading."""

    def close(self) -> None:
        """Close it, which ends the grab."""
        os.close(self.descriptor)


class EvdevPort:
    """A device by its path; see :class:`drivers.links.link.PortOpener`."""

    byte_s = 0.0
    late_s = 0.0

    def __init__(
        self, path: str, *, grab: Callable[[int], None] = grab, by_id: Path = BY_ID
    ) -> None:
        self.name = path
        self._grab = grab
        self._by_id = by_id

    async def open(self) -> OpenEvdevPort:
        """Open and grab the device; PortError says why not."""
        try:
            return OpenEvdevPort(self._open())
        except OSError as fault:
            raise PortError(self._why(fault)) from None

    def _open(self) -> int:
        descriptor = os.open(self.name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._grab(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _why(self, fault: OSError) -> str:
        match fault.errno:
            case errno.ENOENT:
                return f"{self.name}: No such file or directory: {self._there_is()}"
            case errno.ENOTTY | errno.EINVAL:
                return f"{self.name}: this is no input device; see {self._by_id}"
            case _:
                return why_not(self.name, fault.errno, str(fault))

    def _there_is(self) -> str:
        names: list[str] = []
        with suppress(OSError):
            names = sorted(entry.name for entry in self._by_id.glob("*-event-kbd"))
        if not names:
            return "no scanner of the keyboard kind is plugged in; check its plug"
        return f"plug it in; plugged in are {', '.join(names[:MAX_NAMES])}"


class EvdevLink(StreamLink):
    """One keyboard-like device; see :class:`drivers.links.device_link.DeviceLink`."""

    def __init__(
        self,
        port: str,
        device: Device,
        on_signals: OnSignals,
        *,
        now: Clock,
        on_state: OnState,
        grab: Callable[[int], None] = grab,
    ) -> None:
        opener = EvdevPort(port, grab=grab)
        super().__init__(opener, device, on_signals, now=now, on_state=on_state)
