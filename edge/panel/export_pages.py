# SPDX-License-Identifier: Apache-2.0
"""The log as a file, for a manager; that somebody took it is in the log itself.

The law of the module: nothing is given out that the gateway did not write down first.
A file is made while it is sent, in bounded memory; one that the gateway could not
finish breaks off, so that half of it never looks like all of it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import (
    HTMLResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)

from edge.panel.backup_view import STICK
from edge.panel.bookbinder import binding
from edge.panel.fields import text
from edge.panel.ground import ElsewhereError, go, told
from edge.panel.log_view import line_of
from edge.panel.records_report import read_days, read_place, read_rows
from edge.panel.sheets import BOM, cells_of, csv_text, heads
from edge.panel.upload import PIECE, Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.visitor import Visitor

FORMS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: Exports that wait to be fetched: one a manager, and there are few.
MAX_WAITING = 16
CHUNK = 65_536
#: A box that is busy with its doors lets an office wait.
PIECE_S = 10.0
#: … and a slow stick lets it wait longer.
STICK_S = 310.0
#: What the gateway takes for a stick; a year of a busy place is a quarter of it.
MOST_BYTES = 64 << 20

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An export that was written down, by its word at the gateway."""

    name: str
    form: str
    first: date
    last: date

    @property
    def file_name(self) -> str:
        """Under which name a browser keeps it."""
        return f"menshen-{self.first}-{self.last}.{self.form}"


class Exports:
    """Who may fetch what, and the fetching; one workbook is made at a time."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()
        self._one = asyncio.Lock()

    def of(self, visitor: Visitor) -> Waiting | None:
        """Return what waits for somebody."""
        return self._waiting.get(visitor.keys.mark)

    async def order(self, visitor: Visitor, first: str, last: str, form: str) -> str:
        """Have an export written down; return the word for what became of it."""
        self._waiting.pop(visitor.keys.mark, None)
        if form not in FORMS:
            return "export.days"
        answer = await self._ground.ask(
            "export", visitor, first=first, last=last or first, form=form
        )
        days, name = read_days(answer), answer.get("export")
        if days is None or not isinstance(name, str):
            return "export.days"
        self._waiting[visitor.keys.mark] = Waiting(
            name=name, form=form, first=days[0], last=days[1]
        )
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
        return "export.ready"

    async def file(
        self, visitor: Visitor, waiting: Waiting
    ) -> AsyncIterator[str | bytes]:
        """Yield a file; ConnectionError if the gateway does not finish it."""
        made = self._xlsx if waiting.form == "xlsx" else self._csv
        async for part in made(visitor, waiting):
            yield part

    async def to_stick(self, visitor: Visitor, waiting: Waiting) -> str:
        """Have a file written to the stick; return the word for what became of it."""

        async def ask(verb: str, **fields: Any) -> dict[str, Any]:
            return await self._ground.link.ask(
                verb,
                visitor.keys,
                within_s=STICK_S if verb.endswith("write") else PIECE_S,
                export=waiting.name,
                **fields,
            )

        sender, held = Sender(ask, "export-stick", MOST_BYTES), bytearray()
        word = await sender.begin() or "taken"
        if word != "taken":
            return word
        try:
            async for part in self.file(visitor, waiting):
                held += part.encode() if isinstance(part, str) else part
                while len(held) > PIECE and word == "taken":
                    word = await sender.send(bytes(held[:PIECE]), is_last=False)
                    del held[:PIECE]
                if word != "taken":
                    return word
        except ConnectionError:
            return "gone"
        word = await sender.send(bytes(held), is_last=True)
        if word == "taken":
            done = await ask("export-stick-write", ticket=sender.ticket)
            word = text(done.get("state"))
        return word

    async def _csv(self, visitor: Visitor, waiting: Waiting) -> AsyncIterator[str]:
        yield BOM + csv_text([heads(self._ground.words)])
        async for rows in self._pieces(visitor, waiting):
            yield csv_text(rows)

    async def _xlsx(self, visitor: Visitor, waiting: Waiting) -> AsyncIterator[bytes]:
        async with self._one:
            with tempfile.TemporaryDirectory(prefix="menshen-") as folder:
                path = Path(folder, "log.xlsx")
                async with binding(path) as book:
                    await book.add([heads(self._ground.words)])
                    async for rows in self._pieces(visitor, waiting):
                        await book.add(rows)
                    await book.finish()
                with await asyncio.to_thread(path.open, "rb") as file:
                    while chunk := await asyncio.to_thread(file.read, CHUNK):
                        yield chunk

    async def _pieces(
        self, visitor: Visitor, waiting: Waiting
    ) -> AsyncIterator[list[tuple[str, ...]]]:
        ground, after = self._ground, 0
        report = ground.hub.standing.report
        while report is not None:
            answer = await ground.link.ask(
                "export-rows",
                visitor.keys,
                within_s=PIECE_S,
                export=waiting.name,
                after=after,
            )
            if answer.get("ok") is not True:
                raise ConnectionError("the gateway did not finish the export")
            yield [
                cells_of(line_of(row, report, ground.words, with_day=True))
                for row in read_rows(answer)
            ]
            after = read_place(answer, "next")
            if not after:
                return
        raise ConnectionError("the gateway is not known yet")


def add_export(app: FastAPI, ground: Ground) -> None:
    """Add the form, and the file that it leads to."""
    exports = Exports(ground)

    @app.get("/export")
    async def read_export(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return ground.draw("export.html", visitor, told, waiting=exports.of(visitor))

    @app.post("/export")
    async def order_export(
        request: Request,
        *,
        token: Token,
        form: Short = "csv",
        first: Short = "",
        last: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/export")
        done = await exports.order(visitor, first, last, form)
        return go(told("/export", done))

    @app.post("/export/stick")
    async def write_stick(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/export")
        waiting = exports.of(visitor)
        if waiting is None:
            raise ElsewhereError(told("/export", "export.gone"))
        word = await exports.to_stick(visitor, waiting)
        is_known = word in STICK or word == "size"
        return go(told("/export", f"stick.{word if is_known else 'gone'}"))

    @app.get("/export/file")
    async def read_file(request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        waiting = exports.of(visitor)
        if waiting is None:
            raise ElsewhereError(told("/export", "export.gone"))
        name = f'attachment; filename="{waiting.file_name}"'
        return StreamingResponse(
            exports.file(visitor, waiting),
            media_type=FORMS[waiting.form],
            headers={"content-disposition": name},
        )
