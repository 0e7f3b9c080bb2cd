# SPDX-License-Identifier: Apache-2.0
"""Putting a parcel or a group purchase in for somebody: for whom, how big, how long.

The law of the module: nobody types a name. A receiver is a tile with the time and the
last four characters of a booking, or is found by these; the gateway alone knows who
that is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.cell_view import receivers
from edge.panel.cupboard_report import MAX_MARK, read_receivers
from edge.panel.fields import count
from edge.panel.ground import go, told
from edge.panel.locker_pages import settled
from edge.panel.report import DEFAULT_OFFSET_HOURS

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.locker_pages import Cells
    from edge.panel.visitor import Visitor

#: What the gateway gives for a receiver; whatever else stands there is nobody's.
_MARK = re.compile(r"r[0-9a-f]{18}")
#: Days that a parcel may wait, as the page offers them.
DAYS = (1, 3, 7)
SIZES = ("S", "M", "L")
MAX_TYPED = 64

Short = Annotated[str, Form(max_length=MAX_MARK)]


def add_parcels(app: FastAPI, ground: Ground, cells: Cells) -> None:
    """Add the two pages and the act."""

    @app.get("/lockers/parcel")
    async def read_receivers_page(
        request: Request, typed: str = "", told: str = ""
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("receivers", visitor, typed=typed[:MAX_TYPED])
        report = ground.hub.standing.report
        found = receivers(
            read_receivers(answer),
            ground.words,
            spaces=report.spaces if report else {},
            offset_hours=report.offset_hours if report else DEFAULT_OFFSET_HOURS,
        )
        return ground.draw(
            "parcel.html",
            visitor,
            told,
            found=found,
            has_more=answer.get("has_more") is True,
            is_search=bool(typed),
        )

    @app.get("/lockers/parcel/{mark}")
    async def choose(request: Request, mark: str, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        if not _MARK.fullmatch(mark):
            raise HTTPException(404)
        everything = await cells.look(visitor)
        every = zip(everything, cells.shown(everything), strict=True)
        names = {bank_id: bank.name for bank_id, bank in every if bank.cells}
        return ground.draw(
            "parcel_size.html", visitor, told, mark=mark, banks=names, days=DAYS
        )

    @app.post("/lockers/parcel")
    async def put_in(
        request: Request,
        *,
        token: Short,
        mark: Short = "",
        bank: Short = "",
        size: Short = "",
        days: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/lockers/parcel")
        is_fit = size in SIZES and days in map(str, DAYS)
        if not is_fit or not _MARK.fullmatch(mark):
            return go(told("/lockers/parcel", "again"))
        fields = {"mark": mark, "bank": bank, "size": size}
        answer = await ground.ask("parcel-for", visitor, **fields, days=int(days))
        number = count(answer.get("number"))
        match answer.get("state"):
            case "done" if number and bank in await cells.look(visitor):
                cell = f"{bank}-{number}"
                word = await settled(ground, cells, visitor, cell)
                word = "put" if word == "opened" else word
                return go(told(f"/lockers/{cell}", f"lockers.{word}"))
            case "full":
                return go(told(f"/lockers/parcel/{mark}", "lockers.no_room"))
            case "again":
                return go(told("/lockers/parcel", "again"))
            case _:
                return go(told("/lockers", "lockers.refused"))
