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
from cloud_sync.sealing import SealedKeys, is_row, unseal
from edge.cli.key_files import KeyFileError, read_platform_keys
from edge.cli.keys import site_keys
from edge.cli.keys.install import ANYBODY, FOLDER, KeyFile
from edge.cli.keys.numbers import NUMBERS, numbers
from edge.cli.ticket.key_files import ticket_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from edge.cli.box_key import BoxKey

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
    """What sealed rows came to: files to install, uses that are new, refusals.

    ``listed``: the site keys of before that the platform still needs; None where it
    says nothing of the site's key.
    """

    files: dict[str, KeyFile] = field(default_factory=dict)
    uses: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    listed: tuple[int, ...] | None = None


def open_rows(
    lock: Lock, bodies: Iterable[Mapping[str, Any]], *, enrols: bool = False
) -> Opened:
    """Open the bodies of sealed rows; nothing is put in place yet.

    ``enrols``: the box is at no work yet, so nothing that it holds has to go on.
    """
    opened, held = Opened(), numbers(lock.state)
    before = dict(held)
    for body in bodies:
        found = _open(lock, body)
        if isinstance(found, Refused):
            opened.refused.append(found)
        elif found.number < held.get(found.use, 0):
            why = f"{found.use} keys {found.number}, and {held[found.use]} are held"
            opened.refused.append(Refused(kind=RefusalKind.OLDER, why=why))
        elif found.use == "site":
            _take_site_key(lock, opened, found, held, enrols=enrols)
        elif found.number > held.get(found.use, 0):
            fault = _file(lock, opened.files, found, enrols=enrols)
            if fault:
                why = f"{found.use} keys {found.number}: {fault}"
                opened.refused.append(Refused(kind=RefusalKind.BODY, why=why))
                continue
            held[found.use] = found.number
            opened.uses.append(found.use)
    if held != before:
        opened.files[NUMBERS] = KeyFile(text=json.dumps(held))
    return opened


def _take_site_key(
    lock: Lock,
    opened: Opened,
    found: SealedKeys,
    held: dict[str, int],
    *,
    enrols: bool,
) -> None:
    """Take a site's key beside what is held: what people hold is known under that.

    Where a box enrols, what it holds has to be the platform's; else it stays alone,
    and whoever installs finds that out.
    """
    path = lock.state / lock.site_file
    before = site_keys.read(path, held.get("site", site_keys.FIRST_KEY))
    if enrols and before is not None and not site_keys.knows(found.keys, before):
        before = None
    after = site_keys.merged(before, found.number, found.keys)
    if isinstance(after, str):
        why = f"site key {found.number}: {after}"
        opened.refused.append(Refused(kind=RefusalKind.SITE_KEY, why=why))
        return
    opened.listed = tuple(each["n"] for each in found.keys.get("former", ()))
    held["site"] = found.number
    if after != before:
        opened.files[lock.site_file] = KeyFile(text=json.dumps(after))
        opened.uses.append(found.use)


def _open(lock: Lock, body: Mapping[str, Any]) -> SealedKeys | Refused:
    if not is_row(body):
        why = "a row of sealed keys that is not as agreed"
        return Refused(kind=RefusalKind.NOT_SEALED, why=why)
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


def _file(
    lock: Lock, files: dict[str, KeyFile], found: SealedKeys, *, enrols: bool
) -> str:
    """Put the keys into their file; return what is against it, and then do nothing."""
    keys = dict(found.keys)
    match found.use:
        case "command" if not enrols and not _overlaps(lock, keys):
            return "none of those held is among them: nobody could be believed"
        case "command":
            files[lock.platform_file] = KeyFile(text=json.dumps(keys), mode=ANYBODY)
        case "rotation":
            return _tickets(lock, files, rotation=keys["rotation"])
        case _:
            return _tickets(lock, files, keys=keys["keys"])
    return ""


def _overlaps(lock: Lock, keys: Mapping[str, Any]) -> bool:
    held = read_platform_keys(lock.state / lock.platform_file)
    return not set(held.values()).isdisjoint(keys.values())


def _tickets(lock: Lock, files: dict[str, KeyFile], **changed: Any) -> str:
    """Change a part of the file of ticket keys, if it can be read afterwards."""
    path = lock.state / TICKETS
    try:
        text = files[TICKETS].text if TICKETS in files else path.read_text("utf-8")
        content = json.loads(text)
    except FileNotFoundError:
        content = {"keys": [], "rotation": []}
    except (OSError, ValueError) as fault:
        what = f"{path}: cannot be read, restore it from the backup"
        raise KeyFileError(what) from fault
    try:
        ticket_keys(content | changed)
    except (AttributeError, KeyError, TypeError, ValueError) as flaw:
        return str(flaw) if isinstance(flaw, ValueError) else "not as agreed"
    files[TICKETS] = KeyFile(text=json.dumps(content | changed))
    return ""
