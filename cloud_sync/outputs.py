# SPDX-License-Identifier: Apache-2.0
"""What a session wants done: values for its shell, which alone can do them.

The law of the module: an output is complete in itself; the shell needs no knowledge
of the protocol to carry it out, and carries them out in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud_sync.envelope import DayStretch
    from cloud_sync.feed import FeedCursor, FeedRow
    from cloud_sync.refusal import RefusalKind
    from cloud_sync.renewing import CertificateAnswer
    from edge.core.remote.command import RemoteCommand


class EpochReason(StrEnum):
    """Why the journal must begin a new epoch."""

    PLATFORM_AHEAD = "PLATFORM_AHEAD"
    FORKED = "FORKED"
    ROWS_GONE = "ROWS_GONE"


class LeaveReason(StrEnum):
    """Why this connection is of no more use."""

    HELLO_UNANSWERED = "HELLO_UNANSWERED"
    ACKS_MISSING = "ACKS_MISSING"
    EPOCH_ENDED = "EPOCH_ENDED"
    SUBSCRIPTION_REFUSED = "SUBSCRIPTION_REFUSED"
    COMMANDS_FULL = "COMMANDS_FULL"
    STOOD_STILL = "STOOD_STILL"
    HEARTBEATS_UNANSWERED = "HEARTBEATS_UNANSWERED"
    RENEWED = "RENEWED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Send ``payload``, not retained, in the order given."""

    topic: str
    payload: bytes
    qos: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """The platform has committed all up to ``hi``: less than before if it lost some."""

    hi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckHash:
    """Answer ``hash_answered(seq, …)`` with the journal's hash there, None if gone."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEpochNeeded:
    """Journal and platform cannot be the same history any more."""

    why: EpochReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBounds:
    """At ``monotonic_s`` the true UTC lay within ``[earliest_ms, latest_ms]``."""

    earliest_ms: int
    latest_ms: int
    monotonic_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRows:
    """Keep ``rows`` aside under the name ``snapshot``; nobody may see them yet."""

    snapshot: str
    rows: tuple[FeedRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotComplete:
    """All ``count`` staged rows are there and add up to ``hash``: apply them whole."""

    snapshot: str
    cursor: FeedCursor
    hash: bytes
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesComplete:
    """All ``count`` staged changes are there: add them to what is held at ``base``.

    The feed then has ``total`` rows that add up to ``hash``, both told unless ``hash``
    is empty; what does not is not to be applied.
    """

    snapshot: str
    base: FeedCursor
    cursor: FeedCursor
    hash: bytes
    count: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSnapshot:
    """Fetch the snapshot that waits at ``path`` by HTTPS.

    Each line is a message as it would come on the feed's topic; when it cannot be
    fetched, ``Pulling.fetch_failed(snapshot, …)`` wants to know.
    """

    snapshot: str
    path: str
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCurrent:
    """The platform has just said that nothing is newer than what is held.

    ``hash``: what that adds up to there, empty where it does not say.
    """

    cursor: FeedCursor
    hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDropped:
    """Forget what was staged under ``snapshot``."""

    snapshot: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Tell the journal: ``count`` messages of this kind since the last report."""

    kind: RefusalKind
    why: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandOrdered:
    """The platform wants this done, now and once."""

    command: RemoteCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatDue:
    """Say how the journal stands, with ``beside.beat(…)``: a heartbeat is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayJudged:
    """The platform has compared a day: ``held`` of its events are there."""

    day: DayStretch
    is_agreed: bool
    held: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateArrived:
    """The platform answers what was asked of it: a certificate, or why not."""

    answer: CertificateAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnect:
    """Leave this connection and make another."""

    why: LeaveReason


Output = (
    Publish
    | Watermark
    | CheckHash
    | NewEpochNeeded
    | ClockBounds
    | StageRows
    | SnapshotComplete
    | ChangesComplete
    | FetchSnapshot
    | FeedCurrent
    | SnapshotDropped
    | Refusal
    | CommandOrdered
    | BeatDue
    | DayJudged
    | CertificateArrived
    | Reconnect
)
