# SPDX-License-Identifier: Apache-2.0
"""Opening the roster's file, whatever state the card has left it in.

The law of the module: a roster that cannot be trusted is worth less than none, for
the platform sends it again. It is set aside and told to the caller; a disk that
fails is an error and sets nothing aside.
"""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edge.storage.connection import Connection, Synchronous, is_damage
from edge.storage.errors import DamagedError
from edge.storage.quarantine import set_aside
from edge.storage.roster import RosterStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path


class Opener(Protocol):
    """``open_aiosqlite`` or ``open_inline``."""

    def __call__(
        self, path: Path, /, *, synchronous: Synchronous
    ) -> AbstractAsyncContextManager[Connection]:
        """Open the file for the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRoster:
    """The store, and under which name a damaged file was set aside, if one was."""

    store: RosterStore
    set_aside: Path | None


@asynccontextmanager
async def open_roster(path: Path, opener: Opener) -> AsyncIterator[OpenedRoster]:
    """Open the roster at ``path``; an empty one if the file is damaged.

    Raises SchemaTooNewError or ForeignFileError for a file of somebody else.
    """
    aside = None if await _is_sound(path, opener) else set_aside(path)
    async with opener(path, synchronous=Synchronous.NORMAL) as connection:
        store = await RosterStore.open(connection)
        yield OpenedRoster(store=store, set_aside=aside)


async def _is_sound(path: Path, opener: Opener) -> bool:
    try:
        async with opener(path, synchronous=Synchronous.NORMAL) as connection:
            [(verdict,)] = await connection.execute_fetchall("PRAGMA quick_check(1)")
            await RosterStore.open(connection)
            return bool(verdict == "ok")
    except DamagedError:
        return False
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
