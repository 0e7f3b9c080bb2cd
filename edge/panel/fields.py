# SPDX-License-Identifier: Apache-2.0
"""Single fields of what the gateway says, read so that nothing can go wrong.

The law of the module: pure, and it never raises: what has the wrong shape is not known.
"""

from __future__ import annotations

from typing import Any

#: Longest name that a page shows; a site file has shorter ones.
MAX_NAME = 40
#: The last millisecond of the year 9999: later than any time a calendar can name.
LAST_MS = 253_402_300_799_999


def table(value: Any) -> dict[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any, most: int) -> list[dict[str, Any]]:
    """Return the objects of a list, so many at most."""
    found = value if isinstance(value, list) else []
    return [row for row in found[:most] if isinstance(row, dict)]


def text(value: Any, longest: int = MAX_NAME) -> str:
    """Return a short text; lone surrogates, which no page can carry, become ``?``."""
    if not isinstance(value, str):
        return ""
    return value[:longest].encode("utf-8", "replace").decode("utf-8")


def whole(value: Any) -> int | None:
    """Return a whole number of a believable size, or None."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and abs(value) <= LAST_MS else None


def count(value: Any) -> int | None:
    """Return a whole number that is not below 0, or None."""
    told = whole(value)
    return told if told is not None and told >= 0 else None


def number(value: Any) -> float:
    """Return a number that is not below 0; 0 for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return min(value, LAST_MS) if is_number and value >= 0 else 0.0


def time_ms(value: Any) -> int | None:
    """Return a time in UTC milliseconds, or None."""
    return count(value)
