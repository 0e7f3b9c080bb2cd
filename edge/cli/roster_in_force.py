# SPDX-License-Identifier: Apache-2.0
"""The roster in force: how the rules got it, and how they get it again at a start.

The law of the module: what the rules hold and what the file has in force are one and
the same feed, in one layer or two. An image is only a quicker way to the same roster;
in doubt the rows are read.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from cloud_sync.feed import NO_FEED, FeedCursor
from cloud_sync.ports import PortFaultError
from edge.cli.courtesy import hurry
from edge.cli.roster_work import RosterWork
from edge.cli.sync_ports import port_faults
from edge.core.erasing.kept_out import KeptOut
from edge.core.event import EventKind
from edge.core.people.roster import Cursor, LayeredRoster, Roster
from edge.core.people.roster_image import Unpacking, pack
from edge.core.stimulus import Noted
from edge.storage.errors import DamagedError
from edge.storage.roster_changes import RosterChanges

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from edge.gateway.gateway import Gateway
    from edge.storage.roster import RosterStore

MAX_WHY = 120


class RosterInForce:
    """The roster that the rules decide by, and its file.

    ``spaces`` are those of the site, so that a booking elsewhere is told; None: they
    are not asked for.
    """

    def __init__(
        self,
        store: RosterStore,
        gateway: Gateway,
        spaces: Collection[str] | None = None,
        kept_out: KeptOut | None = None,
    ) -> None:
        self._store = store
        #: Who was erased here while the feed still brings him.
        self._kept_out = KeptOut() if kept_out is None else kept_out
        self._gateway = gateway
        self._spaces = spaces
        #: What is done between two slices; a start is in a hurry, and all else is not.
        self.rest: Callable[[], Awaitable[None]] = hurry
        self._begin("")
        self._turn = asyncio.Lock()
        #: Why the last snapshot that was offered whole was not taken.
        self.refusal = ""
        #: What was told of the broken rows of the snapshot before.
        self._told: frozenset[Noted] = frozenset()
        self._in_force: Roster | None = None
        #: How often changes did not fit what is held, so that all is fetched anew.
        self.misfits = 0
        #: The latest site key that a row has named since the start.
        self.newest_site_key = 0
        #: Rows in the file do not open any more: the rules hold them, until all of it
        #: has come anew.
        self._is_rotten = False
        #: Since when there are two layers.
        self._layered_s: float | None = None
        #: When what is held was last known to be current (UTC ms, a lower bound).
        self.confirmed_ms = store.cursor.applied_ms
        #: Told when other rows came into force.
        self.on_adopted: Callable[[], None] = lambda: None

    @classmethod
    async def open(
        cls,
        store: RosterStore,
        gateway: Gateway,
        spaces: Collection[str] | None = None,
        kept_out: KeptOut | None = None,
    ) -> Self:
        """Bring the last good copy into force, if there is one."""
        feed = cls(store, gateway, spaces, kept_out)
        if store.cursor.epoch and not await feed._adopt_image():
            await feed._adopt_rows()
        return feed

    @property
    def cursor(self) -> FeedCursor:
        """What is held now; a copy that cannot be used counts as none."""
        if self._in_force is None or self._is_rotten:
            return NO_FEED
        return FeedCursor(epoch=self._store.cursor.epoch, rev=self._store.cursor.rev)

    @property
    def hash(self) -> bytes:
        """What the rows held add up to; empty for none."""
        is_none = self._in_force is None or self._is_rotten
        return b"" if is_none else _bytes(self._store.cursor.hash)

    @property
    def layered(self) -> int:
        """How many rows lie over the roster."""
        return self._store.span[1] - self._store.base

    @property
    def _base(self) -> Roster | None:
        """The layer below, or the roster where there is but one."""
        roster = self._in_force
        return roster.base if isinstance(roster, LayeredRoster) else roster

    def _moment_ms(self, as_of_ms: int | None) -> int:
        """Return since when, for all we know, the platform's word has been good."""
        now_ms = self._gateway.now().earliest_ms
        return now_ms if as_of_ms is None else min(now_ms, as_of_ms)

    def _begin(self, snapshot: str) -> None:
        self._work = RosterWork(snapshot, self._spaces, self.rest)

    @property
    def _snapshot(self) -> str:
        return self._work.name

    def _tell(self, work: RosterWork, *, is_all: bool = True) -> None:
        """Tell the flaws that what was held before did not have.

        Each change of a booking may bring a new snapshot: one bad row must not fill
        the journal. ``is_all`` False: the layer below has flaws of its own.
        """
        self.newest_site_key = max(self.newest_site_key, work.newest_site_key)
        notes = list(work.quarantine.notes())
        for note in notes:
            if note not in self._told:
                self._gateway.note(note)
        self._told = frozenset(notes) if is_all else self._told.union(notes)

    async def _adopt_image(self) -> bool:
        """Adopt what the last run had packed; False if the rows have to be read."""
        unpacking = Unpacking(self._store.image_of)
        async for part in self._store.image():
            unpacking.take(part)
        columns = unpacking.columns()
        if columns is None:
            return False
        base = Roster(columns, self._place)
        if self.layered:
            changes = RosterChanges(self._store, "")
            await changes.begin()
            is_laid = False
            with contextlib.suppress(DamagedError):  # the rows tell how many
                is_laid = await self._work.lie_over(base, changes)
            if not is_laid:
                self._begin("")
                return False
            await self._work.sort()
            base = self._work.builder.build(self._place)
            self._begin("")
        self._adopt(base)
        return True

    async def _adopt_rows(self) -> bool:
        """Adopt what the store's rows say, or tell why they can't be used: False."""
        seen = 0
        async for chunk in self._store.rows():
            seen += len(chunk)
            await self._work.add(chunk)
        if seen != self._store.cursor.count:  # a missing row may be a revocation
            self._refuse(f"{seen} rows of {self._store.cursor.count}")
            self._begin("")
            return False
        await self._work.sort()
        if self._work.quarantine.is_hopeless:
            self._refuse(self._work.quarantine.summary())
            self._begin("")
            return False
        self._adopt(self._work.builder.build(self._place))
        self._tell(self._work)
        self._begin("")
        if self.layered:  # below stands an image that nobody could use
            self._layered_s = self._gateway.now().monotonic_s
        else:
            await self._tidy()
        return True

    async def _tidy(self) -> None:
        """Delete the rows of before, and keep what is in force packed for a start.

        Without an image that start reads the rows: slower, and as good.
        """
        assert self._in_force is not None  # noqa: S101  it was just adopted
        image = pack(self._in_force.columns, self._store.image_of)
        with contextlib.suppress(PortFaultError), port_faults():
            await self._store.sweep()
            await self._store.keep_image(image)
            await self._store.forget_deleted()

    def _adopt(self, roster: Roster) -> None:
        self._in_force = roster
        is_layered = isinstance(roster, LayeredRoster)
        if not is_layered:
            self._layered_s = None
        elif self._layered_s is None:
            self._layered_s = self._gateway.now().monotonic_s
        confirmed_ms = self.confirmed_ms
        self._gateway.do(
            lambda controller, now: controller.adopt(
                roster, now, confirmed_ms=confirmed_ms
            )
        )
        self.on_adopted()

    @property
    def _place(self) -> Cursor:
        return Cursor(self._store.cursor.epoch, self._store.cursor.rev)

    def _refuse(self, why: str) -> None:
        self.refusal = why
        self._gateway.note(
            Noted(
                kind=EventKind.ROSTER_REFUSED,
                subject="gateway",
                facts=(("why", why[:MAX_WHY]),),
            )
        )


def _bytes(text: str) -> bytes:
    """Return the bytes of a sum as the store keeps it; none for an older one."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
