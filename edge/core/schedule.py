# SPDX-License-Identifier: Apache-2.0
"""Weekly hours: local windows that may cross midnight, and holidays in their place.

The law of the module: a window belongs to the local day on which it begins, and so
does its tail over midnight; a holiday replaces the windows that begin on its date.
Windows are half-open, and several of one day are one opening where they meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from edge.core.moment import UNBOUNDED_MS, ClockVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge.core.moment import Moment

MINUTE_MS = 60_000
DAY_MS = 86_400_000
DAY_MIN = 1_440
#: A window may end at most this long after its day began: the next day's end.
LATEST_END_MIN = 2 * DAY_MIN
#: 1 January 1970 was a Thursday; weekdays count from Monday = 0.
_FIRST_WEEKDAY = 3
#: How far a search for the next opening goes: over the longest holidays.
SEARCH_DAYS = 21

#: Minutes after local midnight: ``(start, end)``, half-open, end beyond 1,440 for a
#: window that crosses midnight.
Window = tuple[int, int]


class _Stretch(NamedTuple):
    """UTC ms, half-open, throughout which a schedule gives one verdict.

    ``is_whole``: an opening whose end is found from wherever in it one looks.
    """

    from_ms: int
    to_ms: int
    verdict: ClockVerdict
    is_whole: bool


class _Last:
    """The stretch that a schedule found last: most questions are about one day.

    It follows from the hours alone, which never change, so nothing empties it; it is
    replaced whole, once somebody asks about another time.
    """

    __slots__ = ("stretch",)

    def __init__(self) -> None:
        self.stretch = _Stretch(0, 0, ClockVerdict.BEFORE, is_whole=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Hours by weekday (seven entries from Monday), and by date for holidays.

    ``holidays`` are keyed by the local day's number since 1 January 1970; an empty
    tuple is a day without hours. ``utc_offset_ms`` says what is local.
    """

    week: tuple[tuple[Window, ...], ...]
    utc_offset_ms: int
    holidays: Mapping[int, tuple[Window, ...]] = field(default_factory=dict)
    _last: _Last = field(default_factory=_Last, init=False, repr=False, compare=False)

    def against(self, now: Moment) -> ClockVerdict:
        """Say whether now lies inside some window; BEFORE means surely outside.

        Sure only if the whole interval lies in one opening, or in none.
        """
        if now.latest_ms >= UNBOUNDED_MS:
            return ClockVerdict.UNSURE if self._ever() else ClockVerdict.BEFORE
        stretch = self._stretch(now.earliest_ms)
        if now.latest_ms < stretch.to_ms:
            return stretch.verdict
        touched = False
        for start_ms, end_ms in self.openings(now.earliest_ms, now.latest_ms):
            judged = now.against(start_ms, end_ms)
            if judged is ClockVerdict.INSIDE:
                return judged
            touched = touched or judged is ClockVerdict.UNSURE
        return ClockVerdict.UNSURE if touched else ClockVerdict.BEFORE

    def openings(self, from_ms: int, to_ms: int) -> Iterator[Window]:
        """Yield ``(start, end)`` in UTC ms of what touches ``[from_ms, to_ms]``.

        In order; windows that meet or overlap are one opening. At most some weeks.
        """
        first = self.day(from_ms) - 2  # a tail of the day before may last till now
        # The day after may go on where the last one ends.
        last = min(self.day(to_ms) + 1, first + SEARCH_DAYS)
        held: Window | None = None
        for start_ms, end_ms in self._windows(first, last):
            if held is not None and start_ms <= held[1]:
                held = (held[0], max(held[1], end_ms))
                continue
            if held is not None and held[1] > from_ms:
                yield held
            held = (start_ms, end_ms)
        if held is not None and held[1] > from_ms:
            yield held

    def next_start_ms(self, now_ms: int, *, until_day: int | None = None) -> int | None:
        """Return when the next opening after ``now_ms`` begins; None if none is near.

        ``until_day``: the last local day that is of interest.
        """
        day = self.day(now_ms)
        last = day + SEARCH_DAYS if until_day is None else until_day
        for start_ms, _ in self._windows(day - 1, last):
            if start_ms > now_ms:
                return start_ms
        return None

    def last_end_ms(self, now_ms: int) -> int | None:
        """Return when the latest opening that ended by ``now_ms`` today did end."""
        today = self.day(now_ms)
        ends = [end for _, end in self._windows(today - 1, today) if end <= now_ms]
        return max((end for end in ends if self.day(end - 1) == today), default=None)

    def closing_ms(self, now_ms: int) -> int | None:
        """Return when the opening in which ``now_ms`` lies ends; None outside."""
        stretch = self._stretch(now_ms)
        if stretch.verdict is not ClockVerdict.INSIDE:
            return None
        if stretch.is_whole:
            return stretch.to_ms
        for start_ms, end_ms in self.openings(now_ms, now_ms):
            if start_ms <= now_ms < end_ms:
                return end_ms
        return None

    def day(self, utc_ms: int) -> int:
        """Return the number of the local day since 1 January 1970."""
        return (utc_ms + self.utc_offset_ms) // DAY_MS

    def _stretch(self, now_ms: int) -> _Stretch:
        """Return the opening or the gap around ``now_ms``, as far as is seen."""
        last = self._last.stretch
        if last.from_ms <= now_ms < last.to_ms:
            return last
        # Beyond these days another window may begin where the last one ends.
        seen_until_ms = (self.day(now_ms) + 2) * DAY_MS - self.utc_offset_ms
        start_ms, end_ms = next(
            self.openings(now_ms, now_ms), (seen_until_ms, seen_until_ms)
        )
        if start_ms <= now_ms:
            is_whole = self.day(end_ms) < self.day(start_ms) + 2
            found = _Stretch(start_ms, end_ms, ClockVerdict.INSIDE, is_whole)
        else:
            found = _Stretch(now_ms, start_ms, ClockVerdict.BEFORE, is_whole=False)
        self._last.stretch = found
        return found

    def _ever(self) -> bool:
        return any(self.week) or any(self.holidays.values())

    def _windows(self, first: int, last: int) -> Iterator[Window]:
        for day in range(first, last + 1):
            windows = self.holidays.get(day)
            if windows is None:
                windows = self.week[(day + _FIRST_WEEKDAY) % 7]
            midnight_ms = day * DAY_MS - self.utc_offset_ms
            for start, end in sorted(windows):
                yield midnight_ms + start * MINUTE_MS, midnight_ms + end * MINUTE_MS


