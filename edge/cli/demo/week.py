# SPDX-License-Identifier: Apache-2.0
"""The demonstration's plan of shifts: somebody is on duty now, and a week follows.

The law of the module: pure; the volunteers of the cast take turns. Today goes by the
moment at which the demonstration begins, so that there is always somebody to come.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

from edge.core.people.shift_row import PLANNED
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edge.cli.demo.cast import Resident
    from edge.core.plan import SitePlan

HALF_HOUR_MS = 30 * MINUTE_MS
#: Minutes after local midnight, how long, and what is to be done.
DAY = ((510, 210, "前台"), (840, 240, "巡楼"), (1_110, 180, "共享厨房"))
#: The same for today, after the last full half hour.
NOW = ((0, 180, "前台"), (180, 180, "巡楼"))
DAYS = 8


def week(
    people: Mapping[str, Sequence[Resident]], site: SitePlan, now_ms: int
) -> list[dict[str, Any]]:
    """Return the rows of the plan; none where nobody is a volunteer."""
    known = [one for several in people.values() for one in several]
    staff = [one.holder for one in known if one.part.role == "VOLUNTEER"]
    space = next(iter(site.spaces), "")
    if not staff or not space:
        return []
    turns = zip(_begins(site.utc_offset_ms, now_ms), cycle(staff), strict=False)
    return [
        {
            "kind": "shift",
            "id": f"w{number}",
            "ver": 1,
            "body": {
                "holder": holder,
                "boot": PLANNED,
                "began": 0,
                "from": from_ms,
                "minutes": minutes,
                "space": space,
                "task": task,
                "by": "示范街道",
                "at": now_ms,
                "number": 1,
            },
        }
        for number, ((from_ms, minutes, task), holder) in enumerate(turns, 1)
    ]


def _begins(offset_ms: int, now_ms: int) -> Iterator[tuple[int, int, str]]:
    half_ms = now_ms // HALF_HOUR_MS * HALF_HOUR_MS
    for after, minutes, task in NOW:
        yield half_ms + after * MINUTE_MS, minutes, task
    midnight_ms = (now_ms + offset_ms) // DAY_MS * DAY_MS - offset_ms
    for number in range(1, DAYS):
        for begins, minutes, task in DAY:
            yield midnight_ms + number * DAY_MS + begins * MINUTE_MS, minutes, task
