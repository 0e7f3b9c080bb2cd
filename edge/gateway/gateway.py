# SPDX-License-Identifier: Apache-2.0
"""The gateway's step: decide, commit, act, in that order and within its limits.

The law of the module:

* a step takes every stimulus that waits, handles each in order and hands all their
  events to one commit; commits never overlap, so that what happens during one joins
  the next (group commit);
* a release of a door waits for its grant's commit, and an unlocking for its order's,
  but for 250 ms at most: then the door opens anyway and a later STORAGE_SLOW names
  what was released late; the medicine box likewise, a locker compartment never: a
  lost record could hand it to two people, so the rules are told that it was not
  opened;
* contacts, exit buttons, fire and device states are handled on arrival, also while
  a commit is in flight, and what they cause leaves at once;
* a commit is never cancelled; events without its answer stay in ``_ring``;
* nothing old moves a relay: a release that waited through a stall is dropped, and
  so is one whose door was relocked, held open or shut to everybody meanwhile;
* whatever raises in a turn, its events still leave for the disk.

It owns no port, no clock and no loop: the roof hands in ``now``, ``carry_out`` and
whoever calls back later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from edge.core.command import HoldOpen, OpenCompartment, Release, SwitchAppliance
from edge.core.event import EventKind
from edge.core.order import ApplianceOrdered
from edge.core.stimulus import Noted, OpenRefused
from edge.gateway.held import Waiting
from edge.gateway.inbox import Inbox
from edge.storage.errors import StorageError
from edge.storage.shield import finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge.core.command import Command
    from edge.core.controller import Controller
    from edge.core.event import Event
    from edge.core.moment import Moment
    from edge.core.outcome import Outcome
    from edge.core.stimulus import Exempt, Stimulus
    from edge.gateway.held import Held, Wish
    from edge.gateway.ports import JournalPort, Loop, Pending, Timer

#: A release older than this moves nothing: the person may be gone (law 5).
RELEASE_LIFE_S = 2.0
#: Refusals alone may wait this long for company, or until so many wait.
DENIAL_PATIENCE_S = 1.0
DENIAL_BATCH = 20
#: Events between two snapshots of the standing.
SNAPSHOT_EVERY = 500
#: After a failed commit: how long until the next try.
RETRY_S = 1.0
#: Events of one commit: chaining them takes the loop some milliseconds.
COMMIT_EVENTS = 256
#: Events kept in memory while the disk does not take them; scans beyond are refused.
RING_LIMIT = 10_000


class Gateway:
    """Steps of one site; ``loop`` calls back later, asyncio's running one if None."""

    def __init__(
        self,
        controller: Controller,
        journal: JournalPort,
        *,
        carry_out: Callable[[Command], None],
        now: Callable[[], Moment],
        on_stored: Callable[[Sequence[Event]], None],
        loop: Loop | None = None,
    ) -> None:
        self._controller = controller
        self._journal = journal
        self._carry_out = carry_out
        self._now = now
        self._on_stored = on_stored
        self._loop: Loop = loop or asyncio.get_running_loop()
        self._inbox = Inbox()
        self._ring: deque[Event] = deque()
        self._waiting = Waiting()
        self._stored_seq = controller.next_seq - 1
        # How old the last snapshot is nobody says: the first commit brings one, or
        # a box that is switched off every night would never take any.
        self._snapshot_seq = self._stored_seq - SNAPSHOT_EVERY
        #: The last event that must not be stored without a snapshot.
        self._kept_seq = 0
        self._commit: Pending | None = None
        self._is_step_due = False
        self._is_faulty = False
        self._is_retry_due = False
        self._is_urgent = False
        self._is_renumbering = False
        self._epoch_change: Pending | None = None
        self._timer: Timer | None = None
        self._commit_timer: Timer | None = None

    def now(self) -> Moment:
        """Return this instant, as the roof's clock knows it."""
        return self._now()

    @property
    def unstored(self) -> int:
        """How many events the disk has not confirmed yet."""
        return len(self._ring)

    @property
    def is_storage_faulty(self) -> bool:
        """Say whether the last commit failed."""
        return self._is_faulty

    def offer(self, source: str, stimulus: Stimulus) -> bool:
        """Queue a stimulus for the next step; False if it was dropped."""
        is_taken = len(self._ring) < RING_LIMIT and self._inbox.put(source, stimulus)
        self._schedule_step()
        return is_taken

    def arrive(self, stimulus: Exempt) -> None:
        """Handle a level that waits for nothing; what it causes leaves at once."""
        self.do(lambda controller, now: controller.handle(stimulus, now))

    def do(self, act: Callable[[Controller, Moment], Outcome]) -> None:
        """Let the roof use the controller directly: start, adopt a roster, stop."""
        with self._settling():
            self._take(act(self._controller, self._now()))

    def note(self, note: Noted) -> None:
        """Record a fact of the shell."""
        self.do(lambda controller, now: controller.handle(note, now))

    def forget_waiting(self) -> None:
        """Drop what waits: it is older than the stall that just ended."""
        self._inbox.clear()

    async def drain(self) -> bool:
        """Commit all there is, for an orderly stop; False if the disk refuses.

        The snapshot goes with it, so that the next start has nothing to replay.
        """
        while True:
            going_on = self._epoch_change or self._commit  # an epoch renumbers the ring
            if not (going_on or self._ring or self._snapshot_seq < self._stored_seq):
                return True
            await self._over(going_on or self._start_commit(with_snapshot=True))
            if self._is_faulty and not going_on:
                return False

    async def new_epoch(self, told: Callable[[], Noted] | None = None) -> None:
        """Let the journal begin a new epoch; everything not yet stored moves along.

        After a commit of unknown outcome nobody can say which number comes next, so
        that one has to succeed first: StorageError if it does not. Whoever gives up
        waiting does not stop it: the journal and the rules are renumbered together,
        and what ``told`` says of it is recorded.
        """
        await finish(self._change_epoch(told))

    async def _change_epoch(self, told: Callable[[], Noted] | None) -> None:
        while self._epoch_change is not None:
            await self._over(self._epoch_change)
        while self._commit is not None:
            await self._over(self._commit)
        if self._is_faulty and not await self.drain():
            raise StorageError("the disk takes no events, a new epoch has to wait")
        self._is_renumbering = True
        self._epoch_change = change = self._loop.create_future()
        try:
            await self._journal.new_epoch()
            waiting = self._ring[0].seq if self._ring else self._controller.next_seq
            self._renumber(self._journal.next_seq - waiting)
            # The standing in the file still speaks of the old numbers.
            self._snapshot_seq = self._stored_seq - SNAPSHOT_EVERY
        finally:
            self._is_renumbering = False
            self._epoch_change = None
            change.set_result(None)
            self._settle()
        if told is not None:
            self.note(told())

    async def _over(self, pending: Pending) -> None:
        """Wait until it is over, however it ends; who gives up waiting ends nothing."""
        over = self._loop.create_future()

        def end(_: Pending) -> None:
            if not over.done():
                over.set_result(None)

        pending.add_done_callback(end)
        await over

    def close(self) -> None:
        """Stop the timers; a commit in flight is left to end by itself."""
        for timer in (self._timer, self._commit_timer):
            if timer is not None:
                timer.cancel()

    def _renumber(self, shift: int) -> None:
        self._controller.renumber(shift)
        self._ring = deque(replace(e, seq=e.seq + shift) for e in self._ring)
        self._waiting.renumber(shift)
        self._stored_seq += shift
        self._kept_seq += shift

    def _schedule_step(self) -> None:
        if not self._is_step_due:
            self._is_step_due = True
            self._loop.call_soon(self._step)

    def _step(self) -> None:
        self._is_step_due = False
        now = self._now()
        with self._settling():
            for stimulus in self._inbox.take():
                self._take(self._controller.handle(stimulus, now))
            for source, count in self._inbox.take_dropped():
                full = Noted(
                    kind=EventKind.QUEUE_FULL, subject=source, facts=(("count", count),)
                )
                self._take(self._controller.handle(full, now))

    def _tick(self) -> None:
        self._timer = None
        with self._settling():
            for held in self._waiting.overdue(self._loop.time()):
                if held.may_be_late and self._let_go(held):
                    self._waiting.went_late(held)
                else:
                    self._refuse(held.wish)
            self._take(self._controller.tick(self._now()))

    def _take(self, outcome: Outcome) -> None:
        """Let go what need not wait; keep the rest and the events."""
        self._ring.extend(outcome.events)
        if any(e.kind is not EventKind.ACCESS_DENIED for e in outcome.events):
            self._is_urgent = True
        if outcome.is_kept:
            self._kept_seq = self._controller.next_seq - 1
            self._snapshot_seq = min(self._snapshot_seq, self._kept_seq - 1)
        now_s = self._loop.time()
        for command in outcome.commands:
            is_shut = self._is_shut(command)
            if self._waiting.keep(command, self._stored_seq, now_s, is_shut=is_shut):
                self._is_urgent = True
                continue
            self._waiting.overtake(command)
            self._carry_out(command)

    def _refuse(self, wish: Wish) -> None:
        """Tell the rules of a compartment that stays shut, of a stove that stays off.

        The compartment is kept for its holder; a door's release is simply over.
        """
        match wish:
            case OpenCompartment(bank=bank, number=number, cause=cause):
                refused = OpenRefused(bank=bank, number=number, cause=cause)
                self._take(self._controller.handle(refused, self._now()))
            case SwitchAppliance(appliance=name):
                off = ApplianceOrdered(
                    appliance=name, is_on=False, actor="gateway", reason="storage"
                )
                self._take(self._controller.handle(off, self._now()))
            case _:
                pass

    def _let_go(self, held: Held) -> bool:
        """Carry an opening out, unless it is stale or its door was shut; say whether.

        Whom a door admitted although it was shut already still comes in.
        """
        is_stale = self._loop.time() - held.since_s > RELEASE_LIFE_S
        if is_stale or (self._is_shut(held.wish) and not held.was_shut):
            return False
        self._carry_out(held.wish)
        return True

    def _is_shut(self, command: Command) -> bool:
        match command:
            case Release(door=door) | HoldOpen(door=door):
                return self._controller.is_shut(door)
            case _:
                return False

    @contextmanager
    def _settling(self) -> Iterator[None]:
        """Settle after the block, also after one that raised."""
        try:
            yield
        finally:
            self._settle()

    def _settle(self) -> None:
        """Start the commit that is due, and set the timer for what comes next."""
        is_waiting = self._is_faulty and not self._is_retry_due
        can_commit = not (self._commit or is_waiting or self._is_renumbering)
        self._set_timer()
        if self._ring and can_commit:
            # Last of all: from here on the database's thread wants the interpreter.
            if self._is_urgent or len(self._ring) >= DENIAL_BATCH:
                self._start_commit()
            elif self._commit_timer is None:
                self._commit_timer = self._loop.call_later(
                    DENIAL_PATIENCE_S, self._commit_is_due
                )

    def _set_timer(self) -> None:
        """See to a tick in time; one that comes early only looks and sets the next."""
        due_s = self._controller.deadline()
        first_s = self._waiting.first_due_s()
        if first_s is not None:
            due_s = first_s if due_s is None else min(due_s, first_s)
        if due_s is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due_s, self._tick)

    def _commit_is_due(self) -> None:
        self._commit_timer = None
        self._is_retry_due = True
        self._is_urgent = True
        self._settle()

    def _start_commit(self, *, with_snapshot: bool = False) -> Pending:
        if self._commit_timer is not None:
            self._commit_timer.cancel()
            self._commit_timer = None
        must_keep = self._kept_seq > self._snapshot_seq
        size = len(self._ring) if must_keep else COMMIT_EVENTS
        batch = tuple(islice(self._ring, size))
        last = batch[-1].seq if batch else self._stored_seq
        is_whole = len(batch) == len(self._ring)
        is_old = last - self._snapshot_seq >= SNAPSHOT_EVERY
        is_due = with_snapshot or must_keep or is_old
        # Only a ring taken whole leaves the standing as it is after its last event.
        state = self._controller.snapshot(self._now()) if is_due and is_whole else None
        self._is_urgent, self._is_retry_due = not is_whole, False
        commit = self._journal.begin_append(batch, state)
        has_snapshot = state is not None
        commit.add_done_callback(
            lambda done: self._committed(done, batch, has_snapshot=has_snapshot)
        )
        self._commit = commit
        return commit

    def _committed(
        self,
        done: Pending,
        batch: tuple[Event, ...],
        *,
        has_snapshot: bool,
    ) -> None:
        self._commit = None
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error is not None:
            self._commit_failed(error)
            return
        for event in batch:
            self._ring.popleft()
            self._stored_seq = event.seq
        if has_snapshot:
            self._snapshot_seq = self._stored_seq
        self._is_faulty = False
        with self._settling():
            for held in self._waiting.stored(self._stored_seq):
                if not self._let_go(held):
                    self._refuse(held.wish)
            slow = self._waiting.slow()
            if slow is not None:
                self._take(self._controller.handle(slow, self._now()))
        self._on_stored(batch)

    def _commit_failed(self, error: BaseException | None) -> None:
        """Keep the ring, go on from memory, try again soon; told once an outage."""
        is_news = not self._is_faulty
        self._is_faulty = True
        self._commit_timer = self._loop.call_later(RETRY_S, self._commit_is_due)
        what = type(error).__name__ if error else "cancelled"
        note = Noted(
            kind=EventKind.STORAGE_FAULT, subject="journal", facts=(("what", what),)
        )
        with self._settling():
            if is_news:
                self._take(self._controller.handle(note, self._now()))
