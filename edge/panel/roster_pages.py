# SPDX-License-Identifier: Apache-2.0
"""班表: who is there, who was, what waits for two persons, and the printed sheet.

The law of the module: a correction is a new record with its reason and two persons,
the second by a PIN of his own; what may be done is the gateway's to say. A sheet holds
start, end, content and recorder of every shift (Order 67 of the Ministry of Civil
Affairs, in force since 1 February 2021).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel import hours
from edge.panel.calendar import day_and_time, month_before
from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.hours_pages import LOOK_S, Minutes, Number, Seq, Short, Token, offset_of
from edge.panel.plan import MAX_OPEN
from edge.panel.plan_pages import plan_of
from edge.panel.shift_report import read_hours, read_roster, read_shift
from edge.panel.vouching import Pin, accounts_of, others

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Week = Annotated[int, Query(ge=0, le=13)]
#: The day of the week whose shifts have buttons, from 1; 0: none.
Day = Annotated[int, Query(ge=0, le=7)]
MONTH = "20[0-9]{2}-(0[1-9]|1[0-2])"
Month = Annotated[str, Query(pattern=f"^{MONTH}$")]
Holder = Annotated[str, Query(max_length=64)]
#: Shifts that wait, shown at once; the rest are counted.
MAX_WAITING = 3


def add_roster(app: FastAPI, ground: Ground) -> None:
    """Add the manager's pages of everybody's shifts."""
    _add_roster(app, ground)
    _add_correcting(app, ground)
    _add_sheet(app, ground)
    _add_duty(app, ground)


def _add_roster(app: FastAPI, ground: Ground) -> None:
    @app.get("/roster")
    async def read(
        request: Request, week: Week = 0, day: Day = 0, told: str = ""
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("roster", visitor, within_s=LOOK_S, week=week)
        known, words, offset = read_roster(answer), ground.words, offset_of(ground)
        there = [
            (each, hours.called(each.name, each.mark, words)) for each in known.on_duty
        ]
        since = {each.holder: day_and_time(each.since_ms, offset) for each, _ in there}
        people = [
            (each, hours.called(each.name, each.mark, words)) for each in known.people
        ]
        begun = (await plan_of(ground, visitor)).open
        waiting = [hours.row(e, words, offset) for e in known.waiting[:MAX_WAITING]]
        return ground.draw(
            "roster.html",
            visitor,
            told,
            there=there,
            since=since,
            people=people,
            waiting=waiting,
            over=len(known.waiting) - len(waiting),
            open=begun[:MAX_OPEN],
            open_over=len(begun) - MAX_OPEN,
            days=hours.week(known.monday_ms, known.shifts, words, offset),
            week=week,
            opened=day,
            months=_months(known.month),
        )


def _add_correcting(app: FastAPI, ground: Ground) -> None:
    @app.get("/roster/shift")
    async def read(request: Request, n: Number = 0, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("shift", visitor, within_s=LOOK_S, seq=n)
        shift = read_shift(answer.get("shift"))
        if shift is None or not shift.is_over:
            raise HTTPException(404)
        agree = others(await accounts_of(ground, visitor), visitor)
        return ground.draw(
            "roster_shift.html",
            visitor,
            told,
            row=hours.row(shift, ground.words, offset_of(ground)),
            choices=hours.choices(shift, ground.words),
            reasons=hours.REASONS,
            others=agree,
        )

    @app.post("/roster/correct")
    async def correct(
        request: Request,
        *,
        token: Token,
        n: Seq = 0,
        minutes: Minutes = 0,
        why: Short = "",
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        back = f"/roster/shift?n={n}"
        ground.spend(visitor, token, back)
        answer = await ground.ask(
            "duty-correct",
            visitor,
            within_s=2 * PIN_S,
            seq=n,
            minutes=minutes,
            reason=why if why in hours.REASONS else "other",
            second_account=second,
            second_pin=second_pin,
        )
        if answer.get("ok"):
            return go(told("/roster", "roster.corrected"))
        return go(told(back, "roster.not"))


def _add_sheet(app: FastAPI, ground: Ground) -> None:
    @app.get("/roster/sheet")
    async def read(
        request: Request, who: Holder = "", month: Month = "2000-01"
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask(
            "hours", visitor, within_s=LOOK_S, holder=who, month=month
        )
        known, words = read_hours(answer), ground.words
        if not known.months or not (known.name or known.mark):
            raise HTTPException(404)
        [of_month] = known.months[:1]
        return ground.draw(
            "sheet.html",
            visitor,
            person=hours.called(known.name, known.mark, words),
            month=of_month.month,
            rows=hours.sheet(of_month.shifts, words, offset_of(ground)),
            sum=hours.length(of_month.minutes, words),
            points=hours.tenths(of_month.minutes),
            confirmed=hours.length(of_month.confirmed, words),
        )


def _add_duty(app: FastAPI, ground: Ground) -> None:
    @app.post("/roster/duty")
    async def change(
        request: Request, token: Token, who: Short = "", does: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/roster")
        begins = does == "begin"
        answer = await ground.ask("duty", visitor, holder=who, is_start=begins)
        done = "roster.begun" if begins else "roster.ended"
        return go(told("/roster", done if answer.get("ok") else "roster.neither"))


def _months(this: str) -> list[str]:
    """Return the months of which there may be a sheet, the newest first."""
    months = [this] if re.fullmatch(MONTH, this) else []
    while months and len(months) < 3:
        months.append(month_before(months[-1]))
    return months
