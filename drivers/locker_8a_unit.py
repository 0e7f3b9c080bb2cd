# SPDX-License-Identifier: Apache-2.0
"""One "8A" lock-control board: what it is asked next, what its feedback says.

The law of the module: a unit knows its own board and nothing of the line. Feedback is
all that counts: whatever a board replied to an opening, the next levels decide it.

    open                            => it opened; the change of level tells
    closed, the reply's time is up  => it failed: "the lock did not open" if there was
                                       a reply, else "unknown outcome"
    closed before that              => look again

Three unanswered questions in a row make the board unreachable and what it owes of
unknown outcome; then it is probed every ``probe_s``. Nothing here opens a lock twice.

Source: Open-Locker ADR-0067 (late replies, never repeat); WjlLockDriver of dp2.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.device import (
    InputChanged,
    OpenLock,
    OrderFailed,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.limits import Liveness, Reach
from drivers.locker_8a_wire import MAX_CHANNELS
from drivers.options import between

#: How often a board is looked at while a lock is open or is about to be.
OPEN_POLL_S = 0.3
UNKNOWN_OUTCOME = "unknown outcome"
DID_NOT_OPEN = "the lock did not open"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerBoardOptions:
    """``closed_is``: the feedback bit of a closed lock; it depends on the locks.

    ``open_reply_s``: how late the reply to an opening may come; public reports name up
    to a second. ``turnaround_s`` belongs to the line: the largest of its units counts.
    """

    channels: int = 24
    closed_is: int = 1
    poll_s: float = 2.0
    probe_s: float = 30.0
    reply_timeout_s: float = 0.3
    open_reply_s: float = 1.5
    turnaround_s: float = 0.005

    def __post_init__(self) -> None:
        between("channels", self.channels, 1, MAX_CHANNELS)
        between("closed_is", self.closed_is, 0, 1)
        between("poll_s", self.poll_s, 0.1, 60.0)
        between("probe_s", self.probe_s, 1.0, 600.0)
        between("reply_timeout_s", self.reply_timeout_s, 0.05, 2.0)
        between("open_reply_s", self.open_reply_s, 1.5, 5.0)
        between("turnaround_s", self.turnaround_s, 0.005, 0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """An opening that was sent and whose lock is not known to have moved."""

    order: OpenLock
    is_answered: bool
    reply_until: float


class LockerUnit:
    """The state of one board; the driver asks in its name and brings the replies."""

    def __init__(self, *, address: int, options: LockerBoardOptions) -> None:
        self.address = address
        self.options = options
        self.due_at = 0.0
        #: Whether an opening ended that was not looked at yet: no other before that.
        self.owes_look = False
        self._liveness = Liveness()
        self._openings: list[_Opening] = []
        self._are_closed: tuple[bool, ...] = ()

    @property
    def reach(self) -> Reach:
        """Whether the board answers."""
        return self._liveness.reach

    @property
    def open_count(self) -> int:
        """How many openings are not decided yet."""
        return len(self._openings)

    def opened(self, now: float) -> None:
        """Know nothing of the board and ask it from ``now`` on."""
        self._liveness.restart()
        self._openings.clear()
        self._are_closed = ()
        self.owes_look = False
        self.due_at = now

    def resumed(self, now: float) -> None:
        """Read and report all levels anew, at once."""
        self._are_closed = ()
        self.due_at = min(self.due_at, now)

    def closed(self) -> list[Signal]:
        """Give up what is not decided, and the board if it answered."""
        signals = self.give_openings_up()
        if self.reach is Reach.ANSWERING:
            signals.append(Unreachable(unit=self.address, why="the link was lost"))
        return signals

    def give_openings_up(self) -> list[Signal]:
        """Call what is not decided of unknown outcome."""
        openings, self._openings = self._openings, []
        return [
            OrderFailed(unit=self.address, order=opening.order, why=UNKNOWN_OUTCOME)
            for opening in openings
        ]

    def reported(self, now: float) -> None:
        """Look soon: the board said by itself that a lock moved."""
        if self.reach is Reach.ANSWERING:
            self.due_at = min(self.due_at, now)

    def opening_ended(
        self, order: OpenLock, *, is_answered: bool, sent_at: float, now: float
    ) -> None:
        """Take note that the line is done with an opening: now look."""
        reply_until = sent_at + self.options.open_reply_s
        opening = _Opening(
            order=order, is_answered=is_answered, reply_until=reply_until
        )
        self._openings.append(opening)
        self.owes_look = True
        self.due_at = min(self.due_at, now)

    def looked(
        self, bits: tuple[bool, ...], now: float, *, detail: str
    ) -> list[Signal]:
        """Take the levels: report changes, decide openings, plan the next look."""
        is_new = self.reach is not Reach.ANSWERING
        self._liveness.found()
        self.owes_look = False
        signals = self._report(bits[: self.options.channels])
        if is_new:
            signals.append(Reachable(unit=self.address, detail=detail))
        signals += self._decide(now)
        is_busy = bool(self._openings) or not all(self._are_closed)
        poll_s = self.options.poll_s
        self.due_at = now + (min(OPEN_POLL_S, poll_s) if is_busy else poll_s)
        return signals

    def missed(self, why: str, now: float) -> list[Signal]:
        """Count an unanswered question; openings don't count, their look does."""
        is_lost = self._liveness.missed()
        if self.reach is not Reach.SILENT:
            # Behind what is overdue at other boards.
            self.due_at = max(self.due_at, now)
            return []
        self.due_at = now + self.options.probe_s
        self.owes_look = False
        self._are_closed = ()
        signals = self.give_openings_up()
        if is_lost:
            signals.append(Unreachable(unit=self.address, why=why))
        return signals

    def _report(self, bits: tuple[bool, ...]) -> list[Signal]:
        levels = tuple(bit is bool(self.options.closed_is) for bit in bits)
        before: tuple[bool | None, ...] = self._are_closed or (None,) * len(levels)
        self._are_closed = levels
        pairs = enumerate(zip(before, levels, strict=True), start=1)
        return [
            InputChanged(unit=self.address, channel=channel, is_active=is_closed)
            for channel, (was_closed, is_closed) in pairs
            if is_closed is not was_closed
        ]

    def _decide(self, now: float) -> list[Signal]:
        openings, self._openings = self._openings, []
        signals: list[Signal] = []
        for opening in openings:
            if not self._are_closed[opening.order.channel - 1]:
                continue
            if now < opening.reply_until:
                self._openings.append(opening)
                continue
            why = DID_NOT_OPEN if opening.is_answered else UNKNOWN_OUTCOME
            signals.append(OrderFailed(unit=self.address, order=opening.order, why=why))
        return signals
