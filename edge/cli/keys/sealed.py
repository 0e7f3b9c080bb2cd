# SPDX-License-Identifier: Apache-2.0
"""Sealed keys, opened and turned into the files that they belong in.

The law of the module: what does not open, is for another box or site, is older than
what is held, or is not as its use asks for has no effect and a named reason. All that
one message brings is put in place at once, with the numbers that stand for it.
Source: docs/enrolment.md, "Sealed keys".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud_sync.key_shapes import fault_of
from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.sealing import SealedKeys, unseal
from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import ANYBODY, FOLDER, KeyFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from edge.cli.box_key import BoxKey

NUMBERS = f"{FOLDER}/sealed.json"
TICKETS = f"{FOLDER}/tickets.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Whose sealed keys are taken, and where their files are, below ``state``."""

    state: Path
    box: BoxKey
    gateway: str
    site: str
    site_file: str
    platform_file: str


@dataclass(slots=True)
class Opened:
    """What sealed rows came to: files to install, uses that are new, refusals."""

    files: dict[str, KeyFile] = field(default_factory=dict)
    uses: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def numbers(state: Path) -> dict[str, int]:
    """Return the number of the keys that are held, by use."""
    try:
        found = json.loads((state / NUMBERS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_good = isinstance(found, dict) and all(
        isinstance(each, int) for each in found.values()
    )
    return found if is_good else {}


def open_rows(lock: Lock, bodies: Iterable[Mapping[str, Any]]) -> Opened:
    """Open the bodies of sealed rows; nothing is put in place yet."""
    opened, held = Opened(), numbers(lock.state)
    before = dict(held)
    for body in bodies:
        found = _open(lock, body)
        if isinstance(found, Refused):
            opened.refused.append(found)
        elif found.number < held.get(found.use, 0):
            why = f"{found.use} keys {found.number}, and {held[found.use]} are held"
            opened.refused.append(Refused(kind=RefusalKind.OLDER, why=why))
        elif found.number > held.get(found.use, 0):
            held[found.use] = found.number
            opened.uses.append(found.use)
            _file(lock, opened.files, found)
    if held != before:
        opened.files[NUMBERS] = KeyFile(text=json.dumps(held))
    return opened


def _open(lock: Lock, body: Mapping[str, Any]) -> SealedKeys | Refused:
    private = lock.box.sealing_private
    found = unseal(body.get("jwe"), private, gateway=lock.gateway, site=lock.site)
    if isinstance(found, Refused):
        return found
    if (found.use, found.number) != (body.get("use"), body.get("n")):
        why = "its row names another use or number than the seal"
        return Refused(kind=RefusalKind.BODY, why=why)
    fault = fault_of(found.use, found.keys)
    if fault:
        return Refused(kind=RefusalKind.BODY, why=f"{found.use} keys: {fault}")
    return found


def _file(lock: Lock, files: dict[str, KeyFile], found: SealedKeys) -> None:
    keys = dict(found.keys)
    match found.use:
        case "site":
            files[lock.site_file] = KeyFile(text=json.dumps(keys))
        case "command":
            files[lock.platform_file] = KeyFile(text=json.dumps(keys), mode=ANYBODY)
        case "rotation":
            _tickets(lock, files, rotation=keys["rotation"])
        case _:
            _tickets(lock, files, keys=keys["keys"])


def _tickets(lock: Lock, files: dict[str, KeyFile], **changed: Any) -> None:
    """Change a part of the file of ticket keys."""
    path = lock.state / TICKETS
    try:
        text = files[TICKETS].text if TICKETS in files else path.read_text("utf-8")
        content = json.loads(text)
    except FileNotFoundError:
        content = {"keys": [], "rotation": []}
    except (OSError, ValueError) as fault:
        what = f"{path}: cannot be read, restore it from the backup"
        raise KeyFileError(what) from fault
    files[TICKETS] = KeyFile(text=json.dumps(content | changed))
