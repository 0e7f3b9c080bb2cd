# SPDX-License-Identifier: Apache-2.0
"""Sealed keys that come with the feed: opened, put in place, and used at once.

The law of the module: it looks when other rows came into force, and once at the start,
since the power may go between the two; what has no effect is told once. No door waits
for it, and a disk that fails leaves the keys of before in use.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from cloud_sync.ports import PortFaultError
from edge.cli.key_files import KeyFileError
from edge.cli.keys.install import install
from edge.cli.keys.sealed import TICKETS, Lock, Opened, open_rows
from edge.cli.ticket.key_files import read_ticket_keys
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.bindings.ticket_keys import TicketKeys
    from edge.cli.box_key import Box
    from edge.cli.roster_feed import RosterFeed
    from edge.core.event import Facts
    from edge.settings.site import Settings

#: The kind of rows that are sealed keys.
KIND = "key"
#: Of refusals that were told; a feed has a row for each use.
MAX_TOLD = 64
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Who uses keys: ``tickets`` gets a site's own, ``platform`` the file of its."""

    tickets: Callable[[TicketKeys], None]
    platform: Callable[[Path], None]


class SealedFeed:
    """Follows the rows of kind ``key``."""

    def __init__(
        self,
        settings: Settings,
        state: Path,
        *,
        box: Box,
        feed: RosterFeed,
        users: Users,
        report: Callable[[EventKind, Facts], None],
    ) -> None:
        self._settings = settings
        self._state = state
        self._box = box
        self._feed = feed
        self._users = users
        self._report = report
        self._told: set[str] = set()
        self._is_wanted = asyncio.Event()
        feed.on_adopted = self._is_wanted.set

    async def run(self) -> None:
        """Follow the feed until cancelled."""
        while True:
            try:
                await self._look()
            except (KeyFileError, PortFaultError, OSError, ValueError) as fault:
                log.warning("sealed keys are not taken", why=str(fault))
            await self._is_wanted.wait()
            self._is_wanted.clear()

    async def _look(self) -> None:
        bodies = [json.loads(body) for body in await self._feed.bodies_of(KIND)]
        if not bodies:
            return
        opened = await asyncio.to_thread(self._open, bodies)
        for refused in opened.refused:
            if refused.why not in self._told and len(self._told) < MAX_TOLD:
                self._told.add(refused.why)
                why = refused.why[:80]
                facts = (("count", 1), ("refusal", refused.kind.value), ("why", why))
                self._report(EventKind.PLATFORM_REFUSED, facts)
        if "command" in opened.uses:
            self._users.platform(self._state / self._settings.platform.keys)
        if {"rotation", "issuer"} & set(opened.uses):
            path = self._state / TICKETS
            self._users.tickets(await asyncio.to_thread(read_ticket_keys, path))
        if opened.uses:
            log.info("sealed keys in use", uses=",".join(opened.uses))

    def _open(self, bodies: list[dict[str, object]]) -> Opened:
        settings = self._settings
        lock = Lock(
            state=self._state,
            box=self._box.key(),
            gateway=settings.gateway.id,
            site=settings.site.id,
            site_file=settings.keys.site,
            platform_file=settings.platform.keys,
        )
        opened = open_rows(lock, bodies)
        if opened.files:
            install(self._state, opened.files)
        return opened
