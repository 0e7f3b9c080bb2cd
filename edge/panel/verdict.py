# SPDX-License-Identifier: Apache-2.0
"""From the last event to the card that a volunteer reads across the room.

The law of the module: pure. A refusal says why and what helps, in kind words; a reason
that this panel has never heard of still gets a next step. No name, no token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.calendar import time_of_day
from edge.panel.view import Card, Shape, Tone

if TYPE_CHECKING:
    from edge.panel.report import EventReport, StatusReport
    from edge.panel.standing import Standing
    from edge.panel.words import Phrase, Words

#: What helps where the event itself does not name a next step.
_STEPS = {
    "AWAITING_CONFIRMATION": "WAIT",
    "CLOSED": "COME_AT",
    "CREDENTIAL_NOT_ACTIVE": "COME_AT",
    "DOOR_BLOCKED": "USE_OTHER_DOOR",
    "DOOR_INTERLOCKED": "WAIT",
    "INVALID_SIGNATURE": "SHOW_NEW_CODE",
    "PAYMENT_DUE": "PAY",
    "QR_EXPIRED": "SHOW_NEW_CODE",
    "READER_PAUSED": "WAIT",
    "SECOND_PERSON_NEEDED": "BRING_SECOND_PERSON",
    "SPACE_FULL": "WAIT",
    "TOO_EARLY": "COME_AT",
    "TOO_LATE": "BOOK_AGAIN",
    "UNAUTHORIZED": "BOOK",
    "UNREADABLE": "SHOW_AGAIN",
    "WRONG_SPACE": "GO_TO_SPACE",
}


def card(standing: Standing, words: Words) -> Card:
    """Return the card for what is known now."""
    report, event = standing.report, standing.verdict
    if not standing.is_live or report is None:
        lines = (words.say("verdict.waiting_line"), words.say("verdict.waiting_out"))
        title = words.say("verdict.waiting")
        return Card(tone=Tone.INFO, shape=Shape.CLOCK, title=title, lines=lines)
    if event is None:
        return _plain(words, "ready", Tone.INFO, Shape.CARD)
    place = _place(event, report)
    match event.kind:
        case "ACCESS_GRANTED":
            return _granted(event, report, words, place)
        case "ACCESS_DENIED":
            return _denied(event, report, words, place)
        case "MANUAL_ENTRY":
            return _plain(words, "by_hand", Tone.OK, Shape.TICK, place)
        case "EMERGENCY_STARTED":
            return _plain(words, "fire", Tone.BAD, Shape.ALERT, place)
        case _:
            return _plain(words, "fire_over", Tone.INFO, Shape.TICK, place)


def _plain(words: Words, key: str, tone: Tone, shape: Shape, place: str = "") -> Card:
    lines = (words.say(f"verdict.{key}_line"),)
    title = words.say(f"verdict.{key}")
    return Card(tone=tone, shape=shape, title=title, lines=lines, place=place)


def _granted(
    event: EventReport, report: StatusReport, words: Words, place: str
) -> Card:
    if event.number is not None:  # of a compartment: nobody comes in there
        return Card(
            tone=Tone.OK,
            shape=Shape.OPEN,
            title=words.say("verdict.compartment", number=event.number),
            lines=(words.say("verdict.compartment_line"),),
            place=place,
        )
    end = time_of_day(event.end_ms, report.offset_hours)
    lines = (words.say("verdict.granted_end", time=end),) if end else ()
    return Card(
        tone=Tone.OK,
        shape=Shape.TICK,
        title=words.say("verdict.granted"),
        lines=lines,
        place=place,
    )


def _denied(event: EventReport, report: StatusReport, words: Words, place: str) -> Card:
    is_unreadable = event.reason == "UNREADABLE"
    step = event.next_step or _STEPS.get(event.reason, "ASK_VOLUNTEER")
    from_time = time_of_day(event.from_ms, report.offset_hours)
    lines: list[Phrase] = [
        reason_of(event, report, words),
        words.say_or(f"step.{step}", "step.other", time=from_time),
    ]
    if event.count is not None:
        lines.append(words.say("verdict.times", count=event.count))
    return Card(
        tone=Tone.WARN if is_unreadable else Tone.BAD,
        shape=Shape.HAND,
        title=words.say("verdict.unreadable" if is_unreadable else "verdict.denied"),
        lines=tuple(lines),
        place=place,
    )


def reason_of(event: EventReport, report: StatusReport, words: Words) -> Phrase:
    """Return why somebody could not go in, in kind words."""
    return words.say_or(
        f"reason.{event.reason}",
        "reason.other",
        time=time_of_day(event.to_ms, report.offset_hours),
        space=report.spaces.get(event.space),
    )


def _place(event: EventReport, report: StatusReport) -> str:
    time = time_of_day(event.earliest_ms, report.offset_hours)
    return " · ".join(part for part in (report.place_name(event.at), time) if part)
