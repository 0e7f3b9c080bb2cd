# SPDX-License-Identifier: Apache-2.0
"""The lines of a site file that an enrolment changes, and no others.

The law of the module: comments and order stay; what would not read back as the file
before with exactly the new values is not written, and the lines are told instead.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Wanted = dict[str, dict[str, Any]]


def changes(text: str, wanted: Wanted) -> Wanted:
    """Return what of ``wanted`` (values by key by table; None: away) differs."""
    held = tomllib.loads(text)
    found: Wanted = {}
    for table, values in wanted.items():
        before = held.get(table, {})
        differs = {
            key: value for key, value in values.items() if before.get(key) != value
        }
        if differs:
            found[table] = differs
    return found


def changed(text: str, wanted: Wanted) -> str | None:
    """Return the file with the new values; None if that is beyond simple lines."""
    expected = tomllib.loads(text)
    for table, values in wanted.items():
        held = expected.setdefault(table, {})
        for key, value in values.items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
        text = _table(text, table, values)
    try:
        return text if tomllib.loads(text) == expected else None
    except tomllib.TOMLDecodeError:
        return None


def _table(text: str, table: str, values: Mapping[str, Any]) -> str:
    lines = text.splitlines()
    header = re.compile(rf"\s*\[{re.escape(table)}\]\s*(#.*)?")
    start = next((n for n, line in enumerate(lines) if header.fullmatch(line)), None)
    if start is None:
        lines += ["", f"[{table}]"]
        start = len(lines) - 1
    end = next(
        (n for n in range(start + 1, len(lines)) if lines[n].lstrip().startswith("[")),
        len(lines),
    )
    body = lines[start + 1 : end]
    for key, value in values.items():
        written = None if value is None else f"{key} = {_toml(value)}"
        own = re.compile(rf"\s*{re.escape(key)}\s*=")
        place = next((n for n, line in enumerate(body) if own.match(line)), None)
        if place is not None:
            body[place : place + 1] = [] if written is None else [written]
        elif written is not None:
            body.insert(0, written)
    return "\n".join([*lines[: start + 1], *body, *lines[end:]]) + "\n"


def _toml(value: Any) -> str:
    """Return a text or a list of texts as TOML writes it; JSON's form is TOML's."""
    return json.dumps(value, ensure_ascii=False)


def told(wanted: Wanted) -> str:
    """Return the lines for somebody who writes them himself."""
    lines: list[str] = []
    for table, values in wanted.items():
        lines.append(f"[{table}]")
        for key, value in values.items():
            lines.append(
                f"# {key}: away" if value is None else f"{key} = {_toml(value)}"
            )
    return "\n".join(lines)


def replace(path: Path, text: str) -> None:
    """Put a file in the place of the one before, its mode and owner kept; OSError."""
    before = path.stat()
    hidden = path.with_name(f".{path.name}.new")
    hidden.unlink(missing_ok=True)
    with hidden.open("x", encoding="utf-8") as file:
        os.fchmod(file.fileno(), before.st_mode & 0o777)
        if os.geteuid() == 0:
            os.fchown(file.fileno(), before.st_uid, before.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)
