# SPDX-License-Identifier: Apache-2.0
"""A shift whose minutes a social worker confirmed at the platform: feed kind ``shift``.

The law of the module: a shift is named by its holder and by the boot and the
monotonic millisecond in which it began, as its DUTY_STARTED tells them: numbers of
events change with a new journal epoch, these do not. ``number`` counts the
confirmations of one shift, and a correction is the next.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.core.people.row_body import Body

#: As many as a gateway remembers shifts.
MAX_SHIFT_ROWS = 2_000
#: Half a day, as the longest shift (``edge.core.duty.shift``).
MAX_MINUTES = 12 * 60
MAX_NUMBER = 1_000
_LATEST_MS = 1 << 52


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """What was confirmed last of one shift, by whom and, if corrected, why."""

    row_id: str
    holder_id: str
    boot: str
    began_m: int
    minutes: int
    by: str
    at_ms: int
    number: int
    reason: str = ""


def read_shift(row_id: str, fields: Body) -> ShiftRow:
    """Check a row's body; ValueError says which field does not fit."""
    return ShiftRow(
        row_id=row_id,
        holder_id=fields.text("holder"),
        boot=fields.text("boot"),
        began_m=fields.number("began", 0, _LATEST_MS),
        minutes=fields.number("minutes", 0, MAX_MINUTES),
        by=fields.text("by"),
        at_ms=fields.number("at", 0, _LATEST_MS),
        number=fields.number("number", 1, MAX_NUMBER),
        reason=fields.text("reason", ""),
    )
