# SPDX-License-Identifier: Apache-2.0
"""One volunteer's shift: what is known of its minutes, and how far they are agreed.

The law of the module: minutes are the truth and points are made of them, one for each
full hour of a month; a shift's own minutes are provisional until the social worker
has confirmed them. Minutes within one boot come from the monotonic clock, over a
restart from UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.core.moment import UNBOUNDED_MS, Moment
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from edge.core.event import Event, Facts

#: Nobody volunteers longer at a stretch: beyond it an end was forgotten.
MAX_SHIFT_MIN = 12 * 60
POINT_MIN = 60
#: The fact that names the platform's word by which a shift was confirmed.
CONFIRMATION = "confirmation"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  local time, its offset is a number


class ShiftState(StrEnum):
    """How far a shift's minutes are agreed."""

    RUNNING = "RUNNING"
    PROVISIONAL = "PROVISIONAL"
    TO_CONFIRM = "TO_CONFIRM"
    CORRECTED = "CORRECTED"
    CONFIRMED = "CONFIRMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift of ``holder`` since ``since``; ``minutes`` count once it has ended.

    ``confirmation``: the number of the platform's word that was taken last, 0: none.
    """

    holder: str
    since: Moment
    minutes: int = 0
    state: ShiftState = ShiftState.RUNNING
    confirmation: int = 0

    @property
    def is_running(self) -> bool:
        """Say whether nobody ended it yet."""
        return self.state is ShiftState.RUNNING

    @property
    def is_sure(self) -> bool:
        """Say whether its beginning is known to the minute."""
        return self.since.latest_ms - self.since.earliest_ms < MINUTE_MS


def elapsed_min(since: Moment, now: Moment) -> int:
    """Return the full minutes between two moments, never less than none."""
    if since.boot == now.boot:
        return max(0, int((now.monotonic_s - since.monotonic_s) // 60))
    return max(0, now.earliest_ms - since.earliest_ms) // MINUTE_MS


def end_facts(since: Moment, now: Moment) -> Facts:
    """Return the minutes of a shift that ends now, and whether the clock knew them."""
    minutes: Facts = (("minutes", min(elapsed_min(since, now), MAX_SHIFT_MIN)),)
    if since.boot == now.boot:
        return minutes
    widest_ms = max(each.latest_ms - each.earliest_ms for each in (since, now))
    return minutes if widest_ms < MINUTE_MS else (*minutes, ("time_unverified", 1))


def closing_ms(since_ms: int, closing_min: int, utc_offset_ms: int) -> int:
    """Return the first closing time (UTC ms) after ``since_ms``.

    ``closing_min`` counts minutes after local midnight.
    """
    local_ms = since_ms + utc_offset_ms
    today_ms = local_ms // DAY_MS * DAY_MS + closing_min % (24 * 60) * MINUTE_MS
    over_ms = today_ms if today_ms > local_ms else today_ms + DAY_MS
    return over_ms - utc_offset_ms


def month_of(utc_ms: int, utc_offset_ms: int) -> str:
    """Return the local month as ``YYYY-MM``."""
    local_ms = min(utc_ms + utc_offset_ms, UNBOUNDED_MS)
    return (_EPOCH + timedelta(milliseconds=local_ms)).strftime("%Y-%m")


def follow_end(shift: Shift, event: Event) -> Shift:
    """Return the shift after its DUTY_ENDED."""
    is_doubtful = event.fact("to_confirm") is not None
    state = ShiftState.TO_CONFIRM if is_doubtful else ShiftState.PROVISIONAL
    return replace(shift, minutes=int(event.fact("minutes") or 0), state=state)
