# SPDX-License-Identifier: Apache-2.0
"""The folder of one gateway's state: its own alone, and nobody else's to read.

The law of the module: two gateways never share a journal; whoever comes second is
told so and changes nothing.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A Unix socket's path has room for so many bytes (unix(7)).
SOCKET_PATH_BYTES = 107


class StateFolderError(Exception):
    """The folder cannot be used; the text says what to do."""


@contextmanager
def own_folder(folder: Path, name: str) -> Iterator[None]:
    """Hold the folder's lock ``name`` for the block; StateFolderError if taken."""
    socket = folder / "control.sock.new"  # its name until it answers
    if len(os.fsencode(socket)) > SOCKET_PATH_BYTES:
        raise StateFolderError(
            f"{folder}: too long a path for a socket in it ({SOCKET_PATH_BYTES} bytes "
            "at most), choose a shorter --state"
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _open_lock(folder / name)
    except OSError as fault:
        raise StateFolderError(f"{folder}: {fault.strerror}") from fault
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(descriptor)
        raise StateFolderError(
            f"{folder}: another one works in this folder already; end it, or choose "
            "another --state"
        ) from fault
    try:
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        # A card that went read-only: what was locked there before can be again.
        return os.open(path, os.O_RDONLY)
