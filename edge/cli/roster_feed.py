# SPDX-License-Identifier: Apache-2.0
"""The way of the platform's feed into the rules: staged, checked, swapped whole.

Changes of what is held go the same way. Few of them are laid over the roster that is
in force, many are built into a new one; every now and then the layers become one.

The law of the module: a row that the rules cannot understand is kept out, an event
says so, and the rest is used. Where more than half is broken the whole snapshot is
refused and the old roster stays, in memory and on disk: the sender's mistake must not
empty a site. One snapshot at a time is on its way, by the line or by a stick; where
they meet the line goes first, and what is older than what is held is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from cloud_sync.ports import PortFaultError
from edge.cli.roster_in_force import RosterInForce
from edge.cli.sync_ports import port_faults
from edge.core.people.layered_roster import LayeredRoster
from edge.storage.errors import DamagedError, LocalError
from edge.storage.roster import RosterCursor
from edge.storage.roster_changes import RosterChanges
from edge.storage.roster_row import RosterRow
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cloud_sync.feed import FeedRow
    from cloud_sync.outputs import ChangesComplete, SnapshotComplete
    from edge.cli.roster_work import RosterWork
    from edge.core.controller import Controller
    from edge.core.moment import Moment
    from edge.core.outcome import Outcome

#: Changes that lie over the roster cost each further change their parsing: a roster's
#: sixteenth at most, and some hundred in any case.
LAYER_SHARE, LAYER_ROWS = 16, 500
#: The layer below still holds who was taken out of the feed: no longer than so.
FOLD_AFTER_S = 3600.0
FOLD_LOOK_S = 300.0
#: How old the platform's word on disk may be; one more written page an hour.
KEEP_WORD_MS = 3_600_000


class RosterFeed(RosterInForce):
    """What the synchronisation client calls its feed."""

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        """Keep rows aside, on disk and half built in memory."""
        async with self._turn:
            await self._stage(snapshot, rows)

    async def stage_politely(
        self, snapshot: str, rows: Sequence[FeedRow], *, is_first: bool
    ) -> bool:
        """Stage rows unless another snapshot is on its way; say whether it was done.

        False too where another came between the first rows of this one and these.
        """
        async with self._turn:
            if self._snapshot != ("" if is_first else snapshot):
                return False
            await self._stage(snapshot, rows)
            return True

    async def _stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        if snapshot != self._snapshot:
            self._begin(snapshot)
        kept = [
            RosterRow(row.kind, row.id, row.ver, row.body, row.digest or None)
            for row in rows
        ]
        if self._kept_out:
            kept = self._work.leave_out(kept, self._kept_out)
        try:
            with port_faults():
                await self._store.stage(snapshot, kept)
        except PortFaultError:
            self._begin("")  # the store has forgotten it, too
            raise
        await self._work.add(kept)

    async def complete(
        self, snapshot: SnapshotComplete, as_of_ms: int | None = None
    ) -> None:
        """Put the snapshot in force, or refuse it whole; :attr:`refusal` says why.

        ``as_of_ms`` (UTC) is when the platform stood by it, if that was not just now.
        """
        async with self._turn:
            self.refusal = ""
            if snapshot.cursor.age < self.cursor.age:
                self._refuse("older than what is held")  # a stick was quicker
                await self._drop(snapshot.snapshot)
                return
            await self._complete(snapshot, as_of_ms)

    async def _complete(self, snapshot: SnapshotComplete, as_of_ms: int | None) -> None:
        if snapshot.snapshot != self._snapshot:
            self._begin(snapshot.snapshot)  # a snapshot without a single row
            with port_faults():
                await self._store.stage(snapshot.snapshot, [])
        await self._work.sort()
        if self._work.quarantine.is_hopeless:
            self._refuse(self._work.quarantine.summary())
            await self._drop(snapshot.snapshot)
            return
        cursor = RosterCursor(
            epoch=snapshot.cursor.epoch,
            rev=snapshot.cursor.rev,
            hash=snapshot.hash.hex(),
            count=snapshot.count - self._work.left_out.rows,
            applied_ms=self._moment_ms(as_of_ms),
        )
        try:
            with port_faults():
                await finish(self._put_in_force(self._work, cursor, is_whole=True))
        except PortFaultError as fault:
            if not isinstance(fault.__cause__, LocalError):
                raise
            self._refuse(str(fault))  # a row that came twice: the counts differ
            await self._drop(snapshot.snapshot)
            return
        self._begin("")
        await self._tidy()

    async def _put_in_force(
        self, work: RosterWork, cursor: RosterCursor, *, is_whole: bool = False
    ) -> None:
        """Let the file and the rules change together, whoever gives up waiting.

        ``is_whole``: all that the feed says, and so also of whom it speaks no more.
        """
        await self._store.promote(
            work.name,
            epoch=cursor.epoch,
            rev=cursor.rev,
            hash=cursor.hash,
            count=cursor.count,
            applied_ms=cursor.applied_ms,
        )
        if is_whole:
            self._kept_out.agreed(frozenset(work.left_out.met))
        self._is_rotten = self._is_rotten and not is_whole
        self.confirmed_ms = cursor.applied_ms
        self._adopt(work.builder.build(self._place))
        self._tell(work)

    async def bodies_of(self, kind: str) -> list[str]:
        """Return the bodies (JSON) of the rows of one kind that are in force."""
        with port_faults():
            return [row.body for row in await self._store.of_kind(kind)]

    async def rows_under(self, number: int) -> int:
        """Count the rows in force of that site key, or of one before it."""
        with port_faults():
            return await self._store.tokens_under(number)

    async def forget(
        self, holder: str, remember: Callable[[tuple[str, ...]], Awaitable[None]]
    ) -> tuple[str, ...]:
        """Take a person out of what is in force; return his cards' tokens (hex).

        What was on its way is dropped: whoever pulls gets it anew, without him. Once
        his rows are gone nobody knows his tokens any more, so ``remember`` is awaited
        with them before; nothing comes in meanwhile.
        """
        async with self._turn:
            self._begin("")
            with port_faults():
                tokens = await self._store.tokens_of(holder)
            await remember(tokens)
            # The layer below still has what was taken out above it.
            is_in_memory = isinstance(self._in_force, LayeredRoster)
            with port_faults():
                taken = await self._store.erase(holder)
            roster = self._in_force
            is_known = roster is not None and roster.holder(holder) is not None
            is_stale = bool(taken.rows) or is_in_memory or is_known
            if is_stale and not await self._adopt_rows():
                raise PortFaultError(
                    f"what is left of the roster cannot be used ({self.refusal}); the "
                    "platform's next snapshot mends it, and this is tried again"
                )
            return tokens

    async def scour(self) -> bool:
        """Leave no deleted row in the file's log; False if somebody reads it."""
        with port_faults():
            await self._store.sweep()
            return await self._store.forget_deleted()

    async def change(self, changes: ChangesComplete) -> None:
        """Add the changes to what is held, or leave it: :attr:`refusal` says why."""
        async with self._turn:
            self.refusal = ""
            with port_faults():
                try:
                    why = await self._change(changes)
                except (LocalError, DamagedError) as fault:
                    why = str(fault)
            if why:
                self.misfits += 1
                self._refuse(why)
                await self._drop(changes.snapshot)
            else:
                self._begin("")
        if not why and self._layered_s is None:
            await self._tidy()

    async def _change(self, changes: ChangesComplete) -> str:
        if not changes.count and changes.snapshot != self._snapshot:
            self._begin(changes.snapshot)  # a revision in which nothing remained
            await self._store.stage(changes.snapshot, [])
        work, held = self._work, self._store.cursor
        if changes.base != self.cursor or work.name != changes.snapshot:
            return "changes of something else than what is held"
        if work.is_mostly_broken:
            return work.quarantine.summary()
        after, upto = self._store.staged
        if upto - after + work.left_out.rows != changes.count:
            return "some of the changes went while they were on their way"
        added = RosterChanges(self._store, work.name, self.rest)
        await added.begin()
        weight = await added.weigh()
        count = held.count + weight.come - weight.gone
        total = int(held.hash, 16) + weight.come_sum - weight.gone_sum
        told = (total % (1 << 256)).to_bytes(32)
        # The sum alone: rows of somebody who was forgotten here are not counted.
        if changes.hash and changes.hash != told:
            return "the changes do not add up with what is held"
        cursor = RosterCursor(
            epoch=changes.cursor.epoch,
            rev=changes.cursor.rev,
            hash=told.hex(),
            count=count,
            applied_ms=self._moment_ms(None),
        )
        is_small = self.layered + changes.count <= max(LAYER_ROWS, count // LAYER_SHARE)
        base = self._base
        if is_small and base is not None and await work.lie_over(base, added):
            await work.sort()
            await finish(self._lay_over(added, work, cursor))
            return ""
        return await self._merge(added, work, cursor)

    async def _lay_over(
        self, added: RosterChanges, work: RosterWork, cursor: RosterCursor
    ) -> None:
        await added.add(cursor)
        self.confirmed_ms = cursor.applied_ms
        self._adopt(work.builder.build(self._place))
        self._tell(work, is_all=False)

    async def _merge(
        self, added: RosterChanges, work: RosterWork, cursor: RosterCursor
    ) -> str:
        async for chunk in added.rows(is_whole=True):
            await work.add(chunk)
        await work.sort()
        if work.quarantine.is_hopeless:
            return work.quarantine.summary()
        await added.merge()
        await finish(self._put_in_force(work, cursor))
        return ""

    async def fold_now_and_then(self) -> None:
        """Make one layer of two when the upper one is old; until cancelled."""
        while True:
            await asyncio.sleep(FOLD_LOOK_S)
            since_s = self._layered_s
            now_s = self._gateway.now().monotonic_s
            if since_s is not None and now_s - since_s >= FOLD_AFTER_S:
                with contextlib.suppress(PortFaultError):
                    await self.fold()

    async def fold(self) -> None:
        """Make one layer of two, unless a snapshot is on its way."""
        async with self._turn:
            if self._snapshot or self._layered_s is None:
                return
            name, held = "fold", self._store.cursor
            # The file hears of the platform's word once an hour; the rules know it.
            cursor = replace(held, applied_ms=max(held.applied_ms, self.confirmed_ms))
            try:
                with port_faults():
                    self._begin(name)
                    await self._store.discard(name)  # of a fold that failed
                    await self._store.stage(name, [])
                    added = RosterChanges(self._store, name)
                    await added.begin()
                    why = await self._merge(added, self._work, cursor)
            except PortFaultError as fault:
                if isinstance(fault.__cause__, DamagedError):
                    self._is_rotten = True
                    self._refuse(str(fault))
                raise
            finally:
                self._begin("")
        if not why:  # else too much is broken, and there are two layers still
            await self._tidy()

    async def confirm(self, as_of_ms: int | None = None) -> None:
        """Note that the platform has just called what is held current.

        Or did so at ``as_of_ms`` (UTC), which takes back nothing it said later. In the
        file once an hour: an old word makes residents' policies stale, and a
        box may have to start without the platform.
        """
        moment_ms = self._moment_ms(as_of_ms)
        if as_of_ms is not None:
            moment_ms = max(moment_ms, self.confirmed_ms)
        self.confirmed_ms = moment_ms
        self._gateway.do(self._confirmed)
        if self.confirmed_ms - self._store.cursor.applied_ms >= KEEP_WORD_MS:
            with contextlib.suppress(PortFaultError), port_faults():
                await self._store.confirm(self.confirmed_ms)

    async def drop(self, snapshot: str) -> None:
        """Forget what was staged."""
        async with self._turn:
            await self._drop(snapshot)

    async def _drop(self, snapshot: str) -> None:
        if snapshot == self._snapshot:
            self._begin("")
        with port_faults():
            await self._store.discard(snapshot)

    def _confirmed(self, controller: Controller, now: Moment) -> Outcome:
        controller.rolls.confirm(self.confirmed_ms)
        return controller.tick(now)
