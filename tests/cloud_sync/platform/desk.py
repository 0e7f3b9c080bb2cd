# SPDX-License-Identifier: Apache-2.0
"""The platform driven by hand: no broker, a clock that stands, answers that get lost.

The law of the module: messages are those of the product's own gateway side; what the
platform has stored is read from its tables.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cloud_sync.envelope import fill_batch
from cloud_sync.platform import registry
from cloud_sync.platform.answers import Answers
from cloud_sync.platform.keys import Signer
from cloud_sync.platform.reception import Outcome, Reception
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Topics
from edge.core.chain import canonical, commitment, genesis, link
from edge.core.record import Record
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, KID, SEED, SHARD

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_sync.platform.database import Database
    from tests.cloud_sync.driving import Gateway

NOW_MS = 1_760_000_000_000
TOPICS = Topics(gateway=GATEWAY, shard=SHARD)
Json = dict[str, Any]


def journal(
    count: int, *, epoch: str = EPOCH, salt: bytes = b"salt-of-16-bytes"
) -> list[Record]:
    """Return ``count`` events as a gateway stores them; every seventh is erased."""
    cores = [
        {"at": "门-1", "b": "b", "hi": seq, "k": "ACCESS_GRANTED", "lo": seq, "m": seq}
        for seq in range(1, count + 1)
    ]
    return chained(cores, [{"holder": f"h-{seq}"} for seq in range(count)], epoch, salt)


def chained(
    cores: Sequence[Json],
    people: Sequence[Json],
    epoch: str = EPOCH,
    salt: bytes = b"salt-of-16-bytes",
) -> list[Record]:
    """Return events with these cores and people, hashed on from the epoch's start."""
    previous, made = genesis(epoch), []
    for seq, (core, person) in enumerate(zip(cores, people, strict=True), 1):
        text, pii = canonical(core), canonical(person)
        com = commitment(salt, pii)
        previous = link(previous, text, com)
        erased = Record(seq, text, None, None, com, previous)
        whole = Record(seq, text, salt, pii, None, previous)
        made.append(whole if seq % 7 else erased)
    return made


def batch(records: Sequence[Record], first: int = 1, count: int = 1000) -> bytes:
    """Return the message with up to ``count`` events from ``first``, of a journal."""
    taken = records[first - 1 : first - 1 + count]
    previous = records[first - 2].hash if first > 1 else genesis(EPOCH)
    filled = fill_batch(
        gateway=GATEWAY,
        epoch=EPOCH,
        previous=previous,
        records=taken,
        time_ms=NOW_MS,
    )
    assert len(filled.hashes) == len(taken)
    return filled.payload


def batches(
    records: Sequence[Record], size: int, *, topics: Topics = TOPICS
) -> list[tuple[str, bytes]]:
    """Return all events as messages of ``size`` events each."""
    starts = range(1, len(records) + 1, size)
    return [(topics.events, batch(records, start, size)) for start in starts]


async def registered(database: Database, *gateways: Topics) -> None:
    """Register the gateway of the tests, or those named."""
    async with database.writing() as work:
        for each in gateways or (TOPICS,):
            await registry.register(work, each.gateway, each.shard, "", NOW_MS)


class Desk:
    """A reception, and what it answered, opened; ``lost`` answers never arrive."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.reception = Reception(database, Answers(Signer(KID, SEED)))
        self.keys = PlatformKeys(Signer(KID, SEED).public_keys)
        self.lost = 0
        self.now_ms = NOW_MS

    async def take(self, messages: Iterable[tuple[str, bytes]]) -> list[Json]:
        """Take messages in one handful; return the answers' bodies."""
        outcome = await self.reception.receive(messages, self.now_ms)
        return [self.opened(each.topic, each.payload) for each in outcome.answers]

    async def events(self, payload: bytes, topics: Topics = TOPICS) -> Json:
        """Take one batch; return its acknowledgement."""
        [ack] = await self.take([(topics.events, payload)])
        return ack

    def opened(self, topic: str, payload: bytes) -> Json:
        """Return a body that was signed as the contract says."""
        *_, gateway, leaf = topic.split("/")
        assert len(payload) <= 65_536
        body = self.keys.open(payload, f"mn.{leaf}.v1", gateway)
        assert isinstance(body, dict), body
        return body

    async def converse(self, gateway: Gateway) -> None:
        """Carry messages both ways until there are none."""
        while sent := gateway.take_sent():
            messages = [(each.topic, each.payload) for each in sent]
            outcome = await self.reception.receive(messages, self.now_ms)
            await self._answer(gateway, outcome)

    async def _answer(self, gateway: Gateway, outcome: Outcome) -> None:
        for answer in outcome.answers:
            if self.lost and answer.topic.endswith("/ack"):
                self.lost -= 1
                continue
            gateway.receive(answer.topic, answer.payload)
        for wanted in outcome.wanted:
            for part in await self.reception.feed(wanted, self.now_ms):
                gateway.receive(part.topic, part.payload)

    async def table(self, sql: str, *values: int | str) -> list[tuple[Any, ...]]:
        """Return what stands in the database."""
        async with self.database.reading() as work:
            return [tuple(row) for row in await work.fetch(sql, *values)]

    async def stored(self, epoch: str = EPOCH) -> list[tuple[int, bytes]]:
        """Return the seqs and hashes of a journal of the test's gateway."""
        return await self.table(
            "SELECT e.seq, e.hash FROM event AS e "
            "JOIN journal AS j ON j.id = e.journal "
            "WHERE j.gateway = ?1 AND j.epoch = ?2 ORDER BY e.seq",
            GATEWAY,
            epoch,
        )

    async def refusals(self) -> dict[tuple[str, str], int]:
        """Return how often what was refused, by gateway and kind."""
        rows = await self.table("SELECT gateway, kind, times FROM refusal")
        return {(gateway, kind): times for gateway, kind, times in rows}

    async def alarms(self) -> list[tuple[Any, ...]]:
        """Return the alarms."""
        return await self.table("SELECT epoch, seq, kind FROM alarm ORDER BY seq")


def altered(payload: bytes, **data: object) -> bytes:
    """Return a message with fields of its data set; None takes one away."""
    message = json.loads(payload)
    for name, value in data.items():
        if value is None:
            del message["data"][name]
        else:
            message["data"][name] = value
    return canonical(message).encode()


def expected(records: Sequence[Record]) -> list[tuple[int, bytes]]:
    """Return what :meth:`Desk.stored` returns once all of it is stored."""
    return [(record.seq, record.hash) for record in records]
