# SPDX-License-Identifier: Apache-2.0
"""A copy of a file on a USB stick, where one is in.

The law of the module: it runs in a process of its own, because a stick that fails can
hold up whoever asks it. A folder on the disk of the state folder is no stick. A file
is there under its name when all of it is on the stick, or not at all; what hinders it
is one of a few words. Source: statvfs(3), rename(2).
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.backup.making import prune_folder
from edge.cli.backup.reading import look
from edge.cli.keys.install import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What became of a copy, each with a sentence on the pages and in ``menshen status``.
DONE, NONE, FULL, READ_ONLY, BROKEN = "done", "none", "full", "read_only", "broken"
#: What stays free, so that a stick can be read and written on a computer too.
SPARE_BYTES = 1 << 20
CHUNK = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
#: A file that was half-way when somebody pulled the stick out.
_HALF = ".menshen-*.new"


def find(folders: Iterable[str], state: Path) -> Path | None:
    """Return the stick that is in, None for none; ``folders`` may hold a ``*``."""
    own = state.stat().st_dev
    for pattern in folders:
        for name in _there(pattern):
            with suppress(OSError):
                if name.is_dir() and name.stat().st_dev != own:
                    return name
    return None


def _there(pattern: str) -> list[Path]:
    """Return what has such a name; an empty slot that mounts when asked is nothing."""
    try:
        return sorted(Path("/").glob(pattern.lstrip("/")))
    except OSError:
        return []


def copy(source: Path, name: str, folders: Iterable[str], state: Path) -> str:
    """Copy a file to the stick under a name; return one of the words above."""
    stick = find(folders, state)
    if stick is None:
        return NONE
    try:
        return _copy(source, stick, name)
    except OSError as fault:
        if fault.errno in _FULL:
            return FULL
        return READ_ONLY if fault.errno in _READ_ONLY else BROKEN


def copy_backup(path: Path, folders: Iterable[str], state: Path) -> str:
    """Copy a backup, and let those go there that the box itself would not keep."""
    word = copy(path, path.name, folders, state)
    stick = find(folders, state)
    if word == DONE and stick is not None:
        with suppress(OSError):  # the copy is there; the next night tidies up
            prune_folder(stick, look(path))
    return word


def _copy(source: Path, stick: Path, name: str) -> str:
    for half in stick.glob(_HALF):
        half.unlink()
    if os.statvfs(stick).f_flag & os.ST_RDONLY:
        return READ_ONLY
    hidden = stick / f".{name}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with (
            source.open("rb") as read,
            os.fdopen(os.open(hidden, flags, 0o600), "wb") as written,
        ):
            _need_room(stick, source.stat().st_size)
            shutil.copyfileobj(read, written, CHUNK)
            written.flush()
            os.fsync(written.fileno())
        hidden.replace(stick / name)
        sync_folder(stick)
    except OSError:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise
    return DONE


def _need_room(stick: Path, size: int) -> None:
    """Raise what a full disk raises, before minutes are spent on filling it."""
    if shutil.disk_usage(stick).free < size + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
