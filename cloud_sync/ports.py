# SPDX-License-Identifier: Apache-2.0
"""What synchronisation borrows from the gateway: journal, roster, clock, a voice.

The law of the module: protocols alone. A port's storage may fail at any call; it says
so with :class:`PortFaultError`, and anything else it raises is a bug and ends us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from cloud_sync.envelope import DayStretch
    from cloud_sync.feed import FeedCursor, FeedRow
    from cloud_sync.outputs import (
        ChangesComplete,
        ClockBounds,
        EpochReason,
        FetchSnapshot,
        SnapshotComplete,
    )
    from cloud_sync.renewing import Renewal
    from edge.core.event import EventKind, Facts
    from edge.core.moment import Moment
    from edge.core.record import Record
    from edge.core.remote.command import RemoteCommand


class PortFaultError(Exception):
    """A port could not read or store: ends the connection, not the client."""


class JournalPort(Protocol):
    """The journal, as far as sending it needs."""

    @property
    def epoch(self) -> str:
        """The journal epoch."""

    @property
    def last_seq(self) -> int:
        """The last committed event; 0 in an empty journal."""

    @property
    def acked(self) -> int:
        """The watermark as last acknowledged."""

    async def read(self, after: int, limit: int) -> Sequence[Record]:
        """Return up to ``limit`` committed rows that follow ``after``, in order."""

    async def hash_at(self, seq: int) -> bytes | None:
        """Return ``h_seq`` for ``seq`` of 1 and more, None where it is gone."""

    async def acknowledge(self, hi: int) -> None:
        """Set the watermark; it goes back only where the platform lost data."""

    async def new_epoch(self, why: EpochReason) -> None:
        """Begin a new epoch that carries on with what is not acknowledged."""


class FeedPort(Protocol):
    """The roster's staging area."""

    @property
    def cursor(self) -> FeedCursor:
        """What is held now."""

    async def stage(self, snapshot: str, rows: Sequence[FeedRow]) -> None:
        """Keep rows aside, invisible, under the snapshot's name."""

    @property
    def hash(self) -> bytes:
        """What the rows held add up to; empty where that is not known."""

    async def complete(self, snapshot: SnapshotComplete) -> None:
        """Replace what is held by what was staged, whole, and move the cursor."""

    async def change(self, changes: ChangesComplete) -> None:
        """Add what was staged to what is held, and move the cursor; or leave both."""

    async def confirm(self) -> None:
        """Note that what is held has just been said to be current."""

    async def drop(self, snapshot: str) -> None:
        """Forget what was staged; a name never heard of is no error."""


class ClockPort(Protocol):
    """The only way to the time."""

    def now(self) -> Moment:
        """Return the present moment."""

    def bound(self, bounds: ClockBounds) -> None:
        """Learn what the platform's signed time says about ours."""


class DaysPort(Protocol):
    """The days that are over, as the gateway has cut them."""

    def waiting(self) -> Sequence[DayStretch]:
        """Return those that are not agreed, oldest first; the same until one is."""

    async def judged(self, day: DayStretch, *, is_agreed: bool) -> bool:
        """Keep the platform's word; return whether a difference is news."""


class FetchError(Exception):
    """A snapshot could not be fetched; the text says why, and then it comes by MQTT."""


class FetchPort(Protocol):
    """The way to big snapshots beside the broker, off the loop."""

    def lines(self, order: FetchSnapshot) -> AsyncGenerator[bytes]:
        """Yield each signed message as it arrives; FetchError where that ends early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All that is borrowed; ``report(kind, facts)`` is what the journal should know.

    ``order(command)`` has a command of the platform done; it neither waits nor raises.
    ``stood_still()`` is true if the process has just stood still: what came is too old.
    Without ``days`` none is told.
    ``renewal`` None: whose certificate nobody renews.
    ``fetch`` is None where no address for big snapshots is set.
    """

    journal: JournalPort
    feed: FeedPort
    clock: ClockPort
    report: Callable[[EventKind, Facts], None]
    order: Callable[[RemoteCommand], None]
    stood_still: Callable[[], bool]
    days: DaysPort | None = None
    renewal: Renewal | None = None
    fetch: FetchPort | None = None
