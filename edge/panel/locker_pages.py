# SPDX-License-Identifier: Apache-2.0
"""The lockers: a grid that stays fresh, a page for each cell, and what is done there.

The law of the module: what may be done is the gateway's to say. Whoever opens a cell
is told what became of it by the board's own word, not by ours: the answer waits for
that, as long as a lock may take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException

from edge.panel.bag_pages import FORM, end_rental, waiting_bags
from edge.panel.cell_view import PARCEL, Bank, banks, unknown
from edge.panel.cupboard_report import read_lockers
from edge.panel.ground import go, told
from edge.panel.live import Live, add_live
from edge.panel.report import DEFAULT_OFFSET_HOURS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from fastapi import FastAPI

    from edge.panel.cupboard_report import CellReport
    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

    Told = dict[str, tuple[CellReport, ...]]

#: A lock that did not report its opening within two seconds of its order is jammed;
#: the order may wait a quarter of a second for the disk.
SETTLES_S = 3.5
LOOK_EVERY_S = 0.1
#: Why somebody in charge opens a cell, as the journal has it.
REASONS = frozenset({"forgot_code", "overdue", "broken", "check"})

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=64)]


class Cells:
    """All cells, as they were told last; without the gateway nothing of them is."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._last: Told = {}

    async def look(self, visitor: Visitor) -> Told:
        """Return the cells of each bank, as they stand or as not known."""
        answer = await self._ground.link.ask("lockers", visitor.keys)
        if answer.get("ok") is True:
            self._last = read_lockers(answer)
            return self._last
        known = self._last.items()
        return {bank: tuple(map(unknown, cells)) for bank, cells in known}

    async def find(self, visitor: Visitor, cell: str) -> CellReport | None:
        """Return the cell of that name, None where there is none."""
        told = await self.look(visitor)
        every = (one for cells in told.values() for one in cells)
        return next((one for one in every if one.id == cell), None)

    def key(self, visitor: Visitor) -> str:
        """Name a page that has these cells."""
        ids = (one.id for cells in self._last.values() for one in cells)
        return self._ground.pages.key_of(visitor, *ids)

    def shown(self, told: Told) -> tuple[Bank, ...]:
        """Return the banks as a page shows them."""
        report = self._ground.hub.standing.report
        return banks(
            told,
            self._ground.words,
            names=report.banks if report else {},
            offset_hours=report.offset_hours if report else DEFAULT_OFFSET_HOURS,
        )

    def parts(self, shown: Iterable[Bank], macro: str) -> dict[str, Fragment]:
        """Draw each cell's part of a page, by the id of its place."""
        return {
            f"{macro}-{one.id}": self._ground.pages.part("cells.html", macro, one)
            for bank in shown
            for one in (*bank.medicine, *bank.cells)
        }

    def live(self, macro: str) -> Live:
        """Return what keeps a page of these parts fresh."""

        async def parts(visitor: Visitor) -> dict[str, Fragment]:
            return self.parts(self.shown(await self.look(visitor)), macro)

        return Live(parts=parts, key=self.key)


async def moved(
    ground: Ground, look: Callable[[], Awaitable[Iterable[CellReport]]]
) -> str:
    """Wait until the board has said what became of an opening; say it in a word."""
    until_s = ground.hub.now() + SETTLES_S
    while True:
        cells = tuple(await look())
        if not any(one.is_ordered for one in cells):
            phases = {one.phase for one in cells}
            if "OPEN" in phases:
                return "opened"
            return "jammed" if "FAULT" in phases else "silent"
        if ground.hub.now() >= until_s or not await ground.nap(LOOK_EVERY_S):
            return "silent"


