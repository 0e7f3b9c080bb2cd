# SPDX-License-Identifier: Apache-2.0
"""A backup put in the place of what is there, whenever the power goes.

The law of the module: all that comes is checked and on the disk before one file of
before is touched; from then on it is only carried forward, by whoever comes next. What
was there is set aside and never deleted. The site file and what stands of an emergency
stay as they are: doors go on by what is in force, but for a box that was empty.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tomllib
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import ASIDE, NEW, PLAN, STAGE, cancel
from edge.cli.backup.first_stage import adopt_settings, keep_tablet
from edge.cli.backup.manifest import (
    ACCOUNTS,
    DATABASES,
    DAYS,
    JOURNAL,
    KEPT_SITE,
    KEYS,
    PLACES,
    ROSTER,
    SOUND,
    VOICE,
    Manifest,
    place_of,
    stamp,
)
from edge.cli.backup.reading import look, unpack
from edge.cli.backup.sealing import unseal
from edge.cli.keys.install import sync_folder, write
from edge.storage import schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Room that a restore leaves for the gateway that starts on it.
SPARE_BYTES = 16 << 20
_SCHEMAS = {
    JOURNAL: schema.JOURNAL,
    ROSTER: schema.ROSTER,
    ACCOUNTS: schema.ACCOUNTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be restored: by whom, when (UTC ms), and how much of it.

    ``passphrase`` opens the keys, "" leaves those of this box; ``takes_other`` lets
    another site's backup in. ``tablet`` is the one that restores an empty box, as its
    entry stands: it stays paired, and the settings are to be in force.
    """

    by: str
    at_ms: int
    passphrase: str = ""
    takes_other: bool = False
    tablet: Mapping[str, Any] | None = None


def site_of(state: Path) -> str:
    """Return whose state a folder is, "" for nobody's yet."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        text = (state / KEPT_SITE).read_text(encoding="utf-8")
        return str(tomllib.loads(text)["site"]["id"])
    return ""


def replaced(state: Path, manifest: Manifest) -> list[str]:
    """Return which files a restore would set aside."""
    names = (place_of(name) for name in manifest.parts)
    there = [name for name in names if name and (state / name).exists()]
    return list(dict.fromkeys(VOICE if SOUND.fullmatch(n) else n for n in there))


def stage(path: Path, state: Path, wish: Wish) -> Manifest:
    """Make ready what ``finish_restore`` then carries out.

    BackupError leaves everything as it was; so does a power cut on the way.
    """
    manifest = look(path)
    mine = site_of(state)
    if mine and mine != manifest.site and not wish.takes_other:
        raise BackupError(
            f"{path}: of the site {manifest.site!r}, and this is {mine!r}; "
            "--other-site if that is meant"
        )
    if shutil.disk_usage(state).free < manifest.size + SPARE_BYTES:
        needed = (manifest.size + SPARE_BYTES) >> 20
        raise BackupError(f"{state}: no room ({needed} MB are needed)", "room")
    cancel(state)
    fresh = state / STAGE / NEW
    fresh.mkdir(mode=0o700, parents=True)
    try:
        unpack(path, fresh)
        _check(path, fresh)
        _lay_keys(fresh, wish.passphrase, manifest)
        if wish.tablet is not None:
            adopt_settings(fresh)
            keep_tablet(fresh, wish.tablet, has_keys=bool(wish.passphrase))
        for name in (each for each in PLACES if (fresh / each).exists()):
            if PLACES[name] != name:
                (fresh / name).rename(fresh / PLACES[name])
        _sync_all(fresh)
        plan = {
            "file": path.name if wish.tablet is None else manifest.file_name,
            "by": wish.by,
            "aside": _aside(state, stamp(wish.at_ms, manifest.offset_hours)),
            "names": sorted(_names(fresh)),
            # What speaks of a journal that goes, and has nothing in its place.
            "gone": [] if (fresh / DAYS).exists() else [DAYS],
        }
        write(state / STAGE / PLAN, json.dumps(plan))  # from here on it will be done
    except BaseException:
        cancel(state)
        raise
    return manifest


def _check(path: Path, fresh: Path) -> None:
    """Refuse a database that this program cannot open."""
    for name in DATABASES:
        if not (fresh / name).exists():
            continue
        known = _SCHEMAS[name]
        uri = f"{(fresh / name).resolve().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as reader:
                [owner] = reader.execute("PRAGMA application_id").fetchone()
                [version] = reader.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as fault:
            what = f"{path}: {name} cannot be read ({fault})"
            raise BackupError(what, "torn") from fault
        if owner != known.application_id or version > len(known.migrations):
            what = f"{name} is of another or a newer program"
            raise BackupError(f"{path}: {what}; restore it with that one", "newer")


def _lay_keys(fresh: Path, passphrase: str, manifest: Manifest) -> None:
    sealed = fresh / KEYS
    if not sealed.exists():
        if passphrase:
            raise BackupError("no keys are in it; restore it without --keys")
        return
    content = sealed.read_bytes()
    sealed.unlink()
    if not passphrase:
        return
    for name, (text, mode) in unseal(content, passphrase, manifest.site).items():
        target = fresh / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())


def _aside(state: Path, when: str) -> str:
    """Return a name that no restore before has taken."""
    name, number = f"{ASIDE}{when}", 1
    while (state / name).exists():
        number += 1
        name = f"{ASIDE}{when}-{number}"
    return name


def _names(fresh: Path) -> list[str]:
    found = (path for path in fresh.rglob("*") if path.is_file())
    return [path.relative_to(fresh).as_posix() for path in found]


def _sync_all(fresh: Path) -> None:
    for folder in (*(path for path in fresh.rglob("*") if path.is_dir()), fresh):
        sync_folder(folder)
    sync_folder(fresh.parent)
