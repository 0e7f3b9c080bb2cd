# SPDX-License-Identifier: Apache-2.0
"""Shifts one by one, for the social worker who confirms them.

The law of the module: what was measured, what was said of it and whether the gateway
has taken that stand beside each other; nothing is confirmed by being looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform.reports.shifts import shifts
from cloud_sync.platform.reports.table import Cell, Table, local_time
from edge.core.duty.shift import ShiftState

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.stored import Span
    from cloud_sync.platform.shift import Shift


async def duty(work: Work, span: Span) -> Table:
    """Return the shifts that began in the span, those to look at first."""
    found = sorted(await shifts(work, span), key=_order)
    return Table(
        columns=(
            *("gateway", "shift", "holder", "began", "state", "measured_min"),
            *("minutes", "by", "confirmed", "reason", "at_gateway"),
        ),
        rows=[_row(each, span.utc_offset_ms) for each in found],
        note="TO_CONFIRM: the end was forgotten; ask, then confirm it by itself.",
    )


def _order(shift: Shift) -> tuple[bool, str, int]:
    is_clear = shift.state is not ShiftState.TO_CONFIRM
    return is_clear, shift.gateway, shift.began_ms


def _row(shift: Shift, utc_offset_ms: int) -> tuple[Cell, ...]:
    named = (shift.gateway, shift.name, shift.holder)
    began = local_time(shift.began_ms, utc_offset_ms)
    told = (*named, began, shift.state.value, shift.measured, shift.minutes)
    word = shift.word
    if word is None:
        return (*told, "", "", "", "")
    at = local_time(word.at_ms, utc_offset_ms)
    taken = "yes" if shift.taken >= word.number else "no"
    return (*told, word.by, at, word.reason, taken)
