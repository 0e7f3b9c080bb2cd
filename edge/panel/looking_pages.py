# SPDX-License-Identifier: Apache-2.0
"""Today in numbers, the log, and a day's log on paper.

The law of the module: it reads and changes nothing. A page goes on from a row's place,
so that nothing moves while events come; what is looked for is one of our own words or
four signs, or it is nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from edge.panel.calendar import day_of
from edge.panel.ground import ElsewhereError, told
from edge.panel.log_view import line_of, reasons
from edge.panel.records_report import read_place, read_rows, read_today
from edge.panel.today import today_page
from edge.panel.visitor import Kind

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.log_view import Line
    from edge.panel.visitor import Visitor

#: The tiles and the chips, in their order.
DAYS = ("today", "yesterday", "week")
GROUPS = ("in", "refused", "by_hand", "door", "emergency", "device")
#: Rows of a page, and of a sheet of paper: either stays below 15 kB.
PAGE_ROWS = 50
SHEET_ROWS = 90
#: The end of a booking, a locker's number or a sealed bag's; nothing else.
_SIGNS = re.compile(r"[0-9A-Za-z-]{1,12}")

#: After a start the gateway counts a week's events, beside its doors.
WEEK_S = 10.0

Place = Annotated[int, Query(ge=0, lt=1 << 52)]
Short = Annotated[str, Query(max_length=32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a visitor of the log looks for, each of it one of our own words."""

    day: str = "today"
    group: str = ""
    find: str = ""
    reason: str = ""

    def url(self, before: int = 0, **changed: str) -> str:
        """Return the log's address for this, or for this with something changed."""
        asked = {"day": self.day, "group": self.group, "find": self.find}
        asked |= {"reason": self.reason, "before": str(before or "")} | changed
        kept = [f"{name}={value}" for name, value in asked.items() if value]
        return "/log?" + "&".join(kept)


def add_looking(app: FastAPI, ground: Ground) -> None:
    """Add today, the log and its sheet."""

    @app.get("/today")
    async def read_today_page(request: Request) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        report = read_today(await ground.ask("today", visitor, within_s=WEEK_S))
        is_manager = visitor.kind is Kind.MANAGER
        page = report and today_page(report, ground.words, is_manager=is_manager)
        return ground.draw("today.html", visitor, page=page)

    @app.get("/log")
    async def read_log(
        request: Request,
        *,
        day: Short = "",
        group: Short = "",
        find: Short = "",
        reason: Short = "",
        before: Place = 0,
        told: Short = "",
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        is_manager = visitor.kind is Kind.MANAGER
        known = reasons(ground.words)
        asked = Asked(
            day=day if day in DAYS and is_manager else "today",
            group=group if group in GROUPS else "",
            find=find if _SIGNS.fullmatch(find) else "",
            reason=reason if reason in known else "",
        )
        first, last = _days(ground, asked.day)
        lines, older = await _lines(
            ground, visitor, asked, first=first, last=last, before=before
        )
        return ground.draw(
            "log.html",
            visitor,
            told,
            asked=asked,
            lines=lines,
            older=older,
            days=DAYS if is_manager else DAYS[:1],
            groups=GROUPS,
            reasons=known,
            is_later=before > 0,
            is_sought=bool(asked.find or asked.reason),
        )

    @app.get("/log/sheet")
    async def read_sheet(
        request: Request, on: Short = "", before: Place = 0
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        day = _date(on) if visitor.kind is Kind.MANAGER else None
        day = day or _today(ground)
        shown = day.isoformat() if day else ""
        lines, older = await _lines(
            ground,
            visitor,
            Asked(),
            first=shown,
            last=shown,
            before=before,
            limit=SHEET_ROWS,
        )
        more = f"/log/sheet?on={shown}&before={older}" if older else ""
        return ground.draw("log_sheet.html", visitor, lines=lines, more=more, day=shown)


async def _lines(
    ground: Ground,
    visitor: Visitor,
    asked: Asked,
    *,
    first: str,
    last: str,
    before: int,
    limit: int = PAGE_ROWS,
) -> tuple[list[Line], int]:
    """Return the rows of a page, and from where older ones go on (0: none are)."""
    report = ground.hub.standing.report
    if report is None:
        raise ElsewhereError(told("/", "gone"))
    wanted: dict[str, Any] = {"first": first, "last": last, "group": asked.group}
    wanted |= {"find": asked.find, "reasons": [asked.reason] if asked.reason else []}
    answer = await ground.ask("records", visitor, before=before, limit=limit, **wanted)
    lines = [
        line_of(row, report, ground.words, with_day=first != last)
        for row in read_rows(answer)
    ]
    return lines, read_place(answer, "before")


def _today(ground: Ground) -> date | None:
    standing = ground.hub.standing
    hours = standing.report.offset_hours if standing.report else 0
    return day_of(standing.clock_ms(ground.hub.now()), hours)


def _days(ground: Ground, asked: str) -> tuple[str, str]:
    """Return the first and the last day that are meant; both "" for today."""
    today = _today(ground)
    if today is None or asked == "today":
        return "", ""
    if asked == "yesterday":
        day = (today - timedelta(days=1)).isoformat()
        return day, day
    return (today - timedelta(days=6)).isoformat(), today.isoformat()


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
