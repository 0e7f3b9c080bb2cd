# SPDX-License-Identifier: Apache-2.0
"""What keeps an open page fresh: its parts, sent when they change.

The law of the module: a page that missed some news heals with the next send, since all
that differs is sent. Whose turn it is, is asked again while the page is open; what the
parts cannot follow (another person, another panel) has the page load anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

#: After a send so much news is gathered into the next; the first is never late, and
#: what comes just behind it is still at the tablet within a tenth of a second.
GATHER_S = 0.05
#: Whose turn it is, a page asks at most so often.
LOOK_EVERY_S = 1.0
#: A comment, sent when a beat brought no news: it finds out who has left.
KEEP_ALIVE = ":\n\n"
#: A page that lost its stream comes back after a second, not after a browser's three.
RETRY = "retry: 1000\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A page that stays fresh: its ``parts`` by the id of their place, and its ``key``.

    Both are asked at every news of the gateway, and each ten seconds; ``parts`` may ask
    the gateway itself.
    """

    parts: Callable[[Visitor], Awaitable[dict[str, Fragment]]]
    key: Callable[[Visitor], str]


def add_live(
    app: FastAPI, ground: Ground, path: str, page: Live | Callable[[Request], Live]
) -> None:
    """Serve the stream of a page at ``path``; its body names it as ``data-live``.

    Where a path stands for many pages, ``page`` returns the one that is asked for.
    """

    @app.get(path)
    async def live(request: Request) -> StreamingResponse:
        if not ground.has_room:
            raise HTTPException(503)
        shown = page if isinstance(page, Live) else page(request)
        stream = _stream(ground, shown, request.state.visitor)
        return StreamingResponse(stream, media_type="text/event-stream")


async def _stream(ground: Ground, page: Live, visitor: Visitor) -> AsyncIterator[str]:
    """Yield what changed, for as long as page, panel and pairing last."""
    hub = ground.hub
    hub.streams += 1
    try:
        sent: dict[str, str] = {}
        look_s, is_owed = hub.now() + LOOK_EVERY_S, False
        yield RETRY
        while not hub.is_closed:
            seen = hub.version
            bell = {"bell": ground.bell(visitor)}
            yield "".join(await _changes(page, sent, visitor, bell)) or KEEP_ALIVE
            await asyncio.sleep(GATHER_S)
            await _wait(ground, seen, look_s if is_owed else None)
            is_owed = hub.now() < look_s
            if not is_owed:
                look_s = hub.now() + LOOK_EVERY_S
                visitor = await _look(ground, visitor)
                if not visitor.is_paired and not visitor.is_gone:
                    return
    finally:
        hub.streams -= 1


async def _look(ground: Ground, visitor: Visitor) -> Visitor:
    """Return who looks at an open page by now."""
    is_live = ground.hub.standing.is_live
    return await ground.visitors.of(visitor.keys, is_quiet=True, is_live=is_live)


async def _wait(ground: Ground, seen: int, until_s: float | None) -> None:
    """Wait for news, and no longer than until ``until_s``."""
    patience_s = None if until_s is None else max(0.0, until_s - ground.hub.now())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            await ground.hub.wait(seen)


async def _changes(
    page: Live, sent: dict[str, str], visitor: Visitor, shared: dict[str, Fragment]
) -> list[str]:
    """Return what ``sent`` lacks, and note it there; ``shared``: every page has it."""
    key = page.key(visitor)
    events = []
    if sent.get("page") != key:
        sent.clear()
        sent["page"] = key
        events.append(_event("page", key))
    has_news = "verdict" in sent
    for name, fragment in (shared | await page.parts(visitor)).items():
        if sent.get(name) != fragment.mark:
            sent[name] = fragment.mark
            events.append(_part(name, str(fragment.html), fragment.mark))
            if name == "verdict" and has_news:
                events.append(_part("told", "", ""))
    return events


def _part(name: str, html: str, mark: str) -> str:
    return _event("part", json.dumps({"name": name, "html": html, "mark": mark}))


def _event(kind: str, data: str) -> str:
    """Write one server-sent event; ``data`` is a single line."""
    return f"event: {kind}\ndata: {data}\n\n"
