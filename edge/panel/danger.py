# SPDX-License-Identifier: Apache-2.0
"""What the emergency pages show, in sentences and times of the clock on the wall.

The law of the module: pure; the templates only draw it. What is not known is left out
of a sentence, never an empty place in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.calendar import MINUTE_MS, day_and_time, time_of_day
from edge.panel.view import Notice, Shape, Tone
from edge.panel.words import Phrase

if TYPE_CHECKING:
    from edge.panel.emergency_report import Contact, Drill, Elder, Now, Stands
    from edge.panel.standing import Standing
    from edge.panel.words import Words

#: A rehearsal is due after so many days: one a quarter.
DUE_DAYS = 90
#: Stands between several things that somebody needs.
BETWEEN = " · "
DAY_MS = 24 * 60 * MINUTE_MS
#: Earlier drills of the same kind beside the newest.
COMPARED = 3
#: Ends with one press: nobody is brought into danger by it.
ENDS_AT_ONCE = frozenset({"LOCK_DOWN", "CHECKPOINT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A stage in a sheet: its mark, this time, and the times of those before."""

    name: str
    within: str
    now: str
    is_late: bool
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A drill that is over, beside those before; ``days`` are theirs."""

    drill: Drill
    day: str
    days: tuple[str, ...]
    lines: tuple[Line, ...]
    total: str
    totals: tuple[str, ...]


def needs(elder: Elder, words: Words) -> Phrase | None:
    """Return what fetching somebody takes; words of people's own stand as they are."""
    said = [
        words.say(f"needs.{each}") if f"needs.{each}" in words else Phrase(each, "")
        for each in elder.needs
        if each
    ]
    if not said:
        return None
    beneath = BETWEEN.join(phrase.en for phrase in said if phrase.en)
    return Phrase(BETWEEN.join(phrase.zh for phrase in said), beneath)


def clock(seconds: int | None) -> str:
    """Return seconds as ``M:SS``, or hours before; "" for none."""
    if seconds is None:
        return ""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def since(stands: Stands, words: Words, offset_hours: int) -> Phrase:
    """Say since when, by what and by whom an emergency stands."""
    at = day_and_time(stands.since_ms, offset_hours)
    began = words.say_or(f"began.{stands.by}", "began.other")
    if at is None:
        return began
    told = words.say("danger.since", time=at)
    named = f" · {stands.who}" if stands.who else ""
    return type(told)(f"{told.zh} · {began.zh}{named}", f"{told.en} · {began.en}")


def call(contact: Contact, words: Words, offset_hours: int) -> Phrase | None:
    """Say what came of the last call to somebody; None if nobody called."""
    if not contact.mark:
        return None
    at = time_of_day(contact.at_ms, offset_hours) or ""
    key = "called.reached" if contact.mark == "reached" else "called.no_answer"
    return words.say(key, time=at, who=contact.who)


def first(standing: tuple[str, ...], words: Words) -> Notice | None:
    """Return what the duty page says of the emergency that goes before the others."""
    known = [each for each in _ORDER if each in standing]
    if not known:
        return None
    return Notice(
        tone=Tone.BAD,
        shape=Shape.ALERT,
        title=words.say(f"stands.{known[0]}"),
        advice=words.say(f"stands.{known[0]}_look"),
    )


def due_drill(standing: Standing, words: Words, now_s: float) -> list[Notice]:
    """Return the reminder that nobody has rehearsed for a quarter."""
    report, now_ms = standing.report, standing.clock_ms(now_s)
    if report is None or now_ms is None or report.last_drill_ms is None:
        return []
    days = (now_ms - report.last_drill_ms) // DAY_MS
    if days < DUE_DAYS:
        return []
    title = words.say("danger.drill_due", days=days)
    advice = words.say("danger.drill_due_look")
    return [Notice(tone=Tone.INFO, shape=Shape.CLOCK, title=title, advice=advice)]


def unseen(standing: Standing, words: Words) -> list[Notice]:
    """Return that somebody who agreed to be asked after was not seen."""
    count = standing.report.care if standing.report else 0
    if not count:
        return []
    title = words.say("danger.unseen", count=count)
    advice = words.say("danger.unseen_look")
    return [Notice(tone=Tone.WARN, shape=Shape.HAND, title=title, advice=advice)]


def sheet(drills: tuple[Drill, ...], number: str, offset_hours: int) -> Sheet | None:
    """Return a drill's sheet beside earlier ones of its kind, the newest first."""
    place = next((n for n, each in enumerate(drills) if str(each.seq) == number), None)
    if place is None:
        return None
    drill = drills[place]
    before = [each for each in drills[place + 1 :] if each.drill == drill.drill]
    before = before[:COMPARED]
    reached = [{stage.name: stage.after_s for stage in each.stages} for each in before]
    return Sheet(
        drill=drill,
        day=day_and_time(drill.began_ms, offset_hours) or "",
        days=tuple(day_and_time(each.began_ms, offset_hours) or "" for each in before),
        lines=tuple(
            Line(
                name=stage.name,
                within=clock(stage.within_s or None),
                now=clock(stage.after_s),
                is_late=stage.is_late,
                before=tuple(clock(each.get(stage.name)) for each in reached),
            )
            for stage in drill.stages
        ),
        total=clock(drill.seconds),
        totals=tuple(clock(each.seconds) for each in before),
    )


def can_shelter(now: Now) -> bool:
    """Say whether the site file opens a space in a typhoon."""
    return bool(now.shelter)


_ORDER = ("FIRE", "LOCK_DOWN", "CHECKPOINT", "SHELTER")
