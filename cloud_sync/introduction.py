# SPDX-License-Identifier: Apache-2.0
"""How a connection introduces itself: hello, said, repeated, answered or given up.

The law of the module: one nonce a connection, and every repetition is the same
message to the byte, so that an answer to any of them is an answer to all.
Source: docs/sync-contract.md, sections 6.1 and 6.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.outputs import ClockBounds, Publish
from cloud_sync.refusal import RefusalKind, Refused

if TYPE_CHECKING:
    from cloud_sync.feed import FeedCursor
    from cloud_sync.messages import HelloAnswer
    from cloud_sync.topics import Topics
    from edge.core.moment import Moment

#: Brokers deny silently; a hello that nobody answers is the only sign of it.
HELLO_WITHIN_S = 10.0
#: The same hello again: after a broker's restart the platform is often the later one
#: to return, and with clean sessions the first hello then reached nobody.
HELLO_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalView:
    """The journal as a connection begins: ``head`` is ``h_last``."""

    epoch: str
    last_seq: int
    head: bytes
    acked: int


class Introduction:
    """One connection's hello, from its first sending to its answer."""

    def __init__(
        self,
        *,
        topics: Topics,
        nonce: str,
        view: JournalView,
        held: FeedCursor,
        firmware: str,
        capabilities: tuple[str, ...],
        now: Moment,
    ) -> None:
        greeting = envelope.Greeting(
            epoch=view.epoch,
            last_seq=view.last_seq,
            head=view.head,
            nonce=nonce,
            boot=now.boot,
            earliest_ms=now.earliest_ms,
            latest_ms=now.latest_ms,
            firmware=firmware,
            feed_epoch=held.epoch,
            feed_rev=held.rev,
            capabilities=capabilities,
        )
        self.nonce = nonce
        self.view = view
        self.hello = Publish(
            topic=topics.hello, payload=envelope.hello(topics.gateway, greeting)
        )
        self._begun_s = now.monotonic_s
        self._again_s = now.monotonic_s + HELLO_AGAIN_S

    @property
    def deadline_s(self) -> float:
        """When to repeat hello, or to give up."""
        return min(self._again_s, self._begun_s + HELLO_WITHIN_S)

    def repeat(self, now: Moment) -> Publish | None:
        """Return hello once more, None when it is time to give up."""
        if now.monotonic_s >= self._begun_s + HELLO_WITHIN_S:
            return None
        self._again_s = now.monotonic_s + HELLO_AGAIN_S
        return self.hello

    def refusal(self, answer: HelloAnswer) -> Refused | None:
        """Return why an answer is none to this hello, None if it is one."""
        if answer.nonce != self.nonce:
            why = "a hello for another connection"
            return Refused(kind=RefusalKind.NONCE, why=why)
        if answer.epoch != self.view.epoch:
            why = "a hello about another epoch of the journal"
            return Refused(kind=RefusalKind.EPOCH, why=why)
        return None

    def bounds(self, signed_ms: int, now: Moment) -> ClockBounds:
        """Return what a time signed since the first hello says about now."""
        round_trip_ms = ceil((now.monotonic_s - self._begun_s) * 1000)
        return ClockBounds(
            earliest_ms=signed_ms,
            latest_ms=signed_ms + round_trip_ms,
            monotonic_s=now.monotonic_s,
        )
