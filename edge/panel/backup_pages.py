# SPDX-License-Identifier: Apache-2.0
"""Backups for the manager and the installer: made, looked into, fetched, restored.

The law of the module: what is inside is shown before anything is replaced, and a
restore is a page of its own whose first button goes back. A file is fetched in pieces
through the gateway, which alone reads its folder.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException

from edge.panel.backup_view import NAME, Backups, File, read_backups, read_inside
from edge.panel.fields import count, text
from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.live import Live, add_live
from edge.panel.visitor import Kind
from edge.panel.vouching import Pin, Short, Token, accounts_of, others, vouched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

Name = Annotated[str, Form(max_length=100)]


def add_backup(app: FastAPI, ground: Ground) -> None:
    """Add the pages of backups."""
    _add_list(app, ground)
    _add_one(app, ground)
    _add_fetching(app, ground)


def _add_list(app: FastAPI, ground: Ground) -> None:
    async def parts(visitor: Visitor) -> dict[str, Fragment]:
        known = await _known(ground, visitor)
        return {"backups": ground.pages.part("backup_parts.html", "backups", known)}

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor, "backup")

    @app.get("/backup")
    async def read_backup(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known, drawn = await _known(ground, visitor), await parts(visitor)
        return ground.draw(
            "backup.html",
            visitor,
            told,
            known=known,
            part=drawn["backups"],
            key=key(visitor),
        )

    add_live(app, ground, "/backup/live", Live(parts=parts, key=key))

    @app.post("/backup/make")
    async def make(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/backup")
        answer = await ground.ask("backup-make", visitor)
        word = answer.get("state") if answer.get("ok") else "refused"
        return go(told("/backup", f"backup.{'begun' if word == 'begun' else 'busy'}"))

    @app.post("/backup/cancel")
    async def cancel(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/backup")
        answer = await ground.ask("restore-cancel", visitor)
        word = "cancelled" if answer.get("ok") else "refused"
        return go(told("/backup", f"backup.{word}"))


def _add_one(app: FastAPI, ground: Ground) -> None:
    @app.get("/backup/{name}")
    async def read_one(request: Request, name: str, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        file = await _file(ground, visitor, name)
        answer = await ground.ask("backup-look", visitor, within_s=PIN_S, name=name)
        agree: list[dict[str, Any]] = []
        if visitor.kind is Kind.MANAGER:
            agree = others(await accounts_of(ground, visitor), visitor)
        return ground.draw(
            "backup_one.html",
            visitor,
            told,
            file=file,
            inside=read_inside(answer) if answer.get("ok") else None,
            others=agree,
        )

    @app.get("/backup/{name}/restore")
    async def confirm(request: Request, name: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        file = await _file(ground, visitor, name)
        answer = await ground.ask("backup-look", visitor, within_s=PIN_S, name=name)
        if not answer.get("ok"):
            raise HTTPException(404)
        inside = read_inside(answer)
        return ground.draw("backup_restore.html", visitor, file=file, inside=inside)

    @app.post("/backup/restore")
    async def restore(request: Request, token: Token, name: Name) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/backup")
        file = await _file(ground, visitor, name)
        answer = await ground.ask("restore-ask", visitor, name=file.name)
        word = "restoring" if answer.get("state") == "begun" else "busy"
        return go(told("/backup", f"backup.{word}"))


def _add_fetching(app: FastAPI, ground: Ground) -> None:
    @app.post("/backup/take")
    async def take(
        request: Request,
        *,
        token: Token,
        name: Name,
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/backup")
        file = await _file(ground, visitor, name)
        answer = await ground.ask(
            "backup-take",
            visitor,
            within_s=2 * PIN_S,
            name=file.name,
            **vouched(second, second_pin),
        )
        ticket = text(answer.get("ticket"))
        if not answer.get("ok") or not ticket.isalnum():
            return go(told(f"/backup/{file.name}", "second"))
        return go(f"/backup/file/{ticket}")

    @app.get("/backup/file/{ticket}")
    async def read_file(request: Request, ticket: str) -> StreamingResponse:
        visitor: Visitor = request.state.visitor
        first = await _piece(ground, visitor, ticket, 0)
        size, name = count(first.get("bytes")), text(first.get("name"), 100)
        if size is None or NAME.fullmatch(name) is None:
            raise HTTPException(404)
        headers = {
            "content-length": str(size),
            "content-disposition": f'attachment; filename="{name}"',
        }
        pieces = _pieces(ground, visitor, ticket, first)
        kind = "application/gzip"
        return StreamingResponse(pieces, headers=headers, media_type=kind)


async def _piece(
    ground: Ground, visitor: Visitor, ticket: str, offset: int
) -> dict[str, Any]:
    """Return a piece of a file; a page that says so if there is none."""
    if not ticket.isalnum():
        raise HTTPException(404)
    answer = await ground.link.ask(
        "backup-read", visitor.keys, within_s=PIN_S, ticket=ticket, offset=offset
    )
    if not answer.get("ok"):
        raise HTTPException(404)
    return answer


async def _pieces(
    ground: Ground, visitor: Visitor, ticket: str, answer: dict[str, Any]
) -> AsyncIterator[bytes]:
    """Yield a file's bytes; a connection that ends early is a file not fetched."""
    size, sent = count(answer.get("bytes")) or 0, 0
    while True:
        try:
            piece = base64.b64decode(str(answer.get("piece")), validate=True)
        except (binascii.Error, ValueError):
            return
        if not piece:
            return
        yield piece
        sent += len(piece)
        if sent >= size:
            return
        answer = await _piece(ground, visitor, ticket, sent)


async def _known(ground: Ground, visitor: Visitor) -> Backups:
    return read_backups(await ground.link.ask("backups", visitor.keys))


async def _file(ground: Ground, visitor: Visitor, name: str) -> File:
    """Return a backup that there is; a page that says so if not."""
    file = (await _known(ground, visitor)).named(name)
    if file is None:
        raise HTTPException(404)
    return file
