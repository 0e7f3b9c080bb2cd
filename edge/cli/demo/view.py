# SPDX-License-Identifier: Apache-2.0
"""Readable lines of what happens, as it happens, from the journal file.

The law of the module: a line says what was decided and what to do next; it shows
platform identifiers, never a card's number or a token.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.cli.demo.journal_file import JournalEvent, read_journal
from edge.core.decision import NEXT_STEP, DenyReason, NextStep

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

POLL_S = 0.2
_WORDS = {
    NextStep.ASK_VOLUNTEER: "please ask the volunteer",
    NextStep.BOOK: "please book first",
    NextStep.BOOK_AGAIN: "please book again",
    NextStep.COME_AT: "please come at {time}",
    NextStep.GO_TO_SPACE: "your booking is in {space}",
    NextStep.SHOW_AGAIN: "please show it again",
    NextStep.USE_OTHER_DOOR: "please use the other door",
}
_QUIET = {"ACCESS_TAKEN", "DOOR_OPENED", "DOOR_CLOSED"}
_STYLES = {"ACCESS_GRANTED": "bold green", "ACCESS_DENIED": "yellow"}


async def follow(journal: Path, console: Console, offset: timedelta) -> None:
    """Print each new event until cancelled."""
    after = 0
    while True:
        for event in await asyncio.to_thread(read_journal, journal, after):
            after = event.place
            if event.core["k"] not in _QUIET:
                style = _STYLES.get(event.core["k"], "dim")
                console.print(line(event, offset), style=style, highlight=False)
        await asyncio.sleep(POLL_S)


def line(event: JournalEvent, offset: timedelta) -> str:
    """Return one event as a line of text."""
    core = event.core
    time = _local(core["lo"], offset).strftime("%H:%M:%S")
    who = event.person.get("holder", "unknown card or code")
    match core["k"]:
        case "ACCESS_GRANTED":
            what = f"come in · {who} · {event.person.get('booking', '')}"
        case "ACCESS_DENIED" if "count" in core:
            what = f"{core['count']} more refusals: {core['reason']}"
        case "ACCESS_DENIED":
            what = f"not now · {who} · {core['reason']} · {_next(core, offset)}"
        case kind:
            facts = {k: v for k, v in core.items() if k not in _FIXED}
            what = f"{kind} " + " ".join(f"{k}={v}" for k, v in facts.items())
    return f"{time}  {core['at']:18} {what}"


_FIXED = {"at", "b", "hi", "k", "lo", "m"}


def _next(core: dict[str, int | str], offset: timedelta) -> str:
    step = NEXT_STEP[DenyReason(str(core["reason"]))]
    time = _local(int(core.get("from_ms", 0)), offset).strftime("%H:%M")
    return _WORDS[step].format(time=time, space=core.get("space", ""))


def _local(utc_ms: int, offset: timedelta) -> datetime:
    return datetime.fromtimestamp(utc_ms / 1000, UTC) + offset
