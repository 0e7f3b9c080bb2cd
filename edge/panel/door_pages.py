# SPDX-License-Identifier: Apache-2.0
"""A door's own mode, for the manager: locked, free, out of use.

The law of the module: chosen on one page and asked once more on the next. A door
stands free for a time that is chosen with it, never for ever: the gateway ends it. What
an emergency lays over a door stands above it and is not ended here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.calendar import MINUTE_MS, time_until
from edge.panel.ground import go, told

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

MODES = ("LOCKED", "UNLOCKED", "BLOCKED")
#: For how long a door may stand free, in minutes; 0: until the site closes.
SPANS = MappingProxyType({"half": 30, "hour": 60, "hours": 120, "closing": 0})
#: Why, in the journal's words; who it was stands beside it.
REASON = "the manager chose it at the panel"

Short = Annotated[str, Form(max_length=16)]


def add_doors(app: FastAPI, ground: Ground) -> None:
    """Add a door's page."""

    @app.get("/door")
    async def read_door(
        request: Request, door: str = "", mode: str = ""
    ) -> HTMLResponse:
        row = next((row for row in ground.duty().doors if row.id == door), None)
        if row is None:
            raise HTTPException(404)
        visitor: Visitor = request.state.visitor
        return ground.draw(
            "door_mode.html",
            visitor,
            door=row,
            mode=mode if mode in MODES else "",
            modes=MODES,
            spans=_spans(ground),
        )

    @app.post("/door")
    async def set_mode(
        request: Request,
        token: Annotated[str, Form(max_length=64)],
        door: Annotated[str, Form(max_length=256)],
        mode: Short,
        span: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/")
        is_free = mode == "UNLOCKED"
        if mode not in MODES or (is_free and span not in SPANS):
            return go(told("/", "again"))
        until_ms = _until_ms(ground, span) if is_free else 0
        if until_ms is None:
            return go(told("/", "door_until.no_clock"))
        fields = {"door": door, "mode": mode, "reason": REASON, "until_ms": until_ms}
        answer = await ground.order("mode", visitor, **fields)
        done = "door_until.free" if is_free else f"doors.{mode}"
        return go(told("/", done if answer.get("ok") else "refused"))


def _spans(ground: Ground) -> tuple[tuple[str, str | None], ...]:
    """Return how long a door may stand free, and when the site closes."""
    report, now_ms = ground.hub.standing.report, _now_ms(ground)
    if report is None or now_ms is None:
        return ()
    known = [(span, None) for span in SPANS if SPANS[span]]
    if report.closing_ms is None:
        return tuple(known)
    time = time_until(report.closing_ms, now_ms, report.offset_hours)
    return (*known, ("closing", time))


def _until_ms(ground: Ground, span: str) -> int | None:
    """Return when a span that begins now is over; None where nobody knows."""
    report, now_ms = ground.hub.standing.report, _now_ms(ground)
    if report is None or now_ms is None:
        return None
    minutes = SPANS[span]
    return now_ms + minutes * MINUTE_MS if minutes else report.closing_ms


def _now_ms(ground: Ground) -> int | None:
    """Return the gateway's own time; None while it is not sure of it."""
    standing = ground.hub.standing
    if standing.report is None or not standing.report.is_clock_known:
        return None
    return standing.clock_ms(ground.hub.now())
