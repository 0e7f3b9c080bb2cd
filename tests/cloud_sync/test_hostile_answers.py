# SPDX-License-Identifier: Apache-2.0
"""Ten thousand messages that want more believed than the platform said: each refused.

Acknowledgements of events that it does not hold, rosters of others and of before,
answers to other connections: forged, altered, replayed, older, for another gateway,
under another purpose, key or algorithm, retained, oversized, nested, misshapen.
"""

from __future__ import annotations

import json
import random
from abc import abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any

from cloud_sync.outputs import Refusal
from cloud_sync.refusal import RefusalKind
from tests.cloud_sync.attacks import Hostile
from tests.cloud_sync.driving import Gateway, deliver, greet, moment
from tests.cloud_sync.scripted_platform import (
    EPOCH,
    FEED_EPOCH,
    GATEWAY,
    Platform,
    booking,
    rows,
    sign,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.outputs import Output
    from tests.cloud_sync.attacks import Attack
    from tests.cloud_sync.scripted_platform import Json, Sent

SEED = 20261123
MESSAGES = 10_000
EVENTS = 30
HELD = 7
ROWS = [booking(number) for number in range(4)]
SPOILT: tuple[Any, ...] = (None, [], {}, True, 1.5, -1)


class Line(Hostile):
    """A channel on which a gateway waits for the platform's word, which stays out."""

    channel: str
    fields: tuple[str, ...] = ()
    events = 0

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, self.channel)
        self.platform = Platform()
        self.gateway = Gateway(rows(self.events))
        self.recorded: list[bytes] = []
        self.begin()

    def begin(self) -> None:
        """Come to where the word is awaited."""
        greet(self.gateway, self.platform)

    @abstractmethod
    def word(self) -> Sent:
        """Return the genuine word."""

    @abstractmethod
    def said(self) -> Json:
        """Return what the genuine word says."""

    def body(self, **more: Any) -> Json:
        return {"gw": GATEWAY, **self.said(), **more}

    def other_body(self) -> Json:
        return self.body(more=self.rng.randrange(1 << 32))

    def state(self) -> tuple[Any, ...]:
        """Return all that a believed word changes."""
        gateway = self.gateway
        session = gateway.session
        roster = tuple(sorted(gateway.roster))
        return (session.is_established, gateway.acked, gateway.held, roster)

    def hit(self, attack: Attack) -> list[Output]:
        """Let it arrive a minute later, and do what the session then says."""
        gateway = self.gateway
        gateway.now_s += 61.0
        outputs = self.strike(gateway.session, attack, moment(gateway.now_s))
        return gateway.act(outputs)

    def misshapen(self) -> Attack:
        spoilt = {self.rng.choice(self.fields): self.rng.choice(SPOILT)}
        return sign(self.body(**spoilt), self.typ), RefusalKind.BODY

    def attacks(self) -> tuple[Callable[[], Attack], ...]:
        own = (self.misshapen,) if self.fields else ()
        return (*self.on_any(), *own, *self.of_its_own())

    def of_its_own(self) -> tuple[Callable[[], Attack], ...]:
        return ()


class Acks(Line):
    """Events are on their way and nobody has acknowledged them."""

    channel, fields = "ack", ("epoch", "hi", "h")
    events = EVENTS

    def begin(self) -> None:
        super().begin()
        self.gateway.send_rows()
        for sent in self.gateway.take_sent():
            self.platform.receive(sent.topic, sent.payload)
        assert self.platform.hi() == EVENTS
        assert self.gateway.acked == 0

    def said(self) -> Json:
        return {"epoch": EPOCH, "hi": EVENTS, "h": self.gateway.journal[-1].hash.hex()}

    def word(self) -> Sent:
        return self.platform.ack()


class Nudges(Line):
    """A roster is held, and nothing newer is known of."""

    channel, fields = "nudge", ("epoch", "rev")

    def begin(self) -> None:
        self.platform.publish_feed(HELD, ROWS)
        super().begin()
        deliver(self.gateway, self.platform)
        assert self.gateway.held.rev == HELD

    def state(self) -> tuple[Any, ...]:
        pulls = sum(sent.topic.endswith("/pull") for sent in self.gateway.sent)
        return (*super().state(), pulls)

    def said(self) -> Json:
        return {"epoch": FEED_EPOCH, "rev": self.rng.randint(HELD + 1, 10**6)}

    def word(self) -> Sent:
        return self.platform.publish_feed(HELD + 1, ROWS[:1])


