# SPDX-License-Identifier: Apache-2.0
"""Sealed keys that come with the feed: opened, put in place, and used at once.

The law of the module: it looks when other rows came into force, and once at the start,
since the power may go between the two; what has no effect is told once. No door waits
for it, and a disk that fails leaves the keys of before in use. What is told of a site's
keys is on the disk before; a key of before goes when the platform does not list it, no
row in force is of it, and the rules do not need it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from cloud_sync.ports import PortFaultError
from cloud_sync.refusal import RefusalKind
from edge.cli.key_files import KeyFileError, read_tokens
from edge.cli.keys import site_keys
from edge.cli.keys.install import KeyFile, install
from edge.cli.keys.sealed import TICKETS, Lock, Opened, open_rows
from edge.cli.ticket.key_files import read_ticket_keys
from edge.core.event import EventKind
from edge.core.stimulus import SiteKeysHeld

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.bindings.ticket_keys import TicketKeys
    from edge.bindings.tokens import TokenMaker
    from edge.cli.box_key import Box
    from edge.cli.intake import Intake
    from edge.cli.roster_feed import RosterFeed
    from edge.cli.runtime import Runtime
    from edge.cli.ticket_sight import TicketSight
    from edge.core.event import Facts
    from edge.gateway.gateway import Gateway
    from edge.settings.site import Settings

#: The kind of rows that are sealed keys.
KIND = "key"
#: Of refusals that were told; a feed has a row for each use.
MAX_TOLD = 64
#: Whether a site key of before is still needed is asked so often.
LOOK_S = 3600.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Who uses keys: ``tickets`` gets a site's own, ``platform`` the file of its.

    ``tokens`` gets what makes tokens with a site's keys, ``gateway`` their numbers;
    ``needs`` says what still needs a key of before, "" for nothing.
    """

    tickets: Callable[[TicketKeys], None]
    platform: Callable[[Path], None]
    tokens: Callable[[TokenMaker], None]
    gateway: Gateway
    needs: Callable[[int], str]


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
        #: The site keys by which tokens are made; None: those of the start.
        self._in_use: dict[str, Any] | None = None
        self._is_wanted = asyncio.Event()
        feed.on_adopted = self._is_wanted.set

    async def run(self) -> None:
        """Follow the feed until cancelled."""
        while True:
            try:
                await self._look()
            except (KeyFileError, PortFaultError, OSError, ValueError) as fault:
                log.warning("sealed keys are not taken", why=str(fault))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._is_wanted.wait()
            self._is_wanted.clear()

    async def _look(self) -> None:
        bodies = [json.loads(body) for body in await self._feed.bodies_of(KIND)]
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
        await self._follow_site_keys(opened.listed)
        if opened.uses:
            log.info("sealed keys in use", uses=",".join(opened.uses))

    async def _follow_site_keys(self, listed: tuple[int, ...] | None) -> None:
        """Tell which site keys lie on the disk; give up what nobody needs."""
        held = await asyncio.to_thread(self._site_keys)
        if held is None:
            return
        gateway, former = self._users.gateway, [each["n"] for each in held["former"]]
        if self._in_use != held:
            await self._use_site_keys()
            self._in_use = held
        told = SiteKeysHeld(current=held["n"], former=tuple(former))
        gateway.do(lambda controller, now: controller.handle(told, now))
        newest = self._feed.newest_site_key
        if newest > held["n"]:
            self._tell_unknown(newest, held["n"])
        # Without the platform's word all of them may be needed.
        kept = set(former if listed is None else listed)
        for number in former:
            if number not in kept and await self._is_free(number):
                left = json.dumps(site_keys.without(held, number))
                files = {self._settings.keys.site: KeyFile(text=left)}
                await asyncio.to_thread(install, self._state, files)
                log.info("a site key is given up", number=number)
                await self._follow_site_keys(listed)
                return

    async def _is_free(self, number: int) -> bool:
        """Say whether nobody needs that key, or one before it."""
        if await self._feed.rows_under(number):
            return False
        why = self._users.needs(number)
        if why:
            log.info("a site key is still needed", number=number, by=why)
        return not why

    def _tell_unknown(self, newest: int, held: int) -> None:
        why = f"rows of site key {newest}, and {held} is held"
        if why not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(why)
            refusal = RefusalKind.SITE_KEY.value
            facts: Facts = (("count", 1), ("refusal", refusal), ("why", why))
            self._report(EventKind.PLATFORM_REFUSED, facts)

    async def _use_site_keys(self) -> None:
        path, site = self._state / self._settings.keys.site, self._settings.site.id
        self._users.tokens(await asyncio.to_thread(read_tokens, path, site))

    def _site_keys(self) -> dict[str, Any] | None:
        path = self._state / self._settings.keys.site
        return site_keys.read(path, site_keys.number_of(self._state))

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


def sealed_feed(
    runtime: Runtime, state: Path, sight: TicketSight, intake: Intake
) -> SealedFeed:
    """Return who follows the sealed keys of a gateway, for all who use them there."""

    def needs(number: int) -> str:
        return runtime.controller.house.site_keys.needs(number, runtime.clock.now())

    return SealedFeed(
        runtime.settings,
        state,
        box=runtime.box,
        feed=runtime.feed,
        users=Users(
            tickets=sight.replace_own,
            platform=runtime.line.believe,
            tokens=intake.use,
            gateway=runtime.gateway,
            needs=needs,
        ),
        report=runtime.report,
    )
