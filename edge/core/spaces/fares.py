# SPDX-License-Identifier: Apache-2.0
"""What a visit costs, in fen.

The law of the module: pure, integers alone. Only whole minutes count, each hour begun
is charged whole, and free minutes are used up before the first hour is.
Source: docs/spaces.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, assert_never

from edge.core.plan import FareKind, PersonClass
from edge.core.schedule import local_day

if TYPE_CHECKING:
    from edge.core.plan import FarePlan

HOUR_MIN = 60
#: Those who run the place, or come to help, pay nothing.
EXEMPT = frozenset({PersonClass.RESPONDER, PersonClass.MANAGER, PersonClass.VOLUNTEER})
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """What is owed, and how many of the month's free minutes it used up."""

    fen: int = 0
    free_min: int = 0


def fare(plan: FarePlan, minutes: int, left_free_min: int) -> Fare:
    """Price a visit of so many whole minutes.

    ``left_free_min``: what is left of the holder's free minutes of the month.
    """
    match plan.kind:
        case FareKind.FREE:
            return Fare()
        case FareKind.PER_VISIT:
            return Fare(fen=plan.fen)
        case FareKind.PER_HOUR:
            free_min = min(minutes, max(0, left_free_min))
            hours = -((free_min - minutes) // HOUR_MIN)  # rounded up
            return Fare(fen=hours * plan.fen, free_min=free_min)
        case _:
            assert_never(plan.kind)


def local_month(utc_ms: int, utc_offset_ms: int) -> int:
    """Return the local month as a number such as 202603."""
    day = date.fromordinal(_EPOCH_DAY + local_day(utc_ms, utc_offset_ms))
    return day.year * 100 + day.month
