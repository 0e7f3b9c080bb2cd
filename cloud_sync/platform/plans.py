# SPDX-License-Identifier: Apache-2.0
"""The plan of volunteers' shifts, and the feed rows of it.

The law of the module: a version is added and never changed, and the highest number of
a planned shift holds; one that was called off leaves the feed. What is over stays in
the feed for as long as a gateway prints hours sheets of it. It reads; who plans writes
in ``planning.py``.
Source: docs/sync-contract.md, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud_sync.platform.shift import ERASED
from edge.core.chain import canonical
from edge.core.people.shift_row import MAX_PLANNED, PLANNED
from edge.core.plan import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work
    from cloud_sync.platform.feeds import Key

KIND = "shift"
#: As long as a gateway remembers shifts.
IN_FEED_MS = 100 * DAY_MS
_NEWEST = """
SELECT p.gateway, p.plan, p.number, p.holder, p.space, p.begins, p.minutes, p.task,
    p.is_off, p.by_whom, p.reason, p.at_ms
FROM duty_plan AS p
WHERE (?1 = '' OR p.gateway = ?1) AND p.number = (
    SELECT max(q.number) FROM duty_plan AS q
    WHERE q.gateway = p.gateway AND q.plan = p.plan)
ORDER BY p.begins, p.gateway, p.plan
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One planned shift as it stands; ``number`` counts its versions from 1."""

    gateway: str
    name: str
    number: int
    holder: str
    space: str
    from_ms: int
    minutes: int
    task: str
    is_off: bool
    by: str
    reason: str
    at_ms: int

    @property
    def to_ms(self) -> int:
        """When it is over."""
        return self.from_ms + self.minutes * MINUTE_MS


async def newest(work: Work, gateway: str = "") -> dict[tuple[str, str], Plan]:
    """Return all planned shifts by gateway and name, the earliest first; '': all."""
    return {
        (row[0], row[1]): Plan(
            gateway=row[0],
            name=row[1],
            number=row[2],
            holder=row[3],
            space=row[4],
            from_ms=row[5],
            minutes=row[6],
            task=row[7],
            is_off=bool(row[8]),
            by=row[9],
            reason=row[10],
            at_ms=row[11],
        )
        for row in await work.fetch(_NEWEST, gateway)
    }


async def feed_rows(work: Work, gateway: str, now_ms: int) -> dict[Key, str]:
    """Return the rows of the plan that belong into a gateway's feed now."""
    known = await newest(work, gateway)
    told = [
        each
        for each in known.values()
        if not each.is_off
        and each.holder != ERASED
        and each.to_ms > now_ms - IN_FEED_MS
    ]
    return {(KIND, each.name): canonical(_body(each)) for each in told[-MAX_PLANNED:]}


def _body(plan: Plan) -> dict[str, int | str]:
    body: dict[str, int | str] = {
        "holder": plan.holder,
        "boot": PLANNED,
        "began": 0,
        "from": plan.from_ms,
        "minutes": plan.minutes,
        "space": plan.space,
        "by": plan.by,
        "at": plan.at_ms,
        "number": plan.number,
    }
    said = {"task": plan.task, "reason": plan.reason}
    return body | {name: text for name, text in said.items() if text}
