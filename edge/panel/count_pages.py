# SPDX-License-Identifier: Apache-2.0
"""Somebody counts the people in a room, and the box takes the count over.

The law of the module: the number is made by tiles and said on one button; nothing is
typed and nobody is named. The tiles are links, so that they change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.ground import ElsewhereError, go, told

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.board import RoomReport
    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

#: More than anybody counts by eye; the gateway would take twice as many.
MOST = 999
#: What a tile adds.
STEPS = (-10, -1, 1, 10)


def add_counts(app: FastAPI, ground: Ground) -> None:
    """Add the page of a room's count."""

    @app.get("/count")
    async def read_count(
        request: Request, space: str = "", persons: int | None = None
    ) -> HTMLResponse:
        room = _room(ground, space)
        report = ground.hub.standing.report
        if report is None or not ground.hub.standing.is_live:
            raise ElsewhereError("/?told=gone")
        if room is None:
            raise HTTPException(404)
        visitor: Visitor = request.state.visitor
        chosen = min(room.inside if persons is None else max(0, persons), MOST)
        return ground.draw(
            "count.html",
            visitor,
            space=room.space,
            where=report.spaces.get(room.space) or room.space,
            inside=room.inside,
            persons=chosen,
            tiles=[(step, min(max(0, chosen + step), MOST)) for step in STEPS],
            key=ground.pages.key_of(visitor),
        )

    @app.post("/count")
    async def count(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        space: Annotated[str, Form(max_length=64)],
        persons: Annotated[int, Form(ge=0, le=MOST)],
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        if _room(ground, space) is None:
            return go(told("/", "again"))
        answer = await ground.ask("count", visitor, space=space, persons=persons)
        return go(told("/", "count.set" if answer.get("ok") else "count.not"))


def _room(ground: Ground, space: str) -> RoomReport | None:
    """Return a room as it was told last; None where there is none."""
    report = ground.hub.standing.report
    rooms = report.board.rooms if report is not None else ()
    return next((room for room in rooms if room.space == space), None)
