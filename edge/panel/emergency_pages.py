# SPDX-License-Identifier: Apache-2.0
"""The emergency page: for anybody at a paired tablet, logged in or not.

The law of the module: to open all escape doors is easy and takes no name, but no slip
of a sleeve: a button that is held, or a page that asks once more. Nothing here ends an
emergency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.ground import go, told

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

REASON = "somebody at the panel saw a fire"


def add_emergency(app: FastAPI, ground: Ground) -> None:
    """Add the emergency page and its one act."""

    @app.get("/emergency")
    async def read_emergency(request: Request, told: str = "") -> HTMLResponse:
        return ground.draw("emergency.html", request.state.visitor, told)

    @app.get("/emergency/fire")
    async def confirm_fire(request: Request) -> HTMLResponse:
        return ground.draw("fire.html", request.state.visitor)

    @app.post("/emergency/fire")
    async def begin_fire(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        hold: Annotated[str, Form(max_length=8)] = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        if hold not in ("held", "sure"):
            return go("/emergency/fire")
        ground.spend(visitor, token, "/emergency/fire")
        answer = await ground.ask("emergency", visitor, state="FIRE", reason=REASON)
        return go(told("/emergency", "fire" if answer.get("ok") else "refused"))
