# SPDX-License-Identifier: Apache-2.0
"""One boot's talk with the platform: the real session, driven without a loop.

The law of the module: it carries the session's outputs out in order, as
:mod:`cloud_sync.conversation` and :mod:`cloud_sync.client` do, and decides nothing of
the protocol. Storage that fails ends the connection, never the talk.
Source: docs/sync-contract.md section 6; the two modules above, whose steps and times
it repeats.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

from cloud_sync.client import RETRY_AT_LEAST_S, RETRY_AT_MOST_S, STEADY_S
from cloud_sync.conversation import PUBLISH_WITHIN_S
from cloud_sync.introduction import JournalView
from cloud_sync.outputs import (
    BeatDue,
    CertificateArrived,
    ChangesComplete,
    CheckHash,
    ClockBounds,
    CommandOrdered,
    DayJudged,
    FeedCurrent,
    FetchSnapshot,
    LeaveReason,
    NewEpochNeeded,
    Output,
    Publish,
    Reconnect,
    Refusal,
    SnapshotComplete,
    SnapshotDropped,
    StageRows,
    Watermark,
)
from cloud_sync.ports import PortFaultError
from cloud_sync.refusal import FEED_REFUSALS
from cloud_sync.window import WINDOW_BATCHES
from edge.cli.simulate.clockwork import finished
from edge.core.chain import genesis
from edge.core.event import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from cloud_sync.envelope import CommandResult
    from cloud_sync.outputs import EpochReason
    from cloud_sync.ports import Ports
    from cloud_sync.session import SyncSession
    from edge.cli.simulate.clockwork import BootTime, BootTimer
    from edge.cli.simulate.network import Network

_DOUBLINGS = 8


class _LeftError(Exception):
    """The talk over this connection is over."""


class Talk:
    """Connects, converses and connects again, until the boot ends."""

    def __init__(
        self,
        session: SyncSession,
        ports: Ports,
        network: Network,
        boot: BootTime,
        *,
        chance: Random,
        is_busy: Callable[[], bool],
    ) -> None:
        self._session = session
        self._ports = ports
        self._network = network
        self._boot = boot
        self._chance = chance
        #: Whether events are not stored yet: a new epoch waits for the next hello.
        self._is_busy = is_busy
        self._is_connected = False
        self._had_conversed = False
        self._epoch = ""
        self._connected_s = 0.0
        self._failures = 0
        self._unanswered_s: list[float] = []
        self._timer: BootTimer | None = None
        self._next_try: BootTimer | None = None
        self._is_pumping = False

    @property
    def is_established(self) -> bool:
        """Whether the platform has answered this connection's hello."""
        return self._session.is_established

    def begin(self) -> None:
        """Try to connect; again later if nobody answers."""
        self._next_try = None
        if not self._network.connect(self):
            self._try_later()
            return
        self._is_connected = True
        self._had_conversed = False
        self._connected_s = self._boot.time()
        self._unanswered_s.clear()
        self._do(self._greet)

    def wake(self) -> None:
        """Look for new rows."""
        if self._is_connected:
            self._do(self._pump)

    def stood_still(self) -> None:
        """Leave the connection: nobody knows how long its messages have lain there."""
        self._session.give_up(LeaveReason.STOOD_STILL)
        self._boot.call_soon(self.wake)

    def tell(self, result: CommandResult) -> None:
        """Carry no early word: what is judged here is the journal."""

    def refresh(self) -> None:
        """Ask for the feed at once."""
        self._session.refresh(self._ports.clock.now())
        self._boot.call_soon(self.wake)

    def leave(self) -> None:
        """End the talk: the box stops in order."""
        if self._is_connected:
            self._end()

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a message of the platform's."""
        if self._boot.is_over:
            return
        if self._boot.is_still:
            self._boot.call_soon(partial(self.heard, topic, payload))
        elif self._is_connected:
            self._do(partial(self._take, topic, payload))

    def acknowledged(self) -> None:
        """Take the broker's word that it has the oldest publish."""
        if self._unanswered_s:
            del self._unanswered_s[0]
        was_full = len(self._unanswered_s) == WINDOW_BATCHES - 1
        if was_full and self._is_connected and not self._boot.is_over:
            self.wake()  # rows may wait behind a full window

    def broken(self) -> None:
        """Learn that the connection has ended."""
        if self._is_connected and not self._boot.is_over:
            self._boot.call_soon(self._lose)

    def _greet(self) -> None:
        journal, now = self._ports.journal, self._ports.clock.now()
        epoch, last_seq, acked = journal.epoch, journal.last_seq, journal.acked
        head = finished(journal.hash_at(last_seq)) if last_seq else genesis(epoch)
        if head is None:
            raise _LeftError
        self._epoch = epoch
        view = JournalView(epoch=epoch, last_seq=last_seq, head=head, acked=acked)
        held = self._ports.feed.cursor
        self._perform(self._session.connected(view, held, now))
        self._pump()

    def _take(self, topic: str, payload: bytes) -> None:
        if self._ports.stood_still():
            self._session.give_up(LeaveReason.STOOD_STILL)
        now = self._ports.clock.now()
        self._perform(self._session.receive(topic, payload, now))
        self._had_conversed = self._had_conversed or self._session.is_established
        self._pump()

    def _pump(self) -> None:
        self._perform(self._session.tick(self._ports.clock.now()))
        self._send_rows()
        self._set_timer()

    def _set_timer(self) -> None:
        deadlines = [self._session.deadline()]
        if self._unanswered_s:
            deadlines.append(self._unanswered_s[0] + PUBLISH_WITHIN_S)
        due_s = min((at for at in deadlines if at is not None), default=None)
        if self._timer is not None:
            if self._timer.when() == due_s:
                return
            self._timer.cancel()
        self._timer = None
        if due_s is not None:
            at_s = max(due_s, self._boot.time())
            self._timer = self._boot.call_at(at_s, self._ticked)

    def _ticked(self) -> None:
        self._timer = None
        if not self._is_connected:
            return
        is_late = bool(self._unanswered_s) and (
            self._boot.time() >= self._unanswered_s[0] + PUBLISH_WITHIN_S
        )
        if is_late:
            self._lose()
        else:
            self._do(self._pump)

    def _send_rows(self) -> None:
        journal = self._ports.journal
        while len(self._unanswered_s) < WINDOW_BATCHES:
            wanted = self._session.wants_rows()
            if wanted is None or wanted.after >= journal.last_seq:
                return
            records = finished(journal.read(wanted.after, wanted.limit))
            if journal.epoch != self._epoch:
                raise _LeftError
            now = self._ports.clock.now()
            outputs = self._session.offer_rows(wanted, records, now)
            if not outputs:
                return
            self._perform(outputs)

    def _do(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (_LeftError, PortFaultError):
            self._lose()

    def _perform(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._carry_out(output)

    def _carry_out(self, output: Output) -> None:
        ports = self._ports
        match output:
            case Publish(topic=topic, payload=payload):
                self._unanswered_s.append(self._boot.time())
                self._network.publish(topic, payload)
            case Watermark(hi=hi):
                finished(ports.journal.acknowledge(hi))
            case CheckHash(seq=seq):
                answer = finished(ports.journal.hash_at(seq))
                now = ports.clock.now()
                self._perform(self._session.hash_answered(seq, answer, now))
            case StageRows(snapshot=snapshot, rows=rows):
                finished(ports.feed.stage(snapshot, rows))
            case SnapshotComplete() | ChangesComplete() | FeedCurrent():
                self._feed(output)
            case FetchSnapshot() | BeatDue() | DayJudged():
                pass  # never wanted by this platform
            case SnapshotDropped(snapshot=snapshot):
                finished(ports.feed.drop(snapshot))
            case ClockBounds():
                ports.clock.bound(output)
            case Refusal():
                self._tell(output)
            case NewEpochNeeded(why=reason):
                self._begin_epoch(reason)
            case CommandOrdered(command=command):
                ports.order(command)
            case CertificateArrived():
                pass  # nobody here shows one
            case Reconnect():
                raise _LeftError
            case _:
                assert_never(output)

    def _feed(self, output: SnapshotComplete | ChangesComplete | FeedCurrent) -> None:
        feed, now = self._ports.feed, self._ports.clock.now()
        match output:
            case FeedCurrent(cursor=cursor, hash=told) if cursor == feed.cursor:
                if told and feed.hash and told != feed.hash:
                    self._session.feed.doubt(now)
                else:
                    finished(feed.confirm())
            case FeedCurrent():
                pass  # said of a copy that storage has lost
            case SnapshotComplete():
                finished(feed.complete(output))
                self._perform(self._session.feed_settled(output, feed.cursor, now))
            case ChangesComplete():
                finished(feed.change(output))
                self._perform(self._session.feed_settled(output, feed.cursor, now))
            case _:
                assert_never(output)

    def _begin_epoch(self, reason: EpochReason) -> None:
        if self._is_busy():
            raise _LeftError  # it will be needed still at the next hello
        finished(self._ports.journal.new_epoch(reason))

    def _tell(self, refusal: Refusal) -> None:
        is_feed = refusal.kind in FEED_REFUSALS
        kind = EventKind.ROSTER_REFUSED if is_feed else EventKind.PLATFORM_REFUSED
        facts = (
            ("count", refusal.count),
            ("refusal", refusal.kind.value),
            ("why", refusal.why),
        )
        self._ports.report(kind, facts)

    def _lose(self) -> None:
        if self._is_connected:
            self._end()
            self._try_later()

    def _end(self) -> None:
        self._is_connected = False
        self._network.leave()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lasted_s = self._boot.time() - self._connected_s
        if self._had_conversed and lasted_s >= STEADY_S:
            self._failures = 0
        try:
            for output in self._session.disconnected():
                if isinstance(output, SnapshotDropped):
                    finished(self._ports.feed.drop(output.snapshot))
        except PortFaultError as fault:
            facts = (("why", str(fault)),)
            self._ports.report(EventKind.STORAGE_FAULT, facts)

    def _try_later(self) -> None:
        if self._next_try is not None:
            return
        longest_s = min(RETRY_AT_MOST_S, RETRY_AT_LEAST_S * 2.0**self._failures)
        pause_s = longest_s * (0.5 + 0.5 * self._chance.random())
        self._failures = min(self._failures + 1, _DOUBLINGS)
        self._next_try = self._boot.call_later(pause_s, self.begin)
