# SPDX-License-Identifier: Apache-2.0
"""What the platform makes of a handful of messages: one transaction, then answers.

The law of the module: no socket and no clock. Everything that a handful says is
committed at once, and only then is there anything to answer; a database that fails
leaves nothing said and nothing stored. A journal gets one acknowledgement a handful,
and it goes out even where a batch was refused: it tells the gateway where to go on.
Source: docs/sync-contract.md, section 6.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloud_sync.envelope import DayStretch
from cloud_sync.platform import (
    days,
    early_words,
    feed_answer,
    feeds,
    presence,
    registry,
)
from cloud_sync.platform.alarms.hearing import Told, hear
from cloud_sync.platform.alarms.kinds import HEARD
from cloud_sync.platform.commanding import connections, following
from cloud_sync.platform.enrolment.renewal import renew
from cloud_sync.platform.feed_answer import Changes, Current
from cloud_sync.platform.ledger import Ledger, compare_head, standing
from cloud_sync.platform.told_beside import Early, Heartbeat
from cloud_sync.platform.uplink import Batch, Hello, Pull, Refused, Result, read
from cloud_sync.renewing import CertificateWish

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloud_sync.feed import FeedCursor
    from cloud_sync.platform.answers import Answers, Publish
    from cloud_sync.platform.database import Database, Work
    from cloud_sync.platform.enrolment.authority import Authority
    from cloud_sync.platform.ledger import Standing
    from cloud_sync.platform.uplink import Heard, RefusalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A pull that is to be answered with the feed, in its own time."""

    gateway: str
    pull: Pull


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDay:
    """A day that is to be compared, in its own time."""

    gateway: str
    day: DayStretch


