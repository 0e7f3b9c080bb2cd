# SPDX-License-Identifier: Apache-2.0
"""Backups as a page shows them, from what the gateway says.

The law of the module: it never raises; a name that is none of a backup's is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from edge.panel.fields import count, rows, table, text

MAX_FILES = 40
NAME = re.compile(r"menshen-[A-Za-z0-9_-]{1,64}-(\d{8})-(\d{4})\d\d\.tar\.gz")
#: What a restore may wait for, each with words of its own.
WAITS = frozenset({"EMERGENCY", "DOOR", "LOCKER"})
DOING = frozenset({"make", "stage"})
#: What may have become of a copy on a stick, each with words of its own.
STICK = frozenset({"done", "none", "full", "read_only", "broken"})
#: How far the restore of an empty box may be, and what may have hindered it.
STEPS = frozenset({"empty", "looking", "held", "staging", "ending", "done"})
FAULTS = frozenset({"torn", "newer", "passphrase", "room", "site", "start", "other"})
LONGEST_NAME, LONGEST_FAULT = 100, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A backup: its file's name, when it was made (local), how big it is."""

    name: str
    at: str
    size: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """How backups stand; ``doing`` and ``waits`` are one of our words, or empty."""

    files: tuple[File, ...]
    doing: str
    fault: str
    is_ending: bool
    waits: str
    restored: str
    restore_fault: str
    stick: str

    def named(self, name: str) -> File | None:
        """Return the file of a name, None if there is none."""
        return next((file for file in self.files if file.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is in a backup; numbers are None where that is not known."""

    site: str
    at: str
    version: str
    events: int | None
    holders: int | None
    accounts: int | None
    has_keys: bool
    sounds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRestore:
    """How far an empty box's restore is; ``away``: the gateway starts anew.

    ``at`` is when what was restored had been made.
    """

    step: str
    inside: Inside
    fault: str
    detail: str
    waits: str
    at: str

    @property
    def is_moving(self) -> bool:
        """Say whether the page shows something else by itself soon."""
        return self.step in ("looking", "staging", "ending", "away")


def read_first(value: dict[str, Any]) -> FirstRestore:
    """Read the answer to ``first-restore``; an empty one is a gateway that is away."""
    step, fault = text(value.get("step")), text(value.get("fault"))
    waits = text(value.get("waits"))
    return FirstRestore(
        step=step if step in STEPS else "away",
        inside=read_inside(table(value.get("inside"))),
        fault=(fault if fault in FAULTS else "other") if fault else "",
        detail=text(value.get("detail"), LONGEST_FAULT),
        waits=waits if waits in WAITS else "",
        at=date_of(text(value.get("file"), LONGEST_NAME)),
    )


def read_backups(value: dict[str, Any]) -> Backups:
    """Read the answer to ``backups``."""
    found = [_file(row) for row in rows(value.get("files"), MAX_FILES)]
    restored = table(value.get("restored"))
    doing, waits = text(value.get("doing")), text(value.get("waits"))
    stick = text(value.get("stick"))
    return Backups(
        files=tuple(file for file in found if file is not None),
        doing=doing if doing in DOING else "",
        fault=text(value.get("fault"), LONGEST_FAULT),
        is_ending=value.get("is_ending") is True,
        waits=waits if waits in WAITS else "",
        restored=date_of(text(restored.get("file"), LONGEST_NAME)),
        stick=stick if stick in STICK else "",
        restore_fault=text(restored.get("fault"), LONGEST_FAULT),
    )


def read_inside(value: dict[str, Any]) -> Inside:
    """Read the answer to ``backup-look``."""
    at_ms, offset = count(value.get("at_ms")), value.get("offset_hours")
    hours = offset if isinstance(offset, int) and offset in range(-12, 15) else 8
    return Inside(
        site=f"{text(value.get('name'))} {text(value.get('site'))}".strip(),
        at="" if at_ms is None else _local(at_ms, hours),
        version=text(value.get("version")),
        events=count(value.get("events")),
        holders=count(value.get("holders")),
        accounts=count(value.get("accounts")),
        has_keys=value.get("has_keys") is True,
        sounds=count(value.get("sounds")),
    )


def date_of(name: str) -> str:
    """Return when a backup of that name was made, "" for what is none."""
    found = NAME.fullmatch(name)
    if found is None:
        return ""
    day, time = found[1], found[2]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {time[:2]}:{time[2:]}"


def _local(at_ms: int, hours: int) -> str:
    try:
        at = datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=hours)
    except (ValueError, OverflowError, OSError):
        return ""
    return at.strftime("%Y-%m-%d %H:%M")


def _file(row: dict[str, Any]) -> File | None:
    name, size = text(row.get("name"), LONGEST_NAME), count(row.get("bytes"))
    at = date_of(name)
    if not at:
        return None
    return File(name=name, at=at, size="" if size is None else _size(size))


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
