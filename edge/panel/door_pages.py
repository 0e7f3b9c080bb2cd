# SPDX-License-Identifier: Apache-2.0
"""A door's own mode, for the manager: locked, free, out of use.

The law of the module: chosen on one page and asked once more on the next. What an
emergency lays over a door stands above it and is not ended here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.ground import go, told

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

MODES = ("LOCKED", "UNLOCKED", "BLOCKED")
#: Why, in the journal's words; who it was stands beside it.
REASON = "the manager chose it at the panel"


def add_doors(app: FastAPI, ground: Ground) -> None:
    """Add a door's page."""

    @app.get("/door")
    async def read_door(
        request: Request, door: str = "", mode: str = ""
    ) -> HTMLResponse:
        row = next((row for row in ground.duty().doors if row.id == door), None)
        if row is None:
            raise HTTPException(404)
        mode = mode if mode in MODES else ""
        visitor: Visitor = request.state.visitor
        return ground.draw("door_mode.html", visitor, door=row, mode=mode, modes=MODES)

    @app.post("/door")
    async def set_mode(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        door: Annotated[str, Form(max_length=256)],
        mode: Annotated[str, Form(max_length=16)],
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        if mode not in MODES:
            return go(told("/", "again"))
        answer = await ground.ask("mode", visitor, door=door, mode=mode, reason=REASON)
        return go(told("/", f"doors.{mode}" if answer.get("ok") else "refused"))
