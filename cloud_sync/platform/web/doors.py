# SPDX-License-Identifier: Apache-2.0
"""The address behind the code at a door: a page, and the wish to be let in.

The law of the module: one address, ``/door/SITE/DOOR``, as ``door_url`` of a site file
makes it; ``?c=`` is the code of the door's screen. What is asked stands in the body,
nothing of a request comes back, and whether he may enter the residents' own rules say.
It is a reference: the real platform has its log-in where this one has a pass.
Source: docs/platform.md, "A page behind the door's code".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from cloud_sync.platform.commanding import places
from cloud_sync.platform.commanding.letting_in import Asked, let_in
from cloud_sync.platform.commanding.passes import PassReader
from cloud_sync.platform.commanding.residents import Refusal
from cloud_sync.platform.web.door_words import (
    ASK,
    BUSY,
    HEADERS,
    PASS_REFUSED,
    UNKNOWN,
    page,
    words_of,
)
from cloud_sync.platform.web.tries import Tries

if TYPE_CHECKING:
    from cloud_sync.platform.web.app import Lent

_PATH = "/door/{site}/{door}"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
#: Who wait for their door at one time, in one process: each looks 20 times a second.
AT_ONCE = 64
Pass = Annotated[str, Form(alias="pass")]


def router(lent: Lent) -> APIRouter:
    """Return the routes: GET shows the page, POST asks."""
    routes, desk = APIRouter(), _Desk(lent)

    @routes.get(_PATH)
    async def show(site: str, door: str) -> Response:
        words = ASK if await desk.gateway_at(site, door) else UNKNOWN
        html = page(words, asks=words is ASK)
        return HTMLResponse(html, words.status, headers=HEADERS)

    @routes.post(_PATH)
    async def ask(
        request: Request, site: str, door: str, shown: Pass = "", c: str = ""
    ) -> Response:
        peer = request.client.host if request.client else ""
        name = await desk.ask(peer, (site, door), shown, c)
        words = words_of(name)
        if "application/json" in request.headers.get("accept", ""):
            told = {"name": name, "zh": words.zh, "en": words.en}
            return JSONResponse(told, words.status, headers=HEADERS)
        return HTMLResponse(page(words), words.status, headers=HEADERS)

    return routes


class _Desk:
    """Takes wishes, so many at a time and so often from each address."""

    def __init__(self, lent: Lent) -> None:
        web = lent.settings.web
        self._lent = lent
        self._passes = PassReader(lent.signer)
        self._tries = Tries(web.door_tries if web is not None else 0)
        self._waiting = 0

    async def gateway_at(self, site: str, door: str) -> str | None:
        """Return whose door that is; None for an address that leads nowhere."""
        if not _NAME.fullmatch(site) or not _NAME.fullmatch(door):
            return None
        async with self._lent.database.reading() as work:
            return await places.gateway_at(work, site, door)

    async def ask(
        self, peer: str, place: tuple[str, str], shown: str, code: str
    ) -> str:
        """Return the name of how it ended."""
        lent = self._lent
        if not self._tries.may(peer, lent.now_ms()):
            return Refusal.TOO_OFTEN
        gateway = await self.gateway_at(*place)
        if gateway is None:
            return Refusal.DOOR_UNKNOWN
        holder = self._passes.holder(shown, gateway, lent.now_ms())
        if holder is None:
            return PASS_REFUSED
        if self._waiting >= AT_ONCE:
            return BUSY
        asked = Asked(gateway=gateway, door=place[1], holder=holder, code=code)
        self._waiting += 1
        try:
            heartbeat_s = lent.settings.platform.heartbeat_s
            return await let_in(lent.database, asked, lent.now_ms, heartbeat_s)
        finally:
            self._waiting -= 1
