# SPDX-License-Identifier: Apache-2.0
"""Times and durations as the table tells them.

The law of the module: local times of Monday 2 March 2026 in China unless a day is told.
"""

from __future__ import annotations

from datetime import datetime

from edge.core.plan import DAY_MS, MINUTE_MS

OFFSET_MS = 8 * 60 * MINUTE_MS
TODAY = "2026-03-02"


def utc_ms(told: str) -> int:
    """Return ``[DATE|+DAYSd] HH:MM[:SS[.mmm]]`` as UTC ms; 24:00 is midnight after."""
    *day, clock = told.split()
    date, days = TODAY, 0
    if day and day[0].endswith("d"):
        days = int(day[0][:-1])
    elif day:
        date = day[0]
    if clock == "24:00":
        clock, days = "00:00", days + 1
    moment = datetime.fromisoformat(f"{date}T{clock}+08:00")
    return round(moment.timestamp() * 1000) + days * DAY_MS


def duration_ms(told: str) -> int:
    """Return ``7d 1ms`` in ms."""
    units = {"d": DAY_MS, "ms": 1}
    total = 0
    for piece in told.split():
        number = piece.rstrip("dms")
        total += int(number) * units[piece[len(number) :]]
    return total