def local_day(utc_ms: int, utc_offset_ms: int) -> int:
    """Return the number of the local day since 1 January 1970."""
    return (utc_ms + utc_offset_ms) // DAY_MS


def read_hours(told: str) -> tuple[tuple[Window, ...], ...]:
    """Read ``"mon-fri 08:00-12:00 14:00-22:00; sat,sun 09:00-26:00"``.

    A time beyond 24:00 is of the next day, and so is an end that is not after its
    start. ValueError says which word is wrong.
    """
    week: list[list[Window]] = [[] for _ in _DAYS]
    for part in filter(None, (piece.strip() for piece in told.split(";"))):
        days, *windows = part.split()
        if not windows:
            raise ValueError(f"{part!r}: no hours, write such as 'mon-fri 08:00-22:00'")
        for day in _days(days):
            week[day] += [_window(window) for window in windows]
    return tuple(tuple(sorted(windows)) for windows in week)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(told: str) -> list[int]:
    if told == "daily":
        return list(range(7))
    days: list[int] = []
    for piece in told.split(","):
        first, _, last = piece.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise ValueError(f"{piece!r}: use mon to sun, a range, or daily")
        start = _DAYS.index(first)
        count = (_DAYS.index(last or first) - start) % 7 + 1
        days += [(start + index) % 7 for index in range(count)]
    return days


def read_windows(told: str) -> tuple[Window, ...]:
    """Read ``"09:00-12:00 14:00-18:00"``; an empty text is a closed day."""
    return tuple(sorted(_window(window) for window in told.split()))


def _window(told: str) -> Window:
    start_text, dash, end_text = told.partition("-")
    start, end = _minutes(start_text), _minutes(end_text)
    if not dash or start is None or end is None or start >= DAY_MIN:
        raise ValueError(f"{told!r}: write hours such as 08:00-22:00")
    if end <= start:
        end += DAY_MIN
    if end - start > DAY_MIN or end > LATEST_END_MIN:
        raise ValueError(f"{told!r}: a window lasts 24 hours at most")
    return start, end


def _minutes(told: str) -> int | None:
    hours, colon, minutes = told.partition(":")
    is_read = colon and hours.isdecimal() and minutes.isdecimal()
    if not is_read or len(minutes) != 2 or int(minutes) > 59 or int(hours) > 48:
        return None
    return int(hours) * 60 + int(minutes)
