# SPDX-License-Identifier: Apache-2.0
"""Questions about days, put to the platform's database.

The law of the module: a day is a local one, by the offset in the settings, and both
its ends are named whole: ``--from`` and ``--to`` are days that count.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from cloud_sync.platform.reports.care import care
from cloud_sync.platform.reports.drills import drills
from cloud_sync.platform.reports.hours import hours
from cloud_sync.platform.reports.medicine import medicine
from cloud_sync.platform.reports.reconciliation import reconciliation
from cloud_sync.platform.reports.stored import Span
from cloud_sync.platform.reports.urgent import urgent
from cloud_sync.platform.reports.visits import visits
from edge.cli.exits import WRONG_USE
from edge.cli.platform.work import ask_and_show
from edge.cli.system_clock import wall_ms
from edge.core.moment import UNBOUNDED_MS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cloud_sync.platform.database import Work
    from cloud_sync.platform.reports.table import Table
    from edge.cli.platform.shown import Form

QUESTIONS = {
    "visits": visits,
    "hours": hours,
    "drills": drills,
    "care": care,
    "medicine": medicine,
    "urgent": urgent,
}
DAY_MS = 86_400_000
#: With no first day named.
DAYS = 30
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local day; its offset is a number


def ask_about_days(
    settings: Path,
    name: str,
    days: tuple[datetime | None, datetime | None],
    gateway: str,
    form: Form,
) -> None:
    """Ask about the days from the first to the last, both included."""
    ask_with(settings, QUESTIONS[name], days, gateway, form)


def ask_with(
    settings: Path,
    question: Callable[[Work, Span], Awaitable[Table]],
    days: tuple[datetime | None, datetime | None],
    gateway: str,
    form: Form,
) -> None:
    """Put a question about the days from the first to the last, both included."""
    first, last = days

    async def ask(work: Work, offset_ms: int) -> Table:
        last_ms = _day_ms(last, offset_ms)
        from_ms = last_ms - DAYS * DAY_MS if first is None else _day_ms(first, 0)
        return await question(work, _span(from_ms, last_ms, offset_ms, gateway))

    if first is not None and last is not None and last < first:
        print("--to lies before --from", file=sys.stderr)
        sys.exit(WRONG_USE)
    ask_and_show(settings, ask, form)


def reconcile_day(
    settings: Path, day: datetime | None, gateway: str, form: Form, *, is_all: bool
) -> None:
    """Reconcile one day, today if none is named, or with ``is_all`` all there is."""

    async def ask(work: Work, offset_ms: int) -> Table:
        if is_all:
            return await reconciliation(
                work, _span(-UNBOUNDED_MS, UNBOUNDED_MS, 0, gateway)
            )
        day_ms = _day_ms(day, offset_ms)
        return await reconciliation(work, _span(day_ms, day_ms, offset_ms, gateway))

    ask_and_show(settings, ask, form)


def _day_ms(day: datetime | None, offset_ms: int) -> int:
    """Return a local day's beginning as local ms; today's by the offset."""
    if day is None:
        return (wall_ms() + offset_ms) // DAY_MS * DAY_MS
    return (day - _EPOCH).days * DAY_MS


def _span(first_ms: int, last_ms: int, offset_ms: int, gateway: str) -> Span:
    """Return the span of local days from ``first_ms`` to ``last_ms`` (local ms)."""
    return Span(
        from_ms=first_ms - offset_ms,
        to_ms=last_ms + DAY_MS - offset_ms,
        utc_offset_ms=offset_ms,
        gateway=gateway,
    )
