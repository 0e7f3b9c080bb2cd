# SPDX-License-Identifier: Apache-2.0
"""One lock-control board: what it is asked next, what its feedback says.

The law of the module: a unit knows its own board and nothing of the line. Feedback is
all that counts: whatever a board replied to an opening, the levels behind it decide.

    open at any look or report since => it opened; the change of level tells
    closed, the reply's time is up   => it failed: "the lock did not open" if there
                                        was a reply, else "unknown outcome"
    closed and the board refused     => it failed: "the board refused to open"
    closed before that               => look again

Three unanswered questions in a row make the board unreachable and what it owes of
unknown outcome; then it is probed every ``probe_s``. Nothing here opens a lock twice.

Source: Open-Locker ADR-0067 (late replies, never repeat); WjlLockDriver of dp2;
CartWise, KR-CU16 (a busy board is cleared, then asked in steps of 0.1 to 0.2 s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.device import (
    InputChanged,
    OpenLock,
    OrderFailed,
    Reachable,
    Signal,
    Unreachable,
)
from drivers.limits import Liveness, Reach

if TYPE_CHECKING:
    from drivers.locks.lock_options import LockBoardOptions
    from drivers.locks.lock_wire import LockWire, Request

#: How often a board is looked at while a lock is open or is about to be.
OPEN_POLL_S = 0.3
#: How long an answer vouches that the board is not busy: an opening alone makes it so
#: and ends it. Longer than the longest gap between frames that can be set.
FRESH_S = 0.5
#: What a board gets to recover after each clearing; the last one for ever.
CLEARING_S = (0.1, 0.15, 0.2)
UNKNOWN_OUTCOME = "unknown outcome"
DID_NOT_OPEN = "the lock did not open"
REFUSED = "the board refused to open"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """An opening that was sent and whose lock is not known to have moved."""

    order: OpenLock
    sent_at: float
    closed_until: float
    why: str


class LockUnit:
    """The state of one board; the driver asks in its name and brings the replies."""

    def __init__(
        self, *, address: int, wire: LockWire, options: LockBoardOptions
    ) -> None:
        self.address = address
        self.options = options
        self.due_at = 0.0
        #: Whether an opening ended that was not looked at yet: no other before that.
        self.owes_look = False
        self._wire = wire
        self._liveness = Liveness()
        self._misses = 0
        self._is_cleared = False
        self._fresh_until = 0.0
        self._ask_first: int | None = None
        self._openings: list[_Opening] = []
        self._are_closed: tuple[bool, ...] = ()
        self._seen_open_at: dict[int, float] = {}

    @property
    def reach(self) -> Reach:
        """Whether the board answers."""
        return self._liveness.reach

    @property
    def open_count(self) -> int:
        """How many openings are not decided yet."""
        return len(self._openings)

    @property
    def clearing_s(self) -> float:
        """What the board gets to recover after the next clearing."""
        return CLEARING_S[max(0, min(self._misses, len(CLEARING_S)) - 1)]

    def is_fresh(self, now: float) -> bool:
        """Whether the board answered so lately that it can't be busy."""
        return not self._wire.looks_first or now < self._fresh_until

    def opened(self, now: float) -> None:
        """Know nothing of the board and ask it from ``now`` on."""
        self._liveness.restart()
        self._misses = 0
        self._openings.clear()
        self._are_closed = ()
        self._seen_open_at.clear()
        self._ask_first = None
        self._fresh_until = now
        self.owes_look = False
        self.due_at = now

    def resumed(self, now: float) -> None:
        """Read and report all levels anew, at once."""
        self._are_closed = ()
        self._fresh_until = now
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
        return [self._failed(opening, UNKNOWN_OUTCOME) for opening in openings]

    def next_request(self, *, is_echo_known: bool) -> Request:
        """Return what the board is to be asked now; no opening is ever among it."""
        channels = self.options.channels
        wire = self._wire
        if wire.clear is not None and self._misses and not self._is_cleared:
            return wire.clear(self.address, channels=channels)
        if wire.probe is not None and not is_echo_known:
            return wire.probe(self.address, 1, channels=channels)
        if wire.query_one and self._ask_first and self._are_closed:
            return wire.query_one(self.address, self._ask_first, channels=channels)
        return wire.query_all(self.address, channels=channels)

    def cleared(self) -> None:
        """Take note that the board was woken; the question comes next."""
        self._is_cleared = True

    def reported(self, now: float) -> None:
        """Look soon: the board said by itself that a lock moved."""
        if self.reach is Reach.ANSWERING:
            self.due_at = min(self.due_at, now)

    def told(self, channel: int, now: float, *, bit: bool) -> list[Signal]:
        """Take the level of one lock, asked for or not, if all others are known."""
        if self.reach is not Reach.ANSWERING or channel > len(self._are_closed):
            return []
        is_closed = bit is bool(self.options.closed_is)
        levels = list(self._are_closed)
        levels[channel - 1] = is_closed
        return self._take(tuple(levels), now, (channel,))

    def opening_ended(
        self,
        order: OpenLock,
        *,
        sent_at: float,
        now: float,
        is_answered: bool,
        is_refused: bool = False,
    ) -> None:
        """Take note that the line is done with an opening: now look."""
        why = DID_NOT_OPEN if is_answered else UNKNOWN_OUTCOME
        closed_until = sent_at + self.options.open_reply_s
        if is_refused:
            why, closed_until = REFUSED, now
        opening = _Opening(
            order=order, sent_at=sent_at, closed_until=closed_until, why=why
        )
        if not self._has_opened(opening):
            self._openings.append(opening)
        self._ask_first = None if is_answered else order.channel
        self._fresh_until = now
        self.owes_look = True
        self.due_at = min(self.due_at, now)

    def looked_at_one(self, channel: int, now: float, *, bit: bool) -> list[Signal]:
        """Take the level of the lock that was asked for first; then come all."""
        self._answered(now)
        self.due_at = now
        return self.told(channel, now, bit=bit)

    def looked(
        self, bits: tuple[bool, ...], now: float, *, detail: str
    ) -> list[Signal]:
        """Take the levels: report changes, decide openings, plan the next look."""
        is_new = self.reach is not Reach.ANSWERING
        self._liveness.found()
        self._answered(now)
        closed_is = bool(self.options.closed_is)
        levels = tuple(bit is closed_is for bit in bits[: self.options.channels])
        signals = self._take(levels, now, range(1, len(levels) + 1))
        if is_new:
            at = sum(isinstance(signal, InputChanged) for signal in signals)
            signals.insert(at, Reachable(unit=self.address, detail=detail))
        is_busy = bool(self._openings) or not all(self._are_closed)
        poll_s = self.options.poll_s
        self.due_at = now + (min(OPEN_POLL_S, poll_s) if is_busy else poll_s)
        return signals

    def missed(self, why: str, now: float) -> list[Signal]:
        """Count an unanswered question; openings don't count, their look does."""
        is_lost = self._liveness.missed()
        self._misses += 1
        self._is_cleared = False
        self._ask_first = None
        self._fresh_until = now
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

    def _answered(self, now: float) -> None:
        self._liveness.heard()
        self._misses = 0
        self._ask_first = None
        self._fresh_until = now + FRESH_S
        self.owes_look = False

    def _take(
        self, levels: tuple[bool, ...], now: float, seen: range | tuple[int, ...]
    ) -> list[Signal]:
        """Report what changed and decide the openings of the channels seen."""
        before: tuple[bool | None, ...] = self._are_closed or (None,) * len(levels)
        self._are_closed = levels
        pairs = enumerate(zip(before, levels, strict=True), start=1)
        signals: list[Signal] = [
            InputChanged(unit=self.address, channel=channel, is_active=is_closed)
            for channel, (was_closed, is_closed) in pairs
            if is_closed is not was_closed
        ]
        for channel in seen:
            if not levels[channel - 1]:
                self._seen_open_at[channel] = now
        return signals + self._decide(now, seen)

    def _decide(self, now: float, seen: range | tuple[int, ...]) -> list[Signal]:
        openings, self._openings = self._openings, []
        signals: list[Signal] = []
        for opening in openings:
            channel = opening.order.channel
            if self._has_opened(opening):
                continue
            if channel not in seen or now < opening.closed_until:
                self._openings.append(opening)
                continue
            signals.append(self._failed(opening, opening.why))
        return signals

    def _has_opened(self, opening: _Opening) -> bool:
        # The lock was open when it was sent, or a look or report showed it open since.
        seen_at = self._seen_open_at.get(opening.order.channel)
        return seen_at is not None and seen_at > opening.sent_at

    def _failed(self, opening: _Opening, why: str) -> OrderFailed:
        return OrderFailed(unit=self.address, order=opening.order, why=why)
