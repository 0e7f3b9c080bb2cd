# SPDX-License-Identifier: Apache-2.0
"""One connection's conversation: the session's outputs carried out, in order.

The law of the module: it decides nothing about the protocol. Listening and sending
take turns, so that the session never sees two callers; nothing that lay about while
the process stood still reaches it, whichever task wakes first; publishes alone run
beside, as many as the window lets out, and the first that fails ends the conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from cloud_sync.envelope import certificate_wish
from cloud_sync.fetching import fetch
from cloud_sync.heartbeat import oldest_s
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    BeatDue,
    CertificateArrived,
    ChangesComplete,
    CheckHash,
    ClockBounds,
    CommandOrdered,
    DayJudged,
    FeedCurrent,
    FetchSnapshot,
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
from cloud_sync.transport.cancelling import heed_cancellation
from cloud_sync.transport.port import TransportError, Trouble
from cloud_sync.window import WINDOW_BATCHES
from edge.core.chain import genesis
from edge.core.event import EventKind

if TYPE_CHECKING:
    from cloud_sync.ports import Ports
    from cloud_sync.renewing import CertificateAnswer
    from cloud_sync.session import SyncSession
    from cloud_sync.silence import Silence
    from cloud_sync.transport.port import Incoming, Transport
    from edge.core.moment import Moment

#: A PUBACK stands in line behind the messages that the broker had sent before it, and
#: we may be slow with those. So this long after the last of them was dealt with, and
#: no sooner: a connection on which nothing moves is left before a rewind (10 s) could
#: find old publishes still out.
PUBLISH_WITHIN_S = 5.0
#: While messages keep coming a rewind may find them. That is sound: they count in the
#: window, so that at most twice the window is out; being first on the same stream they
#: arrive first, and what arrives twice the platform knows. But while the window is
#: full of them nothing is sent again, and no rewind is counted: a broker that talks on
#: and never answers is left after this long, before four rewinds (130 s) would.
PUBLISH_AT_MOST_S = 60.0
#: Of a word of the platform in an event: rows of the journal are short.
_WHY_CHARACTERS = 80


class LeftError(Exception):
    """The conversation is over by our own will."""

    def __init__(self, why: LeaveReason) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(slots=True)
class Progress:
    """What outlives a conversation, for the client and the panel.

    ``broker`` is whom we talk to; ``was_answered``: the platform said hello.
    """

    last_ack_s: float | None = None
    trouble: str | None = None
    broker: str = ""
    was_answered: bool = False


class Conversation:
    """Runs ``session`` over a connected ``transport``; ``woken`` says: look again."""

    def __init__(
        self,
        *,
        transport: Transport,
        session: SyncSession,
        ports: Ports,
        woken: asyncio.Event,
        progress: Progress,
        silence: Silence,
    ) -> None:
        self._transport = transport
        self._session = session
        self._ports = ports
        self._woken = woken
        self._progress = progress
        self._silence = silence
        self._turn = asyncio.Lock()
        self._tasks = asyncio.TaskGroup()
        #: When each publish went out that has no PUBACK yet, oldest first.
        self._unanswered_s: list[float] = []
        self._dealt_with_s = 0.0
        self._epoch = ports.journal.epoch

    async def run(self) -> None:
        """Converse until something fails: an ExceptionGroup, or CancelledError."""
        await self._subscribe()
        view = await self._view()
        self._silence.greeted(self._now_s())
        async with self._tasks:
            await self._perform(
                self._session.connected(
                    view, self._ports.feed.cursor, self._ports.clock.now()
                )
            )
            self._tasks.create_task(self._listen())
            self._tasks.create_task(self._pump())

    async def _subscribe(self) -> None:
        is_granted = await self._transport.subscribe(self._session.topics.down)
        heed_cancellation()
        if not is_granted:
            raise LeftError(LeaveReason.SUBSCRIPTION_REFUSED)

    async def _view(self) -> JournalView:
        journal = self._ports.journal
        epoch, last_seq, acked = journal.epoch, journal.last_seq, journal.acked
        head = await journal.hash_at(last_seq) if last_seq else genesis(epoch)
        if head is None or epoch != self._epoch:
            raise LeftError(LeaveReason.EPOCH_ENDED)
        return JournalView(epoch=epoch, last_seq=last_seq, head=head, acked=acked)

    async def _listen(self) -> None:
        async for message in self._transport.messages():
            await self._take(message)
            self._dealt_with_s = self._now_s()  # asking for the next acknowledges it

    async def _take(self, message: Incoming) -> None:
        async with self._turn:
            if self._ports.stood_still():
                self._session.give_up(LeaveReason.STOOD_STILL)
            now = self._ports.clock.now()
            topic, payload = message.topic, message.payload
            if message.is_retained:  # nothing of ours is, so it is old or not ours
                await self._perform(self._session.retained(topic, now))
            else:
                await self._perform(self._session.receive(topic, payload, now))
        if self._session.is_established:
            self._progress.trouble = None
            self._progress.was_answered = True
            self._silence.answered()
        self._woken.set()

    async def _pump(self) -> None:
        while True:
            self._woken.clear()
            if self._silence.tick(self._now_s()):
                self._tell_silence()
            async with self._turn:
                now = self._ports.clock.now()
                await self._perform(self._session.tick(now))
                await self._perform(self._session.results(now))
                await self._tell_beside()
                await self._perform(self._renewal(now))
                await self._send_rows()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rest_s()):
                    await self._woken.wait()

    def _rest_s(self) -> float | None:
        """Return how long there is nothing to do; TransportError if nobody answers."""
        now_s, due_s = self._now_s(), self._answer_due_s()
        if due_s is not None and now_s >= due_s:
            raise TransportError(Trouble.TIMED_OUT, "Operation timed out")
        deadlines = (due_s, self._session.deadline(), self._silence.deadline_s)
        first_s = min((at for at in deadlines if at is not None), default=None)
        return None if first_s is None else max(0.0, first_s - now_s)

    def _answer_due_s(self) -> float | None:
        if not self._unanswered_s:
            return None
        oldest_s = self._unanswered_s[0]
        moved_s = max(oldest_s, self._dealt_with_s)
        return min(moved_s + PUBLISH_WITHIN_S, oldest_s + PUBLISH_AT_MOST_S)

    def _now_s(self) -> float:
        return self._ports.clock.now().monotonic_s

    async def _tell_beside(self) -> None:
        """Tell alarms before what waits in front of them, and days that are over."""
        ports, beside = self._ports, self._session.beside
        while (seq := beside.early.wanted()) is not None:
            records = await ports.journal.read(seq - 1, 1)
            if ports.journal.epoch != self._epoch:
                raise LeftError(LeaveReason.EPOCH_ENDED)
            record = records[0] if records else None
            await self._perform(beside.early.offer(seq, record, ports.clock.now()))
        if ports.days is not None:
            days = ports.days.waiting()
            await self._perform(beside.days.offer(days, ports.clock.now()))

    async def _beat(self) -> None:
        journal, beside = self._ports.journal, self._session.beside
        waiting = journal.last_seq - journal.acked
        records = await journal.read(journal.acked, 1) if waiting else ()
        now = self._ports.clock.now()
        await self._perform(
            beside.beat(
                last_seq=journal.last_seq,
                waiting=waiting,
                oldest_s=oldest_s(records, now),
                now=now,
            )
        )

    async def _judged(self, judged: DayJudged) -> None:
        day, days = judged.day, self._ports.days
        if days is None:
            return
        if await days.judged(day, is_agreed=judged.is_agreed):
            facts = (
                ("day", day.day),
                ("epoch", day.epoch),
                ("from_seq", day.first),
                ("held", judged.held),
                ("to_seq", day.last),
                ("why", judged.why[:_WHY_CHARACTERS]),
            )
            self._ports.report(EventKind.DAY_DIFFERS, facts)

    async def _send_rows(self) -> None:
        journal = self._ports.journal
        while len(self._unanswered_s) < WINDOW_BATCHES:
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
                now_s = self._now_s()
                self._unanswered_s.append(now_s)
                self._tasks.create_task(self._publish(output, now_s))
            case Watermark(hi=hi):
                await ports.journal.acknowledge(hi)
                self._progress.last_ack_s = ports.clock.now().monotonic_s
            case CheckHash(seq=seq):
                answer = await ports.journal.hash_at(seq)
                now = ports.clock.now()
                await self._perform(self._session.hash_answered(seq, answer, now))
            case StageRows() | SnapshotDropped() | FeedCurrent() | FetchSnapshot():
                await self._feed(output)
            case SnapshotComplete() | ChangesComplete():
                await self._feed(output)
            case ClockBounds():
                ports.clock.bound(output)
            case Refusal():
                self._tell(output)
            case NewEpochNeeded(why=reason):
                await ports.journal.new_epoch(reason)
            case CommandOrdered(command=command):
                ports.order(command)
            case BeatDue():
                await self._beat()
            case DayJudged():
                await self._judged(output)
            case CertificateArrived(answer=answer):
                await self._take_certificate(answer)
            case Reconnect(why=why):
                raise LeftError(why)
            case _:
                assert_never(output)

    async def _feed(
        self,
        output: StageRows
        | SnapshotComplete
        | ChangesComplete
        | FetchSnapshot
        | FeedCurrent
        | SnapshotDropped,
    ) -> None:
        ports = self._ports
        match output:
            case StageRows(snapshot=snapshot, rows=rows):
                await ports.feed.stage(snapshot, rows)
            case SnapshotComplete() | ChangesComplete():
                await self._apply(output)
            case FetchSnapshot():
                self._tasks.create_task(self._fetch(output))
            case FeedCurrent():
                await self._confirm(output)
            case SnapshotDropped(snapshot=snapshot):
                await ports.feed.drop(snapshot)
            case _:
                assert_never(output)

    async def _apply(self, whole: SnapshotComplete | ChangesComplete) -> None:
        feed = self._ports.feed
        if isinstance(whole, ChangesComplete):
            await feed.change(whole)
        else:
            await feed.complete(whole)
        held, now = feed.cursor, self._ports.clock.now()
        await self._perform(self._session.feed_settled(whole, held, now))

    async def _confirm(self, word: FeedCurrent) -> None:
        feed = self._ports.feed
        if word.cursor != feed.cursor:
            return  # said of a copy that storage has lost: not of what is in force
        if word.hash and feed.hash and word.hash != feed.hash:
            self._session.feed.doubt(self._ports.clock.now())
        else:
            await feed.confirm()

    async def _fetch(self, order: FetchSnapshot) -> None:
        ports, session = self._ports, self._session
        await fetch(
            order, session=session, ports=ports, take=self._take, fail=self._not_fetched
        )

    async def _not_fetched(self, snapshot: str) -> None:
        async with self._turn:
            now = self._ports.clock.now()
            await self._perform(self._session.feed.fetch_failed(snapshot, now))
        self._woken.set()

    async def _take_certificate(self, answer: CertificateAnswer) -> None:
        renewal = self._ports.renewal
        if renewal is not None and await renewal.take(answer, self._ports.clock.now()):
            raise LeftError(LeaveReason.RENEWED)

    def _renewal(self, now: Moment) -> list[Output]:
        """Return the wish for the next certificate, if it is time for one."""
        renewal, topics = self._ports.renewal, self._session.topics
        if renewal is None or not self._session.is_established:
            return []
        renewal.worked()
        wish = renewal.wish(now)
        if wish is None:
            return []
        payload = certificate_wish(topics.gateway, wish, now.earliest_ms)
        return [Publish(topic=topics.certificate, payload=payload)]

    async def _publish(self, item: Publish, since_s: float) -> None:
        # The pump watches how long.
        await self._transport.publish(item.topic, item.payload, item.qos)
        self._unanswered_s.remove(since_s)
        if len(self._unanswered_s) == WINDOW_BATCHES - 1:
            self._woken.set()  # the pump may have stopped at a full window

    def _tell_silence(self) -> None:
        why = "hello unanswered on a connection that the broker took"
        facts = (("broker", self._progress.broker), ("why", why))
        self._ports.report(EventKind.PLATFORM_SILENT, facts)

    def _tell(self, refusal: Refusal) -> None:
        is_feed = refusal.kind in FEED_REFUSALS
        kind = EventKind.ROSTER_REFUSED if is_feed else EventKind.PLATFORM_REFUSED
        facts = (
            ("count", refusal.count),
            ("refusal", refusal.kind.value),
            ("why", refusal.why),
        )
        self._ports.report(kind, facts)
