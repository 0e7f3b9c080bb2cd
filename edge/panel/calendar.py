# SPDX-License-Identifier: Apache-2.0
"""Times of the clock on the wall, and ages in whole minutes.

The law of the module: pure; times are UTC milliseconds since 1970 and never leave the
calendar, or they are not shown.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of_day(utc_ms: int | None, offset_hours: int) -> str | None:
    """Return ``HH:MM`` at the site; None if unknown."""
    moment = _at_site(utc_ms, offset_hours)
    return None if moment is None else f"{moment:%H:%M}"


def day_and_time(utc_ms: int | None, offset_hours: int) -> str | None:
    """Return ``M-D HH:MM`` at the site; None if unknown."""
    moment = _at_site(utc_ms, offset_hours)
    return None if moment is None else f"{moment.month}-{moment.day} {moment:%H:%M}"


def time_until(utc_ms: int, now_ms: int | None, offset_hours: int) -> str | None:
    """Return when something ends: the time, of another day with its date."""
    is_today = day_of(utc_ms, offset_hours) == day_of(now_ms, offset_hours)
    return (time_of_day if is_today else day_and_time)(utc_ms, offset_hours)


def day_of(utc_ms: int | None, offset_hours: int) -> date | None:
    """Return the day at the site; None if unknown."""
    moment = _at_site(utc_ms, offset_hours)
    return None if moment is None else moment.date()


def minutes_since(utc_ms: int | None, now_ms: int | None) -> int | None:
    """Return whole minutes from then to now; None if unknown or not yet one."""
    if utc_ms is None or now_ms is None or now_ms - utc_ms < MINUTE_MS:
        return None
    return (now_ms - utc_ms) // MINUTE_MS


def month_before(month: str) -> str:
    """Return the month before one, both as ``YYYY-MM``."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02}"


def _at_site(utc_ms: int | None, offset_hours: int) -> datetime | None:
    if utc_ms is None:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=utc_ms, hours=offset_hours)
    except OverflowError:
        return None
