# SPDX-License-Identifier: Apache-2.0
"""Opening the roster's file, whatever state the card has left it in.

The law of the module: a roster that cannot be trusted is worth less than none, for
the platform sends it again; one whose key is lost nobody can read any more. Either is
set aside and told to the caller; a disk that fails is an error and sets nothing aside.
"""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.storage.connection import Connection, Synchronous, is_damage
from edge.storage.errors import DamagedError, OtherKeyError
from edge.storage.quarantine import set_aside
from edge.storage.roster import RosterStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from edge.storage.seal import RosterSeal


class Opener(Protocol):
    """``open_aiosqlite`` or ``open_inline``."""

    def __call__(
        self, path: Path, /, *, synchronous: Synchronous
    ) -> AbstractAsyncContextManager[Connection]:
        """Open the file for the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRoster:
    """The store, and under which name another file was set aside, if one was.

    ``why``: ``damaged``, or ``key`` where another key had sealed it.
    """

    store: RosterStore
    set_aside: Path | None
    why: str = ""


@asynccontextmanager
async def open_roster(
    path: Path, opener: Opener, seal: RosterSeal
) -> AsyncIterator[OpenedRoster]:
    """Open the roster at ``path``; an empty one if the file cannot be used.

    Raises SchemaTooNewError or ForeignFileError for a file of somebody else.
    """
    why = await _what_is_wrong(path, opener, seal)
    aside = set_aside(path) if why else None
    async with opener(path, synchronous=Synchronous.NORMAL) as connection:
        store = await RosterStore.open(connection, seal)
        yield OpenedRoster(store=store, set_aside=aside, why=why)


async def _what_is_wrong(path: Path, opener: Opener, seal: RosterSeal) -> str:
    try:
        async with opener(path, synchronous=Synchronous.NORMAL) as connection:
            [(verdict,)] = await connection.execute_fetchall("PRAGMA quick_check(1)")
            await RosterStore.open(connection, seal)
            return "" if verdict == "ok" else "damaged"
    except OtherKeyError:
        return "key"
    except DamagedError:
        return "damaged"
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return "damaged"
        raise
