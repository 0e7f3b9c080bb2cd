# SPDX-License-Identifier: Apache-2.0
"""Opening the accounts at a start, whatever the disk has become.

The law of the module: doors go on without accounts. A file that cannot be used is done
without until the next start, and told; a gateway that has to do without its disk reads
a copy, so that a volunteer can still open by hand.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from edge.accounts.book import Book
from edge.accounts.pins import Pepper, Pins, read_pepper
from edge.accounts.sessions import Sessions, new_secret
from edge.cli.backup.acts import BackupActs
from edge.cli.backup.keeper import Backups
from edge.cli.panel.certificates import renew
from edge.cli.panel.cupboards import cupboards
from edge.cli.panel.desk import Desk
from edge.cli.panel.letting_in import LettingIn
from edge.cli.panel.notices import Notices
from edge.cli.panel.people import People
from edge.cli.panel.place import names_of, url_of
from edge.cli.panel.place_shown import PlaceShown
from edge.cli.panel.plans import Plans
from edge.cli.panel.readings import Readings
from edge.cli.panel.shifts import Shifts
from edge.cli.panel.starting import keep_words
from edge.cli.panel.turns import Turns
from edge.cli.system_clock import wall_ms
from edge.storage.accounts_file import open_accounts
from edge.storage.connection import open_aiosqlite
from edge.storage.errors import StorageError

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from edge.cli.panel.desk import CarryOut
    from edge.control.server import Act
    from edge.core.controller import Controller
    from edge.core.moment import Moment
    from edge.core.plan import SitePlan
    from edge.gateway.gateway import Gateway
    from edge.settings.site import Settings
    from edge.storage.journal import Journal

ACCOUNTS, PEPPER = "accounts.db", "panel-pepper"
MEMORY = Path(":memory:")
_GONE = (OSError, sqlite3.Error, StorageError)

log = structlog.get_logger()


async def open_desk(
    stack: AsyncExitStack,
    state: Path,
    settings: Settings,
    *,
    gateway: Gateway,
    controller: Controller,
    journal: Journal,
    order: CarryOut,
) -> Desk:
    """Return the panel's desk at a running gateway until ``stack`` ends."""
    plan = settings.plan()
    book, fault = await open_book(stack, state, plan, gateway.now())
    await asyncio.to_thread(furnish, state, settings)
    backups = Backups(
        state,
        controller,
        now=gateway.now,
        note=gateway.note,
        offset_hours=settings.site.utc_offset_hours,
        sticks=settings.backup.sticks,
    )
    stack.push_async_callback(backups.close)
    desk = Desk(
        book,
        gateway,
        controller,
        plan=plan,
        point=login_point(settings),
        order=order,
        journal=journal,
        utc_offset_ms=settings.plan().utc_offset_ms,
        url=url_of(settings.panel),
        fault=fault,
        backups=backups,
    )
    desk.more = BackupActs(desk, backups).acts()
    desk.more |= PlaceShown(desk, settings, state).acts()
    desk.shows_stars = settings.panel.star_levels
    return desk


def furnish(state: Path, settings: Settings) -> None:
    """Keep the panel's certificate young, and how it starts; doors wait for neither."""
    try:
        keep_words(settings, state)
        renew(state, names_of(settings.panel), wall_ms())
    except (OSError, ValueError) as fault:
        log.warning("the panel's certificate is not renewed", why=str(fault))


def acts_of(desk: Desk) -> dict[str, Act]:
    """Return all verbs that find out themselves who acts."""
    acts = desk.acts() | cupboards(desk) | desk.more
    for part in (Turns, People, LettingIn, Readings, Shifts, Plans, Notices):
        acts |= part(desk).acts()
    return acts


def login_point(settings: Settings) -> str:
    """Return the access point whose reader logs people in: the desk, "" for none."""
    desks = [point.id for point in settings.access_point if point.desk]
    return settings.panel.desk or (desks[0] if desks else "")


async def open_book(
    stack: AsyncExitStack, state: Path, plan: SitePlan, now: Moment
) -> tuple[Book, str]:
    """Return the accounts of a state folder until ``stack`` ends, and what was wrong.

    With a fault there is nobody in them, and nothing of it is kept.
    """
    try:
        pepper = await asyncio.to_thread(read_pepper, state / "keys" / PEPPER)
        return await _open(stack, state / ACCOUNTS, pepper, plan, now)
    except _GONE as fault:
        log.warning("nobody can log in at the panel", why=str(fault))
        none = Pepper(new_secret().encode(), is_new=True)
        book, _ = await _open(stack, MEMORY, none, plan, now)
        book.fault = type(fault).__name__
        return book, book.fault


async def _open(
    stack: AsyncExitStack,
    path: Path,
    pepper: Pepper,
    plan: SitePlan,
    now: Moment,
) -> tuple[Book, str]:
    sessions = Sessions(closing_min=plan.closing_min, utc_offset_ms=plan.utc_offset_ms)
    opened = await stack.enter_async_context(open_accounts(path, open_aiosqlite))
    pins = Pins(pepper.secret)
    book = Book(pins, sessions, opened.store, is_new_pepper=pepper.is_new)
    await book.load(now)
    if book.pins_lost:
        log.error("PINs are void: keys/panel-pepper is another", people=book.pins_lost)
    return book, opened.set_aside.name if opened.set_aside else ""


def borrow(home: Path, folder: Path) -> None:
    """Copy what can be read of the accounts into a folder in memory."""
    (folder / "keys").mkdir(mode=0o700, exist_ok=True)
    for name in (ACCOUNTS, f"{ACCOUNTS}-wal", f"keys/{PEPPER}"):
        with suppress(OSError):
            shutil.copyfile(home / name, folder / name)
