# SPDX-License-Identifier: Apache-2.0
"""A file on a stick that is there whole or not at all.

The law of the module: it is written under another name, synced, and renamed when it is
complete; nothing that stands there already is touched. What goes wrong is told in a
line, for somebody who holds a stick.
Source: fsync(2), rename(2); FAT has no hard links, so a rename it is.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from cloud_sync.stick_file import StickError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Holder ids and hours are in it, so it is for nobody else where that can be said.
OWNER_ALONE = 0o600
_KEPT = "nothing is lost, the events stay in the box"
_SAYINGS = {
    errno.ENOSPC: ("STICK_FULL", f"make room or take another stick; {_KEPT}"),
    errno.EDQUOT: ("STICK_FULL", f"make room or take another stick; {_KEPT}"),
    errno.EFBIG: ("STICK_FULL", f"the stick takes no file so big; {_KEPT}"),
    errno.EROFS: ("READ_ONLY", "move the stick's write-protection, or take another"),
    errno.EACCES: ("READ_ONLY", "you may not write there; ask with sudo"),
    errno.EPERM: ("READ_ONLY", "you may not write there; ask with sudo"),
    errno.ENOENT: ("NO_STICK", "no such folder; is the stick plugged in and mounted?"),
    errno.ENOTDIR: ("NO_STICK", "no such folder; is the stick plugged in and mounted?"),
    errno.EIO: ("STICK_GONE", f"was it pulled? Put it in and export again; {_KEPT}"),
    errno.ENODEV: ("STICK_GONE", f"was it pulled? Put it in and export again; {_KEPT}"),
    errno.ENXIO: ("STICK_GONE", f"was it pulled? Put it in and export again; {_KEPT}"),
}


@contextmanager
def new_file(path: Path) -> Iterator[Callable[[bytes], int]]:
    """Yield what writes to a new file ``path``, which appears when the block ends.

    StickError if it cannot be; then there is no file of that name, nor a half one.
    """
    try:
        _assert_free(path)
        hidden = path.with_name(f".{path.name}.part")
        descriptor = _begin(hidden)
    except OSError as fault:
        raise _told(path, fault) from fault
    is_ours = True
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
            _assert_free(path)
            hidden.rename(path)
            is_ours = False
        _sync_folder(path.parent)
    except OSError as fault:
        raise _told(path, fault) from fault
    finally:
        if is_ours:
            with suppress(OSError):
                hidden.unlink(missing_ok=True)


def _begin(hidden: Path) -> int:
    """Open the hidden file; what a pulled stick left behind is written over."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(hidden, flags, OWNER_ALONE)
    try:
        is_ours = _is_ours(descriptor, hidden)
        if is_ours:
            os.ftruncate(descriptor, 0)
    except OSError:
        os.close(descriptor)
        raise
    if not is_ours:
        os.close(descriptor)
        raise StickError(
            "BUSY", f"{hidden}: another export is writing this file; wait for it"
        )
    return descriptor


def _is_ours(descriptor: int, hidden: Path) -> bool:
    """Lock the hidden file; another export may have it, or have just named it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == hidden.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _assert_free(path: Path) -> None:
    if path.is_dir():
        raise StickError("A_FOLDER", f"{path}: name a file in it, as {path}/gw.mnup")
    if path.exists() or path.is_symlink():
        raise StickError("EXISTS", f"{path}: is there already; choose another name")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOSYS):  # not every driver can
            raise
    finally:
        os.close(descriptor)


def _told(path: Path, fault: OSError) -> StickError:
    name, advice = _SAYINGS.get(fault.errno or 0, ("NOT_WRITTEN", _KEPT))
    return StickError(name, f"{path}: {fault.strerror}; {advice}")
