# SPDX-License-Identifier: Apache-2.0
"""One side of the contract: what a platform answers to what gateways send.

The law of the module: no socket, no clock; it takes all that waits, commits once,
and only then has anything to say. A journal gets one acknowledgement a commit and a
gateway one snapshot a commit, however often it asked.
Source: docs/sync-contract.md sections 3, 4 and 6; docs/commands.md.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, NamedTuple

from firmware_sim.platform.chain import canonical
from firmware_sim.platform.commands import CommandDesk
from firmware_sim.platform.envelope import (
    Batch,
    CertificateWish,
    Garbled,
    Hello,
    Pull,
    Result,
    parse,
)
from firmware_sim.platform.feed import Cursor, altered, mishashed
from firmware_sim.platform.knobs import Knobs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware_sim.platform.feed import Key, Row
    from firmware_sim.platform.feed_store import FeedStore
    from firmware_sim.platform.keys import Signer
    from firmware_sim.platform.ledger import Ledger, Standing

#: Messages held back by a delay; more than that leave at once.
MAXIMUM_DELAYED = 10_000


class Publish(NamedTuple):
    """One message for the broker: QoS 1, not retained."""

    topic: str
    payload: bytes


class Session:
    """The platform's conversation with every gateway of its registry."""

    def __init__(
        self,
        *,
        registry: dict[str, str],
        ledger: Ledger,
        store: FeedStore,
        signer: Signer,
    ) -> None:
        """``registry`` gives each gateway's shard; who is not in it is not heard."""
        self.knobs = Knobs()
        self.hellos: dict[str, Hello] = {}
        self.desk = CommandDesk()
        self._registry = registry
        self._ledger = ledger
        self._store = store
        self._signer = signer
        self._forger = signer.forger()
        self._delayed: list[tuple[int, int, Publish]] = []
        self._serial = 0

    def receive(self, topic: str, payload: bytes, now_ms: int) -> list[Publish]:
        """Take one message; return what to publish, its commit being done."""
        return self.receive_all([(topic, payload)], now_ms)

    def receive_all(
        self, messages: Iterable[tuple[str, bytes]], now_ms: int
    ) -> list[Publish]:
        """Take all that waits, commit once, and return what to publish."""
        read = [parse(topic, payload, self._registry) for topic, payload in messages]
        standings = self._ledger.apply(
            [message for message in read if isinstance(message, Batch)],
            [message for message in read if isinstance(message, Garbled)],
        )
        # The latest pull of a gateway stands for those it gave up waiting for.
        pulls = {pull.gateway: pull for pull in read if isinstance(pull, Pull)}
        out = []
        for hello in read:
            if isinstance(hello, Hello):
                out += self._greet(hello, now_ms)
        for result in read:
            if isinstance(result, Result):
                self.desk.take(result)
        for wish in read:
            if isinstance(wish, CertificateWish):  # it has no authority
                body = {"gw": wish.gateway, "re": wish.nonce, "refused": "NO_AUTHORITY"}
                out.append(self._signed(wish.gateway, "crt", canonical(body)))
        for standing in standings:
            out += self._acknowledge(standing, now_ms)
        for pull in pulls.values():
            out += self._feed(pull)
        return out

    def deadline(self) -> int | None:
        """Return when :meth:`tick` has something to do, in the ms of ``now_ms``."""
        return self._delayed[0][0] if self._delayed else None

    def tick(self, now_ms: int) -> list[Publish]:
        """Return what was held back until now."""
        out = []
        while self._delayed and self._delayed[0][0] <= now_ms:
            out.append(heapq.heappop(self._delayed)[2])
        return out

    def change(self, put: Iterable[Row], remove: Iterable[Key] = ()) -> list[Publish]:
        """Write a new revision of the feed; return the nudges that tell of it."""
        self._store.change(put, remove)
        return [self._nudge(gateway) for gateway in self._registry]

    def command(self, gateway: str, wish: dict[str, Any], now_ms: int) -> Publish:
        """Sign a command for a gateway's connection; ValueError if it never called."""
        hello = self.hellos.get(gateway)
        if hello is None:
            raise ValueError(f"{gateway!r} has not said hello yet")
        body = self.desk.draw(gateway, hello.nonce, wish, now_ms)
        return self._signed(gateway, "cmd", canonical(body))

    def turn(self, name: str, value: int) -> None:
        """Turn a knob; ValueError for a wrong name."""
        self.knobs = self.knobs.turned(name, value)

    def _greet(self, hello: Hello, now_ms: int) -> list[Publish]:
        self.hellos[hello.gateway] = hello
        self._ledger.compare(hello.gateway, hello.epoch, hello.last_seq, hello.head)
        at = self._ledger.high(hello.gateway, hello.epoch)
        body = {
            "gw": hello.gateway,
            "nonce": hello.nonce,
            "epoch": at.epoch,
            "hi": at.hi,
            "h": at.hash.hex(),
            "time": now_ms + self.knobs.clock_offset_ms,
            "feed": {"epoch": self._store.feed.cursor.epoch, "rev": self._told_rev()},
        }
        answer = self._signed(hello.gateway, "hello", canonical(body))
        return self._hold(answer, now_ms, self.knobs.delay_hello_ms)

    def _acknowledge(self, at: Standing, now_ms: int) -> list[Publish]:
        is_lost = self.knobs.lose_ack == 1
        self.knobs = self.knobs.counted("lose_ack")
        if is_lost:
            return []
        body = {"gw": at.gateway, "epoch": at.epoch, "hi": at.hi, "h": at.hash.hex()}
        answer = self._signed(at.gateway, "ack", canonical(body))
        return self._hold(answer, now_ms, self.knobs.delay_ack_ms)

    def _feed(self, pull: Pull) -> list[Publish]:
        held = Cursor(pull.epoch, pull.rev)
        if self._store.feed.is_behind(held):
            self._store.outrank(held)
        feed = self._store.feed
        if held == feed.cursor and not self.knobs.feed_rev_offset:
            bodies = [feed.current(pull.gateway, pull.nonce)]
        else:
            parts = self._changes(pull, held)
            if parts is None:
                parts = feed.parts(pull.gateway, pull.nonce, told_rev=self._told_rev())
            bodies = self._spoilt(parts)
        return [self._signed(pull.gateway, "feed", body) for body in bodies]

    def _changes(self, pull: Pull, held: Cursor) -> list[str] | None:
        """Return what changed for a gateway that reads that and holds our epoch."""
        hello, feed = self.hellos.get(pull.gateway), self._store.feed
        reads = hello is not None and "delta" in hello.capabilities
        if not reads or held.epoch != feed.cursor.epoch or self.knobs.feed_rev_offset:
            return None
        return feed.changes(pull.gateway, pull.nonce, since=held.rev)

    def _spoilt(self, parts: list[str]) -> list[str]:
        knobs = self.knobs
        if knobs.corrupt_part:
            parts = [altered(parts[0]), *parts[1:]]
        if knobs.corrupt_hash:
            parts = [mishashed(part) for part in parts]
        if knobs.lose_part:
            parts = parts[1:]
        for name in ("corrupt_part", "corrupt_hash", "lose_part"):
            self.knobs = self.knobs.counted(name)
        return parts

    def _nudge(self, gateway: str) -> Publish:
        epoch = self._store.feed.cursor.epoch
        body = {"gw": gateway, "epoch": epoch, "rev": self._told_rev()}
        return self._signed(gateway, "nudge", canonical(body))

    def _told_rev(self) -> int:
        return max(0, self._store.feed.cursor.rev + self.knobs.feed_rev_offset)

    def _signed(self, gateway: str, leaf: str, body: str) -> Publish:
        signer = self._forger if self.knobs.forge else self._signer
        self.knobs = self.knobs.counted("forge")
        payload = signer.sign(f"mn.{leaf}.v1", body)
        return Publish(f"mn/v1/dn/{gateway}/{leaf}", payload)

    def _hold(self, answer: Publish, now_ms: int, delay_ms: int) -> list[Publish]:
        if delay_ms <= 0 or len(self._delayed) >= MAXIMUM_DELAYED:
            return [answer]
        self._serial += 1
        heapq.heappush(self._delayed, (now_ms + delay_ms, self._serial, answer))
        return []
