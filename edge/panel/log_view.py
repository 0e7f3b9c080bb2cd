# SPDX-License-Identifier: Apache-2.0
"""A row of the log in words that people use: when, where, what, and why.

The law of the module: pure. No name and no token; a kind or a reason that this panel
has never heard of is told in general words, never by its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.panel.calendar import day_and_time, time_of_day
from edge.panel.verdict import reason_of

if TYPE_CHECKING:
    from edge.panel.records_report import RowReport
    from edge.panel.report import StatusReport
    from edge.panel.words import Phrase, Words

#: What is told of a row whose reason is the gateway's word for a refusal.
_REFUSED = frozenset({"ACCESS_DENIED", "WRONG_TRIES"})
OTHER = "log_kind.other"
#: The words for why somebody in charge opened a cell or a medicine box.
_TOLD = {
    "ACCESS_GRANTED": "lockers_why.{row.event.reason}",
    "MEDICINE_BOX_OPENED": "medicine_for.{row.whom}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row; ``count`` persons or times, None where it would say nothing."""

    time: str
    place: str
    what: Phrase
    why: Phrase | None
    way: Phrase | None
    count: int | None
    number: int | None
    tail: str
    by: str


def line_of(
    row: RowReport, report: StatusReport, words: Words, *, with_day: bool = False
) -> Line:
    """Return a row as a page or a table shows it."""
    event, hours = row.event, report.offset_hours
    time = day_and_time if with_day else time_of_day
    way = f"way.{row.way}"
    return Line(
        time=time(event.earliest_ms, hours) or "",
        place=_place(event.at, report),
        what=_what(row, words),
        why=_why(row, report, words),
        way=words.say(way) if way in words else None,
        count=row.persons if row.persons is not None else event.count,
        number=event.number,
        tail=row.tail,
        by=row.by,
    )


def reasons(words: Words) -> dict[str, Phrase]:
    """Return every reason of a refusal that somebody may look for, by its code."""
    codes = (key.partition(".")[2] for key in words.keys if key.startswith("reason."))
    return {
        code: words.say(f"reason.{code}") for code in sorted(codes) if code.isupper()
    }


def _place(at: str, report: StatusReport) -> str:
    devices = {device.id: device.name for device in report.devices}
    return report.place_name(at) or devices.get(at) or report.spaces.get(at, "")


def _what(row: RowReport, words: Words) -> Phrase:
    kind = row.event.kind
    if kind == "ACCESS_GRANTED" and row.event.number is not None:
        return words.say("log_kind.COMPARTMENT_OPENED")
    sort = f"log_kind.{kind}_{row.what}"
    if kind == "SELF_TEST" and row.is_failed:
        return words.say("log_kind.SELF_TEST_failed")
    return words.say(sort) if sort in words else words.say_or(f"log_kind.{kind}", OTHER)


def _why(row: RowReport, report: StatusReport, words: Words) -> Phrase | None:
    event = row.event
    if row.bag:
        return words.say("bags.in_log", bag=row.bag)
    if event.kind in _REFUSED and event.reason:
        return reason_of(event, report, words)
    if event.kind == "MANUAL_ENTRY" and event.reason:
        return words.say_or(f"by_hand.{event.reason}", "by_hand.OTHER")
    told = _TOLD.get(event.kind, "").format(row=row)
    return words.say(told) if told in words else None
