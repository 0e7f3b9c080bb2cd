# SPDX-License-Identifier: Apache-2.0
"""Sealed bags: a cell is cleared into one, and its owner gets it back.

The law of the module: a bag has the number that is printed on it and no name; whose it
is shows by the last four characters of a booking. What was typed is never shown again
before the gateway has taken it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.calendar import day_and_time
from edge.panel.cupboard_report import MAX_BAG, MAX_BAGS, BagReport, read_bags
from edge.panel.ground import go, told
from edge.panel.report import DEFAULT_OFFSET_HOURS
from edge.panel.street_pages import ROWS, leaf

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.report import StatusReport
    from edge.panel.visitor import Visitor
    from edge.panel.words import Phrase, Words

BAGS = "/lockers/bags"
#: The buttons under a cell that is to be given up.
INTO_A_BAG, NOTHING_INSIDE = "bag", "empty"
#: What was wrong with the form: it is shown again.
FORM = frozenset({"bags.form", "bags.either", "bags.twice", "bags.full"})
_NUMBER = re.compile(rf"[0-9A-Z]{{1,{MAX_BAG}}}", re.ASCII)

Short = Annotated[str, Form(max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A bag on its page: where it is from and since when, and whose it is."""

    bag: str
    origin: Phrase
    owner: Phrase


def line_of(told: BagReport, words: Words, report: StatusReport | None) -> Line:
    """Return a bag as the page shows it."""
    names = report.banks if report else {}
    hours = report.offset_hours if report else DEFAULT_OFFSET_HOURS
    return Line(
        bag=told.bag,
        origin=words.say(
            "bags.origin",
            bank=names.get(told.bank) or told.bank,
            number=told.number,
            time=day_and_time(told.since_ms, hours),
        ),
        owner=words.say("bags.owner", tail=told.tail or None),
    )


async def waiting_bags(ground: Ground, visitor: Visitor) -> tuple[BagReport, ...]:
    """Return the bags that wait; none for whoever gives none back."""
    if not visitor.on_duty_page:
        return ()
    return read_bags(await ground.ask("bags", visitor))


async def end_rental(
    ground: Ground, visitor: Visitor, place: dict[str, Any], *, how: str, typed: str
) -> str:
    """End a rental with a bag or without; return the word for what came of it."""
    bag = typed.strip().upper()
    is_bagged = how == INTO_A_BAG or bool(bag)
    if how == NOTHING_INSIDE and bag:
        return "bags.either"
    if is_bagged and not _NUMBER.fullmatch(bag):
        return "bags.form"
    fields = {"bag": bag} if is_bagged else {}
    answer = await ground.ask(
        "end-rental", visitor, **place, reason="emptied", **fields
    )
    if answer.get("ok"):
        return "bags.kept" if is_bagged else "lockers.ended"
    waiting = await waiting_bags(ground, visitor) if is_bagged else ()
    if any(bag == each.bag for each in waiting):
        return "bags.twice"
    return "bags.full" if len(waiting) >= MAX_BAGS else "lockers.refused"


def add_bags(app: FastAPI, ground: Ground) -> None:
    """Add the list of bags, and the act of giving one back."""

    @app.get(BAGS)
    async def read_waiting(
        request: Request, told: str = "", n: int = 1
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        waiting = await waiting_bags(ground, visitor)
        report = ground.hub.standing.report

        def line(told: BagReport) -> Line:
            return line_of(told, ground.words, report)

        return ground.draw(
            "bags.html",
            visitor,
            told,
            count=len(waiting),
            leaf=leaf([line(each) for each in waiting], n, ROWS),
        )

    @app.post(BAGS)
    async def give_back(
        request: Request, token: Short, bag: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, BAGS)
        if not _NUMBER.fullmatch(bag):
            return go(told(BAGS, "again"))
        answer = await ground.ask("bag-back", visitor, bag=bag)
        return go(told(BAGS, "bags.given" if answer.get("ok") else "bags.gone"))
