# SPDX-License-Identifier: Apache-2.0
"""First aid: the medicine box opens, what was used is ticked, two persons count.

The law of the module: opening asks for nothing that could be wrong, and never waits
for a list; whether somebody may open, logged in or in an emergency, is the gateway's
to say. The telephone number of the ambulance stands on every one of these pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.cupboard_report import read_medicine
from edge.panel.fields import rows, text
from edge.panel.gateway_link import PIN_S
from edge.panel.ground import go, told
from edge.panel.locker_pages import moved
from edge.panel.medicine_view import (
    NO_END_MS,
    THINGS,
    YEARS,
    Box,
    box,
    end_of_month_ms,
    year_of,
)
from edge.panel.report import DEFAULT_OFFSET_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

    from edge.panel.cupboard_report import BoxReport, CellReport, MedicineReport
    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

#: For whom a box is opened, as the journal has it: after a drill nothing is ticked.
WHOM = frozenset({"resident", "self", "drill"})
#: Of one item; the gateway's own bound.
MAX_COUNT = 1_000
#: People with a PIN, of whom one is the second to count.
MAX_OTHERS = 64

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=64)]
Pin = Annotated[str, Form(max_length=12)]
#: A list has two hundred items at most.
Ticks = Annotated[list[str], Form(max_length=200)]


class Boxes:
    """What the gateway says of the boxes to whoever looks."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def look(self, visitor: Visitor) -> MedicineReport | None:
        """Return all boxes; None for somebody who may not see them now."""
        return read_medicine(await self._ground.ask("medicine", visitor))

    async def find(self, visitor: Visitor, bank: str) -> BoxReport | None:
        """Return the box of a bank for somebody who may write down what is used."""
        report = await self.look(visitor)
        if report is None or not report.may_note:
            return None
        return next((one for one in report.boxes if one.bank == bank), None)

    def shown(self, told: BoxReport) -> Box:
        """Return a box as a page shows it."""
        standing = self._ground.hub.standing
        report = standing.report
        return box(
            told,
            self._ground.words,
            names=report.banks if report else {},
            now_ms=standing.clock_ms(self._ground.hub.now()),
            offset_hours=self.offset_hours,
        )

    @property
    def offset_hours(self) -> int:
        """The site's hours ahead of UTC."""
        report = self._ground.hub.standing.report
        return report.offset_hours if report else DEFAULT_OFFSET_HOURS

    @property
    def year(self) -> int:
        """This year at the site."""
        now_ms = self._ground.hub.standing.clock_ms(self._ground.hub.now())
        return year_of(now_ms, self.offset_hours)


