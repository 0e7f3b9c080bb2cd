# SPDX-License-Identifier: Apache-2.0
"""The emergency page: for anybody at a paired tablet, logged in or not.

The law of the module: to open all escape doors is easy and takes no name, but no slip
of a sleeve: a button that is held, or a page that asks once more. To pause entry is
held longer and has a reason. What ends an emergency takes somebody's turn, and two
steps where people may still be in danger. The page judges nothing: the gateway does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel import danger
from edge.panel.emergency_report import STATES, Now, read_now, read_street
from edge.panel.ground import go, told
from edge.panel.live import Live, add_live

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

REASON = "somebody at the panel saw a fire"
#: What whoever ends one has said: asked twice, or by one press.
SAFE, AGAIN = "all are safe", "people are let in again"
#: Why entry is paused: ``shut.<word>``.
SHUT = ("disturbance", "outside", "police", "other")
HOME = "/emergency"
#: Whom to call, on one sheet of paper at the wall.
CARD_ROWS = 30
LOCK_DOWN, SHELTER = "/emergency/lockdown", "/emergency/shelter"

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=16)]


class Danger:
    """What the emergency page shows now, and to whom."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def now(self, visitor: Visitor) -> Now:
        """Return what stands; a gateway that is gone leads to the first page."""
        return read_now(await self._ground.ask("emergency-now", visitor))

    async def parts(self, visitor: Visitor) -> dict[str, Fragment]:
        """Return the parts of the page; none while the gateway is away."""
        told = await self._ground.link.ask("emergency-now", visitor.keys)
        return self.drawn(read_now(told), visitor) if told else {}

    def drawn(self, now: Now, visitor: Visitor) -> dict[str, Fragment]:
        """Draw the parts."""
        ground, words = self._ground, self._ground.words
        hours = offset_of(ground)
        standing = [
            (each, danger.since(each, words, hours), each.state in danger.ENDS_AT_ONCE)
            for each in now.standing
        ]
        acts = visitor.on_duty_page
        names = "、".join(
            name or words.say("danger.someone").zh for name in now.on_duty
        )
        doors = ground.duty().doors if now.standing or now.drill else ()
        part, here = ground.pages.part, "danger_parts.html"
        return {
            "emergency": part(here, "standing", standing, now.fire_bar, acts),
            "there": part(here, "there", now, names or None, doors),
            "ways": part(here, "ways", now, acts),
        }

    def key(self, visitor: Visitor) -> str:
        """Name what the parts cannot follow."""
        return self._ground.pages.key_of(visitor, self._ground.duty().site)


def offset_of(ground: Ground) -> int:
    """Return the site's hours from UTC."""
    report = ground.hub.standing.report
    return report.offset_hours if report is not None else 8


def add_emergency(app: FastAPI, ground: Ground) -> None:
    """Add the emergency page and its acts."""
    page = Danger(ground)
    add_live(app, ground, "/emergency/live", Live(parts=page.parts, key=page.key))
    _add_page(app, ground, page)
    _add_lock_down(app, ground)
    _add_shelter(app, ground, page)
    _add_end(app, ground, page)


def _add_page(app: FastAPI, ground: Ground, page: Danger) -> None:
    @app.get("/emergency")
    async def read_emergency(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        parts = await page.parts(visitor)
        key = page.key(visitor)
        return ground.draw("emergency.html", visitor, told, parts=parts, key=key)

    @app.get("/emergency/card")
    async def read_card(request: Request) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        street = read_street(await ground.ask("emergency-contacts", visitor))
        rows = [(grid, each) for grid, several in street.grids for each in several]
        shown = {"rows": rows[:CARD_ROWS], "offices": street.offices[:CARD_ROWS]}
        return ground.draw("emergency_card.html", visitor, "", 0, **shown)

    @app.get("/emergency/fire")
    async def confirm_fire(request: Request, told: str = "") -> HTMLResponse:
        return ground.draw("fire.html", request.state.visitor, told)

    @app.post("/emergency/fire")
    async def begin_fire(
        request: Request,
        token: Token,
        hold: Annotated[str, Form(max_length=8)] = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        if hold not in ("held", "sure"):
            return go("/emergency/fire")
        ground.spend(visitor, token, "/emergency/fire")
        answer = await ground.order("emergency", visitor, state="FIRE", reason=REASON)
        return go(told("/emergency", "fire" if answer.get("ok") else "refused"))


def _add_lock_down(app: FastAPI, ground: Ground) -> None:
    @app.get("/emergency/lockdown")
    async def read_lock_down(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return ground.draw("lock_down.html", visitor, told, reasons=SHUT, sure=False)

    @app.get("/emergency/lockdown/sure")
    async def confirm_lock_down(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return ground.draw("lock_down.html", visitor, told, reasons=SHUT, sure=True)

    @app.post("/emergency/lockdown")
    async def begin_lock_down(
        request: Request, token: Token, reason: Short = "", hold: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        sure = f"{LOCK_DOWN}/sure"
        if hold not in ("held", "sure"):
            return go(sure)
        ground.spend(visitor, token, sure)
        if reason not in SHUT:
            return go(sure)
        answer = await ground.order(
            "emergency", visitor, state="LOCK_DOWN", reason=reason
        )
        return go(told(HOME, "danger.locked" if answer.get("ok") else "danger.refused"))


def _add_shelter(app: FastAPI, ground: Ground, page: Danger) -> None:
    @app.get("/emergency/shelter")
    async def confirm_shelter(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        now = await page.now(visitor)
        report = ground.hub.standing.report
        names = report.spaces if report is not None else {}
        return ground.draw(
            "shelter.html", visitor, told, rooms=now.shelter, names=names
        )

    @app.post("/emergency/shelter")
    async def begin_shelter(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, SHELTER)
        if not danger.can_shelter(await page.now(visitor)):
            return go(told(HOME, "danger.not_here"))
        answer = await ground.order(
            "emergency", visitor, state="SHELTER", reason="typhoon"
        )
        return go(told(HOME, "danger.open" if answer.get("ok") else "danger.refused"))


def _add_end(app: FastAPI, ground: Ground, page: Danger) -> None:
    def draw(now: Now, visitor: Visitor, state: str, *, is_last: bool) -> HTMLResponse:
        if state not in STATES or not now.stands(state):
            raise HTTPException(404)
        bar = now.fire_bar if state == "FIRE" else ""
        return ground.draw("end.html", visitor, state=state, is_last=is_last, bar=bar)

    @app.get("/emergency/end/{state}")
    async def ask_end(request: Request, state: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return draw(await page.now(visitor), visitor, state, is_last=False)

    @app.get("/emergency/end/{state}/safe")
    async def confirm_end(request: Request, state: str) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return draw(await page.now(visitor), visitor, state, is_last=True)

    @app.post("/emergency/end")
    async def end(
        request: Request, token: Token, state: Short = "", answer: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, HOME)
        if state not in STATES:
            return go(told(HOME, "danger.refused"))
        is_asked = state not in danger.ENDS_AT_ONCE
        if is_asked and answer != "safe":
            return go(f"{HOME}/end/{state}")
        done = await ground.order(
            "end-emergency", visitor, state=state, reason=SAFE if is_asked else AGAIN
        )
        return go(told(HOME, "danger.ended" if done.get("ok") else "danger.still"))
