# SPDX-License-Identifier: Apache-2.0
"""Ten thousand messages that want a door opened and must not: each by its name.

Forged, altered, replayed, stale, for another gateway or connection, under another
purpose, key or algorithm, retained, oversized, nested, misshapen, of unknown actions.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.outputs import CommandOrdered, Publish, Refusal
from cloud_sync.refusal import RefusalKind
from edge.core.moment import UNBOUNDED_MS, Moment
from tests.cloud_sync.attacks import Hostile
from tests.cloud_sync.driving import Gateway, greet, moment
from tests.cloud_sync.operators import SITE, sealed
from tests.cloud_sync.scripted_platform import GATEWAY, Platform, sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud_sync.attacks import Attack
    from tests.cloud_sync.scripted_platform import Json

SEED = 20261122
MESSAGES = 10_000


class Attacker(Hostile):
    """What it cannot forge it has recorded.

    Genuine commands of this connection and of the one before, and what the platform
    signed for others.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng, "cmd")
        self.gateway, self.platform = Gateway(), Platform()
        now_ms = moment(self.gateway.now_s).earliest_ms
        # Hello was signed long ago: by it nothing below is over yet.
        self.platform.time_ms = now_ms - MESSAGES * 61_000 - 1_000_000
        greet(self.gateway, self.platform)
        self.old_nonce = self.platform.hellos[-1]["nonce"]
        self.gateway.disconnect()
        greet(self.gateway, self.platform)
        self.platform.time_ms = now_ms
        self.done = [sent for sent in self.genuine(64) if self.is_done(sent)]
        assert len(self.done) == 64

    def genuine(self, count: int) -> list[bytes]:
        return [self.platform.command(jti)[1] for jti in range(count)]

    def is_done(self, sent: bytes) -> bool:
        outputs = self.gateway.receive(self.topic, sent)
        return any(isinstance(output, CommandOrdered) for output in outputs)

    def body(self, **more: Any) -> Json:
        """Return what the platform would sign for this very connection."""
        issued_s = self.platform.time_ms // 1000
        body = {
            "gw": GATEWAY,
            "jti": self.rng.randbytes(16).hex(),
            "nonce": self.platform.hellos[-1]["nonce"],
            "iat": issued_s,
            "exp": issued_s + self.rng.randint(1, 30),
            "action": self.rng.choice(("open", "resident_open", "shelter", "erase")),
            "by": "op-1",
            "reason": "telephone",
            "door": "front",
            "site": SITE,
            "holder": "h-0817",
        }
        body |= more
        return sealed(body) if body["action"] == "shelter" else body

    def other_body(self) -> Json:
        return self.body(door="back")

    def other_connection(self) -> Attack:
        fresh = self.rng.randbytes(16).hex()
        nonce = self.rng.choice((self.old_nonce, fresh))
        return sign(self.body(nonce=nonce), self.typ), RefusalKind.NONCE

    def stale(self) -> Attack:
        issued_s = self.platform.time_ms // 1000 - self.rng.randint(31, 10**8)
        body = self.body(iat=issued_s, exp=issued_s + 30)
        return sign(body, self.typ), RefusalKind.EXPIRED

    def long_lived(self) -> Attack:
        issued_s = self.platform.time_ms // 1000
        body = self.body(exp=issued_s + self.rng.randint(31, 10**8))
        return sign(body, self.typ), RefusalKind.LIFETIME

    def replayed(self) -> Attack:
        return self.rng.choice(self.done), RefusalKind.REPLAY

    def unknown_action(self) -> Attack:
        action = self.rng.choice(("fire", "end_shelter", "Open", "", 7, None))
        return sign(self.body(action=action), self.typ), RefusalKind.ACTION

    def misshapen(self) -> Attack:
        field = self.rng.choice(("jti", "nonce", "iat", "exp", "by", "reason", "wish"))
        body = self.body()
        own = {"shelter": ("site", "seals"), "erase": ("holder",)}
        if self.rng.random() < 0.5:
            field = self.rng.choice(own.get(body["action"], ("door",)))
        value: Any = self.rng.choice((None, [], {}, True, 1.5, "", "\x00", -1))
        return sign(body | {field: value}, self.typ), RefusalKind.BODY

    def attacks(self) -> tuple[Callable[[], Attack], ...]:
        return (
            *self.on_any(),
            self.other_connection,
            self.stale,
            self.long_lived,
            self.replayed,
            self.unknown_action,
            self.misshapen,
        )


def test_ten_thousand_hostile_messages_have_no_effect_and_each_has_its_name() -> None:
    print(f"seed {SEED}")
    attacker = Attacker(random.Random(SEED))
    attacks, met = attacker.attacks(), Counter[RefusalKind]()
    for number in range(MESSAGES):
        # Each in a minute of its own, so that each is told; the wall stands still, or
        # what was recorded would only be stale.
        now = Moment(
            monotonic_s=1000.0 + 61.0 * number,
            earliest_ms=attacker.platform.time_ms,
            latest_ms=attacker.platform.time_ms + 500,
            boot="boot-17",
        )
        attack = attacks[number % len(attacks)]()
        outputs = attacker.strike(attacker.gateway.session, attack, now)
        said = [o for o in outputs if not isinstance(o, Publish)]
        assert [type(output) for output in said] == [Refusal], (number, attack)
        assert [o.kind for o in said if isinstance(o, Refusal)] == [attack[1]], attack
        met[attack[1]] += 1
    print(dict(met))
    assert sum(met.values()) == MESSAGES
    assert attacker.is_done(attacker.platform.command(10**9)[1]), "it still hears"


@pytest.mark.parametrize(
    ("earliest_ms", "latest_ms"),
    [(0, UNBOUNDED_MS), (2_065_000_000_000, 2_065_000_000_500)],
    ids=["no clock since 1970", "ten years ahead"],
)
def test_with_any_clock_they_have_no_effect(earliest_ms: int, latest_ms: int) -> None:
    attacker = Attacker(random.Random(SEED))
    attacks = [each for each in attacker.attacks() if each != attacker.stale]
    for number in range(1_000):
        now = Moment(
            monotonic_s=1000.0 + 61.0 * number,
            earliest_ms=earliest_ms,
            latest_ms=latest_ms,
            boot="boot-17",
        )
        attack = attacks[number % len(attacks)]()
        outputs = attacker.strike(attacker.gateway.session, attack, now)
        assert not any(isinstance(output, CommandOrdered) for output in outputs)
        assert sum(isinstance(output, Refusal) for output in outputs) == 1