def add_medicine(app: FastAPI, ground: Ground) -> None:
    """Add the boxes' page, and the two that follow an opening or a count."""
    boxes = Boxes(ground)

    @app.get("/medicine")
    async def read_boxes(request: Request, told: str = "", n: int = 0) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        report = await boxes.look(visitor)
        shown = [boxes.shown(each) for each in report.boxes] if report else []
        may_note = report is not None and report.may_note
        return ground.draw(
            "medicine.html",
            visitor,
            told,
            n,
            boxes=shown,
            is_open_to=report is not None,
            may_note=may_note,
        )

    @app.post("/medicine/open")
    async def open_box(
        request: Request, token: Token, bank: Short = "", whom: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/medicine")
        report = await boxes.look(visitor)
        if report is None:
            return go(told("/medicine", "medicine.login"))
        if whom not in WHOM or all(bank != each.bank for each in report.boxes):
            return go(told("/medicine", "again"))
        answer = await ground.ask("medicine-open", visitor, bank=bank, whom=whom)
        word = "refused"
        if answer.get("ok"):
            word = await _settled(ground, boxes, visitor, bank)
        if whom == "drill" and word == "opened":
            word = "drill"
        is_noted = report.may_note and word == "opened"
        where = f"/medicine/used/{bank}" if is_noted else "/medicine"
        return go(told(where, f"medicine.{word}"))

    _add_used(app, ground, boxes)
    _add_count(app, ground, boxes)


def _add_used(app: FastAPI, ground: Ground, boxes: Boxes) -> None:
    @app.get("/medicine/used/{bank}")
    async def tick(request: Request, bank: str, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        report = await boxes.find(visitor, bank)
        if report is None:
            raise HTTPException(404)
        return ground.draw("medicine_used.html", visitor, told, box=boxes.shown(report))

    @app.post("/medicine/used")
    async def note(
        request: Request, token: Token, *, bank: Short = "", used: Ticks | None = None
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/medicine")
        report = await boxes.find(visitor, bank)
        if report is None:
            return go(told("/medicine", "again"))
        noted = 0
        for each in report.items:
            if each.key in (used or ()):
                fields: dict[str, Any] = {"bank": bank, "item": each.item, "count": 1}
                answer = await ground.ask("medicine-used", visitor, **fields)
                noted += answer.get("ok") is True
        if noted == 0:
            return go(told("/medicine", "medicine.nothing"))
        return go(told("/medicine", "medicine.noted", noted))


def _add_count(app: FastAPI, ground: Ground, boxes: Boxes) -> None:
    @app.get("/medicine/count/{bank}")
    async def read_count(request: Request, bank: str, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        report = await boxes.find(visitor, bank)
        if report is None:
            raise HTTPException(404)
        tiles = rows((await ground.ask("tiles", visitor)).get("tiles"), MAX_OTHERS)
        others = [
            {"id": text(each.get("id")), "name": text(each.get("name"))}
            for each in tiles
            if each.get("id") != visitor.account
        ]
        years = range(boxes.year, boxes.year + YEARS)
        return ground.draw(
            "medicine_count.html",
            visitor,
            told,
            box=boxes.shown(report),
            others=others,
            years=years,
            months=range(1, 13),
        )

    @app.post("/medicine/count")
    async def count(
        request: Request,
        *,
        token: Token,
        bank: Short = "",
        item: Short = "",
        count: Short = "",
        year: Short = "",
        month: Short = "",
        second: Short = "",
        second_pin: Pin = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/medicine")
        report = await boxes.find(visitor, bank)
        name = report and _named(item, report)
        if report is None or not name:
            return go(told("/medicine", "again"))
        back = f"/medicine/count/{report.bank}"
        expires_ms = _end(year, month, boxes)
        many = _whole(count, MAX_COUNT)
        if many is None or expires_ms is None:
            return go(told(back, "medicine.form"))
        if not second:
            return go(told(back, "second"))
        answer = await ground.ask(
            "medicine-stock",
            visitor,
            within_s=2 * PIN_S,
            bank=report.bank,
            item=name,
            count=many,
            expires_ms=expires_ms,
            second_account=second,
            second_pin=second_pin,
        )
        return go(told(back, "medicine.counted" if answer.get("ok") else "second"))


async def _settled(ground: Ground, boxes: Boxes, visitor: Visitor, bank: str) -> str:
    """Wait for what became of a box's opening; return the word for it."""

    async def look() -> Iterable[CellReport]:
        report = await boxes.look(visitor)
        found = report.boxes if report else ()
        return [cell for each in found if each.bank == bank for cell in each.cells]

    return await moved(ground, look)


def _named(key: str, report: BoxReport) -> str:
    """Return the name of what is counted: a known thing, or one on the list."""
    listed = {each.key: each.item for each in report.items}
    return THINGS.get(key, "") or listed.get(key, "")


def _end(year: str, month: str, boxes: Boxes) -> int | None:
    """Return until when (UTC ms) what was counted is good; None if nobody said."""
    if year == "none":
        return NO_END_MS
    which, when = _whole(year, boxes.year + YEARS), _whole(month, 12)
    if which is None or not when or which < boxes.year:
        return None
    return end_of_month_ms(which, when, boxes.offset_hours)


def _whole(typed: str, most: int) -> int | None:
    """Return a small number that was typed or chosen; None for anything else."""
    if not typed.isascii() or not typed.isdigit() or len(typed) > 4:
        return None
    return int(typed) if int(typed) <= most else None
