# SPDX-License-Identifier: Apache-2.0
"""The shifts that are remembered: running, provisional, corrected, confirmed.

The law of the module: it learns from events alone; a holder has at most one running
shift; what was confirmed is forgotten first. An erased person's shifts are nobody's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edge.core.duty.shift import (
    CONFIRMATION,
    POINT_MIN,
    Shift,
    ShiftState,
    follow_end,
    month_of,
)
from edge.core.event import EventKind
from edge.core.moment import Moment
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.core.event import Event

#: Twenty volunteers with two shifts a day for six weeks; the platform has the rest.
MAX_SHIFTS = 2_000
#: Confirmed minutes are shown so long.
KEEP_CONFIRMED_MS = 90 * DAY_MS
_BEGUN = (0, ShiftState.RUNNING, 0)
_KINDS = frozenset(
    {
        EventKind.DUTY_STARTED,
        EventKind.DUTY_ENDED,
        EventKind.DUTY_CORRECTED,
        EventKind.DUTY_CONFIRMED,
    }
)


class Ledger:
    """Shifts by the seq of their DUTY_STARTED, in the order of their beginnings."""

    def __init__(self, utc_offset_ms: int) -> None:
        self._utc_offset_ms = utc_offset_ms
        self._shifts: dict[int, Shift] = {}
        self._running: dict[str, int] = {}
        #: A month, everybody's points in it and the confirmed ones; '': reckon anew.
        self._points = ("", 0, 0)

    @property
    def shifts(self) -> Mapping[int, Shift]:
        """All that is remembered, to be read."""
        return self._shifts

    @property
    def running(self) -> Mapping[str, int]:
        """The running shift's seq of each holder who is on duty."""
        return self._running

    def points(self, holder: str, month: str, *, confirmed: bool = False) -> int:
        """Return a holder's points of a local month (``YYYY-MM``): its full hours.

        ``confirmed``: of the minutes alone that a social worker has confirmed.
        """
        minutes = 0
        for shift in self._shifts.values():
            counts = shift.state is ShiftState.CONFIRMED or not confirmed
            if shift.holder == holder and counts:
                of = month_of(shift.since.earliest_ms, self._utc_offset_ms)
                minutes += shift.minutes if of == month else 0
        return minutes // POINT_MIN

    def all_points(self, month: str) -> tuple[int, int]:
        """Return everybody's points of a local month, and the confirmed ones.

        Asked for by every look at the status, so reckoned once a change.
        """
        if self._points[0] != month:
            minutes: Counter[str] = Counter()
            sure: Counter[str] = Counter()
            for shift in self._shifts.values():
                if month_of(shift.since.earliest_ms, self._utc_offset_ms) == month:
                    minutes[shift.holder] += shift.minutes
                    is_sure = shift.state is ShiftState.CONFIRMED
                    sure[shift.holder] += shift.minutes if is_sure else 0
            totals = (sum(n // POINT_MIN for n in c.values()) for c in (minutes, sure))
            self._points = (month, next(totals), next(totals))
        return self._points[1:]

    def follow(self, event: Event) -> None:
        """Take an event into account, live or replayed; one erased is nobody's."""
        holder = event.person.holder
        if holder is None:
            return
        if event.kind in _KINDS:
            self._points = ("", 0, 0)
        match event.kind:
            case EventKind.DUTY_STARTED:
                self._start(holder, event)
            case EventKind.DUTY_ENDED if holder in self._running:
                seq = self._running.pop(holder)
                self._shifts[seq] = follow_end(self._shifts[seq], event)
            case EventKind.DUTY_CORRECTED:
                self._set(event, ShiftState.CORRECTED)
            case EventKind.DUTY_CONFIRMED:
                self._set(event, ShiftState.CONFIRMED)
            case _:
                pass

    def forget(self, holder: str) -> None:
        """Forget a holder's shifts; their events count on without a name."""
        kept = {s: each for s, each in self._shifts.items() if each.holder != holder}
        self._shifts = kept

    def dump(self) -> list[list[int | str]]:
        """Return the shifts as JSON values."""
        return [
            [
                *(seq, shift.holder, *shift.since.dump(), shift.minutes),
                *(shift.state.value, shift.confirmation),
            ]
            for seq, shift in self._shifts.items()
        ]

    def load(self, rows: list[list[Any]]) -> None:
        """Take what :meth:`dump` returned, or an older one's running shifts."""
        for row in rows:
            seq, holder, *rest = row if isinstance(row[0], int) else [0, *row]
            # What an older snapshot does not tell of a shift is as at its beginning.
            known = [*rest[4:], *_BEGUN[len(rest) - 4 :]]
            minutes, state, confirmation = known
            since = Moment.load(rest[:4])
            while seq in self._shifts:  # an older snapshot told no number
                seq -= 1
            self._shifts[seq] = Shift(
                holder=holder,
                since=since,
                minutes=minutes,
                state=ShiftState(state),
                confirmation=confirmation,
            )
            if self._shifts[seq].is_running:
                self._running[holder] = seq

    def renumber(self, shift: int) -> None:
        """Follow the journal into a new epoch."""
        self._shifts = {seq + shift: each for seq, each in self._shifts.items()}
        self._running = {who: seq + shift for who, seq in self._running.items()}

    def _start(self, holder: str, event: Event) -> None:
        self._running.pop(holder, None)
        since = event.moment.as_kept()
        self._shifts[event.seq] = Shift(holder=holder, since=since)
        self._running[holder] = event.seq
        self._forget(event.moment.earliest_ms)

    def _set(self, event: Event, state: ShiftState) -> None:
        seq = int(event.fact("cause") or 0)
        shift = self._shifts.get(seq)
        if shift is not None and not shift.is_running:
            minutes = int(event.fact("minutes") or 0)
            number = int(event.fact(CONFIRMATION) or shift.confirmation)
            self._shifts[seq] = replace(
                shift, minutes=minutes, state=state, confirmation=number
            )

    def _forget(self, now_ms: int) -> None:
        """Drop what was confirmed long ago, and beyond the limit the oldest ended."""
        old = [
            seq
            for seq, shift in self._shifts.items()
            if shift.state is ShiftState.CONFIRMED
            and shift.since.earliest_ms + KEEP_CONFIRMED_MS < now_ms
        ]
        for seq in old:
            del self._shifts[seq]
        ended = [seq for seq, shift in self._shifts.items() if not shift.is_running]
        for seq in ended[: max(0, len(self._shifts) - MAX_SHIFTS)]:
            del self._shifts[seq]
