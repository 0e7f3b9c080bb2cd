# SPDX-License-Identifier: Apache-2.0
"""The page of a second tablet beside a door: what the door says now, and who helps.

The law of the module: it is meant for the street. It shows the door's own words, which
are the same as on its reader, the code that telephones scan there, and nothing of
anybody: no name, no number of people, no button. Any paired tablet may show it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from edge.panel.door_code import DoorCode
from edge.panel.live import Live, add_live
from edge.panel.view import Shape, Tone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.pages import Fragment
    from edge.panel.report import DoorReport
    from edge.panel.visitor import Visitor

#: What a door's lamp says, as colour and picture.
_LOOKS: Mapping[str, tuple[Tone, Shape]] = MappingProxyType(
    {
        "READING": (Tone.INFO, Shape.CLOCK),
        "GRANTED": (Tone.OK, Shape.TICK),
        "GRANTED_SLOW": (Tone.OK, Shape.TICK),
        "DENIED": (Tone.BAD, Shape.HAND),
        "TRY_AGAIN": (Tone.WARN, Shape.HAND),
        "CLOSE_DOOR": (Tone.WARN, Shape.ALERT),
        "OUT_OF_ORDER": (Tone.WARN, Shape.ALERT),
        "LOCKED_DOWN": (Tone.BAD, Shape.HAND),
        "DRILL": (Tone.INFO, Shape.ALERT),
        "DRILL_EVACUATE": (Tone.OK, Shape.OPEN),
        "EVACUATE": (Tone.OK, Shape.OPEN),
    }
)
_READY = (Tone.INFO, Shape.CARD)
#: While a door says one of these, nobody is asked to scan anything.
_NO_CODE = frozenset({"OUT_OF_ORDER", "LOCKED_DOWN", "EVACUATE"})


class DoorScreen:
    """One door's page, and what keeps it fresh."""

    def __init__(self, ground: Ground, codes: DoorCode, door: str) -> None:
        self._ground = ground
        self._codes = codes
        self._id = door

    def door(self) -> DoorReport | None:
        """Return the door as the gateway told it last; None if there is none."""
        report = self._ground.hub.standing.report
        doors = () if report is None else report.doors
        return next((door for door in doors if door.id == self._id), None)

    def key(self, visitor: Visitor) -> str:
        """Name what the page shows outside its part."""
        door = self.door()
        # What stands in the address may be no text at all: only a known door is named.
        names = (door.id, door.name) if door else ("", "")
        return self._ground.pages.key_of(visitor, *names)

    async def parts(self, visitor: Visitor) -> dict[str, Fragment]:
        """Return the parts that change."""
        return {"sign": self.sign(), "code": await self.code(visitor)}

    async def code(self, visitor: Visitor) -> Fragment:
        """Draw what telephones scan."""
        door = self.door()
        if door is None or door.sign.cue in _NO_CODE:
            return self._ground.pages.part("code.html", "nothing")
        return await self._codes.part(visitor, door.id)

    def sign(self) -> Fragment:
        """Draw what the door says."""
        pages, standing, door = self._ground.pages, self._ground.hub.standing, None
        if standing.is_live:
            door = self.door()
        if door is None:
            look = (Tone.INFO, Shape.CLOCK)
            return pages.part("sign.html", "waiting", *(each.value for each in look))
        tone, shape = _LOOKS.get(door.sign.cue, _READY)
        return pages.part("sign.html", "sign", tone.value, shape.value, door.sign)


def add_door_screen(app: FastAPI, ground: Ground) -> None:
    """Add the page of each door and its stream."""
    codes = DoorCode(ground)

    @app.get("/door/{door}")
    async def read_door(request: Request, door: str) -> HTMLResponse:
        screen = DoorScreen(ground, codes, door)
        known = screen.door()
        if known is None:
            raise HTTPException(404)
        visitor: Visitor = request.state.visitor
        key, parts = screen.key(visitor), await screen.parts(visitor)
        return ground.draw("door.html", visitor, door=known, parts=parts, key=key)

    def live(request: Request) -> Live:
        screen = DoorScreen(ground, codes, request.path_params["door"])
        return Live(parts=screen.parts, key=screen.key)

    add_live(app, ground, "/door/{door}/live", live)
