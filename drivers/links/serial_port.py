# SPDX-License-Identifier: Apache-2.0
"""Opening a serial port of this box, raw and for us alone.

The law of the module: it opens, sets and closes; a port that will not open says in
plain words why. Closing never waits for bytes that a stuck line does not take.

Source: pyserial 3.5 for the port's settings; tty_ioctl(4) and termios(3) for the rest.
"""

from __future__ import annotations

import array
import fcntl
import termios
from contextlib import suppress

import serial

from drivers.errors import LocalError
from drivers.links.link import PortError
from drivers.links.port_faults import why_not

#: Start bit, eight data bits, stop bit.
BITS_A_BYTE = 10
#: A USB adapter and a busy kernel; below the shortest time-out that a driver may have.
LATE_S = 0.01


class OpenSerialPort:
    """An open port; see :class:`drivers.links.link.OpenPort`."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port
        self.descriptor: int = port.fileno()

    def unsent_bytes(self) -> int:
        """Return how much the kernel still holds; 0 where it cannot tell."""
        held = array.array("i", [0])
        fcntl.ioctl(self.descriptor, termios.TIOCOUTQ, held)
        return held[0]

    def recall(self) -> None:
        """Take back what was not sent."""
        self._flush(termios.TCOFLUSH)

    def discard(self) -> None:
        """Forget what waits in both directions."""
        self._flush(termios.TCIOFLUSH)

    def close(self) -> None:
        """Close the port; what is unsent goes nowhere."""
        with suppress(OSError):
            self.recall()
        self._port.close()

    def _flush(self, queue: int) -> None:
        try:
            termios.tcflush(self.descriptor, queue)
        except termios.error as fault:
            raise PortError(str(fault.args[-1])) from None


class SerialPort:
    """A port by its path; see :class:`drivers.links.link.PortOpener`."""

    def __init__(self, path: str, baud: int) -> None:
        if baud not in serial.Serial.BAUDRATES:
            raise LocalError(f"{path}: no serial port runs at {baud} baud")
        self.name = path
        self.baud = baud
        self.byte_s = BITS_A_BYTE / baud
        self.late_s = LATE_S
        #: The error number last explained: looking for the culprit takes milliseconds.
        self._explained: tuple[int | None, str] | None = None

    async def open(self) -> OpenSerialPort:
        """Open the port with empty queues; PortError says why not."""
        try:
            port = OpenSerialPort(_open(self.name, self.baud))
        except (OSError, termios.error) as fault:
            raise PortError(self._why(fault)) from None
        self._explained = None
        return port

    def _why(self, fault: Exception) -> str:
        number = fault.errno if isinstance(fault, OSError) else fault.args[0]
        if self._explained is None or self._explained[0] != number:
            self._explained = number, why_not(self.name, number, str(fault))
        return self._explained[1]


def _open(path: str, baud: int) -> serial.Serial:
    """Open a port raw, for us alone, with empty queues; OSError or termios.error.

    pyserial passes over the missing modem lines of a pseudo-terminal by itself.
    """
    port = serial.Serial(path, baud, exclusive=True)
    try:
        settings = termios.tcgetattr(port.fileno())
        # No input byte has a meaning to the kernel, a break included.
        settings[0] = 0
        # With VMIN 0 "nothing there" would look like "hung up": both read as empty.
        settings[6][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
        termios.tcflush(port.fileno(), termios.TCIOFLUSH)
    except BaseException:
        port.close()
        raise
    return port
