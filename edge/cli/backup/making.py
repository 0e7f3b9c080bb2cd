# SPDX-License-Identifier: Apache-2.0
"""A backup made beside a gateway that goes on, or without one.

The law of the module: databases are read by a reader of their own, each as it stood at
one instant, and no writer ever waits; the file appears under its name when all of it
is on the disk. No key is in it unless a passphrase seals it.
Source: sqlite.org lang_vacuum.html (VACUUM INTO reads in one transaction).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tomllib
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import ASIDE
from edge.cli.backup.manifest import (
    ACCOUNTS,
    DATABASES,
    DAYS,
    FOLDER,
    JOURNAL,
    KEPT_SITE,
    KEYS,
    MANIFEST,
    MAX_SOUND_BYTES,
    MAX_SOUNDS,
    NAME,
    ROSTER,
    SITE,
    SOUND,
    VOICE,
    Manifest,
    Part,
)
from edge.cli.backup.reading import look
from edge.cli.backup.sealing import seal
from edge.cli.keys.install import make_folder, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

WORK = ".making"
#: Nightly backups that are kept, the newest.
KEPT = 14
CHUNK = 1 << 20
_COUNTS = {
    JOURNAL: (
        "SELECT count(*) FROM event",
        'SELECT count(*) FROM event WHERE core LIKE \'%"k":"ERASED"%\'',
        "SELECT coalesce((SELECT name FROM epoch ORDER BY counter DESC LIMIT 1), '')",
    ),
    ROSTER: (
        (
            "SELECT count(DISTINCT name) FROM entry, current"
            " WHERE kind = 'holder' AND place > after AND place <= upto"
        ),
    ),
    ACCOUNTS: ("SELECT count(*) FROM entry WHERE kind = 'account'",),
}


def make(
    state: Path,
    *,
    at_ms: int,
    version: str,
    out: Path | None = None,
    site: Path | None = None,
    passphrase: str = "",
) -> tuple[Path, Manifest]:
    """Write a backup of ``state``; return its path and what is in it.

    ``out``: another file than the usual one below ``state``; ``site``: another site
    file than the kept one. BackupError, sqlite3.Error and OSError leave nothing.
    """
    folder = state / FOLDER if out is None else out.parent
    make_folder(folder)
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)  # of somebody whom the power left
    work.mkdir(mode=0o700)
    try:
        manifest = _gather(state, work, site or state / KEPT_SITE, at_ms, version)
        if passphrase:
            (work / KEYS).write_bytes(seal(state, passphrase, manifest.site))
        left_out = _gather_voice(state, work)
        parts = {name: _part(work / name) for name in _order(work)}
        manifest = replace(manifest, parts=parts, left_out=left_out)
        target = out or folder / manifest.file_name
        _pack(work, manifest, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target, manifest


def prune(state: Path, newest: Manifest) -> None:
    """Keep the newest backups, and none that knows somebody erased since.

    With those go the files that a restore set aside. OSError if one cannot go.
    """
    if prune_folder(state / FOLDER, newest):
        for aside in state.glob(f"{ASIDE}*"):
            shutil.rmtree(aside)


def prune_folder(folder: Path, newest: Manifest) -> bool:
    """Keep a folder's newest backups of a site; say whether one knew an erased one.

    Backups of other sites stay: a stick may be carried from box to box.
    """
    mine = [path for path in sorted(folder.iterdir()) if _is_of(path, newest)]
    gone = mine[:-KEPT]
    known = [(path, _erased(path)) for path in mine[-KEPT:]]
    knowing = [path for path, erased in known if erased < newest.erased]
    for path in (*gone, *knowing):
        path.unlink()
    sync_folder(folder)
    return bool(knowing)


def _is_of(path: Path, newest: Manifest) -> bool:
    found = NAME.fullmatch(path.name)
    site = path.name[: found.start(1)] if found else ""
    return bool(site) and newest.file_name.startswith(site) and path.is_file()


def _erased(path: Path) -> int:
    """Return how many were erased before it was made; a torn one knows everybody."""
    try:
        return look(path).erased
    except BackupError:
        return 0


def _gather(state: Path, work: Path, site: Path, at_ms: int, version: str) -> Manifest:
    """Lay all parts out in ``work``; the days first, which may lag but not lead."""
    try:
        text = site.read_bytes()
        tables = tomllib.loads(text.decode())
        site_id, name = str(tables["site"]["id"]), str(tables["site"].get("name", ""))
        offset = int(tables["site"].get("utc_offset_hours", 8))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        what = f"{site}: no good site file; start the gateway once, or give --site"
        raise BackupError(what) from fault
    (work / SITE).write_bytes(text)
    if not (state / JOURNAL).is_file():
        raise BackupError(f"{state}: no journal here; is --state the right folder?")
    _need_room(state, work)
    with suppress(FileNotFoundError):
        shutil.copyfile(state / DAYS, work / DAYS)
    counts: dict[str, list[Any]] = {}
    for database in DATABASES:
        if (state / database).is_file():
            counts[database] = _copy(state / database, work / database)
    events, erased, epoch = counts[JOURNAL]
    return Manifest(
        site=site_id,
        name=name,
        offset_hours=offset,
        at_ms=at_ms,
        version=version,
        epoch=epoch,
        events=events,
        erased=erased,
        holders=sum(counts.get(ROSTER, ())),
        accounts=sum(counts.get(ACCOUNTS, ())),
        parts={},
    )


def _need_room(state: Path, work: Path) -> None:
    """Raise BackupError where copies and their file would not fit on the disk."""
    files = (state / name for name in DATABASES)
    needed = 2 * sum(path.stat().st_size for path in files if path.is_file())
    if shutil.disk_usage(work).free < needed:
        raise BackupError(
            f"{work.parent}: no room ({needed >> 20} MB are needed); make some, or "
            "give --out on another disk"
        )


def _copy(source: Path, target: Path) -> list[Any]:
    """Copy a database as it stands now, without its free pages; return its counts."""
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as reader:
        reader.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
    with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as copy:
        return [copy.execute(sql).fetchone()[0] for sql in _COUNTS[target.name]]


def _gather_voice(state: Path, work: Path) -> int:
    """Lay out what a door says here alone; return how many files stay behind.

    A file that goes while it is copied was replaced: the next backup has it.
    """
    left_out, count = 0, 0
    for path in sorted((state / VOICE).rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(state).as_posix()
        is_ours = SOUND.fullmatch(name) is not None and count < MAX_SOUNDS
        if not is_ours or path.stat().st_size > MAX_SOUND_BYTES:
            left_out += 1
            continue
        (work / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(path, work / name, follow_symlinks=False)
            count += 1
    return left_out


def _order(work: Path) -> list[str]:
    found = (path for path in work.rglob("*") if path.is_file())
    return sorted(path.relative_to(work).as_posix() for path in found)


def _part(path: Path) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(size=path.stat().st_size, sha256=digest)


def _pack(work: Path, manifest: Manifest, target: Path) -> None:
    hidden = target.with_name(f".{target.name}.new")
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(hidden, flags, 0o600), "w+b") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
                text = json.dumps(manifest.dump(), ensure_ascii=False, indent=1)
                _add(archive, MANIFEST, text.encode(), manifest.at_ms)
                for name in manifest.parts:
                    _add(archive, name, work / name, manifest.at_ms)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(target)
        sync_folder(target.parent)
    finally:
        hidden.unlink(missing_ok=True)


def _add(
    archive: tarfile.TarFile, name: str, content: bytes | Path, at_ms: int
) -> None:
    """Add a file without whose it was."""
    entry = tarfile.TarInfo(name)
    entry.mode, entry.mtime = 0o600, at_ms // 1000
    if isinstance(content, bytes):
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
        return
    entry.size = content.stat().st_size
    with content.open("rb") as file:
        archive.addfile(entry, file)
