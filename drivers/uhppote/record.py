# SPDX-License-Identifier: Apache-2.0
"""The controller's record of events: what is new in it, and which swipes still count.

The law of the module: each event is judged once, however often and by whichever way it
comes; what happened while we were away is never judged, and a swipe counts for 2 s. Its
age is told by the controller's own clock, of which every status says the time: no clock
of ours is needed, and one that is an hour off does no harm. The mark that programs may
leave in the record is left alone.

Source: uhppoted/uhppote-core, uhppote/get_event.go; uhppoted/uhppote-simulator,
set_pc_control.go and actions.go (reason 05 while the house is heard, 12 for an unknown
card either way).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from drivers.uhppote.requests import get_event
from drivers.uhppote.wire import MAX_DOORS, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.uhppote.wire import Event, Request, Status

#: Events that are fetched after a gap, the newest: beyond, all are long too old.
MAX_MISSING = 16
#: What is older opens nothing; the stamps are whole seconds.
SWIPE_COUNTS_S = 2.0
#: Statuses in a row with a lower index: one may be a report that was overtaken.
LOWER_INDICES = 2
#: The stamps are whole seconds, and a clock may be set between two of them.
AHEAD_S = 2.0
_OUT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Swipe:
    """A card that the controller left to us; ``reader`` as in :func:`reader_of`."""

    reader: int
    card: int


class Record:
    """What is known of one controller's events."""

    def __init__(self) -> None:
        self.missing: deque[int] = deque(maxlen=MAX_MISSING)
        self._newest: int | None = None
        self._skips = False
        self._lower = 0
        self._clock: tuple[datetime, float] | None = None

    @property
    def newest(self) -> int:
        """The index up to which all is known, 0 for nothing yet."""
        return self._newest or 0

    def skip(self) -> None:
        """Judge nothing of what happened up to the next status."""
        self.missing.clear()
        self._skips = True

    def next_missing(self) -> Request | None:
        """Return the question for the oldest event that was missed; None if none."""
        return get_event(self.missing[0]) if self.missing else None

    def drop(self, request: Request) -> None:
        """Take an event that was asked for off what is missing."""
        if self.next_missing() == request:
            self.missing.popleft()

    def accepts(self, status: Status, *, is_asked: bool) -> bool:
        """Tell whether a status is to be believed: one that was overtaken is not.

        A lower index is believed when the controller repeats it: then it forgot its
        record, or is another.
        """
        index = _index_of(status)
        if index >= self.newest:
            self._lower = 0
        elif is_asked:
            self._lower += 1
        return index >= self.newest or self._lower >= LOWER_INDICES

    def is_news(self, status: Status) -> bool:
        """Tell whether a status bears an event that is not known yet."""
        return _index_of(status) > self.newest

    def take_status(self, status: Status, now: float) -> Event | None:
        """Take a status that is believed; return its event if that is news."""
        self._clock = None if status.at is None else (status.at, now)
        index = _index_of(status)
        before, self._newest = self._newest, index
        if self._skips or before is None or index < before:
            self._skips = False
            self._lower = 0
            self.missing.clear()
            return None
        first = max(before + 1, index - MAX_MISSING)
        self.missing.extend(range(first, index))
        return status.event if index > before else None

    def judge(self, event: Event, now: float) -> Swipe | None:
        """Return the swipe if the event is one that is left to us and still counts."""
        if event.is_granted or not event.card:
            return None
        if event.reason not in (Reason.PC_CONTROL, Reason.UNKNOWN_CARD):
            return None
        if not 1 <= event.door <= MAX_DOORS or not self._counts(event, now):
            return None
        reader = reader_of(event.door, is_exit=event.direction == _OUT)
        return Swipe(reader=reader, card=event.card)

    def _counts(self, event: Event, now: float) -> bool:
        if self._clock is None or event.at is None:
            return False
        at, heard_at = self._clock
        # Subtracted first: a clock at the end of all dates must not overflow.
        age_s = (at - event.at) / timedelta(seconds=1) + now - heard_at
        return -AHEAD_S <= age_s <= SWIPE_COUNTS_S


def _index_of(status: Status) -> int:
    return 0 if status.event is None else status.event.index


def reader_of(door: int, *, is_exit: bool) -> int:
    """Return a reader's unit: 1 to 4 at the doors' entries, 5 to 8 at their exits."""
    return door + MAX_DOORS if is_exit else door
