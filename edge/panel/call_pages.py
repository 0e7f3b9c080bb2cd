# SPDX-License-Identifier: Apache-2.0
"""Somebody rings at a door, or waits there for a volunteer's word: answered here.

The law of the module: two taps, so that a bar which appears under a finger opens
nothing. Who answers first answers for all tablets; whoever is later is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.ground import go, told
from edge.panel.letin_pages import opened

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Token = Annotated[str, Form(max_length=64)]
Place = Annotated[str, Form(max_length=256)]
#: Why the door was opened, in the journal's words.
REASON = "DOORBELL"


def add_calls(app: FastAPI, ground: Ground) -> None:
    """Add the pages of the bell and of a checkpoint's confirmations."""
    _add_bell(app, ground)
    _add_confirming(app, ground)


def _add_bell(app: FastAPI, ground: Ground) -> None:
    @app.get("/call", response_model=None)
    async def read_call(
        request: Request, door: str = ""
    ) -> HTMLResponse | RedirectResponse:
        report = ground.hub.standing.report
        calls = dict(report.board.calls) if report is not None else {}
        if report is None or door not in calls:
            return go(told("/", "bell.over"))
        name = report.place_name(door)
        return ground.draw(
            "call.html", request.state.visitor, door=door, where=name, at=""
        )

    @app.post("/call")
    async def answer_call(
        request: Request,
        token: Token,
        door: Place,
        what: Annotated[str, Form(max_length=8)] = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        answer = await ground.ask("answer", visitor, door=door)
        if not answer.get("ok"):
            return go(told("/", "bell.over"))
        if what != "open":
            return go(told("/", "bell.heard"))
        return await opened(
            ground, visitor, "open", door, door=door, reason=REASON, count=1
        )


def _add_confirming(app: FastAPI, ground: Ground) -> None:
    @app.get("/confirm", response_model=None)
    async def read_confirm(
        request: Request, at: str = ""
    ) -> HTMLResponse | RedirectResponse:
        report = ground.hub.standing.report
        if report is None or at not in report.board.awaiting:
            return go(told("/", "bell.gone"))
        name = report.place_name(at)
        return ground.draw(
            "call.html", request.state.visitor, door="", where=name, at=at
        )

    @app.post("/confirm")
    async def confirm(request: Request, token: Token, at: Place) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        answer = await ground.ask("confirm", visitor, access_point=at)
        return go(told("/", "bell.let_in" if answer.get("ok") else "bell.gone"))
