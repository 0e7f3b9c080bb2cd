# SPDX-License-Identifier: Apache-2.0
"""How this tablet shows its pages: size of the text, first language, sound.

The law of the module: it changes a cookie of this tablet and nothing at the box, so it
is for anybody who stands before it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.ground import go, told
from edge.panel.look import LOOK, SIZES, Look, keep_look
from edge.panel.words import LANGUAGES

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground


def add_display(app: FastAPI, ground: Ground) -> None:
    """Add the page of this tablet's look."""

    @app.get("/display")
    async def read_display(
        request: Request, told: str = "", sound: str = ""
    ) -> HTMLResponse:
        return ground.draw(
            "display.html",
            request.state.visitor,
            told,
            sizes=SIZES,
            languages=LANGUAGES,
            is_trying=sound == "try",
        )

    @app.post("/display")
    async def set_display(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        set: Annotated[str, Form(max_length=24)] = "",  # noqa: A002  the field's name
    ) -> RedirectResponse:
        ground.spend(request.state.visitor, token, "/display")
        look = _changed(LOOK.get(), set)
        if look is None:
            return go(told("/display", "again"))
        led = go(told("/display", "display.kept"))
        keep_look(led, look, is_secure=ground.address.is_secure)
        return led


def _changed(look: Look, wish: str) -> Look | None:
    """Return the look with one thing changed; None for what there is not."""
    what, _, value = wish.partition("-")
    sizes = {str(size): size for size in SIZES}
    match what:
        case "size" if value in sizes:
            return replace(look, size=sizes[value])
        case "language" if value in LANGUAGES:
            return replace(look, language=value)
        case "sound" if value in ("on", "off"):
            return replace(look, has_sound=value == "on")
        case _:
            return None
