# SPDX-License-Identifier: Apache-2.0
"""The reference platform's database, read as a stranger would.

The law of the module: read-only and from the file; the process that wrote it is not
asked.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_COUNTS = """
SELECT gateway, sum(hi), sum(repeated) FROM journal GROUP BY gateway
"""
_EVENTS = """
SELECT j.epoch, e.seq, e.hash FROM event AS e JOIN journal AS j ON j.id = e.journal
WHERE j.gateway = ? ORDER BY j.id, e.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the platform has of one gateway; ``doubled``: more than once, of any."""

    keys: frozenset[tuple[str, int]]
    doubled: int
    redelivered: int


def committed(path: Path) -> dict[str, int]:
    """Return how many events are stored of each gateway; none while no file is."""
    return {gateway: stored for gateway, stored, _ in _counts(path)}


def held(path: Path, gateway: str) -> Held:
    """Return what is stored of a gateway, counted row by row."""
    redelivered = {name: again for name, _, again in _counts(path)}
    with closing(_open(path)) as database:
        rows = database.execute(_EVENTS, (gateway,)).fetchall()
    # A hash covers all before it: the same one twice is the same event twice.
    again = Counter(digest for _, _, digest in rows)
    return Held(
        keys=frozenset((epoch, seq) for epoch, seq, _ in rows),
        doubled=len(rows) - len(again),
        redelivered=redelivered.get(gateway, 0),
    )


def _counts(path: Path) -> list[tuple[str, int, int]]:
    if not path.exists():
        return []
    with closing(_open(path)) as database:
        return database.execute(_COUNTS).fetchall()


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)
