# SPDX-License-Identifier: Apache-2.0
"""A rehearsal: its clock, its stages, its sheet, and the sheets of those before.

The law of the module: times are the gateway's; the clock that the page shows only runs
on from its last word. A sheet stands at an address of its own, to be printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel import danger
from edge.panel.calendar import day_and_time
from edge.panel.emergency_pages import offset_of
from edge.panel.emergency_report import Now, read_drills, read_now
from edge.panel.ground import go, told
from edge.panel.live import Live, add_live

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

DRILL, DRILLS = "/drill", "/drills"
KINDS = ("fire", "typhoon", "flood", "power_cut", "illness", "combined")
#: What is to be mended after one: ``mend.<word>``.
MEND = ("bell", "door", "way", "light", "people", "calls", "other")

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=32)]


def add_drills(app: FastAPI, ground: Ground) -> None:
    """Add the drill, its sheets, and their list."""
    _add_drill(app, ground)
    _add_acts(app, ground)
    _add_sheets(app, ground)


def _parts(ground: Ground, now: Now) -> dict[str, Fragment]:
    if now.drill is None:
        return {}
    part, here = ground.pages.part, "danger_parts.html"
    hours, rest = divmod(now.drill.seconds, 3600)
    shown = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return {
        "clock": part(here, "clock", now.drill.seconds, shown),
        "stages": part(here, "stages", now.drill, danger.clock),
    }


def _add_drill(app: FastAPI, ground: Ground) -> None:
    running: dict[str, int] = {}

    async def parts(visitor: Visitor) -> dict[str, Fragment]:
        answer = await ground.link.ask("emergency-now", visitor.keys)
        if not answer:
            return {}
        now = read_now(answer)
        running["seq"] = now.drill.seq if now.drill else 0
        return _parts(ground, now)

    def key(visitor: Visitor) -> str:
        seq = running.get("seq", 0)
        return ground.pages.key_of(visitor, ground.duty().site, str(seq))

    add_live(app, ground, f"{DRILL}/live", Live(parts=parts, key=key))

    @app.get(DRILL)
    async def read_drill(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        now = read_now(await ground.ask("emergency-now", visitor))
        running["seq"] = now.drill.seq if now.drill else 0
        names = (await ground.ask("tiles", visitor)).get("tiles", [])
        return ground.draw(
            "drill.html",
            visitor,
            told,
            drill=now.drill,
            kinds=KINDS,
            mend=MEND,
            names=names,
            parts=_parts(ground, now),
            key=key(visitor),
        )


def _add_acts(app: FastAPI, ground: Ground) -> None:
    @app.post(f"{DRILL}/begin")
    async def begin(
        request: Request, token: Token, kind: Short = "", doors: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, DRILL)
        if kind not in KINDS:
            return go(told(DRILL, "drill.refused"))
        with_doors = doors == "yes"
        if with_doors and kind not in ("fire", "combined"):
            return go(told(DRILL, "drill.no_doors"))
        answer = await ground.order("drill", visitor, drill=kind, with_doors=with_doors)
        return go(told(DRILL, "drill.began" if answer.get("ok") else "drill.refused"))

    @app.post(f"{DRILL}/mark")
    async def mark(
        request: Request, token: Token, stage: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, DRILL)
        answer = await ground.ask("drill-mark", visitor, stage=stage)
        return go(
            told(DRILL, "drill.marked" if answer.get("ok") else "danger.unmarked")
        )

    @app.post(f"{DRILL}/end")
    async def end(
        request: Request, token: Token, mend: Short = "", owner: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, DRILL)
        running = read_now(await ground.ask("emergency-now", visitor)).drill
        fields: dict[str, Any] = {"action": mend} if mend in MEND else {}
        fields |= {"owner": owner} if fields and owner else {}
        answer = await ground.order("drill-end", visitor, **fields)
        if running is None or not answer.get("ok"):
            return go(told(DRILL, "drill.over"))
        return go(told(f"{DRILLS}/{running.seq}", "drill.ended"))


def _add_sheets(app: FastAPI, ground: Ground) -> None:
    @app.get(DRILLS)
    async def read_all(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        drills = read_drills(await ground.ask("drills", visitor))
        hours = offset_of(ground)
        rows = [
            (each, day_and_time(each.began_ms, hours) or "", danger.clock(each.seconds))
            for each in drills
        ]
        return ground.draw("drills.html", visitor, told, rows=rows)

    @app.get(f"{DRILLS}/{{number}}")
    async def read_sheet(request: Request, number: str, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        drills = read_drills(await ground.ask("drills", visitor))
        sheet = danger.sheet(drills, number, offset_of(ground))
        if sheet is None:
            raise HTTPException(404)
        return ground.draw("drill_sheet.html", visitor, told, sheet=sheet)
