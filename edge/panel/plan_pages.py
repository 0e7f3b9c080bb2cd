# SPDX-License-Identifier: Apache-2.0
"""班表: the week to come as it hangs on the wall, and today's line on the first page.

The law of the module: it reads, and what it shows may be seen by everybody who passes:
names are masked by the gateway. Where the plan cannot be read the first page does
without, and at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import HTMLResponse

from edge.panel.hours_pages import offset_of
from edge.panel.plan import WeekPlan, line, read_plan

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

#: A first page waits no longer; what nobody took up takes the journal's reading.
LINE_S, LOOK_S = 0.5, 10.0


def add_plan(app: FastAPI, ground: Ground) -> None:
    """Add the page of the week."""

    @app.get("/roster/plan")
    async def read(request: Request) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return ground.draw("plan.html", visitor, plan=await plan_of(ground, visitor))


async def plan_of(ground: Ground, visitor: Visitor) -> WeekPlan:
    """Return the plan as somebody may see it."""
    answer = await ground.ask("plan", visitor, within_s=LOOK_S)
    return read_plan(answer, ground.words, offset_of(ground))


async def today_of(ground: Ground, visitor: Visitor) -> str:
    """Return who is on duty today, on one line; "" if nobody is, or nobody knows."""
    answer = await ground.link.ask("plan", visitor.keys, within_s=LINE_S, is_line=True)
    return line(read_plan(answer, ground.words, offset_of(ground)).today)
