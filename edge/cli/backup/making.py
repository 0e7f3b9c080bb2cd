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
    NAME,
    ROSTER,
    SITE,
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
        parts = {name: _part(work / name) for name in _order(work)}
        manifest = _with_parts(manifest, parts)
        target = out or folder / manifest.file_name
        _pack(work, manifest, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target, manifest


def prune(state: Path, newest: Manifest) -> None:
    """Keep the newest backups, and none that knows somebody erased since.

    With those go the files that a restore set aside. OSError if one cannot go.
    """
    mine = [path for path in sorted((state / FOLDER).iterdir()) if _is_ours(path)]
    gone = mine[:-KEPT]
    known = [(path, _erased(path)) for path in mine[-KEPT:]]
    gone += [path for path, erased in known if erased < newest.erased]
    for path in gone:
        path.unlink()
    if any(erased < newest.erased for _, erased in known):
        for aside in state.glob(f"{ASIDE}*"):
            shutil.rmtree(aside)
    sync_folder(state / FOLDER)


def _is_ours(path: Path) -> bool:
    return NAME.fullmatch(path.name) is not None and path.is_file()


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


def _order(work: Path) -> list[str]:
    return sorted(path.name for path in work.iterdir())


def _part(path: Path) -> Part:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(size=path.stat().st_size, sha256=digest)


def _with_parts(manifest: Manifest, parts: dict[str, Part]) -> Manifest:
    values = {name: getattr(manifest, name) for name in manifest.__slots__}
    return Manifest(**(values | {"parts": parts}))


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
