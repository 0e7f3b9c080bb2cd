# SPDX-License-Identifier: Apache-2.0
"""The way of the platform's feed into the rules: staged, checked, swapped whole.

The law of the module: a row that the rules cannot understand is kept out, an event
says so, and the rest is used. Where more than half is broken the whole snapshot is
refused and the old roster stays, in memory and on disk: the sender's mistake must not
empty a site. One snapshot at a time is on its way, by the line or by a stick; where
they meet the line goes first, and what is older than what is held is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from cloud_sync.feed import NO_FEED, FeedCursor
from cloud_sync.ports import PortFaultError
from edge.cli.sync_ports import port_faults
from edge.core.erasing.kept_out import KeptOut
from edge.core.event import EventKind
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import Cursor, Roster, RosterBuilder
from edge.core.people.roster_image import Unpacking, pack
from edge.core.stimulus import Noted
from edge.storage.errors import LocalError
from edge.storage.roster import RosterRow
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from cloud_sync.feed import FeedRow
    from cloud_sync.outputs import SnapshotComplete
    from edge.core.controller import Controller
    from edge.core.moment import Moment
    from edge.core.outcome import Outcome
    from edge.gateway.gateway import Gateway
    from edge.storage.roster import RosterStore

#: Rows parsed between two turns of the loop: about a millisecond.
SLICE_ROWS = 100
MAX_WHY = 120
#: How old the platform's word on disk may be; one more written page an hour.
KEEP_WORD_MS = 3_600_000


@dataclass(slots=True)
class LeftOut:
    """How many rows of a snapshot named people erased here, and which digests."""

    rows: int = 0
    met: set[bytes] = field(default_factory=set)


class RosterFeed:
    """What the synchronisation client calls its feed.

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
        self._kept_out = KeptOut() if kept_out is None else kept_out
        self._gateway = gateway
        self._spaces = spaces
        self._begin("")
        self._turn = asyncio.Lock()
        #: Why the last snapshot that was offered whole was not taken.
        self.refusal = ""
        #: What was told of the broken rows of the snapshot before.
        self._told: frozenset[Noted] = frozenset()
        self._in_force: Roster | None = None
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
        if self._in_force is None:
            return NO_FEED
        return FeedCursor(epoch=self._store.cursor.epoch, rev=self._store.cursor.rev)

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
        kept = [RosterRow(row.kind, row.id, row.ver, row.body) for row in rows]
        if self._kept_out:
            kept = [row for row in kept if not self._is_kept_out(row)]
        try:
            with port_faults():
                await self._store.stage(snapshot, kept)
        except PortFaultError:
            self._begin("")  # the store has forgotten it, too
            raise
        await self._add(kept)

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
        await self._sort()
        if self._quarantine.is_hopeless:
            self._refuse(self._quarantine.summary())
            await self._drop(snapshot.snapshot)
            return
        try:
            with port_faults():
                held = (self._builder, self._quarantine, self._left_out)
                moment_ms = self._moment_ms(as_of_ms)
                await finish(self._put_in_force(snapshot, moment_ms, *held))
        except PortFaultError as fault:
            if not isinstance(fault.__cause__, LocalError):
                raise
            self._refuse(str(fault))  # a row that came twice: the counts differ
            await self._drop(snapshot.snapshot)
            return
        self._begin("")
        await self._tidy()

    async def _put_in_force(
        self,
        snapshot: SnapshotComplete,
        moment_ms: int,
        builder: RosterBuilder,
        quarantine: Quarantine,
        left_out: LeftOut,
    ) -> None:
        """Let the file and the rules change together, whoever gives up waiting."""
        await self._store.promote(
            snapshot.snapshot,
            epoch=snapshot.cursor.epoch,
            rev=snapshot.cursor.rev,
            hash=snapshot.hash.hex(),
            count=snapshot.count - left_out.rows,
            applied_ms=moment_ms,
        )
        self._kept_out.agreed(frozenset(left_out.met))
        self.confirmed_ms = moment_ms
        self._adopt(builder.build(self._place))
        self._tell(quarantine)
        self.on_adopted()

    async def bodies_of(self, kind: str) -> list[str]:
        """Return the bodies (JSON) of the rows of one kind that are in force."""
        with port_faults():
            return [row.body for row in await self._store.of_kind(kind)]

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

    def _moment_ms(self, as_of_ms: int | None) -> int:
        """Return since when, for all we know, the platform's word has been good."""
        now_ms = self._gateway.now().earliest_ms
        return now_ms if as_of_ms is None else min(now_ms, as_of_ms)

    async def drop(self, snapshot: str) -> None:
        """Forget what was staged."""
        async with self._turn:
            await self._drop(snapshot)

    async def _drop(self, snapshot: str) -> None:
        if snapshot == self._snapshot:
            self._begin("")
        with port_faults():
            await self._store.discard(snapshot)

    def _begin(self, snapshot: str) -> None:
        self._snapshot = snapshot
        self._builder = RosterBuilder(self._spaces)
        self._quarantine = Quarantine()
        self._left_out = LeftOut()

    def _is_kept_out(self, row: RosterRow) -> bool:
        """Say whether a row names somebody who was erased here."""
        met = self._kept_out.met(row.kind, row.id, row.body)
        self._left_out.rows += bool(met)
        self._left_out.met |= met
        return bool(met)

    async def forget(self, holder: str) -> tuple[str, ...]:
        """Take a person out of what is in force; return his cards' tokens (hex).

        What was on its way is dropped: whoever pulls gets it anew, without him.
        """
        async with self._turn:
            self._begin("")
            with port_faults():
                taken = await self._store.erase(holder)
            if taken.rows:
                await self._adopt_rows()
            return taken.tokens

    async def scour(self) -> bool:
        """Leave no deleted row in the file's log; False if somebody reads it."""
        with port_faults():
            await self._store.sweep()
            return await self._store.forget_deleted()

    async def _add(self, rows: Sequence[RosterRow]) -> None:
        parse = self._quarantine.parse
        for start in range(0, len(rows), SLICE_ROWS):
            part = rows[start : start + SLICE_ROWS]
            parsed = (parse(row.kind, row.id, row.body) for row in part)
            self._builder.add(row for row in parsed if row is not None)
            await asyncio.sleep(0)

    async def _sort(self) -> None:
        for _ in self._builder.sorting():
            await asyncio.sleep(0)
        for stray in self._builder.strays():
            self._quarantine.add(*stray)

    def _tell(self, quarantine: Quarantine) -> None:
        """Tell the flaws that the snapshot before did not have.

        Each change of a booking brings a new snapshot: one bad row must not fill the
        journal.
        """
        notes = list(quarantine.notes())
        for note in notes:
            if note not in self._told:
                self._gateway.note(note)
        self._told = frozenset(notes)

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
            self._refuse(f"{seen} rows of {self._store.cursor.count}")
            self._begin("")
            return
        await self._sort()
        if self._quarantine.is_hopeless:
            self._refuse(self._quarantine.summary())
            self._begin("")
            return
        self._adopt(self._builder.build(self._place))
        self._tell(self._quarantine)
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
        confirmed_ms = self.confirmed_ms
        self._gateway.do(
            lambda controller, now: controller.adopt(
                roster, now, confirmed_ms=confirmed_ms
            )
        )

    def _confirmed(self, controller: Controller, now: Moment) -> Outcome:
        controller.rolls.confirm(self.confirmed_ms)
        return controller.tick(now)

    @property
    def _place(self) -> Cursor:
        return Cursor(self._store.cursor.epoch, self._store.cursor.rev)

    @property
    def _feed_name(self) -> str:
        return f"{self._place} {self._store.cursor.hash}"

    def _refuse(self, why: str) -> None:
        self.refusal = why
        self._gateway.note(
            Noted(
                kind=EventKind.ROSTER_REFUSED,
                subject="gateway",
                facts=(("why", why[:MAX_WHY]),),
            )
        )