@dataclass(slots=True)
class Outcome:
    """What was committed: answers that may leave now, feeds and days that are wanted.

    ``refused`` are reasons by gateway ('' for one that is not ours) and kind;
    ``greeted`` are gateways and nonces whose hellos are among the answered.
    """

    answers: list[Publish] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    days: list[ToldDay] = field(default_factory=list)
    refused: dict[tuple[str, RefusalKind], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    greeted: list[tuple[str, str]] = field(default_factory=list)


class Reception:
    """Takes what gateways send; one handful at a time."""

    def __init__(
        self,
        database: Database,
        answers: Answers,
        authority: Authority | None = None,
        *,
        fetched_parts: int = 0,
    ) -> None:
        self._database = database
        self._answers = answers
        self._authority = authority
        #: From so many parts on a snapshot is offered by HTTPS; 0: never.
        self._fetched_parts = fetched_parts

    async def receive(
        self,
        messages: Iterable[tuple[str, bytes]],
        now_ms: int,
        *,
        is_live: bool = True,
    ) -> Outcome:
        """Take ``(topic, payload)`` in their order; DatabaseError leaves all undone.

        ``is_live``: they came from the gateway just now, so that it is there; what was
        carried here on a stick says nothing of that.
        """
        heard = [read(topic, payload) for topic, payload in messages]
        outcome = Outcome()
        greeted: list[tuple[Standing, Hello, FeedCursor]] = []
        async with self._database.writing() as work:
            ours = await self._admit(work, heard, outcome, now_ms if is_live else None)
            standings = await self._store(work, ours, outcome, now_ms)
            for each in ours:
                if isinstance(each.said, Hello):
                    greeted.append(await _greet(work, each.gateway, each.said, now_ms))
                elif isinstance(each.said, Pull):
                    await feeds.heed(work, each.gateway, each.said.held, now_ms)
                    wanted = Wanted(gateway=each.gateway, pull=each.said)
                    outcome.wanted.append(wanted)
                else:
                    await self._beside(work, each, outcome, now_ms)
            if outcome.refused:
                await registry.count_refusals(work, outcome.refused, now_ms)
        outcome.answers += [self._answers.ack(at) for at in standings]
        outcome.answers += [
            self._answers.hello(at, nonce=hello.nonce, feed=feed, now_ms=now_ms)
            for at, hello, feed in greeted
        ]
        outcome.greeted = [(at.gateway, hello.nonce) for at, hello, _ in greeted]
        return outcome

    async def answered(self, greeted: Sequence[tuple[str, str]]) -> None:
        """Note whose hellos are answered: from now on they believe commands."""
        if greeted:
            async with self._database.writing() as work:
                await connections.answered(work, greeted)

    async def feed(self, wanted: Wanted, now_ms: int = 0) -> Iterable[Publish]:
        """Return the answer to a pull, part by part."""
        gateway, pull, answers = wanted.gateway, wanted.pull, self._answers
        async with self._database.reading() as work:
            answer = await feed_answer.answer(work, gateway, pull)
        if isinstance(answer, Current):
            return (answers.current(gateway, pull, answer.hash),)
        if isinstance(answer, Changes):
            return answers.changes(gateway, pull.nonce, answer)
        if pull.may_fetch and 0 < self._fetched_parts <= len(answer.slices):
            async with self._database.writing() as work:
                await feed_answer.offer(work, gateway, pull.nonce, now_ms)
            return (answers.offer(gateway, pull.nonce, answer),)
        return answers.parts(gateway, pull.nonce, answer)

    async def compare(self, told: ToldDay, now_ms: int) -> Publish:
        """Compare a day with what is stored, and keep how it went."""
        async with self._database.reading() as work:
            compared = await days.compare(work, told.gateway, told.day)
        async with self._database.writing() as work:
            await days.note(work, told.gateway, told.day, compared, now_ms)
        return self._answers.day(told.gateway, told.day, compared)

    async def news(
        self, told: dict[str, FeedCursor], shards: frozenset[str] | None = None
    ) -> tuple[dict[str, FeedCursor], list[Publish]]:
        """Return where all feeds stand now, and nudges for those not in ``told``.

        Of gateways in ``shards`` alone: others are another worker's.
        """
        async with self._database.reading() as work:
            now = await feeds.cursors(work)
            if shards is not None:
                ours = await registry.in_shards(work, shards)
                now = {each: at for each, at in now.items() if each in ours}
        fresh = {each: at for each, at in now.items() if told.get(each) != at}
        return now, [self._answers.nudge(each, at) for each, at in fresh.items()]

    async def _beside(
        self, work: Work, each: Heard, outcome: Outcome, now_ms: int
    ) -> None:
        """Take what is no event and no asking for the feed."""
        gateway, said = each.gateway, each.said
        if isinstance(said, Heartbeat):
            await presence.beat(work, gateway, said, now_ms)
            outcome.answers.append(self._answers.beat(gateway, said))
        elif isinstance(said, Early):
            await early_words.take(work, gateway, said, now_ms)
            if said.kind in HEARD:
                key = (gateway, said.epoch, said.seq, said.kind)
                early = Told(*key, said.at, said.lo, said.core, None)
                await hear(work, (early,), now_ms)
        elif isinstance(said, Result):
            word = following.Word(gateway, said.jti, said.state, said.why)
            await following.follow(work, [word], now_ms)
        elif isinstance(said, CertificateWish):
            told = await renew(work, gateway, said, self._authority, now_ms)
            outcome.answers.append(self._answers.certificate(gateway, told))
        elif isinstance(said, DayStretch):
            outcome.days.append(ToldDay(gateway=gateway, day=said))

    async def _admit(
        self, work: Work, heard: Sequence[Heard], outcome: Outcome, now_ms: int | None
    ) -> list[Heard]:
        """Return what registered gateways said under their own shard, readable."""
        senders = {(each.gateway, each.shard) for each in heard if each.gateway}
        verdicts = await registry.hear(work, senders, now_ms)
        ours = []
        for each in heard:
            verdict = verdicts.get((each.gateway, each.shard))
            is_ours = bool(each.gateway) and verdict is None
            refusal = verdict or each.said
            if isinstance(refusal, Refused):
                whose = each.gateway if is_ours else ""
                outcome.refused[whose, refusal.kind].append(refusal.why)
            else:
                ours.append(each)
        return ours

    async def _store(
        self, work: Work, ours: Sequence[Heard], outcome: Outcome, now_ms: int
    ) -> list[Standing]:
        ledger = Ledger(work, now_ms)
        batches = [
            (each.gateway, each.said) for each in ours if isinstance(each.said, Batch)
        ]
        await ledger.hold([(gateway, batch.epoch) for gateway, batch in batches])
        for gateway, batch in batches:
            refusal = await ledger.add(gateway, batch)
            if refusal is not None:
                outcome.refused[gateway, refusal.kind].append(refusal.why)
        standings = await ledger.finish()
        await hear(work, _told(ledger), now_ms)
        await following.follow(work, list(_words(ledger)), now_ms)
        return standings


def _told(ledger: Ledger) -> Iterator[Told]:
    """Yield what may be an alarm, or the end of one, of what is new."""
    for gateway, epoch, entry in ledger.fresh():
        if entry.kind in HEARD:
            yield Told(
                *(gateway, epoch, entry.seq, entry.kind),
                *(entry.at, entry.lo, entry.core, entry.pii),
            )


def _words(ledger: Ledger) -> Iterator[following.Word]:
    """Yield what is new of commands."""
    for gateway, _, entry in ledger.fresh():
        if entry.kind in following.KINDS:
            word = following.word_of(gateway, entry.seq, entry.kind, entry.core)
            if word is not None:
                yield word


async def _greet(
    work: Work, gateway: str, hello: Hello, now_ms: int
) -> tuple[Standing, Hello, FeedCursor]:
    at = await standing(work, gateway, hello.epoch)
    await registry.greet(work, gateway, hello, now_ms)
    await presence.begin(work, gateway)
    await connections.greet(work, gateway, hello.nonce, hello.capabilities, now_ms)
    reads = "delta" in hello.capabilities
    await feed_answer.note_reader(work, gateway, reads_changes=reads)
    await compare_head(work, at, hello.last_seq, hello.head, now_ms)
    return at, hello, await feeds.heed(work, gateway, hello.feed, now_ms)
