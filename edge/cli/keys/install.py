# SPDX-License-Identifier: Apache-2.0
"""Several key files put in place as one, whenever the power goes.

The law of the module: what is to come stands whole in one file, on the disk, before
any file of before is touched; from then on it is only carried forward, by whoever
comes next, and nothing can end half-way. Before that nothing has happened. A secret's
file is its owner's from its first byte.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.box_key import OWNER_ALONE, give_away
from edge.cli.key_files import KeyFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FOLDER, INCOMING = "keys", "incoming.json"
ANYBODY = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """A file's text and its mode."""

    text: str
    mode: int = OWNER_ALONE


def install(
    state: Path, files: Mapping[str, KeyFile], removed: Sequence[str] = ()
) -> None:
    """Put all files in place, named as below ``state``; KeyFileError if none was."""
    finish(state)
    content = {
        "files": {name: [each.text, each.mode] for name, each in files.items()},
        "removed": list(removed),
    }
    write(state / FOLDER / INCOMING, json.dumps(content))
    finish(state)


def finish(state: Path) -> bool:
    """Carry forward what a power cut left; say whether there was something."""
    incoming = state / FOLDER / INCOMING
    try:
        content = json.loads(incoming.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except OSError as fault:
        raise _fault(incoming, fault) from fault
    except ValueError as flaw:  # it was written whole: the disk has lost it
        what = f"{incoming}: not as it was written; the disk fails, enrol anew"
        raise KeyFileError(what) from flaw
    for name, (text, mode) in content["files"].items():
        write(state / name, text, mode)
    try:
        for name in content["removed"]:
            (state / name).unlink(missing_ok=True)
        sync_folder(incoming.parent)
        incoming.unlink()
        sync_folder(incoming.parent)
    except OSError as fault:
        raise _fault(incoming, fault) from fault
    return True


def write(path: Path, text: str, mode: int = OWNER_ALONE) -> None:
    """Put a file in the place of the one before, on the disk when this returns."""
    hidden = path.with_name(f".{path.name}.new")
    create = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        make_folder(path.parent)
        with suppress(FileNotFoundError):
            hidden.unlink()  # of somebody whom the power left in the middle
        with os.fdopen(os.open(hidden, create, mode), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            give_away(hidden, path.parent)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        with suppress(OSError):
            hidden.unlink()
        raise _fault(path, fault) from fault


def make_folder(folder: Path) -> None:
    """Make the folder of keys if it is missing, its owner's alone."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700)
        give_away(folder, folder.parent)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fault(path: Path, fault: OSError) -> KeyFileError:
    return KeyFileError(
        f"{path}: cannot be kept ({fault.strerror}); check the disk of the state "
        "folder, and whose it is"
    )
