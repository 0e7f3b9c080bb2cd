# SPDX-License-Identifier: Apache-2.0
"""Whom to call, whom to fetch, whom to look after: lists that all tablets share.

The law of the module: whom a tablet may see is the gateway's to say, and a person is
named by a key of this run alone. A list has as many rows as a page may weigh; the rest
stands on the next one. Ticks are orders, so each is an event with its actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel import danger
from edge.panel.emergency_pages import offset_of
from edge.panel.emergency_report import (
    Elder,
    Street,
    read_care,
    read_elders,
    read_street,
)
from edge.panel.ground import go, told
from edge.panel.live import Live, add_live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor
    from edge.panel.words import Phrase

CONTACTS, ELDERS, CARE = "/emergency/contacts", "/emergency/elders", "/care"
#: Rows of a page of 15 kB: with buttons, and on paper.
ROWS, ELDER_ROWS, PAPER_ROWS = 12, 8, 14
CALLS, MARKS = ("reached", "no_answer"), ("fetched", "arrived")

Token = Annotated[str, Form(max_length=64)]
#: What is marked: whom, a colon, and as what.
Mark = Annotated[str, Form(max_length=96)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One page of a list: its rows from ``first`` on, and the pages beside it."""

    rows: Sequence[Any]
    first: int
    number: int
    before: int | None
    after: int | None


def leaf(rows: Sequence[Any], number: int, size: int) -> Leaf:
    """Return page ``number`` of a list, counted from 1; beyond its end the last."""
    last = max(1, -(-len(rows) // size))
    number = min(max(1, number), last)
    first = (number - 1) * size
    return Leaf(
        rows=rows[first : first + size],
        first=first,
        number=number,
        before=number - 1 if number > 1 else None,
        after=number + 1 if number < last else None,
    )


def add_street(app: FastAPI, ground: Ground) -> None:
    """Add contacts, elders, and care."""
    _add_contacts(app, ground)
    _add_elders(app, ground)
    _add_care(app, ground)


# ---- contacts ----------------------------------------------------------------------


def _called(ground: Ground, street: Street, visitor: Visitor) -> dict[str, Fragment]:
    """Draw what came of the calls, by the contact's place in the list."""
    hours, words = offset_of(ground), ground.words
    acts = visitor.on_duty_page and not street.is_peace
    return {
        f"c-{place}": ground.pages.part(
            "danger_parts.html", "call", each, danger.call(each, words, hours), acts
        )
        for place, each in enumerate(street.contacts)
    }


def _add_contacts(app: FastAPI, ground: Ground) -> None:
    async def parts(visitor: Visitor) -> dict[str, Fragment]:
        answer = await ground.link.ask("emergency-contacts", visitor.keys)
        return _called(ground, read_street(answer), visitor) if answer else {}

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor, ground.duty().site)

    add_live(app, ground, f"{CONTACTS}/live", Live(parts=parts, key=key))

    @app.get(CONTACTS)
    async def read_contacts(
        request: Request, told: str = "", n: int = 1
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        street = read_street(await ground.ask("emergency-contacts", visitor))
        rows = [
            (grid, contact) for grid, several in street.grids for contact in several
        ]
        return ground.draw(
            "contacts.html",
            visitor,
            told,
            street=street,
            leaf=leaf(rows, n, ROWS),
            parts=_called(ground, street, visitor),
            key=key(visitor),
        )

    @app.post(CONTACTS)
    async def mark(request: Request, token: Token, mark: Mark = "") -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, CONTACTS)
        contact, _, call = mark.rpartition(":")
        if call not in CALLS:
            return go(told(CONTACTS, "danger.unmarked"))
        answer = await ground.ask("contact", visitor, contact=contact, call=call)
        return go(told(CONTACTS, _noted(answer)))


# ---- elders ------------------------------------------------------------------------


def _marked(
    ground: Ground, elders: Sequence[Elder], visitor: Visitor, *, is_peace: bool
) -> dict[str, Fragment]:
    """Draw the marks by the elders' keys, and how many are still awaited."""
    acts = visitor.on_duty_page and not is_peace
    part, here = ground.pages.part, "danger_parts.html"
    awaited = sum(each.is_awaited for each in elders)
    drawn = {f"e-{each.key}": part(here, "marks", each, acts) for each in elders}
    return drawn | {"awaited": part(here, "awaited", awaited, len(elders))}


def _add_elders(app: FastAPI, ground: Ground) -> None:
    async def parts(visitor: Visitor) -> dict[str, Fragment]:
        answer = await ground.link.ask("elders", visitor.keys, most=0)
        if answer.get("ok") is not True:
            return {}
        is_peace = answer.get("is_peace") is not False
        return _marked(ground, read_elders(answer), visitor, is_peace=is_peace)

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor, ground.duty().site)

    def needs_of(elder: Elder) -> Phrase | None:
        return danger.needs(elder, ground.words)

    async def listed(
        visitor: Visitor, number: int, size: int
    ) -> tuple[dict[str, Any], tuple[Elder, ...], Leaf]:
        """Return the answer, everybody, and one page's rows with where and how."""
        first = max(0, number - 1) * size
        answer = await ground.ask("elders", visitor, first=first, most=size)
        elders = read_elders(answer)
        shown = leaf(elders, number, size)
        if shown.first != first:  # the list is shorter than that
            answer = await ground.ask("elders", visitor, first=shown.first, most=size)
            elders = read_elders(answer)
            shown = leaf(elders, shown.number, size)
        return answer, elders, shown

    add_live(app, ground, f"{ELDERS}/live", Live(parts=parts, key=key))

    @app.get(ELDERS)
    async def read_list(request: Request, told: str = "", n: int = 1) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer, elders, shown = await listed(visitor, n, ELDER_ROWS)
        is_peace = answer.get("is_peace") is not False
        return ground.draw(
            "elders.html",
            visitor,
            told,
            is_open=answer.get("ok") is True,
            leaf=shown,
            parts=_marked(ground, elders, visitor, is_peace=is_peace),
            is_peace=is_peace,
            needs_of=needs_of,
            key=key(visitor),
        )

    @app.get(f"{ELDERS}/print")
    async def read_paper(request: Request, n: int = 1) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        answer, _, shown = await listed(visitor, n, PAPER_ROWS)
        is_open = answer.get("ok") is True
        return ground.draw(
            "elders_paper.html",
            visitor,
            is_open=is_open,
            leaf=shown,
            needs_of=needs_of,
        )

    @app.post(ELDERS)
    async def mark(request: Request, token: Token, mark: Mark = "") -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, ELDERS)
        elder, _, what = mark.rpartition(":")
        if what not in MARKS:
            return go(told(ELDERS, "danger.unmarked"))
        answer = await ground.ask("elder-mark", visitor, key=elder, mark=what)
        return go(told(ELDERS, _noted(answer)))


# ---- care --------------------------------------------------------------------------


def _add_care(app: FastAPI, ground: Ground) -> None:
    @app.get(CARE)
    async def read_unseen(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        waiting = read_care(await ground.ask("care", visitor))
        return ground.draw("care.html", visitor, told, waiting=waiting[: 2 * ROWS])

    @app.post(CARE)
    async def answer_care(
        request: Request, token: Token, mark: Mark = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, CARE)
        answer = await ground.ask("care-mark", visitor, key=mark)
        return go(told(CARE, _noted(answer)))


def _noted(answer: dict[str, Any]) -> str:
    return "danger.marked" if answer.get("ok") is True else "danger.unmarked"
