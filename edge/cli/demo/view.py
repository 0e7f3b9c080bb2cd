# SPDX-License-Identifier: Apache-2.0
"""Readable lines of what happens, as it happens, from the journal file.

The law of the module: a line says what was decided and what to do next; it shows
platform identifiers, never a card's number or a token.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.core.access.answers import NEXT_STEP, DenyReason, NextStep
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from edge.cli.demo.journal_file import JournalEvent

_WORDS = {
    NextStep.ASK_VOLUNTEER: "please ask the volunteer",
    NextStep.BOOK: "please book first",
    NextStep.BOOK_AGAIN: "please book again",
    NextStep.COME_AT: "please come at {time}",
    NextStep.GO_TO_SPACE: "your booking is in {space}",
    NextStep.SHOW_AGAIN: "please show it again",
    NextStep.USE_OTHER_DOOR: "please use the other door",
    NextStep.SHOW_NEW_CODE: "please refresh the code and show it again",
    NextStep.PAY: "please pay first",
    NextStep.WAIT: "please wait a little",
    NextStep.BRING_SECOND_PERSON: "please let a second person show a card",
}
QUIET = {
    "ACCESS_TAKEN",
    "COMPARTMENT_CLOSED",
    "DOOR_CLOSED",
    "DOOR_OPENED",
    "RENTAL_STARTED",
    "VISIT_STARTED",
}
STYLES = {
    "ACCESS_GRANTED": "bold green",
    "ACCESS_DENIED": "yellow",
    "DUTY_STARTED": "bold cyan",
    "DUTY_ENDED": "bold cyan",
    "MEDICINE_BOX_OPENED": "bold magenta",
    "RENTAL_ENDED": "green",
}


def line(event: JournalEvent, offset: timedelta) -> str:
    """Return one event as a line of text."""
    core = event.core
    is_known = core["hi"] < UNBOUNDED_MS
    time = f"{_local(core['lo'], offset):%H:%M:%S}" if is_known else "--:--:--"
    who = event.person.get("holder", "unknown card or code")
    match core["k"]:
        case "ACCESS_GRANTED" if "bank" in core:
            what = f"compartment {core['number']} · {who}"
        case "ACCESS_GRANTED":
            what = f"come in · {who} · {event.person.get('booking', '')}"
        case "DUTY_STARTED" | "DUTY_ENDED":
            ended = f", {core['minutes']} minutes" if "minutes" in core else ""
            what = f"{core['k'].replace('_', ' ').lower()} · {who}{ended}"
        case "ACCESS_DENIED" if "count" in core:
            what = f"{core['count']} more refusals: {core['reason']}"
        case "ACCESS_DENIED":
            what = f"not now · {who} · {core['reason']} · {_next(core, offset)}"
        case "COMPARTMENT_OPENED":
            what = f"compartment {core['number']} opened"
        case "RENTAL_ENDED":
            what = f"compartment {core['number']} is free again"
        case "MEDICINE_BOX_OPENED":
            what = f"medicine box opened (compartment {core['number']})"
        case kind:
            said = [f"{k}={v}" for k, v in core.items() if k not in _UNSAID]
            what = " ".join([kind.replace("_", " ").lower(), *said])
    return f"{time}  {core['at']:18} {what}"


#: Fixed fields, and facts that say how a decision was come to.
_UNSAID = {"age_s", "at", "b", "hi", "k", "lo", "m", "fr", "kind", "rule", "set"}


def _next(core: dict[str, int | str], offset: timedelta) -> str:
    step = NEXT_STEP[DenyReason(str(core["reason"]))]
    time = _local(int(core.get("from_ms", 0)), offset).strftime("%H:%M")
    return _WORDS[step].format(time=time, space=core.get("space", ""))


def _local(utc_ms: int, offset: timedelta) -> datetime:
    return datetime.fromtimestamp(utc_ms / 1000, UTC) + offset
