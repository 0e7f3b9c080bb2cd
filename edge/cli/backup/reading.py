# SPDX-License-Identifier: Apache-2.0
"""A backup looked into, and taken apart.

The law of the module: nothing comes out of a file but the parts that its manifest
names, byte for byte as they were put in; what is torn or changed is told by its name.
Whoever made it: plain files alone are looked at, no link, no device, no long name, and
memory holds no more than a manifest and a piece.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from edge.cli.backup.errors import BackupError
from edge.cli.backup.manifest import MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A manifest has about a kilobyte, and 200 bytes for each recording.
MANIFEST_BYTES = 262_144
CHUNK = 1 << 20
_TORN = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


class _Plain(tarfile.TarInfo):
    """A plain file's entry; any other is refused before what follows it is read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Plain:
        entry = super().frombuf(buf, encoding, errors)
        if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise tarfile.ReadError("not a plain file")
        return entry


def look(path: Path) -> Manifest:
    """Return what a backup says is inside; BackupError if it is none."""
    with _opened(path) as archive:
        return _manifest(path, archive)


def unpack(path: Path, folder: Path) -> Manifest:
    """Lay the parts out in ``folder``, on the disk; BackupError if one is not whole."""
    return _read(path, folder)


def check(path: Path) -> Manifest:
    """Read every part and lay none out; BackupError if one is not whole."""
    return _read(path, None)


def _read(path: Path, folder: Path | None) -> Manifest:
    with _opened(path) as archive:
        manifest = _manifest(path, archive)
        left = dict(manifest.parts)
        while (entry := archive.next()) is not None:
            part = left.pop(entry.name, None)
            content = archive.extractfile(entry) if entry.isreg() else None
            if part is None or content is None or entry.size != part.size:
                raise _changed(path, entry.name)
            with _new_file(folder, entry.name) as file:
                digest = _copy(content, file)
            if digest != part.sha256:
                raise _changed(path, entry.name)
    if left:
        what = f"torn, {min(left)} is not in it; take another one"
        raise BackupError(f"{path}: {what}", "torn")
    return manifest


def _copy(content: IO[bytes], file: IO[bytes] | None) -> str:
    """Read a part to its end, and write it where there is a file for it."""
    digest = hashlib.sha256()
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        if file is not None:
            file.write(chunk)
    return digest.hexdigest()


@contextmanager
def _new_file(folder: Path | None, name: str) -> Iterator[IO[bytes] | None]:
    """Open a part's own new file, and have it on the disk at the end."""
    if folder is None:
        yield None
        return
    target = folder / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _changed(path: Path, name: str) -> BackupError:
    what = f"{name[:64]!r} is not as it was written"
    return BackupError(f"{path}: {what}; take another one", "torn")


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r|gz", tarinfo=_Plain) as archive:
            yield archive
    except _TORN as fault:
        what = f"{path}: torn, or no backup; take another one"
        raise BackupError(what, "torn") from fault
    except OSError as fault:
        raise BackupError(f"{path}: {fault.strerror or fault}") from fault


def _manifest(path: Path, archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != MANIFEST or first.size > MANIFEST_BYTES:
        raise BackupError(f"{path}: no backup of Menshen", "torn")
    content = archive.extractfile(first)
    try:
        return read_manifest(content.read() if content else b"")
    except BackupError as fault:
        raise BackupError(f"{path}: {fault}", fault.kind or "torn") from fault
