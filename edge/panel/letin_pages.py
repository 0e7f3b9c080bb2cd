# SPDX-License-Identifier: Apache-2.0
"""Letting somebody in who has no card or no booking: why, where, how many, open.

The law of the module: no typing and no names. A press opens once; what was written
down wrongly is corrected by an event of its own, and the journal keeps both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.ground import ElsewhereError, go, told
from edge.panel.live import Live, add_live
from edge.panel.presses import Press
from edge.panel.rooms import has_room

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.report import DoorReport
    from edge.panel.view import RoomRow
    from edge.panel.visitor import Visitor

#: Why somebody is let in by hand, as the journal has it, in the order of the tiles.
NO_BOOKING = "NO_BOOKING"
REASONS = ("NO_PAPERS", NO_BOOKING, "HELP", "STAFF", "COMPANION", "OTHER")
#: Reasons that other pages give; shown, and never offered.
OTHERS = frozenset({"DOORBELL", "PAID_IN_CASH"})
#: People who come in at a time; the last stands for "so many or more".
COUNTS = (1, 2, 3, 4, 5)

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=16)]
Door = Annotated[str, Form(max_length=256)]


def add_letin(app: FastAPI, ground: Ground) -> None:
    """Add the flow from its first tile to its correction."""
    _add_opening(app, ground)
    _add_paying(app, ground)
    _add_fixing(app, ground)

    async def parts(_: Visitor) -> dict[str, Fragment]:
        return {}

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor)

    # For pages that stay fresh in nothing but who rings.
    add_live(app, ground, "/live/bell", Live(parts=parts, key=key))


def _add_opening(app: FastAPI, ground: Ground) -> None:
    @app.get("/letin")
    async def read_letin(
        request: Request, why: str = "", told: str = ""
    ) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        why = why if why in REASONS else ""
        due = [] if why else await _due(ground, visitor)
        is_open = bool(_doors(ground, NO_BOOKING))
        return ground.draw(
            "letin.html",
            visitor,
            told,
            why=why,
            doors=_doors(ground, why),
            counts=COUNTS,
            reasons=[each for each in REASONS if is_open or each != NO_BOOKING],
            due=due,
            # What could not be corrected any more is put right by a count.
            rooms=ground.duty().rooms if told == "letin.late" else (),
            key=ground.pages.key_of(visitor),
        )

    @app.post("/letin")
    async def let_in(
        request: Request,
        *,
        token: Token,
        why: Short,
        door: Door,
        count: Annotated[int, Form(ge=1, le=COUNTS[-1])] = 1,
        slow: Short = "",
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        if why not in REASONS or all(door != each.id for each in _doors(ground, why)):
            return go(told("/letin", "again"))
        press_once(ground, visitor, token, door, "/letin")
        fields = {"reason": why, "count": count, "is_extended": slow == "yes"}
        return await opened(ground, visitor, "open", door, door=door, **fields)


def _add_paying(app: FastAPI, ground: Ground) -> None:
    @app.post("/letin/paid")
    async def let_in_paid(
        request: Request, token: Token, seq: Annotated[int, Form()]
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/letin")
        return await opened(ground, visitor, "let-in-paid", seq=seq)


def press_once(
    ground: Ground, visitor: Visitor, token: str, door: str, back: str
) -> None:
    """Spend a token for a door; a second press leads ``back`` and opens nothing."""
    match ground.press(visitor, token, door):
        case Press.REPEATED:
            raise ElsewhereError(told(back, "ignored"))
        case Press.STALE:
            raise ElsewhereError(told(back, "again"))
        case Press.FIRST:
            pass


async def opened(
    ground: Ground, visitor: Visitor, verb: str, pressed: str = "", **fields: Any
) -> RedirectResponse:
    """Have a door opened, and lead to what was written down; or say that it stays.

    ``pressed``: the door that may be tried again at once where it stays shut.
    """
    answer = await ground.link.ask(verb, visitor.keys, **fields)
    seq = answer.get("seq")
    if answer.get("ok") is True and isinstance(seq, int):
        return go(f"/letin/done?seq={seq}")
    ground.forget(pressed)
    return go(told("/letin", "refused" if answer else "gone"))


def _add_fixing(app: FastAPI, ground: Ground) -> None:
    async def page(request: Request, seq: int, *, is_fixing: bool) -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        entry = await _entry(ground, visitor, seq)
        return ground.draw(
            "letin_done.html",
            visitor,
            entry=entry,
            is_fixing=is_fixing,
            rooms=_rooms(ground, entry["at"] if entry else ""),
            fixes=[n for n in (0, *COUNTS) if entry and n != entry["persons"]],
            reasons=[each for each in REASONS if entry and each != entry["reason"]],
            key=ground.pages.key_of(visitor),
        )

    @app.get("/letin/done")
    async def read_done(request: Request, seq: int = 0) -> HTMLResponse:
        return await page(request, seq, is_fixing=False)

    @app.get("/letin/fix")
    async def read_fix(request: Request, seq: int = 0) -> HTMLResponse:
        return await page(request, seq, is_fixing=True)

    @app.post("/letin/fix")
    async def fix(
        request: Request, token: Token, seq: Annotated[int, Form()], right: Short
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/letin")
        entry = await _entry(ground, visitor, seq)
        fields = _right(right, entry) if entry else None
        if fields is None:
            return go(told("/letin", "letin.late"))
        answer = await ground.ask("correct-entry", visitor, seq=seq, **fields)
        return go(told("/letin", "letin.fixed" if answer.get("ok") else "letin.late"))


def _right(right: str, entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was right: so many persons, or another reason; None for neither."""
    if right in REASONS:
        return {"persons": entry["persons"], "reason": right}
    if right in {str(number) for number in (0, *COUNTS)}:
        return {"persons": int(right), "reason": entry["written"]}
    return None


