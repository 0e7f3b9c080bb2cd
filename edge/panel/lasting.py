# SPDX-License-Identifier: Apache-2.0
"""How long something has lasted, in the words that people have for it.

The law of the module: pure. Less than a minute is not told; two days are told in days,
since nobody divides 4,320 minutes in his head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.panel.hours import length

if TYPE_CHECKING:
    from edge.panel.words import Phrase, Words

HOUR, DAY = 60, 24 * 60
#: Above so many hours minutes say nothing any more, above so many days hours do not.
_MINUTES_UNTIL, _HOURS_UNTIL = 3 * HOUR, 2 * DAY


def minutes_from(since_s: float | None, now_s: float) -> int | None:
    """Return whole minutes between monotonic seconds; None if not yet one."""
    if since_s is None or now_s - since_s < 60:
        return None
    return int((now_s - since_s) // 60)


def lasting(minutes: int | None, words: Words) -> Phrase | None:
    """Say how long; None for what is not known."""
    if minutes is None:
        return None
    if minutes >= _HOURS_UNTIL:
        return words.say("lasting.days", days=minutes // DAY)
    if minutes >= _MINUTES_UNTIL:
        minutes -= minutes % HOUR
    return length(minutes, words)
