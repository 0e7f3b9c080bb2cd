# SPDX-License-Identifier: Apache-2.0
"""The way of the platform's feed into the rules: staged, checked, swapped whole.

The law of the module: a row that the rules cannot understand refuses its whole
snapshot; the old roster stays, in memory and on disk, and an event says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from typing import TYPE_CHECKING, Self

from cloud_sync.feed import NO_FEED, FeedCursor
from cloud_sync.ports import PortFaultError
from edge.cli.sync_ports import port_faults
from edge.core.event import EventKind
from edge.core.people.roster import Cursor, Roster, RosterBuilder
from edge.core.people.roster_columns import Unpacking, pack
from edge.core.people.roster_row import parse_row
from edge.core.stimulus import Noted
from edge.storage.errors import LocalError
from edge.storage.roster import RosterRow
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.feed import FeedRow
    from cloud_sync.outputs import SnapshotComplete
    from edge.gateway.gateway import Gateway
    from edge.storage.roster import RosterStore

#: Rows parsed between two turns of the loop: about a millisecond.
SLICE_ROWS = 100
MAX_WHY = 120


class RosterFeed:
    """What the synchronisation client calls its feed."""

    def __init__(self, store: RosterStore, gateway: Gateway) -> None:
        self._store = store
        self._gateway = gateway
        self._snapshot = ""
        self._builder = RosterBuilder()
        self._flaw: str | None = None
        self._in_force: Roster | None = None
        #: When what is held was last known to be current (UTC ms, a lower bound).
        self.confirmed_ms = store.cursor.applied_ms

    @classmethod
    async def open(cls, store: RosterStore, gateway: Gateway) -> Self:
        """Bring the last good copy into force, if there is one."""
        feed = cls(store, gateway)
        if store.cursor.epoch and not await feed._adopt_image():
            await feed._adopt_rows()
        return feed

    @property
    def cursor(self) -> FeedCursor:
        """What is held now; a copy that cannot be used counts as none."""
        if self._in_force is None:
            return NO_FEED
        return FeedCursor(epoch=self._store.cursor.epoch, rev=self._store.cursor.rev)

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        """Keep rows aside, on disk and half built in memory."""
        if snapshot != self._snapshot:
            self._begin(snapshot)
        kept = [RosterRow(row.kind, row.id, row.ver, row.body) for row in rows]
        try:
            with port_faults():
                await self._store.stage(snapshot, kept)
        except PortFaultError:
            self._begin("")  # the store has forgotten it, too
            raise
        await self._add(kept)

    async def complete(self, snapshot: SnapshotComplete) -> None:
        """Put the snapshot in force, or refuse it whole."""
        if snapshot.snapshot != self._snapshot:
            self._begin(snapshot.snapshot)  # a snapshot without a single row
            with port_faults():
                await self._store.stage(snapshot.snapshot, [])
        if self._flaw is not None:
            self._refuse(self._flaw)
            await self.drop(snapshot.snapshot)
            return
        await self._sort()
        try:
            with port_faults():
                await finish(self._put_in_force(snapshot, self._builder))
        except PortFaultError as fault:
            if not isinstance(fault.__cause__, LocalError):
                raise
            self._refuse(str(fault))  # a row that came twice: the counts differ
            await self.drop(snapshot.snapshot)
            return
        self._begin("")
        await self._tidy()

    async def _put_in_force(
        self, snapshot: SnapshotComplete, builder: RosterBuilder
    ) -> None:
        """Let the file and the rules change together, whoever gives up waiting."""
        moment_ms = self._gateway.now().earliest_ms
        await self._store.promote(
            snapshot.snapshot,
            epoch=snapshot.cursor.epoch,
            rev=snapshot.cursor.rev,
            hash=snapshot.hash.hex(),
            count=snapshot.count,
            applied_ms=moment_ms,
        )
        self.confirmed_ms = moment_ms
        self._adopt(builder.build(self._place))

    async def confirm(self) -> None:
        """Note that the platform has just called what is held current."""
        self.confirmed_ms = self._gateway.now().earliest_ms

    async def drop(self, snapshot: str) -> None:
        """Forget what was staged."""
        if snapshot == self._snapshot:
            self._begin("")
        with port_faults():
            await self._store.discard(snapshot)

    def _begin(self, snapshot: str) -> None:
        self._snapshot = snapshot
        self._builder = RosterBuilder()
        self._flaw = None

    async def _add(self, rows: Sequence[RosterRow]) -> None:
        for start in range(0, len(rows), SLICE_ROWS):
            try:
                parsed = [
                    parse_row(row.kind, row.id, json.loads(row.body))
                    for row in rows[start : start + SLICE_ROWS]
                ]
            except ValueError as flaw:
                self._flaw = self._flaw or str(flaw)
                return
            self._builder.add(row for row in parsed if row is not None)
            await asyncio.sleep(0)

    async def _sort(self) -> None:
        for _ in self._builder.sorting():
            await asyncio.sleep(0)

    async def _adopt_image(self) -> bool:
        """Adopt what the last run had packed; False if the rows have to be read."""
        unpacking = Unpacking(self._feed_name)
        async for part in self._store.image():
            unpacking.take(part)
        columns = unpacking.columns()
        if columns is None:
            return False
        self._adopt(Roster(columns, self._place))
        return True

    async def _adopt_rows(self) -> None:
        """Adopt what the store's rows say, or tell why they can't be used."""
        seen = 0
        async for chunk in self._store.rows():
            seen += len(chunk)
            await self._add(chunk)
        if seen != self._store.cursor.count:  # a missing row may be a revocation
            self._flaw = self._flaw or f"{seen} rows of {self._store.cursor.count}"
        if self._flaw is not None:
            self._refuse(self._flaw)
            return
        await self._sort()
        self._adopt(self._builder.build(self._place))
        self._begin("")
        await self._tidy()

    async def _tidy(self) -> None:
        """Delete the rows of before, and keep what is in force packed for a start.

        Without an image that start reads the rows: slower, and as good.
        """
        assert self._in_force is not None  # noqa: S101  it was just adopted
        image = pack(self._in_force.columns, self._feed_name)
        with contextlib.suppress(PortFaultError), port_faults():
            await self._store.sweep()
            await self._store.keep_image(image)
            await self._store.forget_deleted()

    def _adopt(self, roster: Roster) -> None:
        self._in_force = roster
        self._gateway.do(lambda controller, now: controller.adopt(roster, now))
        gc.freeze()  # it stays until the next one: nothing for the collector

    @property
    def _place(self) -> Cursor:
        return Cursor(self._store.cursor.epoch, self._store.cursor.rev)

    @property
    def _feed_name(self) -> str:
        return f"{self._place} {self._store.cursor.hash}"

    def _refuse(self, why: str) -> None:
        self._gateway.note(
            Noted(
                kind=EventKind.ROSTER_REFUSED,
                subject="gateway",
                facts=(("why", why[:MAX_WHY]),),
            )
        )
