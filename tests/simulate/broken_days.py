# SPDX-License-Identifier: Apache-2.0
"""The days on which broken rules must show.

The law of the module: a day asks for enough of what a rule is about, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

KITCHEN_RULES = """
hours = "daily 08:00-11:00"
capacity = 3
fare = { kind = "per_hour", fen = 200, free_minutes = 30 }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is played: so much of a day, with some knobs of the weather set."""

    name: str
    days: float
    knobs: dict[str, Any] = field(default_factory=dict)
    #: Whether the kitchen has rules of its own, and bookings are to be paid.
    has_rules: bool = False


BUSY = Day(
    name="busy",
    days=0.12,
    has_rules=True,
    knobs={
        "scans_a_day": 1_500.0,
        "roster_changes_a_day": 200.0,
        "orders_a_day": 120.0,
        "forced_a_day": 40.0,
        "tailgate_share": 0.05,
        "twice_share": 0.1,
    },
)
#: So many come that two want one compartment.
CROWDED = replace(BUSY, name="crowded", knobs=BUSY.knobs | {"scans_a_day": 3_000.0})
SLOW_DISK = Day(
    name="slow disk",
    days=0.04,
    knobs={"scans_a_day": 1_500.0, "slow_share": 0.5, "slow_longest_s": 1.0},
)
FIRES = Day(
    name="fires",
    days=0.15,
    knobs={"scans_a_day": 200.0, "fires_a_day": 60.0, "orders_a_day": 200.0},
)
LONG = Day(
    name="long shifts",
    days=0.64,  # from nine in the morning until closing time is over
    knobs={"scans_a_day": 150.0, "orders_a_day": 0.0, "roster_changes_a_day": 0.0},
)
DAYS = (BUSY, CROWDED, SLOW_DISK, FIRES, LONG)
