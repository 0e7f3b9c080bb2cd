# SPDX-License-Identifier: Apache-2.0
"""The plan of shifts, for who is on duty: today, the next seven days, and what is open.

The law of the module: it reads. Names are masked, since the plan hangs on a wall; a
manager alone hears which planned shift nobody took up, and whose it was. What became
of the others is nobody's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.accounts.people import Role
from edge.cli.panel.shifts import ON_DUTY
from edge.cli.panel.week_plan import MAX_MS, placed, touching
from edge.core.plan import DAY_MS
from edge.core.schedule import local_day

if TYPE_CHECKING:
    from edge.cli.panel.desk import Desk
    from edge.control.server import Act
    from edge.core.people.shift_row import PlannedShift

#: Today and a week.
DAYS = 8
#: How far back a manager hears of what nobody took up.
DAYS_BACK = 7
#: Thirty planned shifts a day for eight days; the earliest are told.
MAX_TOLD = 240
MAX_OPEN = 50


class Plans:
    """The verb that reads the plan."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Act]:
        """Return the verb."""
        return {"plan": self._plan}

    async def _plan(self, request: dict[str, Any], is_own: bool) -> dict[str, Any]:  # noqa: FBT001
        """Return what is planned from today on, and to managers what is open.

        ``is_line``: without that, which takes the journal's reading.
        """
        desk = self._desk
        who = desk.acting(request, ON_DUTY, is_own=is_own)
        turn, now_ms = who.session, desk.now().earliest_ms
        today = local_day(now_ms, desk.utc_offset_ms)
        today_ms = today * DAY_MS - desk.utc_offset_ms
        plans = desk.controller.rolls.planned_shifts
        shown = touching(plans, today_ms, today_ms + DAYS * DAY_MS)
        own = turn.holder if turn else ""
        told = {
            "today_ms": today_ms,
            "days": DAYS,
            "shifts": [self._tell(each, own) for each in shown[:MAX_TOLD]],
        }
        is_manager = turn is None or turn.role is Role.MANAGER
        if is_manager and request.get("is_line") is not True:
            told["open"] = await self._open(plans, now_ms)
        return told

    async def _open(
        self, plans: tuple[PlannedShift, ...], now_ms: int
    ) -> list[dict[str, Any]]:
        """Return what nobody took up in these days, the newest first."""
        begun = touching(plans, now_ms - DAYS_BACK * DAY_MS, now_ms)
        if not begun:
            return []  # and no journal has to be read
        # A shift of before these days touches none of them, and the book has a hundred.
        since_ms = begun[0].from_ms - MAX_MS
        book = (await self._desk.shift_book.look()).all
        stories = [each for each in book if each.from_ms >= since_ms]
        found = [each for each in placed(begun, stories, now_ms) if each.is_open]
        return [
            self._tell(each.plan, "", is_named=True) | {"standing": each.standing.value}
            for each in found[: -MAX_OPEN - 1 : -1]
        ]

    def _tell(
        self, plan: PlannedShift, own: str, *, is_named: bool = False
    ) -> dict[str, Any]:
        rolls, book = self._desk.controller.rolls, self._desk.book
        account = book.of_holder(plan.holder_id)
        name = account.name if account is not None else ""
        spaces = rolls.roster.tables.spaces
        names = (row.name for row in spaces if row.space_id == plan.space_id)
        return {
            "name": name if is_named or not name else f"{name[0]}*",
            "mark": plan.holder_id[-4:],
            "is_own": bool(own) and plan.holder_id == own,
            "from_ms": plan.from_ms,
            "to_ms": plan.to_ms,
            "space": next(names, plan.space_id),
            "task": plan.task,
        }
