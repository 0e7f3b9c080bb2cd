# SPDX-License-Identifier: Apache-2.0
"""What somebody who holds the broker can do to any message that the platform signs.

The law of the module: he hears all, may say anything, and has no key of the platform.
An attack is a message and the name under which it has to be refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from cloud_sync.refusal import RefusalKind
from cloud_sync.signing import MESSAGE_BYTES
from tests.cloud_sync.scripted_platform import GATEWAY, OTHER_SEED, sign

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from cloud_sync.outputs import Output
    from cloud_sync.session import SyncSession
    from edge.core.moment import Moment
    from tests.cloud_sync.scripted_platform import Json

Attack = tuple[bytes, RefusalKind]


class Hostile(ABC):
    """Attacks on one channel's messages, whatever they say."""

    def __init__(self, rng: random.Random, channel: str) -> None:
        self.rng = rng
        self.topic = f"mn/v1/dn/{GATEWAY}/{channel}"
        self.typ = f"mn.{channel}.v1"

    @abstractmethod
    def body(self, **more: Any) -> Json:
        """Return what the platform would sign now."""

    @abstractmethod
    def other_body(self) -> Json:
        """Return what it might have signed as well, and did not."""

    def on_any(self) -> tuple[Callable[[], Attack], ...]:
        """Return the attacks that any channel knows."""
        return (
            self.forged,
            self.altered,
            self.unsigned,
            self.symmetric,
            self.strange_key,
            self.other_purpose,
            self.other_gateway,
            self.nested,
            self.oversized,
            self.rubbish,
            self.retained,
        )

    def strike(self, session: SyncSession, attack: Attack, now: Moment) -> list[Output]:
        """Let it arrive; return what comes of it."""
        message, kind = attack
        if kind is RefusalKind.RETAINED:
            return session.retained(self.topic, now)
        return session.receive(self.topic, message, now)

    def forged(self) -> Attack:
        return sign(self.body(), self.typ, seed=OTHER_SEED), RefusalKind.SIGNATURE

    def altered(self) -> Attack:
        head, _, tail = sign(self.body(), self.typ).split(b".")
        other = sign(self.other_body(), self.typ).split(b".")[1]
        return b".".join((head, other, tail)), RefusalKind.SIGNATURE

    def unsigned(self) -> Attack:
        head, body, _ = sign(self.body(), self.typ).split(b".")
        none = urlsafe_b64encode(b'{"alg":"none","kid":"platform-1"}').rstrip(b"=")
        head = self.rng.choice((none, head))
        kind = RefusalKind.ALGORITHM if head is none else RefusalKind.SIGNATURE
        return b".".join((head, body, b"")), kind

    def symmetric(self) -> Attack:
        return sign(self.body(), self.typ, alg="HS256"), RefusalKind.ALGORITHM

    def strange_key(self) -> Attack:
        kid = self.rng.choice(("platform-2", "", "../../etc/passwd"))
        return sign(self.body(), self.typ, kid=kid), RefusalKind.KEY_UNKNOWN

    def nested(self) -> Attack:
        deep: Any = 0
        for _ in range(self.rng.choice((9, 50, 400))):
            deep = [deep] if self.rng.random() < 0.5 else {"x": deep}
        return sign(self.body(more=deep), self.typ), RefusalKind.BODY

    def oversized(self) -> Attack:
        more = "x" * self.rng.choice((MESSAGE_BYTES, 2 * MESSAGE_BYTES))
        return sign(self.body(more=more), self.typ), RefusalKind.TOO_LARGE

    def rubbish(self) -> Attack:
        noise = self.rng.randbytes(self.rng.randint(0, 200)).replace(b".", b"")
        return noise, RefusalKind.NOT_SIGNED

    def retained(self) -> Attack:
        return sign(self.body(), self.typ), RefusalKind.RETAINED

    def other_purpose(self) -> Attack:
        known = ("mn.ack.v1", "mn.feed.v1", "mn.cmd.v1", f"{self.typ[:-1]}2", "JWT")
        typ = self.rng.choice([each for each in known if each != self.typ])
        return sign(self.body(), typ), RefusalKind.PURPOSE

    def other_gateway(self) -> Attack:
        gateway = self.rng.choice(("gw-hall-02", "", GATEWAY.upper()))
        return sign(self.body(gw=gateway), self.typ), RefusalKind.GATEWAY
