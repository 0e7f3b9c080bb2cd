# SPDX-License-Identifier: Apache-2.0
"""The hours in which a door keeps its voice down.

The law of the module: pure. Where nobody knows the time it is lower, never silent.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from edge.settings.signals import Signals


class Volume(StrEnum):
    """How loud."""

    FULL = "full"
    LOWER = "lower"
    SILENT = "silent"


def volume(signals: Signals, local: datetime | None) -> Volume:
    """Return how loud it may be; ``local`` is the site's time, None if unknown."""
    if not signals.quiet_hours:
        return Volume.FULL
    if local is None:
        return Volume.LOWER
    start, end = (_minute(part) for part in signals.quiet_hours.split("-"))
    now = 60 * local.hour + local.minute
    is_quiet = start <= now < end if start <= end else now >= start or now < end
    return Volume(signals.quiet) if is_quiet else Volume.FULL


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)
