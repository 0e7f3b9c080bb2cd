# SPDX-License-Identifier: Apache-2.0
"""Posters for the doors, and the settings in force: pages to print and to read.

The law of the module: nothing here changes anything but a self-test, which moves
nothing; the site file is changed with an editor, where its faults have lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.fields import rows, text
from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.keeper_pages import qr
from edge.panel.poster_view import Poster, read_posters
from edge.panel.words import FIRST, Words

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Token = Annotated[str, Form(max_length=64)]
SECOND = "yue"
MAX_TEXT, MAX_FAULTS, MAX_PORTS = 60_000, 8, 64
#: Characters of the site file on one page.
PAGE = 5_000
MAX_LINE = 240


def add_posters(app: FastAPI, ground: Ground) -> None:
    """Add the pages of posters and of settings."""
    _add_posters(app, ground)
    _add_settings(app, ground)


def _add_posters(app: FastAPI, ground: Ground) -> None:
    @app.get("/posters")
    async def read_list(request: Request) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        posters = await _posters(ground, visitor)
        return ground.draw("posters.html", visitor, posters=posters)

    @app.get("/posters/{number}")
    async def read_poster(request: Request, number: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known = {str(each.number): each for each in await _posters(ground, visitor)}
        poster = known.get(number)
        if poster is None:
            raise HTTPException(404)
        # A sheet on a wall is the same, whatever the tablet speaks that printed it.
        spoken = Words(FIRST), Words(SECOND)
        return ground.draw(
            "poster.html",
            visitor,
            poster=poster,
            lines=poster.lines(*spoken, ground.pages.help_phone),
            qr=qr(poster.url) if poster.url else "",
        )


async def _posters(ground: Ground, visitor: Visitor) -> tuple[Poster, ...]:
    return read_posters(await ground.ask("posters", visitor))


def _add_settings(app: FastAPI, ground: Ground) -> None:
    @app.get("/settings")
    async def read_settings(
        request: Request, page: str = "1", told: str = ""
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        known = await ground.ask("settings", visitor, within_s=PIN_S)
        status = await ground.ask("status", visitor)
        parts = _cut(text(known.get("text"), MAX_TEXT))
        number = int(page) if re.fullmatch(r"[0-9]{1,2}", page) else 1
        number = max(1, min(number, len(parts)))
        return ground.draw(
            "settings.html",
            visitor,
            told,
            part=parts[number - 1],
            place=number,
            count=len(parts),
            faults=_faults(status.get("settings_faults")),
            ports=[_port(row) for row in rows(known.get("ports"), MAX_PORTS)],
            known={key: text(known.get(key)) for key in _VERSIONS},
        )

    @app.post("/settings/test")
    async def test(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/settings")
        answer = await ground.ask("self-test", visitor)
        word = "testing" if answer.get("ok") else "not_now"
        return go(told("/settings", f"settings.{word}"))


_VERSIONS = ("version", "revision", "python", "machine")


def _faults(value: Any) -> list[str]:
    found = value[:MAX_FAULTS] if isinstance(value, list) else []
    return [text(fault, MAX_LINE) for fault in found]


def _port(row: dict[str, Any]) -> dict[str, str]:
    return {key: text(row.get(key), 120) for key in ("kind", "port", "detail")}


def _cut(file: str) -> list[str]:
    """Cut a file where lines end, into pages that an old tablet takes."""
    parts, held = [], ""
    for line in file.splitlines():
        if held and len(held) + len(line) > PAGE:
            parts.append(held)
            held = ""
        held += f"{line}\n"
    return [*parts, held]