def add_lockers(app: FastAPI, ground: Ground) -> Cells:
    """Add the grid and the cells' pages; return what knows the cells."""
    cells = Cells(ground)
    add_live(app, ground, "/lockers/live", cells.live("tile"))
    add_live(app, ground, "/lockers/cells/live", cells.live("cell"))

    @app.get("/lockers")
    async def read_lockers_page(
        request: Request, told: str = "", n: int = 0
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        shown = cells.shown(await cells.look(visitor))
        return ground.draw(
            "lockers.html",
            visitor,
            told,
            n,
            banks=shown,
            bags=len(await waiting_bags(ground, visitor)),
            parts=cells.parts(shown, "tile"),
            key=cells.key(visitor),
        )

    return cells


def add_cells(app: FastAPI, ground: Ground, cells: Cells) -> None:
    """Add the pages of single cells; the last, since any word may be a cell's name."""
    _add_acts(app, ground, cells)

    @app.get("/lockers/{cell}")
    async def read_cell(request: Request, cell: str, told: str = "") -> HTMLResponse:
        return await _draw_cell(
            ground, cells, request, page="cell.html", cell=cell, told=told
        )

    @app.get("/lockers/{cell}/end")
    async def confirm_end(request: Request, cell: str, told: str = "") -> HTMLResponse:
        return await _draw_cell(
            ground, cells, request, page="cell_end.html", cell=cell, told=told
        )


async def _draw_cell(
    ground: Ground,
    cells: Cells,
    request: Request,
    *,
    page: str,
    cell: str,
    told: str = "",
) -> HTMLResponse:
    visitor: Visitor = request.state.visitor
    everything = await cells.look(visitor)
    report = await cells.find(visitor, cell)
    if report is None or report.is_medicine:
        raise HTTPException(404)
    shown = cells.shown({report.bank: everything.get(report.bank, ())})
    [one] = [each for bank in shown for each in bank.cells if each.id == report.id]
    is_parcel = report.rental is not None and report.rental.kind == PARCEL
    return ground.draw(
        page,
        visitor,
        told,
        report=report,
        cell=one,
        is_parcel=is_parcel,
        part=cells.parts(shown, "cell")[f"cell-{one.id}"],
        key=cells.key(visitor),
    )


def _add_acts(app: FastAPI, ground: Ground, cells: Cells) -> None:
    @app.post("/lockers/open")
    async def open_cell(
        request: Request, token: Token, cell: Short = "", reason: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/lockers")
        known = await cells.find(visitor, cell)
        if known is None or known.is_medicine or reason not in REASONS:
            return go(told("/lockers", "again"))
        answer = await ground.ask(
            "compartment-open", visitor, **_place(known), reason=reason
        )
        if not answer.get("ok"):
            word = "is_open" if known.phase == "OPEN" else "refused"
        else:
            word = await settled(ground, cells, visitor, known.id)
        if word == "opened" and reason == "overdue":
            word = "opened_overdue"
        return go(told(f"/lockers/{known.id}", f"lockers.{word}"))

    def act(path: str, verb: str, word: str, **fields: Any) -> None:
        """Add a form of one button: an order to a cell, for a reason of ours."""

        @app.post(path)
        async def order(
            request: Request, token: Token, cell: Short = ""
        ) -> RedirectResponse:
            visitor: Visitor = request.state.visitor
            ground.spend(visitor, token, "/lockers")
            known = await cells.find(visitor, cell)
            if known is None or known.is_medicine:
                return go(told("/lockers", "again"))
            answer = await ground.ask(verb, visitor, **_place(known), **fields)
            done = word if answer.get("ok") else "refused"
            return go(told(f"/lockers/{known.id}", f"lockers.{done}"))

    act("/lockers/out", "out-of-order", "out", reason="broken")
    act("/lockers/mend", "mend", "mended", reason="mended")
    act("/lockers/cleaned", "cleaned", "cleaned")
    _add_end(app, ground, cells)


def _add_end(app: FastAPI, ground: Ground, cells: Cells) -> None:
    @app.post("/lockers/end")
    async def end(
        request: Request,
        *,
        token: Token,
        cell: Short = "",
        how: Short = "",
        bag: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/lockers")
        known = await cells.find(visitor, cell)
        if known is None or known.is_medicine:
            return go(told("/lockers", "again"))
        word = await end_rental(ground, visitor, _place(known), how=how, typed=bag)
        page = f"/lockers/{known.id}"
        return go(told(f"{page}/end" if word in FORM else page, word))


async def settled(ground: Ground, cells: Cells, visitor: Visitor, cell: str) -> str:
    """Wait for what became of a cell's opening; return the word for it."""

    async def look() -> tuple[CellReport, ...]:
        known = await cells.find(visitor, cell)
        return () if known is None else (known,)

    return await moved(ground, look)


def _place(cell: CellReport) -> dict[str, Any]:
    return {"bank": cell.bank, "number": cell.number}
