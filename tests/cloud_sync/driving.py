# SPDX-License-Identifier: Apache-2.0
"""A session driven by hand: a clock that tests move, and a journal in a list."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED, FeedCursor, add
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    BeatDue,
    ChangesComplete,
    CheckHash,
    FeedCurrent,
    NewEpochNeeded,
    Output,
    Publish,
    Reconnect,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
    Watermark,
)
from cloud_sync.session import SyncSession
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Topics
from edge.core.moment import Moment
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    GATEWAY,
    KID,
    SHARD,
    genesis,
    public_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloud_sync.feed import FeedRow
    from edge.core.record import Record
    from tests.cloud_sync.scripted_platform import Platform

TOPICS = Topics(gateway=GATEWAY, shard=SHARD)


def moment(now_s: float) -> Moment:
    at_ms = 1_750_000_000_000 + int(now_s * 1000)
    return Moment(
        monotonic_s=now_s, earliest_ms=at_ms, latest_ms=at_ms + 500, boot="boot-17"
    )


def new_session(
    seed: int = 1,
    *,
    gateway: str = GATEWAY,
    capabilities: Sequence[str] = (),
    fetches: bool = False,
) -> SyncSession:
    rng = random.Random(seed)
    return SyncSession(
        topics=Topics(gateway=gateway, shard=SHARD),
        keys=PlatformKeys({KID: public_bytes()}),
        firmware="0.1.0",
        new_nonce=lambda: rng.randbytes(16).hex(),
        chance=rng.random,
        capabilities=capabilities,
        fetches=fetches,
    )


class Gateway:
    """A session with a journal in memory; every output is carried out at once.

    ``sent`` collects publishes, ``told`` everything else, in order.
    """

    def __init__(
        self,
        journal: Sequence[Record] = (),
        *,
        seed: int = 1,
        capabilities: Sequence[str] = (),
        fetches: bool = False,
    ) -> None:
        self.session = new_session(seed, capabilities=capabilities, fetches=fetches)
        self.journal = list(journal)
        self.epoch = EPOCH
        self.acked = 0
        self.now_s = 100.0
        self.held: FeedCursor = NO_FEED
        self.roster: dict[str, FeedRow] = {}
        self.staged: dict[str, list[FeedRow]] = {}
        self.sent: list[Publish] = []
        self.told: list[Output] = []
        self.oldest = 1
        self.needs_connection = True
        self.refuses_snapshots = False

    def connect(self) -> None:
        head = self.journal[-1].hash if self.journal else genesis(self.epoch)
        view = JournalView(
            epoch=self.epoch,
            last_seq=len(self.journal),
            head=head,
            acked=self.acked,
        )
        self.needs_connection = False
        self.carry_out(self.session.connected(view, self.held, moment(self.now_s)))

    def disconnect(self) -> None:
        self.needs_connection = True
        self.sent.clear()
        self.carry_out(self.session.disconnected())

    def receive(self, topic: str, payload: bytes) -> list[Output]:
        return self.act(self.session.receive(topic, payload, moment(self.now_s)))

    def tick(self, seconds: float = 0.0) -> list[Output]:
        self.now_s += seconds
        return self.act(self.session.tick(moment(self.now_s)))

    def act(self, outputs: list[Output]) -> list[Output]:
        self.carry_out(outputs)
        self.send_rows()
        return outputs

    def send_rows(self) -> None:
        while (wanted := self.session.wants_rows()) is not None:
            start = max(wanted.after, self.oldest - 1)
            records = self.journal[start : wanted.after + wanted.limit]
            outputs = self.session.offer_rows(wanted, records, moment(self.now_s))
            if not outputs:
                return
            self.carry_out(outputs)

    def carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Publish():
                    self.sent.append(output)
                    continue
                case CheckHash(seq=seq):
                    is_kept = self.oldest <= seq <= len(self.journal)
                    answer = self.journal[seq - 1].hash if is_kept else None
                    now = moment(self.now_s)
                    self.carry_out(self.session.hash_answered(seq, answer, now))
                case Watermark(hi=hi):
                    self.acked = hi
                case BeatDue():
                    self.carry_out(self._beat())
                case StageRows(snapshot=name, rows=staged):
                    self.staged.setdefault(name, []).extend(staged)
                case SnapshotComplete(snapshot=name):
                    applied = self.staged.pop(name, [])
                    if not self.refuses_snapshots:
                        self.roster = {row.id: row for row in applied}
                        self.held = output.cursor
                    self.told.append(output)
                    now = moment(self.now_s)
                    self.carry_out(self.session.feed_settled(output, self.held, now))
                    continue
                case ChangesComplete(snapshot=name):
                    self.told.append(output)
                    self.change(output, self.staged.pop(name))
                    now = moment(self.now_s)
                    self.carry_out(self.session.feed_settled(output, self.held, now))
                    continue
                case FeedCurrent(hash=told) if told and self.sum not in (b"", told):
                    self.session.feed.doubt(moment(self.now_s))
                case SnapshotDropped(snapshot=name):
                    self.staged.pop(name, None)
                case Reconnect() | NewEpochNeeded():
                    self.needs_connection = True
                case _:
                    pass
            self.told.append(output)

    def _beat(self) -> list[Output]:
        return self.session.beside.beat(
            last_seq=len(self.journal),
            waiting=len(self.journal) - self.acked,
            oldest_s=0,
            now=moment(self.now_s),
        )

    @property
    def sum(self) -> bytes:
        """What the rows held add up to."""
        return add(0, (row.digest for row in self.roster.values())).to_bytes(32)

    def change(self, changes: ChangesComplete, rows: list[FeedRow]) -> None:
        """Apply changes if they fit what is held and add up."""
        after = dict(self.roster)
        for row in rows:
            after.pop(row.id, None)
            if row.body:
                after[row.id] = row
        total = add(0, (row.digest for row in after.values())).to_bytes(32)
        fits = changes.base == self.held and changes.hash in (b"", total)
        if fits and not self.refuses_snapshots:
            self.roster, self.held = after, changes.cursor

    def take_sent(self) -> list[Publish]:
        sent, self.sent = self.sent, []
        return sent


def deliver(gateway: Gateway, platform: Platform) -> None:
    """Carry messages both ways until there are none."""
    while sent := gateway.take_sent():
        for item in sent:
            for topic, payload in platform.receive(item.topic, item.payload):
                gateway.receive(topic, payload)


def greet(gateway: Gateway, platform: Platform) -> None:
    """Connect, and have hello answered; events stay with the gateway."""
    gateway.connect()
    (hello,) = gateway.take_sent()
    ((topic, payload),) = platform.receive(hello.topic, hello.payload)
    gateway.receive(topic, payload)


def firsts(sent: list[Publish]) -> list[int]:
    return [json.loads(item.payload)["data"]["first"] for item in sent]