class Hellos(Line):
    """Hello is sent and waits for its answer; the connection before had one."""

    channel, fields = "hello", ("nonce", "epoch", "time", "feed", "hi", "h")
    events = EVENTS

    def begin(self) -> None:
        for _ in range(8):
            self.gateway.connect()
            (hello,) = self.gateway.take_sent()
            ((_, answer),) = self.platform.receive(hello.topic, hello.payload)
            self.recorded.append(answer)
            self.gateway.disconnect()
        self.gateway.connect()
        (hello,) = self.gateway.take_sent()
        (self.answer,) = self.platform.receive(hello.topic, hello.payload)

    def said(self) -> Json:
        held = {"hi": EVENTS, "h": self.gateway.journal[-1].hash.hex()}
        feed = {"epoch": FEED_EPOCH, "rev": 99}
        nonce = self.platform.hellos[-1]["nonce"]
        time_ms = self.platform.time_ms
        return {"nonce": nonce, "epoch": EPOCH, "time": time_ms, "feed": feed, **held}

    def replayed(self) -> Attack:
        return self.rng.choice(self.recorded), RefusalKind.NONCE

    def other_epoch(self) -> Attack:
        body = self.body(epoch="0002-00c0ffee")
        return sign(body, self.typ), RefusalKind.EPOCH

    def of_its_own(self) -> tuple[Callable[[], Attack], ...]:
        return (self.replayed, self.other_epoch)

    def word(self) -> Sent:
        return self.answer


class Feeds(Line):
    """A roster is held, and the next one is asked for again and again."""

    channel = "feed"
    fields = ("re", "epoch", "rev", "i", "n", "count", "hash")

    def begin(self) -> None:
        self.platform.publish_feed(HELD, ROWS)
        greet(self.gateway, self.platform)
        self.recorded = [payload for _, payload in self._pulled()]
        for payload in self.recorded:
            self.gateway.receive(self.topic, payload)
        deliver(self.gateway, self.platform)
        assert self.gateway.held.rev == HELD
        self.gateway.receive(*self.platform.publish_feed(HELD + 1, ROWS[:1]))
        self.pull = ""
        self.ask()

    def ask(self) -> None:
        """Let the next roster be asked for, if no pull is open."""
        self.pull = self.pull if self.gateway.session.feed.awaits(self.pull) else ""
        while not self.pull:
            self.gateway.tick(61.0)
            for sent in self.gateway.take_sent():
                self.answers = self.platform.receive(sent.topic, sent.payload)
                self.pull = json.loads(sent.payload)["id"]

    def _pulled(self) -> list[Sent]:
        (pull,) = self.gateway.take_sent()
        return self.platform.receive(pull.topic, pull.payload)

    def said(self) -> Json:
        strange = [booking(self.rng.randrange(10**6), holder="h-thief")]
        self.platform.feed_rows, kept = strange, self.platform.feed_rows
        said = self.platform.part(self.pull, 0, 1, strange)
        self.platform.feed_rows = kept
        return said

    def replayed(self) -> Attack:
        return self.rng.choice(self.recorded), RefusalKind.FEED_PULL

    def older(self) -> Attack:
        """What a platform says that came back from a backup; its own key signs it."""
        rev = self.rng.randrange(HELD)
        return sign(self.body(rev=rev), self.typ), RefusalKind.FEED_CURSOR

    def of_its_own(self) -> tuple[Callable[[], Attack], ...]:
        return (self.replayed, self.older)

    def word(self) -> Sent:
        self.ask()
        ((topic, payload),) = self.answers
        return topic, payload


LINES: tuple[type[Line], ...] = (Acks, Nudges, Hellos, Feeds)


def test_ten_thousand_hostile_answers_change_nothing_and_each_has_its_name() -> None:
    print(f"seed {SEED}")
    rng, met = random.Random(SEED), Counter[tuple[str, RefusalKind]]()
    for kind in LINES:
        line = kind(rng)
        before, attacks = line.state(), line.attacks()
        for number in range(MESSAGES // len(LINES)):
            if isinstance(line, Feeds):
                line.ask()
            attack = attacks[number % len(attacks)]()
            said = line.hit(attack)
            told = [output.kind for output in said if isinstance(output, Refusal)]
            assert told == [attack[1]], (kind, number, attack, said)
            assert line.state() == before, (kind, number, attack)
            met[line.channel, attack[1]] += 1
        line.gateway.receive(*line.word())
        assert line.state() != before, f"{line.channel}: it still hears"
    print(dict(met))
    assert sum(met.values()) == MESSAGES
