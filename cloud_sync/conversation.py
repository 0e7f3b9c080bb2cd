# SPDX-License-Identifier: Apache-2.0
"""One connection's conversation: the session's outputs carried out, in order.

The law of the module: it decides nothing about the protocol. Listening and sending
take turns, so that the session never sees two callers; publishes alone run beside,
as many as the window lets out, and the first that fails ends the conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from cloud_sync.connection import acknowledge, heed_cancellation
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    CheckHash,
    ClockBounds,
    FeedCurrent,
    LeaveReason,
    NewEpochNeeded,
    Output,
    Publish,
    Reconnect,
    Refusal,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
    Watermark,
)
from cloud_sync.refusal import FEED_REFUSALS
from cloud_sync.window import WINDOW_BATCHES
from edge.core.chain import genesis
from edge.core.event import EventKind

if TYPE_CHECKING:
    import aiomqtt

    from cloud_sync.ports import Ports
    from cloud_sync.session import SyncSession

#: Shorter than the shortest wait for an ack, so that a rewind never finds old
#: publishes still waiting for their PUBACK.
PUBLISH_WITHIN_S = 5.0
#: SUBACK's code for "no"; every smaller one is a granted QoS.
_SUBSCRIPTION_REFUSED = 0x80


class LeftError(Exception):
    """The conversation is over by our own will."""

    def __init__(self, why: LeaveReason) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(slots=True)
class Progress:
    """What outlives a conversation, for the panel."""

    last_ack_s: float | None = None
    trouble: str | None = None


class Conversation:
    """Runs ``session`` over one connected ``client``; ``woken`` says: look again."""

    def __init__(
        self,
        *,
        client: aiomqtt.Client,
        session: SyncSession,
        ports: Ports,
        woken: asyncio.Event,
        progress: Progress,
    ) -> None:
        self._client = client
        self._session = session
        self._ports = ports
        self._woken = woken
        self._progress = progress
        self._turn = asyncio.Lock()
        self._tasks = asyncio.TaskGroup()
        self._publishing = 0
        self._epoch = ports.journal.epoch

    async def run(self) -> None:
        """Converse until something fails: an ExceptionGroup, or CancelledError."""
        await self._subscribe()
        view = await self._view()
        async with self._tasks:
            await self._perform(
                self._session.connected(
                    view, self._ports.feed.cursor, self._ports.clock.now()
                )
            )
            self._tasks.create_task(self._listen())
            self._tasks.create_task(self._pump())

    async def _subscribe(self) -> None:
        wanted = [(topic, 1) for topic in self._session.topics.down]
        granted = await self._client.subscribe(wanted)
        heed_cancellation()
        for code in granted:
            if (code if isinstance(code, int) else code.value) >= _SUBSCRIPTION_REFUSED:
                raise LeftError(LeaveReason.SUBSCRIPTION_REFUSED)

    async def _view(self) -> JournalView:
        journal = self._ports.journal
        epoch, last_seq, acked = journal.epoch, journal.last_seq, journal.acked
        head = await journal.hash_at(last_seq) if last_seq else genesis(epoch)
        if head is None or epoch != self._epoch:
            raise LeftError(LeaveReason.EPOCH_ENDED)
        return JournalView(epoch=epoch, last_seq=last_seq, head=head, acked=acked)

    async def _listen(self) -> None:
        async for message in self._client.messages:
            if not message.retain:  # nothing of ours is, so it is old or not ours
                await self._take(message)
            acknowledge(self._client, message)

    async def _take(self, message: aiomqtt.Message) -> None:
        async with self._turn:
            now = self._ports.clock.now()
            topic = message.topic.value
            await self._perform(self._session.receive(topic, message.payload, now))
        if self._session.is_established:
            self._progress.trouble = None
        self._woken.set()

    async def _pump(self) -> None:
        while True:
            self._woken.clear()
            async with self._turn:
                await self._perform(self._session.tick(self._ports.clock.now()))
                await self._send_rows()
            deadline_s = self._session.deadline()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until(deadline_s)):
                    await self._woken.wait()

    def _until(self, deadline_s: float | None) -> float | None:
        if deadline_s is None:
            return None
        return max(0.0, deadline_s - self._ports.clock.now().monotonic_s)

    async def _send_rows(self) -> None:
        journal = self._ports.journal
        while self._publishing < WINDOW_BATCHES:
            wanted = self._session.wants_rows()
            if wanted is None or wanted.after >= journal.last_seq:
                return
            records = await journal.read(wanted.after, wanted.limit)
            if journal.epoch != self._epoch:
                raise LeftError(LeaveReason.EPOCH_ENDED)
            now = self._ports.clock.now()
            outputs = self._session.offer_rows(wanted, records, now)
            if not outputs:
                return
            await self._perform(outputs)

    async def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            await self._carry_out(output)

    async def _carry_out(self, output: Output) -> None:
        ports = self._ports
        match output:
            case Publish():
                self._publishing += 1
                self._tasks.create_task(self._publish(output))
            case Watermark(hi=hi):
                await ports.journal.acknowledge(hi)
                self._progress.last_ack_s = ports.clock.now().monotonic_s
            case CheckHash(seq=seq):
                answer = await ports.journal.hash_at(seq)
                now = ports.clock.now()
                await self._perform(self._session.hash_answered(seq, answer, now))
            case StageRows(snapshot=snapshot, rows=rows):
                await ports.feed.stage(snapshot, rows)
            case SnapshotComplete():
                await ports.feed.complete(output)
            case FeedCurrent():
                await ports.feed.confirm()
            case SnapshotDropped(snapshot=snapshot):
                await ports.feed.drop(snapshot)
            case ClockBounds():
                ports.clock.bound(output)
            case Refusal():
                self._tell(output)
            case NewEpochNeeded(why=reason):
                await ports.journal.new_epoch(reason)
            case Reconnect(why=why):
                raise LeftError(why)
            case _:
                assert_never(output)

    async def _publish(self, item: Publish) -> None:
        await self._client.publish(
            item.topic, item.payload, qos=item.qos, timeout=PUBLISH_WITHIN_S
        )
        self._publishing -= 1
        if self._publishing == WINDOW_BATCHES - 1:
            self._woken.set()  # the pump may have stopped at a full window

    def _tell(self, refusal: Refusal) -> None:
        is_feed = refusal.kind in FEED_REFUSALS
        kind = EventKind.ROSTER_REFUSED if is_feed else EventKind.PLATFORM_REFUSED
        facts = (
            ("count", refusal.count),
            ("refusal", refusal.kind.value),
            ("why", refusal.why),
        )
        self._ports.report(kind, facts)
