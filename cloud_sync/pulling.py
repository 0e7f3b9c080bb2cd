# SPDX-License-Identifier: Apache-2.0
"""Asking for the feed until what is held is what the platform has.

The law of the module: the gateway pulls; a hello or a nudge only says that there is
something to pull. One pull is out at a time, and an answer counts only for the nonce
of that pull. What was held stays until a newer snapshot, or what changed since, is
whole and storage holds it, which may refuse. Changes that don't add up mean that one
side is not what the other takes it for: then everything is asked for, as by a gateway
that holds nothing. A nudge may be lost, so a quiet connection asks by itself now and
then; the answer that nothing is newer is worth having, since a roster's age decides
whom it may still admit.
Source: docs/sync-contract.md, sections 4 and 6.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync import envelope
from cloud_sync.feed import (
    NO_FEED,
    FeedCursor,
    FeedOffer,
    FeedPart,
    SnapshotAssembler,
)
from cloud_sync.outputs import (
    ChangesComplete,
    FeedCurrent,
    FetchSnapshot,
    Output,
    Publish,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
)
from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.window import JITTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_sync.topics import Topics
    from edge.core.moment import Moment

ANSWER_WITHIN_S = 15.0
#: A platform that cannot build a snapshot is not asked more often than this.
RETRY_AT_MOST_S = 240.0
#: Old nudges can be replayed by the broker; they cost at most one pull a second.
PULL_EVERY_S = 1.0
#: 144 small messages a day bound how long a lost nudge leaves the roster behind.
ASK_ANYWAY_S = 600.0


class Pulling:
    """The receiving half of a session; survives connections, its pulls do not."""

    def __init__(
        self,
        *,
        topics: Topics,
        new_nonce: Callable[[], str],
        chance: Callable[[], float],
        fetches: bool = False,
    ) -> None:
        self.held = NO_FEED
        #: How often everything was asked for because what is held did not add up.
        self.repairs = 0
        self._topics = topics
        self._new_nonce = new_nonce
        self._chance = chance
        #: The newest that the platform spoke of, and that storage took or refused.
        self._wanted = self._judged = NO_FEED
        self._nonce: str | None = None
        self._assembler: SnapshotAssembler | None = None
        #: Whether what is held is in doubt: everything is asked for.
        self._is_in_doubt = False
        #: Whether a snapshot may be fetched by HTTPS, and whether that failed just now.
        self._fetches = fetches
        self._has_failed_to_fetch = False
        self._patience_s = ANSWER_WITHIN_S
        self._due_s: float | None = None
        self._not_before_s = 0.0

    @property
    def deadline_s(self) -> float | None:
        """When to ask, or ask again; None while there is no conversation."""
        return self._due_s

    def awaits(self, snapshot: str) -> bool:
        """Say whether parts of that pull still count."""
        return self._nonce == snapshot

    def open(self, held: FeedCursor) -> None:
        """Begin a connection with what storage holds."""
        self.held = self._wanted = self._judged = held
        self._is_in_doubt = self._has_failed_to_fetch = False
        self._patience_s = ANSWER_WITHIN_S
        self._nonce = self._assembler = self._due_s = None
        self._not_before_s = 0.0

    def close(self, why: str) -> list[Output]:
        """End a pull that is out; what it staged is dropped."""
        nonce, self._nonce = self._nonce, None
        self._assembler = self._due_s = None
        return [] if nonce is None else [SnapshotDropped(snapshot=nonce, why=why)]

    def want(self, cursor: FeedCursor, now: Moment) -> list[Output]:
        """Note that the platform has ``cursor``, and ask if that is news."""
        if cursor.age > self._wanted.age:
            self._wanted = cursor
        if self._due_s is None:
            self._rest(now)
        if self._nonce is not None or self._wanted.age <= self._judged.age:
            return []
        if now.monotonic_s < self._not_before_s:
            self._due_s = self._not_before_s
            return []
        return self._ask(now)

    def refresh(self, now: Moment) -> None:
        """Be due at once, whatever was heard; a pull that is out stands for it."""
        if self._nonce is None:
            self._due_s = max(now.monotonic_s, self._not_before_s)

    def tick(self, now: Moment) -> list[Output]:
        """Ask, or ask again, if it is time."""
        if self._due_s is None or now.monotonic_s < self._due_s:
            return []
        outputs = self.close("no answer")
        if outputs:
            self._patience_s = min(self._patience_s * 2, RETRY_AT_MOST_S)
        return outputs + self._ask(now)

    def receive(
        self, part: FeedPart | FeedOffer, now: Moment
    ) -> list[Output] | Refused:
        """Take one part; a refusal is to be reported and changes nothing held."""
        if part.pull != self._nonce or self._assembler is None:
            # Usually the late answer to a pull that was given up.
            return Refused(kind=RefusalKind.FEED_PULL, why="a part of another pull")
        if isinstance(part, FeedOffer):
            return self._fetch(part, now)
        if part.parts == 0:
            self._wanted = self._judged = self.held
            self._is_in_doubt = False
            self._rest(now)
            return [FeedCurrent(cursor=self.held, hash=part.hash)]
        answer = self._assembler.receive(part)
        if isinstance(answer, Refused):
            return answer
        self._due_s = now.monotonic_s + self._patience_s
        outputs: list[Output] = []
        if answer.rows:
            outputs.append(StageRows(snapshot=part.pull, rows=answer.rows))
        if answer.is_complete:
            outputs.append(_complete(part))
            self._has_failed_to_fetch = False
            self._rest(now)
        return outputs

    def _fetch(self, offer: FeedOffer, now: Moment) -> list[Output] | Refused:
        if not self._fetches or self._has_failed_to_fetch:
            return Refused(kind=RefusalKind.FEED_SHAPE, why="an offer nobody asked for")
        self._due_s = now.monotonic_s + self._patience_s
        fetch = FetchSnapshot(snapshot=offer.pull, path=offer.path, parts=offer.parts)
        return [fetch]

    def fetch_failed(self, snapshot: str, now: Moment) -> list[Output]:
        """Ask anew, for parts by the broker, where a snapshot could not be fetched."""
        if self._nonce != snapshot:
            return []
        self._has_failed_to_fetch = True
        outputs = self.close("it could not be fetched")
        self._due_s = max(now.monotonic_s, self._not_before_s)
        return outputs

    def doubt(self, now: Moment) -> None:
        """Be due to ask for everything: what is held is not what the platform has."""
        if self._due_s is not None:
            self._begin_doubt()
            self.refresh(now)

    def _begin_doubt(self) -> None:
        self.repairs += not self._is_in_doubt
        self._is_in_doubt = True

    def settle(
        self, offered: FeedCursor, held: FeedCursor, now: Moment
    ) -> list[Output]:
        """Note what storage holds after it was offered a whole snapshot.

        One that it refused would be refused again: nothing is asked for before there
        is a newer one, or the quiet connection asks anyway.
        """
        self.held, self._judged = held, offered
        self._is_in_doubt = False
        return self.want(offered, now)

    def changes_settled(
        self, offered: FeedCursor, held: FeedCursor, now: Moment
    ) -> list[Output]:
        """Note what storage holds after it was offered changes up to ``offered``.

        Changes that it refused don't fit what it holds: then everything is wanted.
        """
        self.held = self._judged = held
        if held != offered:
            self._begin_doubt()
        return self.want(offered, now)

    def spoil(self, why: str) -> list[Output]:
        """Give up the pull that is out after a refusal; the deadline asks again."""
        due_s, assembler = self._due_s, self._assembler
        if assembler is not None and assembler.is_of_changes:
            self._begin_doubt()
        outputs = self.close(why)
        if outputs and due_s is not None:
            self._due_s = self._not_before_s = due_s
            self._patience_s = min(self._patience_s * 2, RETRY_AT_MOST_S)
        return outputs

    def _rest(self, now: Moment) -> None:
        self._nonce = self._assembler = None
        self._patience_s = ANSWER_WITHIN_S
        self._due_s = now.monotonic_s + self._jittered(ASK_ANYWAY_S)

    def _jittered(self, wait_s: float) -> float:
        return wait_s * (1 + JITTER * self._chance())

    def _ask(self, now: Moment) -> list[Output]:
        self._nonce = self._new_nonce()
        asked = NO_FEED if self._is_in_doubt else self.held
        self._assembler = SnapshotAssembler(self._nonce, self.held, asked)
        self._not_before_s = now.monotonic_s + PULL_EVERY_S
        self._due_s = now.monotonic_s + self._jittered(self._patience_s)
        payload = envelope.pull(
            self._topics.gateway,
            self._nonce,
            asked.epoch,
            asked.rev,
            now.earliest_ms,
            https=self._fetches and not self._has_failed_to_fetch,
        )
        return [Publish(topic=self._topics.pull, payload=payload)]


def _complete(part: FeedPart) -> SnapshotComplete | ChangesComplete:
    if part.since is not None:
        return ChangesComplete(
            snapshot=part.pull,
            base=FeedCursor(epoch=part.cursor.epoch, rev=part.since),
            cursor=part.cursor,
            hash=part.hash,
            count=part.count,
            total=part.total,
        )
    return SnapshotComplete(
        snapshot=part.pull, cursor=part.cursor, hash=part.hash, count=part.count
    )