def _doors(ground: Ground, why: str) -> list[DoorReport]:
    """Return the doors that may be opened for that reason."""
    standing = ground.hub.standing
    doors = standing.report.doors if standing.report is not None else ()
    is_by_room = why == NO_BOOKING
    return [each for each in doors if not is_by_room or has_room(standing, each.id)]


def _rooms(ground: Ground, door: str) -> list[RoomRow]:
    """Return the room that a door leads to, or all where the door is not known."""
    report = ground.hub.standing.report
    room = report.board.room_of(door) if report is not None else None
    rooms = ground.duty().rooms
    return [each for each in rooms if room is None or each.id == room.space]


def _names(ground: Ground) -> dict[str, str]:
    report = ground.hub.standing.report
    return {door.id: door.name for door in report.doors} if report is not None else {}


async def _due(ground: Ground, visitor: Visitor) -> list[dict[str, Any]]:
    """Return who was refused for a payment: at which door, how much."""
    names = _names(ground)
    answer = await ground.ask("letin", visitor)
    return [
        {"seq": one["seq"], "door": names[one["door"]], "yuan": _yuan(one["fen"])}
        for one in answer.get("due", [])
        if one.get("door") in names and _are_whole(one.get("seq"), one.get("fen"))
    ]


async def _entry(ground: Ground, visitor: Visitor, seq: int) -> dict[str, Any] | None:
    """Return what was written of an opening, while it may be corrected."""
    names = _names(ground)
    answer = await ground.ask("letin", visitor)
    for one in answer.get("entries", []):
        persons, written = one.get("persons"), one.get("reason")
        if one.get("seq") != seq or not _are_whole(persons):
            continue
        is_known = written in REASONS or written in OTHERS
        return {
            "seq": seq,
            "at": str(one.get("door")),
            "door": names.get(one.get("door"), ""),
            "persons": persons,
            "shown": min(max(persons, 0), COUNTS[-1]),
            "reason": written if is_known else "",
            "written": str(written),
        }
    return None


def _are_whole(*values: Any) -> bool:
    return all(isinstance(v, int) and not isinstance(v, bool) for v in values)


def _yuan(fen: int) -> str:
    """Write a sum as people do: 12, or 12.50."""
    return str(fen // 100) if fen % 100 == 0 else f"{fen / 100:.2f}"
