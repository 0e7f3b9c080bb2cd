# SPDX-License-Identifier: Apache-2.0
"""A new box set up: its first manager, or everything restored from a backup.

The law of the module: for the tablet that the label's code paired, while no manager
can log in; whose that is the gateway says. A restore shows what is inside first, goes
back with its first button, and shows how far it is until the box is another's no more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.backup_view import FirstRestore, read_first
from edge.panel.gateway_link import PIN_S
from edge.panel.ground import ElsewhereError, go, told
from edge.panel.live import Live, add_live
from edge.panel.upload import pass_on
from edge.panel.vouching import Pin, Short, Token  # noqa: TC001  FastAPI reads them

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

HERE = "/first/restore"
#: A small board writes a piece between two doors that open.
PIECE_S = 10.0
Phrase = Annotated[str, Form(max_length=200)]


def add_first(app: FastAPI, ground: Ground) -> None:
    """Add the pages of a box that nobody looks after yet."""
    _add_manager(app, ground)
    _add_restore(app, ground)
    _add_acts(app, ground)


def _only_first(visitor: Visitor) -> None:
    """Have no such page for anybody but who sets this box up."""
    if visitor.has_manager or not visitor.is_first:
        raise HTTPException(404)


def _add_manager(app: FastAPI, ground: Ground) -> None:
    @app.get("/first")
    async def read_manager(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        _only_first(visitor)
        if visitor.is_empty:
            raise ElsewhereError(HERE)
        return ground.draw("first.html", visitor, told)

    @app.post("/first")
    async def make_manager(
        request: Request, token: Token, name: Short, pin: Pin, again: Pin
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/first")
        if pin != again:
            return go(told("/first", "differ"))
        answer = await ground.ask(
            "first-manager", visitor, within_s=PIN_S, name=name, pin=pin
        )
        state = str(answer.get("state"))
        if state == "in":
            return ground.begun(answer, "/people")
        if state == "done":
            return go("/")
        return go(told("/first", state))


def _add_restore(app: FastAPI, ground: Ground) -> None:
    steps: dict[str, str] = {}  # of the one tablet that sets this box up

    async def known_of(visitor: Visitor) -> FirstRestore:
        known = read_first(await ground.link.ask("first-restore", visitor.keys))
        steps["now"] = known.step
        return known

    async def parts(visitor: Visitor) -> dict[str, Fragment]:
        known = await known_of(visitor)
        return {"first": ground.pages.part("first_parts.html", "standing", known)}

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor, HERE, steps.get("now", ""))

    @app.get("/first/restore")
    async def read_restore(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known = await known_of(visitor)
        if known.step != "done" and not visitor.is_gone:
            _only_first(visitor)
        part = ground.pages.part("first_parts.html", "standing", known)
        return ground.draw(
            "first_restore.html",
            visitor,
            told,
            known=known,
            part=part,
            key=key(visitor),
        )

    add_live(app, ground, "/first/restore/live", Live(parts=parts, key=key))


def _add_acts(app: FastAPI, ground: Ground) -> None:
    @app.post("/first/restore/file")
    async def take_file(request: Request) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        if visitor.has_manager or not visitor.is_first:
            raise ElsewhereError("/")  # before a byte of it is read

        def spend(token: str) -> bool:
            try:
                ground.spend(visitor, token, HERE)
            except ElsewhereError:
                return False
            return True

        ask = partial(_ask, ground, visitor)
        word = await pass_on(request, spend, ask, "first-restore")
        return go(HERE if word == "taken" else told(HERE, f"first.{word}"))

    @app.post("/first/restore")
    async def restore(
        request: Request, token: Token, passphrase: Phrase = ""
    ) -> RedirectResponse:
        return await _press(ground, request, token, "go", passphrase=passphrase)

    @app.post("/first/restore/cancel")
    async def cancel(request: Request, token: Token) -> RedirectResponse:
        return await _press(ground, request, token, "cancel")


async def _ask(
    ground: Ground, visitor: Visitor, verb: str, **fields: object
) -> dict[str, object]:
    return await ground.link.ask(verb, visitor.keys, within_s=PIECE_S, **fields)


async def _press(
    ground: Ground, request: Request, token: str, act: str, **fields: str
) -> RedirectResponse:
    """Have the gateway begin it, or let it be."""
    visitor: Visitor = request.state.visitor
    ground.spend(visitor, token, HERE)
    answer = await ground.ask(f"first-restore-{act}", visitor, **fields)
    is_done = answer.get("state") in ("begun", "done")
    return go(HERE if is_done else told(HERE, "first.busy"))
