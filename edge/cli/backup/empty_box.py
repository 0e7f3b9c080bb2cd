# SPDX-License-Identifier: Apache-2.0
"""A box without keys and without a journal: it stands by to be set up or restored.

The law of the module: no door is wired to anything yet, so there is no gateway; who
holds the label's code reaches the page where a backup is put back, and nothing else.
The program ends to be started again as soon as a restore lies ready, or somebody has
enrolled the box from a shell.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import structlog

from edge.accounts.codes import typed
from edge.accounts.people import name_of
from edge.cli.backup.errors import BackupError
from edge.cli.backup.finishing import cancel, is_staged
from edge.cli.backup.first_restore import FirstRestore
from edge.cli.backup.manifest import ACCOUNTS, JOURNAL
from edge.cli.backup.spool import forget_spools
from edge.cli.panel.opening import furnish, open_book
from edge.cli.system_clock import wall_ms
from edge.control.server import ControlServer
from edge.core.moment import UNBOUNDED_MS, Moment

if TYPE_CHECKING:
    from pathlib import Path

    from edge.accounts.book import Book
    from edge.control.server import Act
    from edge.settings.site import Settings

#: How often it is looked whether somebody has enrolled this box.
LOOK_EVERY_S = 1.0

log = structlog.get_logger()


def is_empty(settings: Settings, state: Path) -> bool:
    """Say whether a box was begun (``menshen init``) and holds neither keys nor past.

    A box that has nothing at all is told what it lacks, as before.
    """
    has_begun = (state / ACCOUNTS).exists()
    has_keys = (state / settings.keys.site).exists()
    return has_begun and not has_keys and not (state / JOURNAL).exists()


async def stand_by(settings: Settings, state: Path, stop: asyncio.Event) -> None:
    """Wait until ``stop``, a restore that lies ready, or keys."""
    async with AsyncExitStack() as stack:
        book, fault = await open_book(stack, state, settings.plan(), _now())
        await asyncio.to_thread(furnish, state, settings)
        forget_spools(state)
        restore = FirstRestore(
            book,
            state,
            now_s=lambda: _now().monotonic_s,
            staged=stop.set,
            forget=lambda: _forget(state),
        )
        stack.push_async_callback(restore.close)
        acts = _Door(book).acts() | restore.acts()
        verbs = {"status": lambda _: _status(settings, fault)}
        server = ControlServer(state / "control.sock", verbs, acts=acts)
        stack.push_async_callback(server.close)
        await server.open()
        log.info("an empty box stands by", site=settings.site.id)
        while not (stop.is_set() or (state / settings.keys.site).exists()):
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue


class _Door:
    """Pairing, and who looks: as at a gateway, for the label's code alone."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def acts(self) -> dict[str, Act]:
        return {"pair": self._pair, "session": self._session}

    async def _pair(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        name, code = name_of(request.get("name")), typed(request.get("code"))
        if not code or not self._book.is_first_code(code):
            return {"state": "wrong"}
        paired = await self._book.pair(name, is_first=True)
        return {"state": "paired", "tablet": paired[1], "is_first": True}

    async def _session(self, request: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001
        tablet = self._book.tablet_of(request.get("tablet"))
        if tablet is None:
            return {"is_paired": False}
        return {
            "is_paired": True,
            "tablet_name": tablet.name,
            "is_first": tablet.is_first,
            "has_manager": not self._book.needs_first,
            "is_empty": True,
        }


def _status(settings: Settings, fault: str) -> dict[str, Any]:
    site = settings.site
    return {
        "empty": fault or "no keys yet: enrol it, or restore it at the tablet",
        "site": {"name": site.name, "utc_offset_hours": site.utc_offset_hours},
        "doors": {},
    }


def _forget(state: Path) -> None:
    try:
        cancel(state)
    except BackupError as fault:
        raise ValueError(str(fault)) from fault


def _now() -> Moment:
    return Moment(
        monotonic_s=asyncio.get_running_loop().time(),
        earliest_ms=wall_ms(),
        latest_ms=UNBOUNDED_MS,
        boot="empty",
    )


def ended_for_more(settings: Settings, state: Path) -> bool:
    """Say whether whoever watches the program is to start it again now."""
    return is_staged(state) or (state / settings.keys.site).exists()
