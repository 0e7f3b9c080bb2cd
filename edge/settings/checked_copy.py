# SPDX-License-Identifier: Apache-2.0
"""Settings that were found good, kept so that a start need not check them again.

The law of the module: a copy counts for a file only if it was made of that very file
by this very code; a torn or foreign one counts as none. Where the file itself has
become wrong, the copy is what was last good. Checking takes a library of ten megabytes
that the gateway then need not carry.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import typing
from typing import Any

from edge.settings.site import Settings

if typing.TYPE_CHECKING:
    from pathlib import Path


def stamp_of(site: bytes, code: list[Path], others: list[str]) -> str:
    """Return what a copy of ``site`` is good for.

    ``code`` are the folders of what checks it, told apart by their files' names, sizes
    and times; ``others`` name what drivers of somebody else's are installed.
    """
    digest = hashlib.sha256(site)
    digest.update(json.dumps(others).encode())
    for folder in code:
        for file in sorted(folder.rglob("*.py")):
            seen = file.stat()
            digest.update(f"\0{file.name} {seen.st_size} {seen.st_mtime_ns}".encode())
    return digest.hexdigest()


def text_of(settings: Settings, stamp: str) -> str:
    """Return the text of a copy: a seal, a line's end, and what it seals."""
    kept = {"stamp": stamp, "settings": dataclasses.asdict(settings)}
    body = json.dumps(kept, ensure_ascii=False)
    return f"{_seal(body)}\n{body}"


def _seal(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def write_copy(path: Path, text: str) -> None:
    """Replace the copy at ``path``; a power cut leaves the old one, or none."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def read_copy(text: str, stamp: str | None) -> Settings | None:
    """Return the settings that a copy keeps under that stamp, or None.

    Without a stamp: whatever file and code they were made of, if they still fit.
    """
    seal, _, body = text.strip().partition("\n")
    if seal != _seal(body):
        return None
    try:
        kept = json.loads(body)
        if stamp is not None and kept["stamp"] != stamp:
            return None
        settings: Settings = _built(Settings, kept["settings"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return settings


def _built(hint: Any, value: Any) -> Any:
    """Build what a field's type says out of JSON."""
    if value is None:
        return None
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        parts = {key: _built(hints[key], part) for key, part in value.items()}
        return typing.cast("type[Any]", hint)(**parts)
    arguments = typing.get_args(hint)
    if isinstance(value, list):
        return [_built(arguments[0], part) for part in value]
    tables = [part for part in arguments if dataclasses.is_dataclass(part)]
    return _built(tables[0], value) if tables else value
