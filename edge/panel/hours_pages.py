# SPDX-License-Identifier: Apache-2.0
"""我的班: one's own shifts and hours, when a forgotten one ended, and thanks.

The law of the module: it shows the hours of whose turn it is, and nobody else's; what
somebody says of them is a wish that two others answer, and changes no minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from edge.panel import hours
from edge.panel.ground import go, told
from edge.panel.plan import read_plan
from edge.panel.report import DEFAULT_OFFSET_HOURS
from edge.panel.shift_report import count_of, read_hours, read_shift

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=64)]
#: The number of a shift; of an earlier epoch's journal it is below 1.
Number = Annotated[int, Query(ge=-(1 << 52), le=1 << 52)]
Seq = Annotated[int, Form(ge=-(1 << 52), le=1 << 52)]
Minutes = Annotated[int, Form(ge=0, le=hours.MAX_MINUTES)]
#: Shifts on a page, so that an old tablet has it at once.
ON_A_PAGE = 15
#: The journal of some months is read at the first look.
LOOK_S = 10.0


def add_hours(app: FastAPI, ground: Ground) -> None:
    """Add the pages of one's own hours."""
    _add_reading(app, ground)
    _add_asking(app, ground)
    _add_thanks(app, ground)


def _add_reading(app: FastAPI, ground: Ground) -> None:
    @app.get("/hours")
    async def read_own(
        request: Request, told: str = "", page: Number = 0
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        words, offset = ground.words, offset_of(ground)
        mine = read_hours(await ground.ask("hours", visitor, within_s=LOOK_S))
        months = [
            {
                "name": each.month,
                "length": hours.length(each.minutes, words),
                "points": hours.tenths(each.minutes),
                "confirmed": hours.tenths(each.confirmed),
            }
            for each in mine.months
        ]
        shifts = [one for each in mine.months for one in each.shifts[::-1]]
        first = max(0, page) * ON_A_PAGE
        answer = await ground.ask("plan", visitor, is_line=True)
        return ground.draw(
            "hours.html",
            visitor,
            told,
            mine=mine,
            months=months,
            own=read_plan(answer, words, offset).own,
            stars=None if mine.ever is None else hours.stars(mine.ever, words),
            rows=[
                hours.row(each, words, offset)
                for each in shifts[first : first + ON_A_PAGE]
            ],
            older=page + 1 if len(shifts) > first + ON_A_PAGE else 0,
        )

    @app.get("/hours/end")
    async def read_forgotten(request: Request, told: str = "") -> Response:
        visitor: Visitor = request.state.visitor
        mine = read_hours(await ground.ask("hours", visitor, within_s=LOOK_S))
        if not mine.asks:
            return go("/")
        shift, words, offset = mine.asks[-1], ground.words, offset_of(ground)
        row = hours.row(shift, words, offset)
        tiles = hours.tiles(shift, words, offset)
        return ground.draw("hours_end.html", visitor, told, row=row, tiles=tiles)

    @app.get("/hours/wrong")
    async def read_wrong(request: Request, n: Number = 0) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("shift", visitor, within_s=LOOK_S, seq=n)
        shift = read_shift(answer.get("shift"))
        if shift is None or not shift.is_over:
            raise HTTPException(404)
        words, offset = ground.words, offset_of(ground)
        row = hours.row(shift, words, offset)
        tiles = hours.others(shift, words, offset)
        return ground.draw("hours_wrong.html", visitor, row=row, tiles=tiles)


def _add_asking(app: FastAPI, ground: Ground) -> None:
    @app.post("/hours/ask")
    async def ask(
        request: Request,
        token: Token,
        n: Seq = 0,
        minutes: Minutes = 0,
        why: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/hours")
        reason = why if why in hours.REASONS else "other"
        answer = await ground.ask(
            "duty-question", visitor, seq=n, minutes=minutes, reason=reason
        )
        done = "hours.asked" if answer.get("ok") else "hours.not"
        return go(told("/" if why == "forgot" and answer.get("ok") else "/hours", done))


def _add_thanks(app: FastAPI, ground: Ground) -> None:
    @app.get("/thanks")
    async def thank(request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("farewell", visitor, within_s=LOOK_S)
        if answer.get("state") != "thanks":
            return go("/")
        words = ground.words
        return ground.draw(
            "thanks.html",
            visitor,
            opened=count_of(answer, "opened"),
            today=hours.length(count_of(answer, "today"), words),
            month=hours.length(count_of(answer, "month"), words),
            points=hours.tenths(count_of(answer, "month")),
        )


def offset_of(ground: Ground) -> int:
    """Return the site's hours before UTC; those of its country where unknown."""
    report = ground.hub.standing.report
    return report.offset_hours if report is not None else DEFAULT_OFFSET_HOURS
