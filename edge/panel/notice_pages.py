# SPDX-License-Identifier: Apache-2.0
"""公告: what the platform wants read, and the site's own line at the door.

The law of the module: the platform's notices are shown and never changed; the own line
comes back from the gateway, which says whether it fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.calendar import day_and_time
from edge.panel.fields import text
from edge.panel.ground import go, told
from edge.panel.hours_pages import Short, Token, offset_of
from edge.panel.report import MAX_NOTICE
from edge.panel.shift_report import NoticeReport, read_notices

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

Line = Annotated[str, Form(max_length=4 * MAX_NOTICE)]
#: Notices on a page; the gateway tells those that hold or will.
MAX_SHOWN = 20
LEVELS = {
    "INFO": ("info", "card"),
    "WARNING": ("warn", "alert"),
    "URGENT": ("bad", "alert"),
}


def add_notices(app: FastAPI, ground: Ground) -> None:
    """Add the manager's page of notices."""

    @app.get("/notices")
    async def read(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer = await ground.ask("notices", visitor)
        notices = sorted(read_notices(answer.get("notices")), key=_urgency)
        offset = offset_of(ground)
        shown = [
            (
                each,
                *LEVELS.get(each.level, LEVELS["INFO"]),
                day_and_time(each.from_ms, offset) or "",
                day_and_time(each.to_ms, offset) or "",
            )
            for each in notices[:MAX_SHOWN]
        ]
        door = text(answer.get("door"), MAX_NOTICE)
        return ground.draw("notices.html", visitor, told, shown=shown, door=door)

    @app.post("/notices/door")
    async def write(
        request: Request, token: Token, text: Line = "", does: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/notices")
        line = "" if does == "remove" else text
        answer = await ground.ask("door-notice", visitor, text=line)
        state = answer.get("state")
        if state == "done":
            return go(told("/notices", "notices.set" if line else "notices.gone"))
        return go(told("/notices", "unkept" if state == "unkept" else "notices.form"))


def _urgency(notice: NoticeReport) -> tuple[int, int]:
    """Order by level, the gravest first, then by beginning."""
    levels = list(LEVELS)
    known = levels.index(notice.level) if notice.level in levels else 0
    return -known, notice.from_ms or 0
