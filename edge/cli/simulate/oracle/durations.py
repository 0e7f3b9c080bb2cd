# SPDX-License-Identifier: Apache-2.0
"""How long something lasted by the true time, and how well a box could know it.

The law of the module: whole minutes begun are not counted; within one boot the
crystal is off by 100 ppm at most, over a restart each end by its interval's width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.cli.simulate.oracle.chronicle import Told
    from edge.core.plan import SitePlan

_MINUTE_MS = 60_000
_DAY_MS = 86_400_000
#: A thing is told when it is noticed: a tick may come this much later.
NOTICED_MS = 2_000
#: A hundred millionths each way, and once more for what the true clock is held to.
DRIFT_PPM = 200


def unsure_ms(began: Told, ended: Told) -> int:
    """Return by how much the box may be mistaken about the time between."""
    lasted_ms = max(0, ended.true_ms - began.true_ms)
    blur_ms = NOTICED_MS + lasted_ms * DRIFT_PPM // 1_000_000
    first, last = began.event.moment, ended.event.moment
    blur_ms += last.latest_ms - last.earliest_ms if ended.event.fact("why") else 0
    if first.boot != last.boot:
        blur_ms += first.latest_ms - first.earliest_ms
        blur_ms += last.latest_ms - last.earliest_ms
    return blur_ms


def fits(
    minutes: int | str | None, lasted_ms: int, blur_ms: int, most_min: int | None = None
) -> bool:
    """Say whether so many whole minutes may have been counted."""
    if not isinstance(minutes, int):
        return False
    least = max(0, lasted_ms - blur_ms) // _MINUTE_MS
    most = max(0, lasted_ms + blur_ms) // _MINUTE_MS
    if most_min is not None:
        least, most = min(least, most_min), min(most, most_min)
    return least <= minutes <= most


def closing_after_ms(plan: SitePlan, utc_ms: int) -> int:
    """Return the first closing time of the site behind an instant."""
    local_ms = utc_ms + plan.utc_offset_ms
    today_ms = local_ms - local_ms % _DAY_MS
    candidates = [
        today_ms + day * _DAY_MS + plan.closing_min * _MINUTE_MS for day in (-1, 0, 1)
    ]
    return min(each for each in candidates if each > local_ms) - plan.utc_offset_ms
