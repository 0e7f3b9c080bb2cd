# SPDX-License-Identifier: Apache-2.0
"""One pseudo-terminal as a serial port, under a name that survives replugging.

The law of the module: it owns two file descriptors and one symbolic link. Its own slave
end stays open, so that a gateway that dies does not hang up the master; closing both is
the pulled cable: the gateway's end then reads end of file or EIO and writes EIO.
Source: pty(7), tty_ioctl(4); Linux keeps the slave's rate (not its parity) where the
master can read it. A pty made at replugging has another number, hence the link.
"""

from __future__ import annotations

import os
import termios
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: More than any frame of our devices; the kernel's own limit is 4096 at a time.
READ_BYTES = 65_536
#: The rates that Linux names; others cannot be told from a termios structure.
_RATES = {
    getattr(termios, f"B{rate}"): rate
    for rate in (4_800, 9_600, 19_200, 38_400, 57_600, 115_200, 230_400)
}


class PseudoTerminal:
    """A pty in raw mode whose slave stands at ``link``; open until :meth:`close`."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.lost_bytes = 0
        self.master, self._slave = os.openpty()
        try:
            tty.setraw(self.master)
            tty.setraw(self._slave)
            os.set_blocking(self.master, False)
            self._target = os.ttyname(self._slave)
            self._point_link()
        except OSError:
            os.close(self.master)
            os.close(self._slave)
            raise

    def read(self) -> bytes:
        """Return what the gateway wrote, or nothing."""
        try:
            return os.read(self.master, READ_BYTES)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Hand bytes to the gateway; what its full buffer refuses is lost, counted.

        A UART does not wait either.
        """
        try:
            written = os.write(self.master, data)
        except BlockingIOError:
            written = 0
        self.lost_bytes += len(data) - written

    def line_baud(self) -> int | None:
        """Return the rate the gateway set, or None if Linux has no name for it."""
        return _RATES.get(termios.tcgetattr(self.master)[5])

    def close(self) -> None:
        """Pull the cable: both ends go, and the link if it is still ours."""
        try:
            if self.link.readlink().as_posix() == self._target:
                self.link.unlink()
        except OSError:
            pass  # someone else removed or replaced the link: it is theirs now
        os.close(self.master)
        os.close(self._slave)

    def _point_link(self) -> None:
        """Point the link at the new slave, in one step for whoever opens it."""
        fresh = self.link.with_name(f".{self.link.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self._target)
        fresh.replace(self.link)
