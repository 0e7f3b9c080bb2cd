# SPDX-License-Identifier: Apache-2.0
"""The devices page: what needs a look, and two buttons that move nothing.

The law of the module: what the page says of devices is live; the numbers beneath are
for whoever mends the box, and stay folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from edge.panel.ground import go, told
from edge.panel.health import health
from edge.panel.live import Live, add_live
from edge.panel.records_report import read_lines, read_numbers, read_wires
from edge.panel.visitor import Kind

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.panel.ground import Ground
    from edge.panel.health import Health
    from edge.panel.pages import Fragment
    from edge.panel.visitor import Visitor

#: The box's numbers, each with its word, in the order of the page.
NUMBERS = (
    *("version", "python", "settings", "uptime_s", "memory_mb", "disk_free_mb"),
    *("disk_mb", "events", "waiting", "not_on_disk", "broker", "reconnects", "keys"),
    *("certificate_days", "panel_certificate"),
)
_BEEPS = {"done": "beeped", "mute": "mute", "away": "away", "heard": "heard"}
_TESTS = {"done": "testing", "running": "tests", "fire": "fire"}

Token = Annotated[str, Form(max_length=64)]
Short = Annotated[str, Form(max_length=64)]


def add_devices(app: FastAPI, ground: Ground) -> None:
    """Add the page, its stream and its two acts."""

    def now() -> Health:
        hub, is_exposed = ground.hub, ground.address.is_exposed
        return health(hub.standing, ground.words, hub.now(), is_exposed=is_exposed)

    def key(visitor: Visitor) -> str:
        return ground.pages.key_of(visitor)

    async def parts(_: Visitor) -> dict[str, Fragment]:
        return {"health": ground.pages.part("health.html", "health", now())}

    @app.get("/devices")
    async def read_devices(request: Request, told: str = "") -> HTMLResponse:
        visitor: Visitor = request.state.visitor
        return ground.draw(
            "devices.html",
            visitor,
            told,
            part=(await parts(visitor))["health"],
            health=now(),
            key=key(visitor),
            **await _of_the_box(ground, visitor),
        )

    add_live(app, ground, "/devices/live", Live(parts=parts, key=key))

    @app.post("/devices/beep")
    async def beep(
        request: Request, token: Token, device: Short = ""
    ) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/devices")
        answer = await ground.ask("beep", visitor, device=device)
        word = _BEEPS.get(str(answer.get("state")), "unknown")
        return go(told("/devices", f"devices.{word}"))

    @app.post("/devices/test")
    async def test(request: Request, token: Token) -> RedirectResponse:
        visitor: Visitor = request.state.visitor
        ground.spend(visitor, token, "/devices")
        answer = await ground.ask("test-again", visitor)
        word = _TESTS.get(str(answer.get("state")), "unknown")
        return go(told("/devices", f"devices.{word}"))


async def _of_the_box(ground: Ground, visitor: Visitor) -> dict[str, Any]:
    """Return what the installer's part shows; nothing for a volunteer."""
    if visitor.kind not in (Kind.MANAGER, Kind.INSTALLER):
        return {"numbers": {}, "places": {}, "lines": ()}
    answer = await ground.ask("box", visitor)
    return {
        "numbers": read_numbers(answer, NUMBERS),
        "places": read_wires(answer.get("wires")),
        "lines": read_lines(answer.get("troubles")),
    }
