# SPDX-License-Identifier: Apache-2.0
"""From a stranger's tablet to a turn, and out of it again.

The law of the module: a secret goes from the gateway into a cookie and nowhere else; a
code or a PIN that was typed stands in no answer. A card is the first way in, a PIN the
second; whoever waits for either still has the emergency page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException

from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.vouching import Pin, Short, Token  # noqa: TC001  FastAPI reads them

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

#: How often a page that waits for a card asks, and how long at most.
LOOK_S = 0.3
LOOKS = 100
#: The signs and the lengths of a code; anything else is none and is not shown again.
CODE_SIGNS = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
CODE_LENGTHS = (10, 16)


def add_entry(app: FastAPI, ground: Ground) -> None:
    """Add pairing, log-in and log-out."""
    _add_pairing(app, ground)
    _add_card(app, ground)
    _add_pin(app, ground)
    _add_end(app, ground)


def _add_pairing(app: FastAPI, ground: Ground) -> None:
    @app.get("/pair")
    async def read_pair(request: Request, t: str = "", told: str = "") -> HTMLResponse:
        is_code = len(t) in CODE_LENGTHS and set(t) <= CODE_SIGNS
        code = t if is_code else ""
        return ground.draw("pair.html", request.state.visitor, told, code=code)

    @app.post("/pair")
    async def pair(
        request: Request, token: Token, code: Short, name: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/pair")
        default = ground.words.say("pair.default").zh
        answer = await ground.ask("pair", visitor, code=code, name=name or default)
        match answer.get("state"):
            case "paired":
                led = go("/first" if answer.get("is_first") else "/?told=paired")
                ground.cookies.pair(led, str(answer["tablet"]))
                return led
            case "wrong":
                return go(told("/pair", "code"))
            case "unkept":
                return go(told("/pair", "unkept"))
            case _:
                return go(told("/pair", "name"))


def _add_card(app: FastAPI, ground: Ground) -> None:
    @app.get("/login")
    async def read_login(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("tiles", visitor)
        tiles = answer.get("tiles", [])
        return ground.draw("login.html", visitor, told, tiles=tiles)

    @app.post("/login/card")
    async def await_card(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/login")
        answer = await ground.ask("login-begin", visitor)
        state = str(answer.get("state"))
        return go("/login/card" if state == "waiting" else told("/login", state))

    @app.get("/login/card")
    async def read_card(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("login-card", visitor, is_look=True)
        is_over = answer.get("state") == "over"
        return ground.draw("card.html", visitor, told, is_over=is_over)

    @app.get("/login/card/live")
    async def watch_card(request: Request) -> StreamingResponse:
        if not ground.has_room:
            raise HTTPException(503)
        stream = _until_card(ground, request.state.visitor)
        return StreamingResponse(stream, media_type="text/event-stream")

    @app.post("/login/card/take")
    async def take_card(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/login/card")
        answer = await ground.ask("login-card", visitor)
        match answer.get("state"):
            case "in":
                return ground.begun(answer, "/")
            case "waiting":
                return go("/login/card")
            case "retired":
                return go(told("/login", "closed"))
            case _:
                return go(told("/login", "over"))


async def _until_card(ground: Ground, visitor: Visitor) -> AsyncIterator[str]:
    """Tell a waiting page once that there is something to be fetched."""
    ground.hub.streams += 1
    try:
        yield "retry: 1000\n\n"
        for _ in range(LOOKS):
            answer = await ground.link.ask("login-card", visitor.keys, is_look=True)
            if answer and answer.get("state") != "waiting":
                yield f"event: page\ndata: {answer.get('state')}\n\n"
                return
            yield ":\n\n"
            if not await ground.nap(LOOK_S):
                return
    finally:
        ground.hub.streams -= 1


def _add_pin(app: FastAPI, ground: Ground) -> None:
    @app.get("/login/pin/{account}")
    async def read_pin(
        request: Request, account: str, told: str = "", n: int = 0
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("tiles", visitor)
        mine = [tile for tile in answer.get("tiles", []) if tile["id"] == account]
        if not mine:
            raise HTTPException(404)
        return ground.draw("pin.html", visitor, told, n, tile=mine[0])

    @app.post("/login/pin")
    async def log_in(
        request: Request, token: Token, account: Short, pin: Pin
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/login")
        answer = await ground.ask(
            "login-pin", visitor, within_s=PIN_S, account=account, pin=pin
        )
        state = str(answer.get("state"))
        if state == "in":
            return ground.begun(answer, "/")
        if state == "waits" and answer.get("held") == "all":
            state = "rest"
        number = answer.get("left") or answer.get("minutes") or 0
        # Only what the gateway knows is written into an address: a name may be typed.
        tiles = (await ground.ask("tiles", visitor)).get("tiles", [])
        is_known = any(tile["id"] == account for tile in tiles)
        back = f"/login/pin/{account}" if is_known else "/login"
        return go(told(back, state, int(number)))


def _add_end(app: FastAPI, ground: Ground) -> None:
    @app.get("/more")
    async def read_more(request: Request, told: str = "") -> HTMLResponse:
        return ground.draw("more.html", request.state.visitor, told)

    @app.post("/logout")
    async def log_out(
        request: Request, token: Token, ends: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/more")
        answer = await ground.ask("logout", visitor, ends_shift=ends == "shift")
        led = go("/thanks" if answer.get("thanks") is True else "/?told=out")
        ground.cookies.end(led)
        return led

    @app.post("/handover")
    async def hand_over(
        request: Request, token: Token, leaves: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        answer = await ground.ask("handover", visitor, leaves=leaves == "yes")
        led = go(told("/", "out" if answer.get("state") == "out" else "stays"))
        if answer.get("thanks") is True:
            led = go("/thanks")
        if answer.get("state") == "out":
            ground.cookies.end(led)
        return led
