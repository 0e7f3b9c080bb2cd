# SPDX-License-Identifier: Apache-2.0
"""A gateway that cannot start: the way out and the fire release go on without it.

The law of the module: a disk or a key file that is gone locks nobody in (law 3). Until
both can be used again, the site's own gateway runs out of a folder in memory, with
nobody's rights, without the platform: exit buttons, the fire input, what stood when the
box went down, and a volunteer at the panel open doors; cards and codes open none. What
happened meanwhile is kept beside the journal, and the journal is told of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sqlite3
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import structlog

from edge.cli.key_files import KeyFileError, NotSetUpError, read_tokens
from edge.cli.platform_line import nobodys_key
from edge.cli.runtime import Runtime
from edge.core.chain import SALT_BYTES
from edge.core.event import EventKind
from edge.core.stimulus import Noted
from edge.storage.emergency_file import read_emergency, write_emergency
from edge.storage.errors import StorageError
from edge.storage.journal_file import open_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.event import Facts
    from edge.settings.site import Settings

#: What a start can fail of that is not the site file's fault.
GONE = (OSError, sqlite3.Error, StorageError, KeyFileError)
#: How often the disk is tried again.
TRY_EVERY_S = 10.0
#: Journals of such times that are kept: a card that comes and goes is not filled.
KEPT = 9
MEMORY = Path("/dev/shm")  # noqa: S108  a private folder is made in it

SITE_KEYS, PLATFORM_KEYS = "site.json", "platform.json"

log = structlog.get_logger()


async def run(settings: Settings, state: Path, stop: asyncio.Event) -> None:
    """Run the gateway until ``stop``; one that cannot start lets people out.

    A box that has never had a journal is being set up: it raises what is wrong.
    """
    notes: Sequence[Noted] = ()
    while not stop.is_set():
        has_worked = await asyncio.to_thread((state / "journal.db").exists)
        try:
            await Runtime(settings, state, notes=notes).run(stop)
        except NotSetUpError:
            raise
        except GONE as fault:
            if stop.is_set() or not has_worked:
                raise
            log.warning("only the way out works", why=str(fault))
            notes = [*notes, await _let_out(settings, state, str(fault), stop)]


async def _let_out(
    settings: Settings, state: Path, why: str, stop: asyncio.Event
) -> Noted:
    """Run out of memory until the disk is back or ``stop``; return what to note."""
    with TemporaryDirectory(prefix="menshen-", dir=_memory()) as folder:
        spare = Path(folder)
        await asyncio.to_thread(_furnish, spare, state)
        ended = asyncio.Event()
        runtime = Runtime(_moved(settings), spare, home=state, lost=why)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(runtime.run(ended))
            await _until_back(settings, state, stop)
            ended.set()
            await running
        facts = await asyncio.to_thread(_keep, runtime, spare, state)
    log.info("the disk is back" if not stop.is_set() else "stopped without a disk")
    return Noted(kind=EventKind.STORAGE_FAULT, subject="journal", facts=facts)


def _moved(settings: Settings) -> Settings:
    """Return the settings with their keys in the folder of :func:`_furnish`."""
    return replace(
        settings,
        keys=replace(settings.keys, site=SITE_KEYS),
        platform=replace(settings.platform, keys=PLATFORM_KEYS),
    )


def _memory() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None


def _furnish(spare: Path, state: Path) -> None:
    """Lay out a state folder in which nobody is known; what stood goes on."""
    words = {"site_key": secrets.token_hex(32), "epoch_salt": secrets.token_hex(16)}
    site = spare / SITE_KEYS
    site.touch(0o600)
    site.write_text(json.dumps(words), "utf-8")
    (spare / PLATFORM_KEYS).write_text(json.dumps(nobodys_key()), "utf-8")
    write_emergency(spare / "emergency", read_emergency(state / "emergency"))


async def _until_back(settings: Settings, state: Path, stop: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(TRY_EVERY_S):
                await stop.wait()
        if await _can_start(settings, state):
            return


async def _can_start(settings: Settings, state: Path) -> bool:
    """Try what failed: the keys, and the journal with its position."""
    keys = state / settings.keys.site
    try:
        await asyncio.to_thread(read_tokens, keys, settings.site.id)
        async with open_journal(
            state / "journal.db",
            new_epoch=lambda: secrets.token_hex(4),
            salt=lambda: secrets.token_bytes(SALT_BYTES),
        ):
            return True
    except GONE:
        return False


def _keep(runtime: Runtime, spare: Path, state: Path) -> Facts:
    """Carry over what stands and what was written; return what the journal is told."""
    facts: dict[str, int | str] = {
        "count": runtime.journal.last_seq,
        "what": "unopened",
    }
    try:
        write_emergency(state / "emergency", runtime.controller.emergency.standing)
        kept = _free_name(state)
        if kept is not None:
            beside = kept.with_suffix(".new")
            shutil.copyfile(spare / "journal.db", beside)
            beside.replace(kept)
            facts["kept"] = kept.name
    except OSError as fault:
        log.warning("what happened cannot be kept", why=str(fault), **facts)
    return tuple(sorted(facts.items()))


def _free_name(state: Path) -> Path | None:
    names = (state / f"journal.db.spare-{number}" for number in range(1, KEPT + 1))
    return next((name for name in names if not name.exists()), None)
