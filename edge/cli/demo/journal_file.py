# SPDX-License-Identifier: Apache-2.0
"""The gateway's journal and the platform's ledgers, read as a stranger would.

The law of the module: read-only and from the files; the processes that wrote them are
not asked.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEvent:
    """One row: its place in the file, its core and its person."""

    place: int
    core: dict[str, Any]
    person: dict[str, Any]


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)


def read_journal(path: Path, after: int = 0) -> list[JournalEvent]:
    """Return the events after a place; none while there is no journal yet."""
    if not path.exists():
        return []
    with closing(_open(path)) as database:
        known = "SELECT name FROM sqlite_schema WHERE name = 'event'"
        if database.execute(known).fetchone() is None:
            return []  # the gateway has just made the file
        rows = database.execute(
            "SELECT place, core, pii FROM event WHERE place > ? ORDER BY place",
            (after,),
        ).fetchall()
    return [
        JournalEvent(
            place=place, core=json.loads(core), person=json.loads(person or "{}")
        )
        for place, core, person in rows
    ]


def journal_keys(path: Path) -> set[tuple[str, int]]:
    """Return ``(epoch, seq)`` of every event in the journal."""
    with closing(_open(path)) as database:
        epochs = database.execute(
            "SELECT name, base FROM epoch ORDER BY base"
        ).fetchall()
        places = [place for (place,) in database.execute("SELECT place FROM event")]
    keys = set()
    for place in places:
        name, base = next(e for e in reversed(epochs) if e[1] < place)
        keys.add((name, place - base))
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCounts:
    """The platform's view: keys it holds, and what its second ledger saw arrive."""

    keys: set[tuple[str, int]]
    effects_doubled: int
    redelivered: int


def read_ledger(path: Path) -> LedgerCounts:
    """Compare the keyed ledger with the one that shows every application."""
    with closing(_open(path)) as database:
        keys = set(database.execute("SELECT epoch, seq FROM event"))
        doubled, redelivered = database.execute(
            "SELECT coalesce(sum(effects - 1), 0), coalesce(sum(arrivals - effects), 0)"
            " FROM (SELECT sum(was_new) AS effects, count(*) AS arrivals FROM arrival"
            " GROUP BY gateway, epoch, seq)"
        ).fetchone()
    return LedgerCounts(keys=keys, effects_doubled=doubled, redelivered=redelivered)


def journal_heads(path: Path) -> dict[str, tuple[int, str]]:
    """Return for each epoch how many events the journal has, and the last's hash."""
    with closing(_open(path)) as database:
        epochs = database.execute(
            "SELECT name, base FROM epoch ORDER BY base"
        ).fetchall()
        rows = database.execute("SELECT place, hash FROM event ORDER BY place")
        heads: dict[str, tuple[int, str]] = {}
        for place, digest in rows:
            name, _ = next(each for each in reversed(epochs) if each[1] < place)
            heads[name] = (heads.get(name, (0, ""))[0] + 1, digest.hex())
    return heads
