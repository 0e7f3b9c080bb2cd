# SPDX-License-Identifier: Apache-2.0
"""A gateway that cannot start: the way out and the fire release go on without it.

The law of the module: a disk or a key file that is gone locks nobody in (law 3). Until
all that a start opens can be opened again, the site's own gateway runs out of a folder
in memory, with nobody's rights, without the platform: exit buttons, the fire input,
what stood when the box went down, and a volunteer at the panel open doors; cards and
codes open none. What happened meanwhile is kept beside the journal, and the journal is
told of it. Nothing changes hands while a fire stands.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import structlog

from edge.cli.handover import Handover
from edge.cli.key_files import KeyFileError, NotSetUpError, read_tokens
from edge.cli.panel.opening import borrow
from edge.cli.platform_line import nobodys_key
from edge.cli.roster_key import roster_seal
from edge.cli.runtime import Runtime
from edge.cli.ticket.key_files import read_ticket_keys
from edge.core.chain import SALT_BYTES
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from edge.storage.connection import open_aiosqlite
from edge.storage.errors import StorageError
from edge.storage.journal_file import is_readable
from edge.storage.roster_file import open_roster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.event import Facts
    from edge.settings.site import Settings

#: What a disk, a file of it and a file of keys can fail with.
GONE = (OSError, sqlite3.Error, StorageError, KeyFileError)
#: How often the disk is tried again; each start that fails all the same doubles it.
TRY_EVERY_S = 10.0
TRY_AT_LEAST_EVERY_S = 320.0
#: Journals of such times that are kept; the last place is used again and again, as
#: with damaged ones: a card that comes and goes must not be filled.
KEPT = 9
MEMORY = Path("/dev/shm")  # noqa: S108  a private folder is made in it
SITE_KEYS, PLATFORM_KEYS = "site.json", "platform.json"

log = structlog.get_logger()


async def run(
    settings: Settings, state: Path, stop: asyncio.Event, faults: Sequence[str] = ()
) -> None:
    """Run the gateway until ``stop``; one that cannot start lets people out.

    ``faults``: what is wrong with the file that should have been these settings.

    A box that has never had a journal is being set up: it raises what is wrong. So
    does a gateway that had started: whoever watches it starts it anew.
    """
    handover = Handover()
    pause_s = TRY_EVERY_S
    while not stop.is_set():
        is_old = await asyncio.to_thread(_has_worked, state)
        runtime = Runtime(settings, state, handover=handover, faults=faults)
        try:
            await runtime.run(stop)
        except NotSetUpError:
            raise
        except Exception as fault:
            if stop.is_set() or runtime.has_started or not is_old:
                raise
            why = _words(fault)
            log.warning("only the way out works", why=why)
            spare = _Spare(settings, state, why, handover)
            handover = await spare.let_out(stop, pause_s)
            pause_s = min(pause_s * 2, TRY_AT_LEAST_EVERY_S)


def _has_worked(state: Path) -> bool:
    try:
        return (state / "journal.db").exists()
    except OSError:
        return True  # something is there, or was


def _words(fault: Exception) -> str:
    """Say what is wrong without a word of what stands in a file."""
    if isinstance(fault, sqlite3.Error):
        return str(getattr(fault, "sqlite_errorname", type(fault).__name__))
    return str(fault) if isinstance(fault, GONE) else type(fault).__name__


@dataclass(frozen=True, slots=True)
class _Spare:
    """A gateway out of memory, in place of the one that could not start."""

    settings: Settings
    state: Path
    why: str
    before: Handover

    async def let_out(self, stop: asyncio.Event, pause_s: float) -> Handover:
        """Run until a start may succeed or ``stop``; return what has to be told on."""
        with TemporaryDirectory(prefix="menshen-", dir=_memory()) as name:
            folder = Path(name)
            await asyncio.to_thread(_furnish, folder)
            await asyncio.to_thread(borrow, self.state, folder)
            ended = asyncio.Event()
            runtime = Runtime(
                _moved(self.settings),
                folder,
                home=self.state,
                handover=self.before,
                lost=self.why,
            )
            try:
                async with asyncio.TaskGroup() as group:
                    running = group.create_task(runtime.run(ended))
                    await self._until_back(runtime, stop, pause_s)
                    ended.set()
                    await running
            finally:
                facts = await asyncio.to_thread(_keep, runtime, folder, self.state)
        told = Noted(kind=EventKind.STORAGE_FAULT, subject="journal", facts=facts)
        emergency = runtime.controller.emergency
        return Handover(
            notes=(*self.before.notes, told)[-KEPT:],
            standing=emergency.standing,
            ended=runtime.remembered - emergency.standing,
        )

    async def _until_back(
        self, runtime: Runtime, stop: asyncio.Event, pause_s: float
    ) -> None:
        """Wait; ports close for a moment when all changes hands, so not in fire."""
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await stop.wait()
            is_calm = runtime.has_started and not runtime.controller.emergency.is_fire
            if is_calm and await self._can_start():
                return

    async def _can_start(self) -> bool:
        """Try to read all that a start reads; what is damaged it will set aside."""
        state, tickets = self.state, self.state / "keys" / "tickets.json"
        site = self.settings.site.id
        try:
            await asyncio.to_thread(read_tokens, state / self.settings.keys.site, site)
            if tickets.exists():
                await asyncio.to_thread(read_ticket_keys, tickets)
            await is_readable(
                state / "journal.db",
                new_epoch=lambda: secrets.token_hex(4),
                salt=lambda: secrets.token_bytes(SALT_BYTES),
            )
            seal = await asyncio.to_thread(roster_seal, state)
            async with open_roster(state / "roster.db", open_aiosqlite, seal):
                return True
        except GONE:
            return False


def _memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


def _moved(settings: Settings) -> Settings:
    """Return the settings with their keys in the folder of :func:`_furnish`."""
    return replace(
        settings,
        keys=replace(settings.keys, site=SITE_KEYS),
        platform=replace(settings.platform, keys=PLATFORM_KEYS),
    )


def _furnish(folder: Path) -> None:
    """Lay out a state folder in which nobody is known."""
    words = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
    site = folder / SITE_KEYS
    site.touch(0o600)
    site.write_text(json.dumps(words), "utf-8")
    (folder / PLATFORM_KEYS).write_text(json.dumps(nobodys_key()), "utf-8")


def _keep(runtime: Runtime, folder: Path, state: Path) -> Facts:
    """Put the journal of that time beside the other; return what that one is told."""
    count = runtime.journal.last_seq if runtime.has_started else 0
    facts: dict[str, int | str] = {"count": count, "what": "unopened"}
    if not count:
        return tuple(sorted(facts.items()))
    try:
        kept = _place(state)
        beside = kept.with_name(f"{kept.name}.new")
        shutil.copyfile(folder / "journal.db", beside)
        _sync(beside)
        beside.replace(kept)
        _sync(state)
    except OSError as fault:
        log.warning("what happened cannot be kept", why=str(fault), **facts)
    else:
        facts["kept"] = kept.name
    return tuple(sorted(facts.items()))


def _place(state: Path) -> Path:
    places = [state / f"journal.db.spare-{number}" for number in range(1, KEPT + 1)]
    return next((place for place in places if not place.exists()), places[-1])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
