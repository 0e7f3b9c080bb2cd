# SPDX-License-Identifier: Apache-2.0
"""A shift that a social worker planned, or whose minutes he confirmed: kind ``shift``.

The law of the module: a shift is named by its holder and by the boot and the
monotonic millisecond in which it began, as its DUTY_STARTED tells them: numbers of
events change with a new journal epoch, these do not. ``number`` counts the
confirmations of one shift, and a correction is the next. A row with ``from`` is a
plan: of no boot yet, so that a gateway of before, which takes it for the confirmation
of a shift that it never had, finds none and changes nothing.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from edge.core.people.row_body import Body

#: As many as a gateway remembers shifts.
MAX_SHIFT_ROWS = 2_000
#: Ten shifts a day for a hundred days. Both together are never more than the above
#: for a gateway of before, to which they are one kind.
MAX_PLANNED = 1_000
#: The boot of a shift that has not begun.
PLANNED = "planned"
#: The minutes of ten thousand months; more nobody has done for anybody.
MAX_TOTAL_MIN = 10_000 * 31 * 24 * 60
#: Half a day, as the longest shift (``edge.core.duty.shift``).
MAX_MINUTES = 12 * 60
MAX_NUMBER = 1_000
_LATEST_MS = 1 << 52


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """What was confirmed last of one shift, by whom and, if corrected, why.

    ``total``: all minutes of its holder that the platform ever confirmed here, in his
    newest row; 0 in all others.
    """

    row_id: str
    holder_id: str
    boot: str
    began_m: int
    minutes: int
    by: str
    at_ms: int
    number: int
    reason: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShift:
    """Who is to be where, from when (UTC ms) for how many minutes, and what he does."""

    row_id: str
    holder_id: str
    space_id: str
    from_ms: int
    minutes: int
    task: str = ""

    @property
    def to_ms(self) -> int:
        """When it is over."""
        return self.from_ms + self.minutes * MINUTE_MS


def read_shift(row_id: str, fields: Body) -> ShiftRow | PlannedShift:
    """Check a row's body; ValueError says which field does not fit."""
    if "from" in fields:
        return _planned(row_id, fields)
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
        total=fields.number("total", 0, MAX_TOTAL_MIN, 0),
    )


def _planned(row_id: str, fields: Body) -> PlannedShift:
    if not fields.is_word("boot", PLANNED):
        raise fields.wrong("boot", f"{PLANNED!r}, where there is a from")
    # What a confirmation has to have stands in a plan, too: who, when, the how manieth.
    fields.number("began", 0, 0)
    fields.text("by")
    fields.number("at", 0, _LATEST_MS)
    fields.number("number", 1, MAX_NUMBER)
    fields.text("reason", "")
    return PlannedShift(
        row_id=row_id,
        holder_id=fields.text("holder"),
        space_id=fields.text("space"),
        from_ms=fields.number("from", 0, _LATEST_MS),
        minutes=fields.number("minutes", 1, MAX_MINUTES),
        task=fields.text("task", ""),
    )
