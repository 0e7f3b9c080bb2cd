# SPDX-License-Identifier: Apache-2.0
"""A pseudo-terminal behind a symbolic link, as a stand-in for a USB serial port."""

from __future__ import annotations

import os
import tty
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class PtyPort:
    """The far end of a serial port: ``plug``, ``unplug``, ``write``, ``read``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._master = self._slave = -1

    def plug(self) -> None:
        """Make a new terminal and point the link at it."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        fresh = self.path.with_suffix(".new")
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.rename(self.path)

    def unplug(self) -> None:
        """Hang up, as a USB adapter does that is pulled out."""
        if self._master >= 0:
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1
            self.path.unlink()

    def write(self, data: bytes) -> None:
        assert os.write(self._master, data) == len(data)

    def read(self) -> bytes:
        """Return what has arrived by now; empty if nothing has."""
        try:
            return os.read(self._master, 65536)
        except BlockingIOError:
            return b""
