# SPDX-License-Identifier: Apache-2.0
"""The feed on disk: a revision is told to a gateway after its commit alone.

The law of the module: a restart goes on at the revision it stood at; otherwise a
gateway would hold a cursor from the future.
"""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING

from firmware_sim.platform.feed import Cursor, Feed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from firmware_sim.platform.feed import Change, Key, Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cursor (
    id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, rev INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS row (
    kind TEXT NOT NULL, id TEXT NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
"""


class FeedStore:
    """A feed and its file."""

    def __init__(self, path: Path) -> None:
        """Take up the feed at ``path``; an empty one of epoch 1 if there is none."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)
        select = self._connection.execute
        found = select("SELECT epoch, rev FROM cursor").fetchone()
        cursor = Cursor(*found) if found else Cursor(f"0001-{_random_hex()}", 0)
        rows = select("SELECT kind, id, text FROM row ORDER BY rowid")
        self.feed = Feed(cursor, {(kind, name): text for kind, name, text in rows})

    @property
    def is_new(self) -> bool:
        """Tell whether nothing was ever written into this feed."""
        return self.feed.cursor.rev == 0

    def change(self, put: Iterable[Row], remove: Iterable[Key] = ()) -> Cursor:
        """Write one revision; ValueError for a bad row, which changes nothing."""
        return self._keep(self.feed.change(put, remove))

    def outrank(self, other: Cursor) -> Cursor:
        """Open a feed epoch above the one a gateway holds."""
        return self._keep(self.feed.outrank(other, _random_hex()))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _keep(self, change: Change) -> Cursor:
        put = [(*key, text) for key, text in change.texts.items() if text is not None]
        gone = [key for key, text in change.texts.items() if text is None]
        execute, many = self._connection.execute, self._connection.executemany
        execute("BEGIN IMMEDIATE")
        many("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", put)
        many("DELETE FROM row WHERE kind = ? AND id = ?", gone)
        execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", change.cursor)
        execute("COMMIT")
        return change.cursor


def _random_hex() -> str:
    return secrets.token_hex(4)
