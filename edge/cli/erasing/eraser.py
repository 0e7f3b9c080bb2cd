# SPDX-License-Identifier: Apache-2.0
"""A person erased from everything that this box keeps on disk.

The law of the module: it begins with who may still come in (the roster), so that
nothing new is written of him; then rows; then the standing; then what old pages and
logs still hold. Each step may be done again, a power cut before any of them loses
nothing, and what cannot be finished now is told and tried until it is.
Source: docs/commands.md, "Erasing a person".
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import structlog

from cloud_sync.ports import PortFaultError
from edge.accounts.book import NotKeptError
from edge.core.event import EventKind
from edge.core.outcome import Outcome
from edge.core.stimulus import Noted, RowsErased, TracesGone
from edge.storage.errors import StorageError, TracesRemainError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.accounts.book import Book
    from edge.cli.roster_feed import RosterFeed
    from edge.core.controller import Controller
    from edge.core.erasing.erasing import Erasing, Erasure
    from edge.core.stimulus import Stimulus
    from edge.gateway.gateway import Gateway
    from edge.storage.journal import Journal

#: After something failed: a program that reads the journal rarely does for longer.
RETRY_S = 5.0
#: How often it is asked whether what was handed over is on disk, and for how long.
LOOK_EVERY_S = 0.02
STORED_WITHIN_S = 30.0
SALT_BYTES = 16
#: Files that were set aside as damaged (``edge.storage.quarantine``).
DAMAGED = "*.damaged-*"
SEALED = "roster.db."

_NOT_DONE = (sqlite3.Error, StorageError, PortFaultError, NotKeptError, TimeoutError)

log = structlog.get_logger()


class Eraser:
    """Does what the rules say is due, one person after the other."""

    def __init__(
        self,
        controller: Controller,
        gateway: Gateway,
        journal: Journal,
        feed: RosterFeed,
        state: Path,
        *,
        book: Book,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        self._controller = controller
        self._gateway = gateway
        self._journal = journal
        self._feed = feed
        self._book = book
        self._state = state
        self._refresh = refresh
        self._is_asked = asyncio.Event()
        self._is_told = False
        #: Why the last try did not come to its end, "" if it did.
        self.trouble = ""

    @property
    def erasing(self) -> Erasing:
        """What is wished, as the rules know it."""
        return self._controller.house.erasing

    def look(self) -> None:
        """See whether something is due: after a commit, and at the start."""
        if self.erasing.due:
            self._is_asked.set()

    async def run(self) -> None:
        """Work until cancelled."""
        self.look()
        while True:
            await self._is_asked.wait()
            self._is_asked.clear()
            for name, wish in self.erasing.due.items():
                await self._try(name, wish)
            if self.trouble:
                await asyncio.sleep(RETRY_S)
                self.look()

    async def _try(self, name: str, wish: Erasure) -> None:
        try:
            await self._erase(name, wish)
        except _NOT_DONE as fault:
            self.trouble = str(fault) or type(fault).__name__
            self._tell(fault)
        else:
            self.trouble, self._is_told = "", False

    async def _erase(self, name: str, wish: Erasure) -> None:
        if wish.holder:
            await self._erase_rows(name, wish.holder)
            wish = self.erasing.wishes.get(name, wish)
            if wish.holder:
                return  # something of his has begun meanwhile, and bars it
        # What names him no more must be on disk before the old pages are cleared.
        await self._stored()
        await self._journal.scour()
        if not await self._feed.scour():
            raise TracesRemainError(
                "another program reads the roster; close it, this is tried again"
            )
        if not await self._book.scour():
            raise TracesRemainError(
                "another program reads the accounts; close it, this is tried again"
            )
        self._take(TracesGone(name=name))
        log.info("a person was erased", wish=name)

    async def _erase_rows(self, name: str, holder: str) -> None:
        if self._book.fault:  # a file that nobody could open may name him
            raise TracesRemainError(
                f"the panel's accounts cannot be read ({self._book.fault}); mend their "
                "file or take it away, and start the gateway again"
            )
        bookings = await self._journal.bookings_of(holder)
        self._keep_out((holder,))
        tokens = await self._feed.forget(holder, partial(self._remember, holder))
        await self._book.forget(holder)
        self._refresh()
        # From here on nobody here knows him; what was written of him is on its way.
        await self._stored()
        rows = await self._journal.erase_rows(holder, bookings)
        await asyncio.to_thread(
            _drop_damaged, self._state, (holder, *bookings, *tokens)
        )
        self._take(RowsErased(name=name, bookings=bookings, rows=rows))

    async def _remember(self, holder: str, tokens: tuple[str, ...]) -> None:
        """Have it on disk whom the feed may not bring back, before his rows go.

        Him once more: a feed that was just coming into force knew nothing of him.
        """
        await self._drained()  # what is on its way carries the standing of before
        self._keep_out((holder, *tokens))
        self._gateway.do(lambda *_: Outcome(is_kept=True))
        await self._drained()

    async def _drained(self) -> None:
        if not await self._gateway.drain():
            raise StorageError(
                "the disk does not take whom the feed may not bring back"
            )

    def _keep_out(self, names: tuple[str, ...]) -> None:
        self.erasing.kept_out.add(secrets.token_bytes(SALT_BYTES), names)

    def _take(self, stimulus: Stimulus) -> None:
        self._gateway.do(lambda controller, now: controller.handle(stimulus, now))

    async def _stored(self) -> None:
        """Wait until all that has happened so far is on disk."""
        epoch, last = self._journal.epoch, self._controller.next_seq - 1
        async with asyncio.timeout(STORED_WITHIN_S):
            while self._journal.last_seq < last:
                await asyncio.sleep(LOOK_EVERY_S)
                if self._journal.epoch != epoch:  # everything has other numbers now
                    epoch, last = self._journal.epoch, self._controller.next_seq - 1

    def _tell(self, fault: Exception) -> None:
        """Tell once that a person is not erased yet, and why."""
        log.warning("a person is not erased yet", why=self.trouble)
        if not self._is_told:
            self._is_told = True
            what = "traces" if isinstance(fault, TracesRemainError) else "erasing"
            kind = EventKind.STORAGE_FAULT
            note = Noted(kind=kind, subject="journal", facts=(("what", what),))
            self._gateway.note(note)


def _drop_damaged(state: Path, names: tuple[str, ...]) -> None:
    """Overwrite and delete files set aside that name a person, or may.

    They are evidence of a fault, and nobody can take one person out of a broken file.
    A roster is sealed: whom a broken one names nobody can look up.
    """
    parts = b"|".join(re.escape(name.encode()) for name in names if name)
    named = re.compile(rb"(?<![\w-])(?:" + parts + rb")(?![\w-])")
    for path in state.glob(DAMAGED):
        is_sealed = path.name.startswith(SEALED)
        if path.is_file() and (is_sealed or named.search(path.read_bytes())):
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
            path.unlink()
            log.warning("a damaged file is gone with an erased person", file=path.name)
