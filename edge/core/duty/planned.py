# SPDX-License-Identifier: Apache-2.0
"""The platform's plan of shifts, and which of it somebody takes up who begins one.

The law of the module: a plan lets nobody in, keeps nobody out and judges nobody; the
event of a beginning names the planned shift it belongs to, and nothing else of it:
what somebody is to do is words of people, and stays out of the journal. Where the
clock is not sure of it there is no tie.
Source: docs/sync-contract.md section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.plan import MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.core.event import Facts
    from edge.core.moment import Moment
    from edge.core.people.shift_row import PlannedShift

#: The fact that names a row of the plan.
PLAN = "plan"
#: Who comes earlier than this before his shift comes for something else.
EARLY_MS = 60 * MINUTE_MS


class Planned:
    """What is planned; swapped whole by :meth:`adopt`."""

    def __init__(self) -> None:
        self._rows: tuple[PlannedShift, ...] = ()

    def adopt(self, rows: Iterable[PlannedShift]) -> None:
        """Take over what a feed says, the earliest first."""
        self._rows = tuple(rows)

    def facts(self, holder: str, now: Moment) -> Facts:
        """Return the fact that names what a holder who begins now was planned for."""
        for row in self._rows:
            is_now = (
                row.from_ms - EARLY_MS <= now.earliest_ms and now.latest_ms < row.to_ms
            )
            if is_now and row.holder_id == holder:
                return ((PLAN, row.row_id),)
        return ()
