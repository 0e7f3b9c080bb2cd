# SPDX-License-Identifier: Apache-2.0
"""Volunteers' shifts as events tell them, with what social workers said of them.

The law of the module: a shift belongs to the month in which it began; what was
corrected or confirmed last counts, and a word of ours counts before the gateway has
told that it took it. Nothing is added up here.
Source: edge/core/duty/shift.py; docs/sync-contract.md, section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.confirmations import newest
from cloud_sync.platform.reports.stored import events
from cloud_sync.platform.shift import ERASED, Shift
from edge.core.duty.shift import CONFIRMATION, ShiftState, month_of
from edge.core.event import EventKind
from edge.core.plan import DAY_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span, Stored
    from cloud_sync.platform.shift import Confirmation

KINDS = (
    EventKind.DUTY_STARTED,
    EventKind.DUTY_ENDED,
    EventKind.DUTY_CORRECTED,
    EventKind.DUTY_CONFIRMED,
)
#: A social worker settles a month's shifts within the year.
SETTLED_WITHIN_MS = 366 * DAY_MS


async def shifts(work: Work, span: Span) -> list[Shift]:
    """Return the shifts that began in the span, by gateway and beginning."""
    until_ms = span.to_ms + SETTLED_WITHIN_MS
    found = await events(work, span, KINDS, to_ms=until_ms, with_people=True)
    known: dict[tuple[str, int], Shift] = {}
    for each in found:
        if each.kind == EventKind.DUTY_STARTED:
            if each.lo < span.to_ms:
                known[each.gateway, each.place] = _begun(each, span)
            continue
        shift = known.get((each.gateway, each.cause()))
        if shift is not None:
            _follow(shift, each)
    said = await newest(work, span.gateway)
    for shift in known.values():
        _hear(shift, said.get((shift.gateway, shift.name)))
    return list(known.values())


def _begun(event: Stored, span: Span) -> Shift:
    return Shift(
        gateway=event.gateway,
        epoch=event.epoch,
        seq=event.seq,
        holder=event.holder or ERASED,
        month=month_of(event.lo, span.utc_offset_ms),
        began_ms=event.lo,
        boot=event.text("b"),
        began_m=event.number("m"),
        plan=event.text("plan"),
    )


def _follow(shift: Shift, event: Stored) -> None:
    shift.minutes = event.number("minutes")
    match event.kind:
        case EventKind.DUTY_CONFIRMED:
            shift.state = ShiftState.CONFIRMED
            shift.taken = max(shift.taken, event.number(CONFIRMATION))
            return
        case EventKind.DUTY_CORRECTED:
            shift.state = ShiftState.CORRECTED
        case _ if event.number("to_confirm"):
            shift.state = ShiftState.TO_CONFIRM
        case _:
            shift.state = ShiftState.PROVISIONAL
    shift.measured = shift.minutes


def _hear(shift: Shift, word: Confirmation | None) -> None:
    """Take our own word into account, if the gateway has not told it yet."""
    shift.word = word
    if word is not None and word.number > shift.taken:
        shift.minutes, shift.state = word.minutes, ShiftState.CONFIRMED
