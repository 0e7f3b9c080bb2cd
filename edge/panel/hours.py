# SPDX-License-Identifier: Apache-2.0
"""Shifts and hours as pages show them: lines, sums, and tiles to answer with.

The law of the module: pure; minutes are the truth, and hours are made of their sum,
never summed up themselves. Hours are told to a tenth, and never more than there were.
A shift stands under the day and the month in which it began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.calendar import DAY_MS, MINUTE_MS, day_of, time_of_day
from edge.panel.view import Shape, Tone
from edge.panel.words import Phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.panel.shift_report import ShiftReport, WordReport
    from edge.panel.words import Words

#: As long as a shift may be.
MAX_MINUTES = 720
#: How many answers there are to "when did you leave", and how far apart.
TILES, STEP_MIN = 4, 60
#: How much longer or shorter a shift may be said to have been.
_OTHERS = (-120, -60, -30, 30, 60, 120)
#: Lengths a manager may choose.
LENGTHS = range(0, MAX_MINUTES + 1, 30)
#: Reasons that have words of their own; the platform's come as they were written.
REASONS = ("forgot", "wrong", "early", "late", "other")
#: Hours of the star levels one to five, as volunteers' registers give them.
STARS = (100, 300, 600, 1000, 1500)
_STATES = {
    "RUNNING": (Tone.INFO, Shape.CLOCK),
    "PROVISIONAL": (Tone.INFO, Shape.TICK),
    "TO_CONFIRM": (Tone.WARN, Shape.ALERT),
    "CORRECTED": (Tone.INFO, Shape.TICK),
    "CONFIRMED": (Tone.OK, Shape.TICK),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """An answer: so many minutes, and the time at which they end."""

    minutes: int
    time: str
    length: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """One shift on a page; ``who`` is empty on a page of one's own."""

    seq: int
    who: str
    day: Phrase
    begins: str
    ends: str
    length: Phrase
    tone: Tone
    shape: Shape
    state: Phrase
    notes: tuple[Phrase, ...]
    is_over: bool
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """A day of a week, and the shifts that began on it."""

    day: Phrase
    shifts: tuple[ShiftRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """A line of the printed sheet: date, start, end, length, content, recorder."""

    day: Phrase
    begins: str
    ends: str
    length: Phrase
    task: str
    recorder: Phrase
    notes: tuple[Phrase, ...]


def stars(minutes: int, words: Words) -> Phrase:
    """Say which star level confirmed minutes come to, and how far the next one is."""
    done = tenths(minutes)
    level = sum(minutes >= each * 60 for each in STARS)
    if level == len(STARS):
        return words.say("stars.top", level=level, hours=done)
    missing_h = -(-(STARS[level] * 60 - minutes) // 60)
    key = "stars.level" if level else "stars.first"
    return words.say(key, level=level, hours=done, more=missing_h, next=level + 1)


def tenths(minutes: int) -> str:
    """Return hours to a tenth, cut off: 750 minutes are ``12.5``."""
    tenth = max(0, minutes) * 10 // 60
    return f"{tenth // 10}.{tenth % 10}" if tenth % 10 else f"{tenth // 10}"


def length(minutes: int, words: Words) -> Phrase:
    """Say how long in hours and minutes."""
    hours, rest = divmod(max(0, minutes), 60)
    if not hours:
        return words.say("hours.minutes", minutes=rest)
    if not rest:
        return words.say("hours.hours", hours=hours)
    return words.say("hours.both", hours=hours, minutes=rest)


def tiles(shift: ShiftReport, words: Words, offset_hours: int) -> tuple[Tile, ...]:
    """Return when somebody may have left: at closing, or up to three hours before.

    A shorter shift is cut into four, so that each answer lies within it.
    """
    step = min(STEP_MIN, max(1, shift.minutes // TILES))
    lengths = [shift.minutes - step * n for n in range(TILES)]
    return tuple(
        _tile(shift, minutes, words, offset_hours)
        for minutes in lengths
        if minutes > 0 or minutes == shift.minutes
    )


def others(shift: ShiftReport, words: Words, offset_hours: int) -> tuple[Tile, ...]:
    """Return how long a shift may have been instead, the shortest first."""
    lengths = (shift.minutes + more for more in _OTHERS)
    return tuple(
        _tile(shift, minutes, words, offset_hours)
        for minutes in lengths
        if 0 <= minutes <= MAX_MINUTES
    )


def choices(shift: ShiftReport, words: Words) -> tuple[tuple[int, Phrase], ...]:
    """Return the lengths a manager may choose; what was asked for stands first."""
    first = [shift.minutes if shift.asked is None else shift.asked, shift.minutes]
    lengths = dict.fromkeys([*first, *LENGTHS])
    return tuple((minutes, length(minutes, words)) for minutes in lengths)


def row(shift: ShiftReport, words: Words, offset_hours: int) -> ShiftRow:
    """Return a shift's row."""
    tone, shape = _STATES.get(shift.state, (Tone.INFO, Shape.CLOCK))
    if shift.is_open:
        tone, shape = Tone.WARN, Shape.ALERT
    known = shift.state if shift.state in _STATES else "PROVISIONAL"
    return ShiftRow(
        seq=shift.seq,
        who=called(shift.name, shift.mark, words),
        day=day(shift.from_ms, words, offset_hours),
        begins=time_of_day(shift.from_ms, offset_hours) or "",
        ends=(time_of_day(shift.to_ms, offset_hours) or "") if shift.is_over else "",
        length=length(shift.minutes, words),
        tone=tone,
        shape=shape,
        state=words.say(f"hours.{known}"),
        notes=_notes(shift, words),
        is_over=shift.is_over,
        is_open=shift.is_open,
    )


def week(
    monday_ms: int | None, shifts: Sequence[ShiftReport], words: Words, offset: int
) -> tuple[DayRow, ...]:
    """Return the days of a week that have begun, or have shifts."""
    if monday_ms is None:
        return ()
    days = []
    for number in range(7):
        first_ms = monday_ms + number * DAY_MS
        here = [s for s in shifts if first_ms <= s.from_ms < first_ms + DAY_MS]
        rows = tuple(row(each, words, offset) for each in here)
        days.append(DayRow(day=day(first_ms, words, offset), shifts=rows))
    return tuple(days)


def sheet(
    shifts: Sequence[ShiftReport], words: Words, offset_hours: int
) -> tuple[SheetRow, ...]:
    """Return the lines of the printed sheet: the shifts that have ended."""
    return tuple(
        SheetRow(
            day=day(each.from_ms, words, offset_hours),
            begins=time_of_day(each.from_ms, offset_hours) or "",
            ends=time_of_day(each.to_ms, offset_hours) or "",
            length=length(each.minutes, words),
            task=each.task,
            recorder=_recorder(each, words),
            notes=_notes(each, words),
        )
        for each in shifts
        if each.is_over
    )


def called(name: str, mark: str, words: Words) -> str:
    """Return what somebody is called; the end of his number where there is no name."""
    return name or (words.say("hours.nameless", mark=mark).zh if mark else "")


def day(utc_ms: int, words: Words, offset_hours: int) -> Phrase:
    """Return a local day as ``11-22`` with its weekday."""
    day = day_of(utc_ms, offset_hours)
    if day is None:
        return Phrase("", "")
    date = f"{day.month}-{day.day}"
    return words.say(f"weekday.d{day.isoweekday()}", date=date)


def _tile(shift: ShiftReport, minutes: int, words: Words, offset: int) -> Tile:
    at_ms = shift.from_ms + minutes * MINUTE_MS
    time = time_of_day(at_ms, offset) or ""
    return Tile(minutes=minutes, time=time, length=length(minutes, words))


def _recorder(shift: ShiftReport, words: Words) -> Phrase:
    """Say who recorded a shift: the last who changed it, else by what it ended."""
    settled = [w for w in shift.words if w.kind != "DUTY_QUESTIONED"]
    if settled:
        word = settled[-1]
        return words.say(f"hours.by_{word.kind}", who=word.who, second=word.second)
    if shift.why:
        return words.say("hours.by_box")
    if shift.ended_by:
        return words.say("hours.by_panel", who=shift.ended_by)
    return words.say("hours.by_card")


def _notes(shift: ShiftReport, words: Words) -> tuple[Phrase, ...]:
    notes = []
    if shift.why in ("closing", "too_long"):
        notes.append(words.say(f"hours.why_{shift.why}"))
    for word in shift.words:
        if f"hours.word_{word.kind}" in words:
            notes.append(_said(word, words))
            if word.reason:
                reason = _reason(word.reason, words)
                notes.append(reason)
    return tuple(notes)


def _said(word: WordReport, words: Words) -> Phrase:
    return words.say(
        f"hours.word_{word.kind}",
        who=word.who,
        second=word.second,
        long=length(word.minutes, words).zh,
        long_en=length(word.minutes, words).en,
        before=length(word.was, words).zh,
        before_en=length(word.was, words).en,
    )


def _reason(reason: str, words: Words) -> Phrase:
    if reason in REASONS:
        return words.say(f"because.{reason}")
    return words.say("because.reason", reason=reason)
