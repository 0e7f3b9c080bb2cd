# SPDX-License-Identifier: Apache-2.0
"""Opening the journal's file, whatever state the card has left it in.

The law of the module: a damaged journal is set aside as evidence and a new one begun,
under a new epoch, because the doors must go on; a disk that fails is an error and
sets nothing aside.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.storage.connection import is_damage, open_aiosqlite
from edge.storage.errors import DamagedError
from edge.storage.journal import Journal
from edge.storage.quarantine import set_aside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


#: A commit writes whole pages: of one event 7.1 KB with these (kernel write_bytes, the
#: checkpoint included), 9.1 KB with SQLite's 4,096, at the same time to commit.
JOURNAL_PAGE_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedJournal:
    """The journal, and under which name a damaged file was set aside, if one was."""

    journal: Journal
    set_aside: Path | None


@asynccontextmanager
async def open_journal(
    path: Path, *, new_epoch: Callable[[], str], salt: Callable[[], bytes]
) -> AsyncIterator[OpenedJournal]:
    """Open the journal at ``path``; a new one if the file is damaged.

    Raises SchemaTooNewError or ForeignFileError for a file of somebody else.
    """
    kept = None
    if not await is_readable(path, new_epoch=new_epoch, salt=salt):
        kept = set_aside(path)
    async with AsyncExitStack() as stack:
        journal = await _open(stack, path, new_epoch=new_epoch, salt=salt)
        yield OpenedJournal(journal=journal, set_aside=kept)


async def _open(
    stack: AsyncExitStack,
    path: Path,
    *,
    new_epoch: Callable[[], str],
    salt: Callable[[], bytes],
) -> Journal:
    writing = open_aiosqlite(path, page_bytes=JOURNAL_PAGE_BYTES)
    writer = await stack.enter_async_context(writing)
    reader = await stack.enter_async_context(open_aiosqlite(path, is_reader=True))
    return await Journal.open(writer, reader, new_epoch=new_epoch, salt=salt)


async def is_readable(
    path: Path, *, new_epoch: Callable[[], str], salt: Callable[[], bytes]
) -> bool:
    """Try what every start does: learn the position and read what follows it.

    False where :func:`open_journal` would begin a new journal; raises what a disk
    that fails raises.
    """
    try:
        async with AsyncExitStack() as stack:
            journal = await _open(stack, path, new_epoch=new_epoch, salt=salt)
            recovery = await journal.recover()
            json.loads(recovery.state or "{}")
    except (DamagedError, json.JSONDecodeError):
        return False
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return False
        raise
    return True
