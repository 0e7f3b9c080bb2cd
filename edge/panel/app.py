# SPDX-License-Identifier: Apache-2.0
"""The panel's addresses: the duty page, its live stream, its one button.

The law of the module: GET changes nothing; the one POST needs a known door and an
unspent token, and always ends in a redirect, so that "reload" never presses again.
Nothing of a request is echoed: the outcome is one of five fixed words.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import (
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.exceptions import HTTPException

from edge.panel.duty import duty
from edge.panel.gateway_link import Opened
from edge.panel.pages import ASSETS, asset
from edge.panel.presses import Press, Presses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from edge.panel.hub import Hub
    from edge.panel.pages import Fragment, Pages
    from edge.panel.view import Duty
    from edge.panel.words import Words

#: Pages that may be open at once: a tablet, a few phones, and forgotten tabs.
MAX_STREAMS = 32
#: After a send so much news is gathered into the next; the first is never late.
GATHER_S = 0.1
#: A comment, sent when a beat brought no news: it finds out who has left.
KEEP_ALIVE = ":\n\n"
#: A page that lost its stream comes back after a second, not after a browser's three.
RETRY = "retry: 1000\n\n"
TOLD = frozenset({"opened", "ignored", "refused", "gone", "again"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Everything replaceable, drawn for one version of the hub."""

    version: int
    key: str
    fragments: dict[str, Fragment]


class Panel:
    """The pages' common ground."""

    def __init__(
        self,
        *,
        hub: Hub,
        pages: Pages,
        words: Words,
        open_door: Callable[[str], Awaitable[Opened]],
    ) -> None:
        self._hub = hub
        self._pages = pages
        self._words = words
        self._open_door = open_door
        self._presses = Presses()
        self._frame = _Frame(version=-1, key="", fragments={})

    def page(self, told: str) -> str:
        """Draw the duty page; ``told`` is a word of ``TOLD`` or anything else."""
        phrase = self._words.say(f"told.{told}") if told in TOLD else None
        token = self._presses.give()
        return self._pages.duty(
            self._duty(), token=token, told=self._pages.told(phrase)
        )

    async def press(self, token: str, door: str) -> str:
        """Open a door, or not; return the word of ``TOLD`` that says so."""
        report = self._hub.standing.report
        if report is None or not self._hub.standing.is_live:
            return "gone"
        if all(door != known.id for known in report.doors):
            return "again"
        match self._presses.press(token, door, self._hub.now()):
            case Press.REPEATED:
                return "ignored"
            case Press.STALE:
                return "again"
            case Press.FIRST:
                return await self._open(door)

    async def _open(self, door: str) -> str:
        opened = await self._open_door(door)
        if opened is Opened.DONE:
            return "opened"
        self._presses.forget(door)
        return opened.value

    @property
    def has_room(self) -> bool:
        """Say whether one more page may listen."""
        return self._hub.streams < MAX_STREAMS

    async def stream(self) -> AsyncIterator[str]:
        """Yield what changed, for as long as page and panel live."""
        self._hub.streams += 1
        try:
            sent: dict[str, str] = {}
            yield RETRY
            while not self._hub.is_closed:
                seen = self._hub.version
                yield "".join(self._changes(sent)) or KEEP_ALIVE
                await asyncio.sleep(GATHER_S)
                await self._hub.wait(seen)
        finally:
            self._hub.streams -= 1

    def _changes(self, sent: dict[str, str]) -> list[str]:
        """Return what ``sent`` lacks, and note it there."""
        frame = self._current()
        key = frame.key
        if sent.get("page") != key:
            sent.clear()
            sent["page"] = key
            events = [_event("page", key)]
        else:
            events = []
        has_news = "verdict" in sent
        for name, fragment in frame.fragments.items():
            if sent.get(name) != fragment.mark:
                sent[name] = fragment.mark
                events.append(_part(name, str(fragment.html), fragment.mark))
                if name == "verdict" and has_news:
                    events.append(_part("told", "", ""))
        return events

    def _current(self) -> _Frame:
        """Return what all open pages show, drawn once for them all."""
        if self._frame.version != self._hub.version:
            shown = self._duty()
            self._frame = _Frame(
                version=self._hub.version,
                key=self._pages.key(shown),
                fragments=self._pages.fragments(shown),
            )
        return self._frame

    def _duty(self) -> Duty:
        return duty(self._hub.standing, self._words, self._hub.now())


def _part(name: str, html: str, mark: str) -> str:
    return _event("part", json.dumps({"name": name, "html": html, "mark": mark}))


def _event(kind: str, data: str) -> str:
    """Write one server-sent event; ``data`` is a single line."""
    return f"event: {kind}\ndata: {data}\n\n"


def make_app(panel: Panel, pages: Pages) -> FastAPI:
    """Return the application; it has no documentation pages and no schema."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def read_duty(told: str = "") -> HTMLResponse:
        return HTMLResponse(panel.page(told))

    @app.post("/open")
    async def open_door(
        token: Annotated[str, Form(max_length=64)],
        door: Annotated[str, Form(max_length=256)],
    ) -> RedirectResponse:
        return RedirectResponse(f"/?told={await panel.press(token, door)}", 303)

    @app.get("/live")
    async def live() -> StreamingResponse:
        if not panel.has_room:
            raise HTTPException(503)
        return StreamingResponse(panel.stream(), media_type="text/event-stream")

    _serve_assets(app)
    _draw_errors(app, pages)
    return app


def _serve_assets(app: FastAPI) -> None:
    def serve(name: str, kind: str) -> None:
        body = asset(name)

        @app.get(f"/{name}")
        async def read_asset() -> Response:
            return Response(body, headers={"content-type": kind})

    for name, kind in ASSETS.items():
        serve(name, kind)


def _draw_errors(app: FastAPI, pages: Pages) -> None:
    """Answer every failure with a page of our own, never with what was typed."""

    def page(status: int) -> HTMLResponse:
        return HTMLResponse(pages.error(status), status)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return page(error.status_code)

    @app.exception_handler(RequestValidationError)
    async def misunderstood(_: Request, __: RequestValidationError) -> Response:
        return page(422)

    @app.exception_handler(Exception)
    async def failed(_: Request, __: Exception) -> Response:
        return page(500)
