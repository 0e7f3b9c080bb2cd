# SPDX-License-Identifier: Apache-2.0
"""A gateway of ``menshen bench ingest``: the product's session, a journal in memory.

The law of the module: what decides is ``SyncSession`` as every gateway has it, with a
chain and an epoch of its own; an event counts as stored when the platform's signed word
and its hash say so. Nothing here is kind to the platform.
"""

from __future__ import annotations

import secrets
from collections import deque
from random import Random
from typing import TYPE_CHECKING

from cloud_sync.feed import NO_FEED
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    CheckHash,
    NewEpochNeeded,
    Publish,
    Reconnect,
    Watermark,
)
from cloud_sync.session import SyncSession
from cloud_sync.topics import Topics
from edge.core.chain import canonical, commitment, genesis, link
from edge.core.moment import Moment
from edge.core.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloud_sync.outputs import Output
    from cloud_sync.signing import PlatformKeys
    from edge.cli.bench.ingest_mqtt import MqttLink

#: As long as a gateway lets an event wait for company (edge/cli/runtime.py).
SEND_AFTER_S = 0.25
LOOK_AGAIN_S = 1.0
_SHARDS = 16


class SimulatedGateway:
    """One of many; ``took_ms`` collects how long each event took to be committed."""

    def __init__(
        self,
        number: int,
        *,
        keys: PlatformKeys,
        clock: Callable[[], tuple[float, int]],
        took_ms: list[float],
    ) -> None:
        chance = Random(number)  # noqa: S311  jitter of a bench
        name, shard = f"gw-{number:05}", f"{number % _SHARDS:02}"
        self.topics = Topics(gateway=name, shard=shard)
        self.epoch = f"0001-{number:08x}"
        self.link: MqttLink | None = None
        self.acked = 0
        self.head = genesis(self.epoch)
        self.new_epochs = 0
        self._session = SyncSession(
            topics=self.topics,
            keys=keys,
            firmware="bench",
            new_nonce=lambda: f"{chance.getrandbits(128):032x}",
            chance=chance.random,
        )
        self._clock = clock
        self._took_ms = took_ms
        self._hashes: list[bytes] = []
        self._waiting: deque[tuple[Record, float]] = deque()
        self._unsent_since_s: float | None = None
        self._look_again_s = 0.0

    @property
    def last_seq(self) -> int:
        """How many events it has had."""
        return len(self._hashes)

    @property
    def is_done(self) -> bool:
        """Whether the platform has all of them."""
        return not self._waiting

    def happen(self) -> None:
        """Let somebody in: one event of a usual length."""
        now_s, wall_ms = self._clock()
        seq = self.last_seq + 1
        core = canonical(
            {
                "at": "front",
                "b": "bench000",
                "end": wall_ms,
                "fr": 5120,
                "hi": wall_ms + 5,
                "k": "ACCESS_GRANTED",
                "kind": "QR",
                "lo": wall_ms,
                "m": int(now_s * 1000),
                "rule": "booking",
                "set": "00000000",
            }
        )
        pii = canonical({"booking": f"b-{seq % 5000:06}", "holder": f"h-{seq:06}"})
        salt = secrets.token_bytes(16)
        self.head = link(self.head, core, commitment(salt, pii))
        record = Record(seq, core, salt, pii, None, self.head)
        self._hashes.append(self.head)
        self._waiting.append((record, now_s))
        if self._unsent_since_s is None:
            self._unsent_since_s = now_s

    def tick(self) -> None:
        """Send what has waited long enough, and see to the session's deadlines."""
        now = self._now()
        self._carry_out(self._session.tick(now))
        if now.monotonic_s >= self._look_again_s and self._waiting:
            # What a lost connection or a rewind left unsent has waited long enough.
            self._look_again_s = now.monotonic_s + LOOK_AGAIN_S
            self._unsent_since_s = self._waiting[0][1]
        since_s = self._unsent_since_s
        if since_s is not None and now.monotonic_s - since_s >= SEND_AFTER_S:
            self._send(now)

    def connected(self, link: MqttLink) -> None:
        """Greet the platform over a connection that is subscribed."""
        self.link = link
        view = JournalView(
            epoch=self.epoch, last_seq=self.last_seq, head=self.head, acked=self.acked
        )
        self._carry_out(self._session.connected(view, NO_FEED, self._now()))

    def lost(self, link: MqttLink) -> bool:
        """Say whether the connection that ended was the one in use."""
        if link is not self.link:
            return False
        self.link = None
        self._carry_out(self._session.disconnected())
        return True

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a message from the platform."""
        now = self._now()
        self._carry_out(self._session.receive(topic, payload, now))
        if self._unsent_since_s is not None:
            self.tick()

    def _send(self, now: Moment) -> None:
        while (wanted := self._session.wants_rows()) is not None:
            start = wanted.after - self.acked
            records = [
                self._waiting[place][0]
                for place in range(start, min(start + wanted.limit, len(self._waiting)))
            ]
            outputs = self._session.offer_rows(wanted, records, now)
            if not outputs:
                if not records:
                    self._unsent_since_s = None
                return
            self._carry_out(outputs)

    def _carry_out(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Publish() if self.link is not None:
                    self.link.publish(output.topic, output.payload)
                case Watermark():
                    self._committed(output.hi)
                case CheckHash():
                    place = output.seq - 1
                    known = place < len(self._hashes)
                    answer = self._hashes[place] if known else None
                    now = self._now()
                    more = self._session.hash_answered(output.seq, answer, now)
                    self._carry_out(more)
                case NewEpochNeeded():
                    self.new_epochs += 1
                case Reconnect() if self.link is not None:
                    self.link.close()
                case _:
                    pass

    def _committed(self, hi: int) -> None:
        now_s, _ = self._clock()
        while self._waiting and self._waiting[0][0].seq <= hi:
            _, made_s = self._waiting.popleft()
            self._took_ms.append((now_s - made_s) * 1000)
        self.acked = max(self.acked, hi)

    def _now(self) -> Moment:
        now_s, wall_ms = self._clock()
        return Moment(
            monotonic_s=now_s,
            earliest_ms=wall_ms,
            latest_ms=wall_ms + 5,
            boot="bench000",
        )
