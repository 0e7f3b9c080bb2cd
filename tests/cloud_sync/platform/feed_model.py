# SPDX-License-Identifier: Apache-2.0
"""The feed under everything that goes wrong, from a seed.

The law of the module: the product's own session, the reference platform's own feed on
SQLite, and the gateway's own roster file and builder; between them a line that loses,
doubles, reorders and holds back. After the storm the line is clean, and then the
gateway holds what the platform has within :data:`CLEAN_PULLS` pulls.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloud_sync.feed import NO_FEED
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    ChangesComplete,
    FeedCurrent,
    Output,
    Publish,
    Reconnect,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
)
from cloud_sync.platform import feed_head, feeds
from cloud_sync.platform.feeds import Change
from cloud_sync.ports import PortFaultError
from edge.cli.roster_feed import RosterFeed
from edge.core.chain import canonical, genesis
from edge.core.people.quarantine import Quarantine
from edge.core.people.roster import NOWHERE, RosterBuilder
from edge.storage.roster import RosterStore
from tests.cloud_sync.driving import moment, new_session
from tests.cloud_sync.platform.desk import NOW_MS, Desk, registered
from tests.cloud_sync.platform.feed_model_parts import (
    Card,
    MemoryDatabase,
    PowerCutError,
    Rules,
)
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY
from tests.storage.sealing import SEAL

if TYPE_CHECKING:
    from collections.abc import Iterable


#: Pulls on a clean line until both sides agree: the one that was on its way, one that
#: finds that what is held does not add up, one that mends it, and one to spare.
CLEAN_PULLS = 4
STEPS = 60
PEOPLE, BOOKINGS, GOOD = 9, 14, 30
Message = tuple[str, bytes]


@dataclass(slots=True)
class Tally:
    """What a run has seen."""

    snapshots: int = 0
    changes: int = 0
    repairs: int = 0
    cuts: int = 0
    restores: int = 0
    clean_pulls: int = 0


@dataclass(slots=True)
class Model:
    """One run; :meth:`storm`, then :meth:`calm`."""

    seed: int
    chance: random.Random
    database: MemoryDatabase
    desk: Desk
    card: Card = field(default_factory=Card)
    rules: Rules = field(default_factory=Rules)
    tally: Tally = field(default_factory=Tally)
    down: list[Message] = field(default_factory=list)
    up: list[Message] = field(default_factory=list)
    backups: list[bytes] = field(default_factory=list)
    session: Any = None
    feed: Any = None
    now_s: float = 100.0
    is_connected: bool = False
    pulls: int = 0

    @classmethod
    async def make(cls, seed: int) -> Model:
        database = MemoryDatabase()
        await database.create()
        await registered(database)
        model = cls(seed, random.Random(seed), database, Desk(database))
        await model.boot()
        return model

    # -- the gateway ------------------------------------------------------------------

    async def boot(self) -> None:
        self.card.reboot()
        self.rules = Rules()
        store = await RosterStore.open(self.card, SEAL)
        self.feed = await RosterFeed.open(store, self.rules)  # type: ignore[arg-type]
        reads = ("cmd", "delta") if self.seed % 8 else ("cmd",)
        serial = self.chance.randrange(1 << 30)
        self.session = new_session(serial, capabilities=reads)
        self.is_connected = False

    async def connect(self) -> None:
        self.down.clear()
        self.up.clear()
        head = genesis(EPOCH)
        view = JournalView(epoch=EPOCH, last_seq=0, head=head, acked=0)
        self.is_connected = True
        now = moment(self.now_s)
        await self.perform(self.session.connected(view, self.feed.cursor, now))

    async def disconnect(self) -> None:
        self.is_connected = False
        await self.perform(self.session.disconnected())

    async def perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            await self._perform(output)

    async def _perform(self, output: Output) -> None:
        feed, now = self.feed, moment(self.now_s)
        match output:
            case Publish(topic=topic, payload=payload):
                self.pulls += topic.endswith("/pull")
                self.up.append((topic, payload))
            case StageRows(snapshot=name, rows=rows):
                await feed.stage(name, rows)
            case SnapshotComplete() | ChangesComplete():
                if isinstance(output, SnapshotComplete):
                    await feed.complete(output)
                    self.tally.snapshots += 1
                else:
                    await feed.change(output)
                    self.tally.changes += 1
                await self.perform(self.session.feed_settled(output, feed.cursor, now))
            case FeedCurrent(cursor=cursor, hash=told) if cursor == feed.cursor:
                if told and feed.hash and told != feed.hash:
                    self.session.feed.doubt(now)
                else:
                    await feed.confirm()
            case SnapshotDropped(snapshot=name):
                await feed.drop(name)
            case Reconnect():
                await self.disconnect()
            case _:
                pass

    async def hear(self, message: Message) -> None:
        if self.is_connected:
            outputs = self.session.receive(*message, moment(self.now_s))
            await self.perform(outputs)

    async def tick(self, seconds: float) -> None:
        self.now_s += seconds
        if self.is_connected:
            await self.perform(self.session.tick(moment(self.now_s)))

    # -- the platform -----------------------------------------------------------------

    async def answer(self) -> None:
        """Take what came up; answer in parts as small as they come."""
        said, self.up = self.up, []
        if not said:
            return
        outcome = await self.desk.reception.receive(said, NOW_MS)
        self.down += [(each.topic, each.payload) for each in outcome.answers]
        for wanted in outcome.wanted:
            parts = await self.desk.reception.feed(wanted, NOW_MS)
            self.down += [(each.topic, each.payload) for each in parts]

    async def nudge(self) -> None:
        _, nudges = await self.desk.reception.news({})
        self.down += [(each.topic, each.payload) for each in nudges]

    async def change(self) -> None:
        chance = self.chance
        put: dict[tuple[str, str], str] = {}
        remove = []
        for _ in range(chance.randint(1, 6)):
            if chance.random() < 0.45:
                key = ("holder", f"h-{chance.randrange(PEOPLE)}")
                body: dict[str, Any] = {
                    "enabled": 1,
                    "extended": chance.randrange(2),
                    "language": "zh-CN",
                    "roles": [],
                    "credentials": [f"CARD:{chance.randrange(1, 12):032x}"],
                }
            else:
                key = ("booking", f"b-{chance.randrange(BOOKINGS)}")
                start = chance.randrange(100)
                body = {
                    "holder": f"h-{chance.randrange(PEOPLE)}",
                    "space": "hall",
                    "from": start,
                    "to": start + 9,
                    "party": 1,
                    "state": "CONFIRMED",
                }
            if chance.random() < 0.3:
                remove.append(key)
            else:
                put[key] = canonical(body)
        wanted = Change(put=put, remove=[key for key in remove if key not in put])
        async with self.database.writing() as work:
            await feeds.change(work, GATEWAY, wanted, NOW_MS)

    async def compact(self) -> None:
        async with self.database.writing() as work:
            now = await feeds.cursor(work, GATEWAY)
            if now != NO_FEED:
                await feed_head.forget(work, GATEWAY, now.rev)

    async def restore(self) -> None:
        if self.backups:
            self.database.restore(self.chance.choice(self.backups))
            self.tally.restores += 1

    # -- the run ----------------------------------------------------------------------

    async def storm(self) -> None:
        # So many good rows that those without a holder never are the most.
        policy = canonical({"hours": "", "places": "*", "role": "VOLUNTEER"})
        put = {("policy", f"p-{n}"): policy for n in range(GOOD)}
        async with self.database.writing() as work:
            await feeds.change(work, GATEWAY, Change(put=put), NOW_MS)
        await self.change()
        await self.connect()
        for _ in range(STEPS):
            await self._step()

    async def _step(self) -> None:
        chance = self.chance
        try:
            match chance.choices(range(10), (9, 6, 14, 8, 8, 2, 1, 1, 1.5, 1))[0]:
                case 0:
                    await self.change()
                case 1:
                    await self.nudge()
                case 2:
                    await self.answer()
                    if chance.random() < 0.6:  # the line is quick, for once
                        await self._deliver()
                case 3:
                    await self._deliver()
                case 4:
                    await self.tick(chance.choice((2.0, 20.0, 20.0, 700.0)))
                case 5:
                    self.backups.append(self.database.backup())
                case 6:
                    await self.restore()
                case 7:
                    await self.compact()
                case 8:
                    self.card.left = chance.randrange(40)
                case _:
                    self.card.rot(chance)
            if not self.is_connected and chance.random() < 0.5:
                await self.connect()
        except (PowerCutError, PortFaultError):
            self.tally.cuts += 1
            await self._come_back()

    async def _deliver(self) -> None:
        """Bring down what is on its way, as such a line does."""
        chance, waiting = self.chance, self.down
        self.down = []
        if chance.random() < 0.5:
            chance.shuffle(waiting)
        for message in waiting:
            fate = chance.random()
            if fate < 0.1:
                continue
            if fate < 0.2:
                self.down.append(message)  # late, perhaps after what followed
            topic, payload = message
            if fate > 0.95:
                at = chance.randrange(len(payload))
                payload = payload[:at] + b"x" + payload[at + 1 :]
            await self.hear((topic, payload))

    async def _come_back(self) -> None:
        while True:
            try:
                await self.boot()
            except (PowerCutError, PortFaultError):
                continue
            return

    async def calm(self) -> None:
        """Let the line be clean until both sides agree; count the pulls."""
        self.card.left = None
        await self._come_back() if self.chance.random() < 0.3 else None
        if self.is_connected:
            await self.disconnect()
        self.session.disconnected()
        self.pulls = 0
        await self.connect()
        for _ in range(3 * CLEAN_PULLS):
            while self.up or self.down:
                await self.answer()
                waiting, self.down = self.down, []
                for message in waiting:
                    await self.hear(message)
            if await self.agrees():
                break
            await self.tick(700.0)
            if not self.is_connected:
                await self.connect()
        self.tally.clean_pulls = self.pulls
        self.tally.repairs += self.session.feed.repairs
        assert await self.agrees(), f"seed {self.seed}"
        assert self.pulls <= CLEAN_PULLS, f"seed {self.seed}: {self.pulls} pulls"

    async def agrees(self) -> bool:
        async with self.database.reading() as work:
            now = await feeds.cursor(work, GATEWAY)
            snapshot = await feeds.snapshot(work, GATEWAY)
            rows = {tuple(row) for row in await feeds.rows(work, GATEWAY)}
        if self.feed.cursor != now or self.feed.hash.hex() != snapshot.hash:
            return False
        if self.card.rows() != rows:
            return False
        return bool(_told(self.rules.roster) == _told(_anew(rows)))


def _anew(rows: Iterable[tuple[Any, ...]]) -> Any:
    builder, quarantine = RosterBuilder(), Quarantine()
    parsed = (quarantine.parse(kind, name, body) for kind, name, _, body in rows)
    builder.add(row for row in parsed if row is not None)
    return builder.build(NOWHERE)


def _told(roster: Any) -> Any:
    people = [f"h-{n}" for n in range(PEOPLE)]
    return (
        [repr(roster.holder(name)) for name in people],
        [repr(roster.find(n.to_bytes(16))) for n in range(1, 12)],
        [sorted(map(repr, roster.bookings(name))) for name in people],
        sorted(map(repr, roster.booked("hall", 20, 60))),
    )


async def run(seed: int) -> Tally:
    """Run one seed; AssertionError names it."""
    model = await Model.make(seed)
    await model.storm()
    await model.calm()
    return model.tally


def run_all(seeds: Iterable[int]) -> dict[str, int]:
    """Run seeds one after the other; return what they saw together."""
    total: dict[str, int] = {"most clean pulls": 0}
    for seed in seeds:
        tally = asyncio.run(run(seed))
        for name in Tally.__dataclass_fields__:
            total[name] = total.get(name, 0) + getattr(tally, name)
        most = total["most clean pulls"]
        total["most clean pulls"] = max(most, tally.clean_pulls)
    return total


if __name__ == "__main__":
    import sys

    first, last = map(int, sys.argv[1].split(".."))
    print(json.dumps(run_all(range(first, last + 1))))
