# SPDX-License-Identifier: Apache-2.0
"""A restore that was made ready, carried out or forgotten.

The law of the module: what was there is set aside and never deleted, each step may be
done again after a power cut, and nothing here takes long: a start does it before it
opens anything.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from edge.cli.backup.errors import BackupError
from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import sync_folder, write

if TYPE_CHECKING:
    from pathlib import Path

STAGE, NEW, PLAN = "restoring", "new", "plan.json"
ASIDE = "before-restore-"
#: What the last restore has come to, for status and page.
RESULT = "restored.json"
_COMPANIONS = ("", "-wal", "-shm")


def is_staged(state: Path) -> bool:
    """Say whether a restore waits for the next start."""
    return (state / STAGE / PLAN).exists()


def cancel(state: Path) -> None:
    """Forget what was made ready; BackupError if it is half-way carried out."""
    plan = _plan(state / STAGE / PLAN)
    if plan and (state / plan["aside"]).exists():
        raise BackupError(
            f"{state}: the restore before is half-way; start the gateway once more"
        )
    _clear(state)


def _clear(state: Path) -> None:
    plan = state / STAGE / PLAN
    with suppress(FileNotFoundError):
        plan.unlink()
        sync_folder(plan.parent)
    shutil.rmtree(state / STAGE, ignore_errors=True)


def finish_restore(state: Path) -> str:
    """Carry out what was made ready; return where what was there lies, "" for none.

    May be repeated after a power cut at any step. BackupError and OSError say what
    hinders it; the next start tries again.
    """
    plan = _plan(state / STAGE / PLAN)
    if not plan:
        shutil.rmtree(state / STAGE, ignore_errors=True)
        return ""
    aside, fresh = state / plan["aside"], state / STAGE / NEW
    for name in plan["names"]:
        if not (fresh / name).exists():
            continue  # it came before the power went
        for companion in _COMPANIONS:
            there = state / f"{name}{companion}"
            if there.exists():
                _move(there, aside / f"{name}{companion}")
        _move(fresh / name, state / name)
    for name in plan["gone"]:
        if (state / name).exists():
            _move(state / name, aside / name)
    result = {"file": plan["file"], "by": plan["by"], "aside": aside.name}
    write(state / RESULT, json.dumps(result))
    _clear(state)
    return str(aside.name)


def result(state: Path) -> dict[str, str]:
    """Return what the last restore came to: file, by, aside, fault; empty if none."""
    try:
        value = json.loads((state / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(value, dict):
        return {}
    return {str(key): str(text) for key, text in value.items()}


def note_told(state: Path) -> None:
    """Note that the journal has been told of it."""
    with suppress(OSError, KeyFileError):
        write(state / RESULT, json.dumps(result(state) | {"told": "yes"}))


def tell_fault(state: Path, fault: str) -> None:
    """Leave word of a restore that could not be carried out."""
    with suppress(
        OSError, KeyFileError
    ):  # the disk that failed may take no word either
        write(state / RESULT, json.dumps({"fault": fault[:240]}))


def _plan(path: Path) -> dict[str, Any]:
    """Return what was made ready, empty if nothing; BackupError if it cannot be."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as fault:
        what = "not as it was written; the disk fails, restore once more"
        raise BackupError(f"{path}: {what}") from fault
    if not isinstance(plan, dict):
        raise BackupError(f"{path}: not as it was written; restore once more")
    return plan


def _move(source: Path, target: Path) -> None:
    if not target.parent.is_dir():
        target.parent.mkdir(mode=0o700, parents=True)
        sync_folder(target.parent.parent)
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)
