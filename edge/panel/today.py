# SPDX-License-Identifier: Apache-2.0
"""The page of today: sentences first, then two charts, their table, and the week.

The law of the module: pure. It counts and never names; what only a manager is to see
is drawn only for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.charts import Chart, bars, steps, strip
from edge.panel.records_report import HOURS, QUARTERS

if TYPE_CHECKING:
    from edge.panel.records_report import PastDay, TodayReport
    from edge.panel.words import Phrase, Words

#: Above this share of entries by hand a manager is asked to look why …
BY_HAND_PERCENT = 20
#: … once enough came in for a share to mean anything.
ENOUGH = 10
_A_HOUR = QUARTERS // HOURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A row of the table: an hour, who came, and the most who were in (None: later)."""

    hour: int
    came: int
    inside: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayPage:
    """Everything that the page shows; ``heat`` None for a volunteer."""

    sentences: tuple[Phrase, ...]
    hint: Phrase | None
    reasons: tuple[tuple[Phrase, int], ...]
    inside: Chart
    arrivals: Chart
    hours: tuple[Hour, ...]
    week: tuple[tuple[Phrase, int], ...]
    heat: Chart | None
    heat_hours: tuple[tuple[int, int], ...]


def today_page(report: TodayReport, words: Words, *, is_manager: bool) -> TodayPage:
    """Return the page for what the gateway told."""
    today = report.today
    percent = 100 * today.by_hand // today.came if today.came else 0
    is_much = percent > BY_HAND_PERCENT and today.came >= ENOUGH
    heat = _summed(report.week)
    return TodayPage(
        sentences=tuple(_sentences(report, words, percent)),
        hint=words.say("today.hint") if is_manager and is_much else None,
        reasons=_reasons(today.reasons, words),
        inside=steps(today.inside, QUARTERS),
        arrivals=bars(today.by_hour),
        hours=_hours(today.by_hour, today.inside),
        week=tuple((_day(past, words), past.came) for past in report.week),
        heat=strip(heat) if is_manager and any(heat) else None,
        heat_hours=tuple((h, n) for h, n in enumerate(heat) if n and is_manager),
    )


def _sentences(report: TodayReport, words: Words, percent: int) -> list[Phrase]:
    today = report.today
    if not today.came:
        said = [words.say("today.nobody", now=report.now)]
    else:
        said = [words.say("today.came", came=today.came, now=report.now)]
        busiest = today.by_hour.index(max(today.by_hour)) if today.by_hour else 0
        count = today.by_hour[busiest] if today.by_hour else 0
        said.append(words.say("today.busiest", hour=busiest, count=count))
        if today.by_hand:
            said.append(
                words.say("today.by_hand", count=today.by_hand, percent=percent)
            )
    if today.refused:
        said.append(words.say("today.refused", count=today.refused))
    return said


def _reasons(reasons: dict[str, int], words: Words) -> tuple[tuple[Phrase, int], ...]:
    """Return why people were let in by hand; a reason without words is "other"."""
    counts: dict[Phrase, int] = {}
    for reason, count in reasons.items():
        phrase = words.say_or(f"by_hand.{reason}", "by_hand.OTHER")
        counts[phrase] = counts.get(phrase, 0) + count
    return tuple(sorted(counts.items(), key=lambda each: -each[1]))


def _hours(by_hour: tuple[int, ...], inside: tuple[int, ...]) -> tuple[Hour, ...]:
    found = []
    for hour, came in enumerate(by_hour):
        quarters = inside[hour * _A_HOUR : (hour + 1) * _A_HOUR]
        found.append(Hour(hour=hour, came=came, inside=max(quarters, default=None)))
    is_worth = [each.came > 0 or bool(each.inside) for each in found]
    if True not in is_worth:
        return ()
    first = is_worth.index(True)
    last = len(is_worth) - is_worth[::-1].index(True)
    return tuple(found[first:last])


def _day(past: PastDay, words: Words) -> Phrase:
    key = f"weekday.d{past.day.isoweekday()}"
    return words.say(key, date=f"{past.day.month}-{past.day.day}")


def _summed(week: tuple[PastDay, ...]) -> tuple[int, ...]:
    return tuple(
        sum(past.by_hour[hour] for past in week if len(past.by_hour) > hour)
        for hour in range(HOURS)
    )
