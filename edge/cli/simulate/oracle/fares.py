# SPDX-License-Identifier: Apache-2.0
"""The price of a visit, a second time.

The law of the module: integers; counted up minute by minute rather than divided, so
that a slip in rounding is not made twice.
Source: ARCHITECTURE.md, "Spaces, lockers, emergency, duty"; ruling 22.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.cli.simulate.oracle.ruling import BOUND, class_of
from edge.core.plan import FareKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.plan import FarePlan, SitePlan

#: A space, a holder, and a local month: what free minutes belong to.
Month = tuple[str, str, str]


def price(plan: FarePlan, minutes: int, left_min: int) -> tuple[int, int]:
    """Return what is owed in fen, and how many free minutes are used up."""
    if plan.kind is FareKind.PER_VISIT:
        return plan.fen, 0
    if plan.kind is not FareKind.PER_HOUR:
        return 0, 0
    free_min = owed_fen = 0
    hour_left_min = 0
    for _ in range(minutes):
        if free_min < left_min:
            free_min += 1
        elif hour_left_min:
            hour_left_min -= 1
        else:
            owed_fen += plan.fen
            hour_left_min = 59
    return owed_fen, free_min


def is_exempt(roles: Iterable[str]) -> bool:
    """Say whether somebody runs the place, or comes to help, and pays nothing."""
    return class_of(roles) not in BOUND


def month_of(began: Told, plan: SitePlan) -> str:
    """Return the local month in which a visit began, as the box knew it."""
    local_ms = began.event.moment.earliest_ms + plan.utc_offset_ms
    since = timedelta(milliseconds=local_ms)
    return (datetime(1970, 1, 1, tzinfo=UTC) + since).strftime("%Y-%m")
