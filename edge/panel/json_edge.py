# SPDX-License-Identifier: Apache-2.0
"""Reading what the gateway says without ever failing on it.

The law of the module: whatever comes in, a value of the wanted kind goes out, or the
empty one; nothing is longer than a page can carry.
"""

from __future__ import annotations

from typing import Any

from edge.panel.report import LAST_MS, MAX_NAME


def table(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one."""
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
    """Return a number from 0 that a calendar can hold, or None."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= LAST_MS else None
