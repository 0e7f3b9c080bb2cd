# SPDX-License-Identifier: Apache-2.0
"""Times as people type them and read them, with their distance from UTC.

The law of the module: a time without its zone is refused, never guessed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ms_of(text: str) -> int:
    """Return ``2026-11-22T20:00+08:00`` or ``…Z`` as UTC ms; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text}: add the zone, such as {text}+08:00")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def said(utc_ms: int) -> str:
    """Return UTC ms as people read them."""
    moment = _EPOCH + timedelta(milliseconds=utc_ms)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
